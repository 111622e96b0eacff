"""A verdict as people are shown it: one view for mail, chat, the command and the report page.

Decides which values, labels and sentences people see, and how many decimals a number has. Knows no
layout: a table or a page is made where it is shown. Read next: `flywheel.notices.what_changed`
(plain text), `console.views.verdict` (terminal), `console.report.page` (HTML).
"""

from dataclasses import dataclass

from flywheel.evaluation.effective_rules import usable
from flywheel.evaluation.paired_evidence import LabelChange, PairedEvidence
from flywheel.evaluation.verdict import Decision, Verdict
from flywheel.number_words import number_of
from flywheel.settings.policy import METRICS

F1 = "AverageF1Score"

_LEAST_CHANGE = 0.01
"""Smaller changes of a label's F1 are not worth a word."""

_SUMMARIES = {
    Decision.PROMOTE: "the challenger meets every rule",
    Decision.REJECT: "the challenger misses a rule",
    Decision.HOLD: "something is not known; the active model stays",
}


@dataclass(frozen=True, slots=True)
class AverageChange:
    """One average of both models; None where a model has no usable value."""

    metric: str
    champion: float | None
    challenger: float | None

    @property
    def gain(self) -> float | None:
        """What the challenger has more."""
        if self.champion is None or self.challenger is None:
            return None
        return self.challenger - self.champion

    @property
    def summary(self) -> str:
        """Both values and the change; empty where the challenger has none.

        Examples
        --------
        >>> AverageChange("AverageF1Score", 0.861, 0.884).summary
        '0.861 -> 0.884 (+0.023)'
        """
        if self.challenger is None:
            return ""
        value = number(self.challenger)
        if self.champion is None:
            return value
        return f"{number(self.champion)} -> {value} ({change(self.gain)})"


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What people are shown of a verdict, beside its decision, rules and reasons.

    Parameters
    ----------
    verdict : Verdict
    """

    verdict: Verdict

    @property
    def summary(self) -> str:
        """The decision in words."""
        return _SUMMARIES[self.verdict.decision]

    @property
    def f1(self) -> AverageChange:
        """The change of AverageF1Score."""
        return AverageChange(F1, *self.verdict.evidence.values(F1))

    @property
    def averages(self) -> list[AverageChange]:
        """The change of each average.

        Models that are judged again are measured only in what the policy asks: the rest is left
        out.
        """
        evidence = self.verdict.evidence
        changes = [AverageChange(metric, *evidence.values(metric)) for metric in METRICS]
        if evidence.paired is None:
            return changes
        return [each for each in changes if (each.champion, each.challenger) != (None, None)]

    @property
    def labels(self) -> tuple[LabelChange, ...]:
        """F1 per label, largest loss first.

        It follows from the models' answers; without them, from what the service measured of labels.
        """
        evidence = self.verdict.evidence
        if evidence.paired is not None or evidence.labels is None:
            return evidence.paired.labels if evidence.paired else ()
        counts = evidence.test_set.label_counts if evidence.test_set else {}
        champion, changes = evidence.labels.champion or {}, []
        for label, metrics in (evidence.labels.challenger or {}).items():
            old, new = usable(champion.get(label), "F1Score"), usable(metrics, "F1Score")
            if new is not None:
                changes.append(LabelChange(label, counts.get(label, 0), old, new))
        return tuple(sorted(changes, key=lambda each: (each.gain or 0.0, each.label)))

    @property
    def worse(self) -> tuple[LabelChange, ...]:
        """The labels whose F1 fell, largest loss first."""
        return tuple(each for each in self.labels if (each.gain or 0.0) <= -_LEAST_CHANGE)

    @property
    def better(self) -> tuple[LabelChange, ...]:
        """The labels whose F1 rose, largest gain first."""
        return tuple(each for each in reversed(self.labels) if (each.gain or 0.0) >= _LEAST_CHANGE)

    @property
    def answers(self) -> PairedEvidence | None:
        """Both models' answers to the test set; None where there are none, or no champion."""
        evidence = self.verdict.evidence
        return None if evidence.champion_arn is None else evidence.paired

    @property
    def answers_summary(self) -> str:
        """One sentence on both models' answers to the test set; empty where there are none."""
        if self.answers is None:
            return ""
        return (
            f"Of {number_of(self.answers.documents, 'test document')} the challenger fixes "
            f"{self.answers.fixed:,} and breaks {self.answers.broken:,}; the models' answers "
            f"differ on {self.answers.disputed:,}."
        )


def number(value: float | None) -> str:
    """Return a metric's value for people."""
    return "-" if value is None else f"{value:.3f}"


def change(gain: float | None) -> str:
    """Return what the challenger has more, for people."""
    return "-" if gain is None else f"{gain:+z.3f}"
