"""A verdict as people are shown it: one view for mail, chat, the command and the report page.

Decides which values, labels and sentences people see, and how many decimals a number has. Knows no
layout: a table or a page is made where it is shown. Read next: `flywheel.notices.what_changed`
(plain text), `console.views.verdict` (terminal), `console.report.page` (HTML).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flywheel.evaluation.effective_rules import RuleOutcome, usable
from flywheel.evaluation.evidence import Evidence
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
    """What people are shown of a verdict.

    Parameters
    ----------
    decision : Decision
    is_bootstrap : bool
    summary : str
        The decision in words.
    rules : tuple of RuleOutcome
    reasons, warnings : tuple of str
        Sentences: the rules that decided, and what decided nothing but should be known.
    f1 : AverageChange
    averages : tuple of AverageChange
        Models that are judged again are measured only in what the policy asks: the rest is left
        out.
    labels : tuple of LabelChange
        F1 of every label of which the challenger's is known, largest loss first.
    answers : PairedEvidence or None
        None where the models did not answer the test set, or there was no champion.
    """

    decision: Decision
    is_bootstrap: bool
    summary: str
    rules: tuple[RuleOutcome, ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    f1: AverageChange
    averages: tuple[AverageChange, ...]
    labels: tuple[LabelChange, ...]
    answers: PairedEvidence | None

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "VerdictView":
        """Return the view of the verdict that a document is of."""
        return cls.of(Verdict.from_values({**document, "outcomes": document["rules"]}))

    @classmethod
    def of(cls, verdict: Verdict) -> "VerdictView":
        """Return the view of a verdict."""
        evidence = verdict.evidence
        return cls(
            decision=verdict.decision,
            is_bootstrap=verdict.is_bootstrap,
            summary=_SUMMARIES[verdict.decision],
            rules=verdict.outcomes,
            reasons=tuple(verdict.reasons),
            warnings=tuple(verdict.warnings),
            f1=AverageChange(F1, *evidence.values(F1)),
            averages=tuple(_averages(evidence)),
            labels=tuple(
                sorted(_labels(evidence), key=lambda each: (each.gain or 0.0, each.label))
            ),
            answers=evidence.paired if evidence.champion_arn is not None else None,
        )

    @property
    def worse(self) -> tuple[LabelChange, ...]:
        """The labels whose F1 fell, largest loss first."""
        return tuple(each for each in self.labels if (each.gain or 0.0) <= -_LEAST_CHANGE)

    @property
    def better(self) -> tuple[LabelChange, ...]:
        """The labels whose F1 rose, largest gain first."""
        return tuple(each for each in reversed(self.labels) if (each.gain or 0.0) >= _LEAST_CHANGE)

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


def _averages(evidence: Evidence) -> Iterator[AverageChange]:
    for metric in METRICS:
        champion, challenger = evidence.values(metric)
        if evidence.paired is None or champion is not None or challenger is not None:
            yield AverageChange(metric, champion, challenger)


def _labels(evidence: Evidence) -> tuple[LabelChange, ...]:
    """Return F1 per label by the models' answers; else by what the service measured of labels."""
    if evidence.paired is not None or evidence.labels is None:
        return evidence.paired.labels if evidence.paired else ()
    counts = evidence.test_set.label_counts if evidence.test_set else {}
    champion, changes = evidence.labels.champion or {}, []
    for label, metrics in (evidence.labels.challenger or {}).items():
        old, new = usable(champion.get(label), "F1Score"), usable(metrics, "F1Score")
        if new is not None:
            changes.append(LabelChange(label, counts.get(label, 0), old, new))
    return tuple(sorted(changes, key=lambda each: (each.gain or 0.0, each.label)))
