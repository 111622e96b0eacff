"""A drawn pair of models, judged as the product judges one.

The averages come first; both models' answers follow where the verdict wants them. Every verdict is
`flywheel.evaluation.verdict.decide`'s, and what it stands on is `flywheel.evaluation.evidence`'s.
Read next: `console.policy.scenarios.drawing` (what is judged), `flywheel.evaluation.verdict`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from console.policy.scenarios.scenario import Policies, Tallies
from flywheel.evaluation.comparisons import Comparison, exact_accuracy
from flywheel.evaluation.evidence import Evidence, TestSetFacts
from flywheel.evaluation.paired_evidence import PairedEvidence, paired_evidence
from flywheel.evaluation.predictions import ACCURACY, Kind, ScoredDocument, Tally, tallies
from flywheel.evaluation.resampling import Measured
from flywheel.evaluation.verdict import Decision, Verdict, decide, measured_by, wants_answers
from flywheel.evaluation.worth import group_counts
from flywheel.intake.document_groups import GroupCounts, Grouped
from flywheel.settings.policy import METRICS, Policy, Rule

_TEST_SET = "0" * 64

BETTER_ACCURACY = Rule(metric="AverageAccuracy", min=0.0, min_improvement=0.005)
"""The default improvement, of accuracy; exact tests make it quick to judge."""


class DrawnPair(ABC):
    """Two models' answers to one test set, which several policies may judge.

    Parameters
    ----------
    kind : Kind
    champion, challenger : Tally
    groups : GroupCounts
    sha256 : str
        Names the test set; the resampling takes its seed from it.
    grouping : {"none", "named", "near duplicates"}
    """

    def __init__(
        self,
        kind: Kind,
        champion: Tally,
        challenger: Tally,
        groups: GroupCounts,
        *,
        sha256: str = _TEST_SET,
        grouping: Grouped = "none",
    ) -> None:
        test_set = TestSetFacts(
            sha256,
            challenger.documents,
            dict(challenger.actual),
            groups=groups.groups,
            label_groups=groups.label_groups,
            grouping=grouping,
        )
        averages = averages_of(champion), averages_of(challenger)
        self._evidence = of_averages(*averages, test_set, kind=kind)
        self._answers: dict[tuple[tuple[Measured, ...], float], PairedEvidence] = {}

    def judge(self, policy: Policy) -> tuple[Verdict, Verdict]:
        """Return the verdict by the averages, and the last one."""
        return judged(self._evidence, policy, lambda error: self._answered(policy, error))

    def _answered(self, policy: Policy, error: float) -> PairedEvidence:
        """Return what the answers show; policies with the same measures share it."""
        measured = tuple(measured_by(policy))
        if (measured, error) not in self._answers:
            self._answers[measured, error] = self.compared(measured, error)
        return self._answers[measured, error]

    @abstractmethod
    def compared(self, measured: tuple[Measured, ...], error: float) -> PairedEvidence:
        """Return what both models' answers show of these measures at an error."""


class ModelPair(DrawnPair):
    """A pair whose answers are compared as the product compares them.

    Parameters
    ----------
    documents : sequence of ScoredDocument
    kind : Kind
    labels : int
        How many labels there are to choose from.
    sha256, grouping : str
        As in `DrawnPair`.
    """

    def __init__(
        self,
        documents: Sequence[ScoredDocument],
        kind: Kind,
        labels: int,
        sha256: str,
        grouping: Grouped = "none",
    ) -> None:
        self._documents, self._kind, self._labels, self._sha256 = documents, kind, labels, sha256
        old, new = tallies(documents, kind=kind, labels=labels)
        if old is None:
            raise ValueError("a pair has a champion's answers")
        groups = group_counts(documents)
        super().__init__(kind, old, new, groups, sha256=sha256, grouping=grouping)

    def compared(self, measured: tuple[Measured, ...], error: float) -> PairedEvidence:
        """Return what the resampling of both models' answers shows."""
        return paired_evidence(
            self._documents,
            measured,
            kind=self._kind,
            labels=self._labels,
            error=error,
            test_set_sha256=self._sha256,
        )


def judged(
    evidence: Evidence, policy: Policy, answers: Callable[[float], PairedEvidence]
) -> tuple[Verdict, Verdict]:
    """Return the verdict by the averages, and the last one.

    Parameters
    ----------
    evidence : Evidence
        What an iteration showed.
    answers : callable
        Gives what both models' answers show at an error; called only where a verdict wants them.
    """
    first = decide(evidence, policy)
    if not wants_answers(first, policy):
        return first, first
    return first, decide(replace(evidence, paired=answers(evidence.error(policy))), policy)


def judge_pair(tallies: Tallies, policies: Policies, pair: ModelPair) -> None:
    """Judge a pair by each policy, and add what the averages alone promoted."""
    for name, policy in policies.items():
        first, last = pair.judge(policy)
        by_averages = float(first.decision is Decision.PROMOTE)
        tallies.add_decision(name, last.decision, promoted_by_averages=by_averages)


def averages_of(tally: Tally) -> dict[str, float]:
    """Return the averages that a task has."""
    averages = {name: tally.metric(name) for name in METRICS}
    return {name: value for name, value in averages.items() if value is not None}


def of_averages(
    champion: Mapping[str, float],
    challenger: Mapping[str, float],
    test_set: TestSetFacts,
    *,
    kind: Kind = "multi-class",
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
    )


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
    anchor: tuple[int, int] | None = None,
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
    looks, generation_looks, pair_looks : int
        As in `TestSetFacts`.
    anchor : tuple of int, optional
        Documents that only the challenger, or only the anchor, got right.
    """
    test_set = TestSetFacts(_TEST_SET, documents, {}, looks, generation_looks, pair_looks)
    old = (documents - wrong) / documents
    new = (documents - wrong + fixed - broken) / documents
    evidence = of_averages({ACCURACY: old}, {ACCURACY: new}, test_set)
    evidence = replace(evidence, anchor_arn=None if anchor is None else "anchor")

    def answers(error: float) -> PairedEvidence:
        changes = [(fixed, broken)] if anchor is None else [(fixed, broken), anchor]
        compared, *against = (_exact(documents, new, *each, error) for each in changes)
        return replace(answers_of((compared,), documents), anchor=tuple(against))

    return judged(evidence, policy, answers)[1]


@lru_cache(maxsize=20_000)
def _exact(documents: int, new: float, fixed: int, broken: int, error: float) -> Comparison:
    old = new - (fixed - broken) / documents
    return exact_accuracy(old, new, fixed=fixed, broken=broken, documents=documents, error=error)


def answers_of(comparisons: tuple[Comparison, ...], documents: int) -> PairedEvidence:
    """Return answers of which only the comparisons are known; nothing else decides."""
    return PairedEvidence(
        test_set_sha256=_TEST_SET,
        documents=documents,
        fixed=0,
        broken=0,
        disputed=0,
        fixed_ids=(),
        broken_ids=(),
        comparisons=comparisons,
        labels=(),
        seed=0,
    )
