"""A drawn pair of models, judged as the product judges one.

The averages come first; both models' answers follow where the verdict wants them. Every verdict is
`flywheel.verdict.decide`'s, and what it stands on is `flywheel.evidence`'s. Read next:
`console.scenarios.drawing` (what is judged), `flywheel.verdict`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from console.scenarios.scenario import Policies, Tallies
from flywheel.comparisons import exact_accuracy
from flywheel.evidence import Evidence, PairedEvidence, TestSet, paired_evidence
from flywheel.policy import error_of
from flywheel.policy_settings import METRICS, Policy
from flywheel.resampling import Measured
from flywheel.scored_documents import ACCURACY, Kind, ScoredDocument, Tally, tallies
from flywheel.verdict import Decision, Verdict, decide, measured_by, wants_answers

_TEST_SET = "0" * 64


@dataclass(slots=True)
class Pair:
    """Two models' answers to one test set, which several policies may judge.

    Parameters
    ----------
    documents : sequence of ScoredDocument
    kind : Kind
    labels : int
        How many labels there are to choose from.
    test_set : TestSet
    """

    documents: Sequence[ScoredDocument]
    kind: Kind
    labels: int
    test_set: TestSet
    _answers: dict[tuple[tuple[Measured, ...], float], PairedEvidence] = field(default_factory=dict)
    _averages: tuple[dict[str, float], dict[str, float]] | None = None

    def judge(self, policy: Policy) -> tuple[Verdict, Verdict]:
        """Return the verdict by the averages, and the last one."""
        champion, challenger = self.averages()
        evidence = of_averages(champion, challenger, self.test_set, kind=self.kind)
        first = decide(evidence, policy)
        if not wants_answers(first, policy):
            return first, first
        return first, decide(replace(evidence, paired=self.answers(policy)), policy)

    def averages(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return both models' averages."""
        if self._averages is None:
            old, new = tallies(self.documents, kind=self.kind, labels=self.labels)
            if old is None:
                raise ValueError("a pair has a champion's answers")
            self._averages = averages_of(old), averages_of(new)
        return self._averages

    def answers(self, policy: Policy) -> PairedEvidence:
        """Return what the answers show; policies that ask the same share it."""
        measured, error = tuple(measured_by(policy)), error_of_look(policy, self.test_set)
        if (measured, error) not in self._answers:
            self._answers[measured, error] = paired_evidence(
                self.documents,
                measured,
                kind=self.kind,
                labels=self.labels,
                error=error,
                test_set_sha256=self.test_set.sha256,
            )
        return self._answers[measured, error]


def judge_pair(tallies: Tallies, policies: Policies, pair: Pair) -> None:
    """Judge a pair by each policy, and add what the averages alone promoted."""
    for name, policy in policies.items():
        first, last = pair.judge(policy)
        by_averages = float(first.decision is Decision.PROMOTE)
        tallies.add_decision(name, last.decision, promoted_by_averages=by_averages)


def averages_of(tally: Tally) -> dict[str, float]:
    """Return the averages that a task has."""
    found = {name: tally.metric(name) for name in METRICS}
    return {name: value for name, value in found.items() if value is not None}


def of_averages(
    champion: Mapping[str, float],
    challenger: Mapping[str, float],
    test_set: TestSet,
    *,
    kind: Kind = "multi-class",
    paired: PairedEvidence | None = None,
) -> Evidence:
    """Return what an iteration showed of a drawn pair."""
    return Evidence(
        champion_arn="champion",
        champion=champion,
        challenger_arn="challenger",
        challenger=challenger,
        has_test_set=True,
        kind=kind,
        test_set=test_set,
        paired=paired,
    )


def error_of_look(policy: Policy, test_set: TestSet) -> float:
    """Return how often a look at a test set may err."""
    return error_of(policy)


def judge_accuracy(
    policy: Policy,
    documents: int,
    *,
    wrong: int,
    fixed: int,
    broken: int,
    looks: int = 0,
    generation_looks: int = 0,
    pair_looks: int = 0,
) -> Verdict:
    """Judge a pair by accuracy alone, which needs counts and no documents.

    Parameters
    ----------
    policy : Policy
        With rules about accuracy.
    wrong : int
        Documents on which the champion is wrong.
    fixed, broken : int
        Documents that only the challenger, or only the champion, got right.
    """
    test_set = TestSet(_TEST_SET, documents, {}, looks, generation_looks, pair_looks)
    old = (documents - wrong) / documents
    new = (documents - wrong + fixed - broken) / documents
    evidence = of_averages({ACCURACY: old}, {ACCURACY: new}, test_set)
    verdict = decide(evidence, policy)
    if not wants_answers(verdict, policy):
        return verdict
    error = error_of_look(policy, test_set)
    answers = _exact_answers(documents, old, new, fixed=fixed, broken=broken, error=error)
    return decide(replace(evidence, paired=answers), policy)


def _exact_answers(
    documents: int, old: float, new: float, *, fixed: int, broken: int, error: float
) -> PairedEvidence:
    found = exact_accuracy(old, new, fixed=fixed, broken=broken, documents=documents, error=error)
    return PairedEvidence(
        test_set_sha256=_TEST_SET,
        documents=documents,
        fixed=fixed,
        broken=broken,
        disputed=fixed + broken,
        fixed_ids=(),
        broken_ids=(),
        comparisons=(found,),
        labels=(),
        most_disputed=None,
        seed=0,
    )
