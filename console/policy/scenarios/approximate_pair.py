"""A drawn pair of models, judged by the product's rules on approximated chances.

Everything but the resampling is the product's own. Read next: `console.policy.scenarios.judging`
(the same without approximation), `console.policy.scenarios.normal_chances`.
"""

from dataclasses import dataclass, field

import numpy as np

from console.policy.scenarios.answer_arrays import AnswerArrays
from console.policy.scenarios.judging import answers_of, averages_of, judged, of_averages
from console.policy.scenarios.normal_chances import NormalChances
from flywheel.evaluation.comparisons import Comparison, exact_accuracy, of_chance
from flywheel.evaluation.evidence import TestSetFacts
from flywheel.evaluation.paired_evidence import PairedEvidence
from flywheel.evaluation.predictions import ACCURACY, Kind, Tally
from flywheel.evaluation.resampling import Measured
from flywheel.evaluation.verdict import Verdict, measured_by
from flywheel.evaluation.worth import answers_worth
from flywheel.intake.document_groups import GroupCounts, count_groups
from flywheel.settings.policy import Policy

_TEST_SET = "0" * 64


def drawn_groups(answers: AnswerArrays) -> GroupCounts:
    """Return in how many documents each label is; all draws with the same labels share it."""
    labels = ([answers.names[number] for number in row] for row in answers.actual.tolist())
    return count_groups(range(len(answers.actual)), labels)


@dataclass(slots=True)
class ApproximatePair:
    """Two models' answers to one test set, which several policies may judge.

    Parameters
    ----------
    answers : AnswerArrays
    kind : Kind
    groups : GroupCounts
        `drawn_groups` of the test set.
    """

    answers: AnswerArrays
    kind: Kind
    groups: GroupCounts
    _answers: dict[tuple[tuple[Measured, ...], float], PairedEvidence] = field(default_factory=dict)

    def judge(self, policy: Policy) -> Verdict:
        """Return the last verdict: by the averages, or by the answers where it wants them."""
        old, new = self.answers.tallies(self.kind)
        test_set = TestSetFacts(
            _TEST_SET,
            new.documents,
            dict(new.actual),
            groups=self.groups.groups,
            label_groups=self.groups.label_groups,
        )
        evidence = of_averages(averages_of(old), averages_of(new), test_set, kind=self.kind)
        _, last = judged(evidence, policy, lambda error: self._known(policy, old, new, error))
        return last

    def _known(self, policy: Policy, old: Tally, new: Tally, error: float) -> PairedEvidence:
        wanted = tuple(measured_by(policy))
        if (wanted, error) not in self._answers:
            self._answers[wanted, error] = self._answered(wanted, old, new, error)
        return self._answers[wanted, error]

    def _answered(
        self, wanted: tuple[Measured, ...], old: Tally, new: Tally, error: float
    ) -> PairedEvidence:
        chances = NormalChances(self.answers, (old, new), self.kind)
        compared = []
        for measured in wanted:
            before, after = old.metric(*measured), new.metric(*measured)
            if before is None or after is None:
                continue
            if measured == (ACCURACY, None) and self.kind == "multi-class":
                compared.append(self._exact(before, after, error))
                continue
            metric, label = measured
            compared.append(
                of_chance(
                    measured,
                    (before, after),
                    chances.chance(measured, after - before, error),
                    documents=new.documents if label is None else new.actual[label],
                    worth=answers_worth(metric, label, self.kind, self.groups, new.actual),
                    error=error,
                )
            )
        return answers_of(tuple(compared), new.documents)

    def _exact(self, before: float, after: float, error: float) -> Comparison:
        old, new = self.answers.champion.is_right, self.answers.challenger.is_right
        return exact_accuracy(
            before,
            after,
            fixed=int(np.count_nonzero(new & ~old)),
            broken=int(np.count_nonzero(old & ~new)),
            documents=len(old),
            error=error,
        )
