"""What one iteration showed: averages, metrics per label and, where needed, predictions.

Decides what a verdict stores of it, and how stored evidence is read. Knows no rules. Read next:
`flywheel.evaluation.comparisons` and `flywheel.evaluation.label_metrics` (what is known of one
metric), `flywheel.evaluation.verdict`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flywheel.evaluation.comparisons import Comparison, of_averages
from flywheel.evaluation.effective_rules import Metrics, usable
from flywheel.evaluation.label_metrics import of_label
from flywheel.evaluation.looks import error_of_look
from flywheel.evaluation.paired_evidence import PairedEvidence
from flywheel.evaluation.predictions import Kind
from flywheel.evaluation.worth import averages_worth
from flywheel.intake.document_groups import Grouped
from flywheel.settings.policy import LABEL_METRICS, METRICS, Policy


@dataclass(frozen=True, slots=True)
class TestSetFacts:
    """The frozen documents that a verdict stands on.

    Parameters
    ----------
    sha256 : str
        Of its rows.
    documents : int
    label_counts : mapping of str to int
        Documents of each label, or mentions of each type.
    looks : int
        Verdicts that were made on it before this one; rows that are added later thin them out
        (`flywheel.evaluation.looks.worn_looks`).
    generation_looks : int
        Verdicts before this one in the flywheel's generation, whatever its test set was.
    pair_looks : int
        Verdicts before this one on the same champion and challenger.
    groups : int or None
        Independent groups of documents, each with a label or a mention; None where not counted.
    label_groups : mapping of str to int, or None
        Groups that have a document of the label, or a mention of the type.
    grouping : {"none", "named", "near duplicates"}
        What made the groups (`flywheel.intake.document_groups`).
    """

    __test__ = False

    sha256: str
    documents: int
    label_counts: Mapping[str, int]
    looks: int = 0
    generation_looks: int = 0
    pair_looks: int = 0
    groups: int | None = None
    label_groups: Mapping[str, int] | None = None
    grouping: Grouped = "none"


@dataclass(frozen=True, slots=True)
class MeasuredLabels:
    """What the service measured of the labels that a policy names, on the frozen test set.

    Parameters
    ----------
    champion, challenger : mapping of str to mapping of str to float, or None
        By label and metric, as parts of 1; None where nothing is known of this test set.
    missing : str
        Why nothing is known; empty where all is.
    """

    champion: Mapping[str, Metrics] | None
    challenger: Mapping[str, Metrics] | None
    missing: str = ""


_NO_LABELS = MeasuredLabels(None, None, "the service's averages say nothing of single labels")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one iteration showed.

    Parameters
    ----------
    champion_arn : str or None
        The model that was active and evaluated; None where there was none.
    champion : mapping or None
        Its averages in [0, 1]; None without a champion.
    challenger_arn : str or None
        The trained model; None where the iteration names none.
    challenger : mapping
        Its averages.
    has_test_set : bool
        Whether the flywheel holds a TEST dataset; without one the service splits off its own.
    kind : {"multi-class", "multi-label", "entities"}
    test_set : TestSetFacts or None
        None where its rows did not come through this system.
    paired : PairedEvidence or None
    paired_missing : str
        Why there is no paired evidence although it was requested.
    labels : MeasuredLabels or None
        None where the policy names no label.
    anchor_arn : str or None
        The model that non-inferiority must not drift away from; None where it is the champion, or
        the policy asks for superiority.
    """

    champion_arn: str | None
    champion: Metrics | None
    challenger_arn: str | None
    challenger: Metrics
    has_test_set: bool
    kind: Kind = "multi-class"
    test_set: TestSetFacts | None = None
    paired: PairedEvidence | None = None
    paired_missing: str = ""
    labels: MeasuredLabels | None = None
    anchor_arn: str | None = None

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "Evidence":
        """Read stored evidence; what an earlier release did not know has its default."""
        fields = dict(stored)
        if fields.get("test_set"):
            fields["test_set"] = TestSetFacts(**fields["test_set"])
        if fields.get("labels"):
            fields["labels"] = MeasuredLabels(**fields["labels"])
        if paired := fields.get("paired"):
            fields["paired"] = PairedEvidence.from_document(paired)
        return cls(**fields)

    def error(self, policy: Policy, *, later: int = 0) -> float:
        """Return how often this look may err, or one so many looks later at the same models."""
        seen = self.test_set
        return error_of_look(
            policy,
            generation_looks=later + (seen.generation_looks if seen else 0),
            pair_looks=later + (seen.pair_looks if seen else 0),
        )

    def comparison(self, metric: str, label: str | None, error: float) -> Comparison:
        """Return what is known of a metric, from the answers where there are any."""
        if (answered := self._answered(metric, label)) is not None:
            return answered
        if label is not None:
            return self._of_label(metric, label, error)
        test_set = self.test_set
        documents = test_set.documents if test_set else None
        return of_averages(
            metric,
            usable(self.champion, metric),
            usable(self.challenger, metric),
            documents=documents,
            worth=averages_worth(
                metric,
                self.kind,
                documents,
                test_set.label_counts if test_set else {},
                groups=test_set.groups if test_set else None,
                label_groups=test_set.label_groups if test_set else None,
            ),
            error=error,
        )

    def anchor_comparison(self, metric: str, error: float) -> Comparison:
        """Return what the answers show of a metric against the anchor."""
        compared = self.paired.anchor if self.paired is not None else ()
        unknown = Comparison(
            metric, None, None, None, None, None, None, None, error, "averages do not name it"
        )
        return next((each for each in compared if each.metric == metric), unknown)

    def values(self, metric: str) -> tuple[float | None, float | None]:
        """Return both models' values of a metric, for people.

        They are the iteration's; where it has none, e.g. because models are judged again, those by
        their answers.
        """
        old, new = usable(self.champion, metric), usable(self.challenger, metric)
        answered = self._answered(metric, None) if old is None and new is None else None
        return (old, new) if answered is None else (answered.champion, answered.challenger)

    def _answered(self, metric: str, label: str | None) -> Comparison | None:
        """Return the comparison by both models' answers; None without predictions for it."""
        comparisons = self.paired.comparisons if self.paired is not None else ()
        wanted = (metric, label)
        return next((each for each in comparisons if (each.metric, each.label) == wanted), None)

    def _of_label(self, metric: str, label: str, error: float) -> Comparison:
        """Return what is known of a label by what the service measured of it."""
        labels, test_set = self.labels or _NO_LABELS, self.test_set
        champion, challenger = (
            {str(name): usable((of or {}).get(label), name) for name in LABEL_METRICS}
            for of in (labels.champion, labels.challenger)
        )
        return of_label(
            metric,
            label,
            champion,
            challenger,
            support=test_set.label_counts.get(label, 0) if test_set else 0,
            documents=_independent(test_set, label) if test_set else 0,
            error=error,
            missing=labels.missing,
        )

    @property
    def scarce_labels(self) -> dict[str, int]:
        """Labels with less than half of an even share of the test documents, and how many each has.

        Fewest first.
        """
        counts = dict(self.test_set.label_counts) if self.test_set else {}
        fewest = sum(counts.values()) / (2 * max(len(counts), 1))
        scarce = [(count, label) for label, count in counts.items() if count < fewest]
        return {label: count for count, label in sorted(scarce)}


def _independent(test_set: TestSetFacts, label: str) -> int:
    """Return how many documents of a label may count as independent, at most."""
    groups = test_set.label_groups
    return test_set.documents if groups is None else groups.get(label, 0)


def averages(metrics: Metrics | None) -> dict[str, float]:
    """Return only the four averages, those that are there, as plain floats.

    Examples
    --------
    >>> averages({"AverageF1Score": 0.5, "Other": 1.0})
    {'AverageF1Score': 0.5}
    """
    return {name: float(metrics[name]) for name in METRICS if metrics and name in metrics}
