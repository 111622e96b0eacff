"""What one iteration showed: averages, values of labels, and both models' answers where asked for.

Decides what is kept of it in a verdict, and how a stored one is read. Knows no rules. Read next:
`flywheel.comparisons` and `flywheel.label_comparisons` (what is known of one metric),
`flywheel.verdict`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flywheel.comparisons import Comparison, of_answers, of_averages
from flywheel.document_groups import Grouped
from flywheel.label_comparisons import of_label
from flywheel.policy import Metrics, usable
from flywheel.policy_settings import LABEL_METRICS, METRICS
from flywheel.resampling import Measured
from flywheel.scored_documents import Kind, ScoredDocument, tallies

_IDS_KEPT = 50
"""Ids of fixed and of broken documents that a verdict names; the counts are of all."""


@dataclass(frozen=True, slots=True)
class TestSet:
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
        (`flywheel.looks.worn_looks`).
    generation_looks : int
        Verdicts before this one in the flywheel's generation, whatever its test set was.
    pair_looks : int
        Verdicts before this one on the same champion and challenger.
    groups : int or None
        Independent groups of documents, each with a label or a mention; None where not counted.
    label_groups : mapping of str to int, or None
        Groups that have a document of the label, or a mention of the type.
    grouping : {"none", "named", "near duplicates"}
        What made the groups (`flywheel.document_groups`).
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
class Predictions:
    """Where one model's answers to the test set are kept, and what they cost.

    Parameters
    ----------
    model : str
        Its ARN.
    key, sha256 : str
        The staging object, and its hash.
    job : str
        ARN of the job that made them.
    seconds : float
        How long that job took.
    usd : float
        What it cost, estimated; 0 where the answers were there already.
    """

    model: str
    key: str
    sha256: str
    job: str
    seconds: float
    usd: float


@dataclass(frozen=True, slots=True)
class LabelChange:
    """F1 of one label or entity type, of both models."""

    label: str
    documents: int
    champion: float | None
    challenger: float


@dataclass(frozen=True, slots=True)
class PairedEvidence:
    """What both models answered to the same documents.

    Parameters
    ----------
    test_set_sha256 : str
        Of the documents that both answered.
    documents : int
    fixed, broken : int
        Documents that only the challenger, or only the champion, got wholly right.
    disputed : int
        Documents to which the models' answers count differently.
    fixed_ids, broken_ids : tuple of str
        The first ones of them.
    comparisons : tuple of Comparison
    labels : tuple of LabelChange
        Largest loss first.
    most_disputed : str or None
        The label of which more test documents would tell most.
    seed : int
    predictions : tuple of Predictions
    anchor : tuple of Comparison
        The anchor in the champion's place; empty without an anchor.
    """

    test_set_sha256: str
    documents: int
    fixed: int
    broken: int
    disputed: int
    fixed_ids: tuple[str, ...]
    broken_ids: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    labels: tuple[LabelChange, ...]
    most_disputed: str | None
    seed: int
    predictions: tuple[Predictions, ...] = ()
    anchor: tuple[Comparison, ...] = ()


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
    test_set : TestSet or None
        None where its rows did not come through this system.
    paired : PairedEvidence or None
    paired_missing : str
        Why there is no paired evidence although it was asked for.
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
    test_set: TestSet | None = None
    paired: PairedEvidence | None = None
    paired_missing: str = ""
    labels: MeasuredLabels | None = None
    anchor_arn: str | None = None

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "Evidence":
        """Read stored evidence; what an earlier release did not know has its default."""
        fields = dict(stored)
        if fields.get("test_set"):
            fields["test_set"] = TestSet(**fields["test_set"])
        if fields.get("labels"):
            fields["labels"] = MeasuredLabels(**fields["labels"])
        if paired := fields.get("paired"):
            fields["paired"] = PairedEvidence(
                **{
                    **paired,
                    "fixed_ids": tuple(paired["fixed_ids"]),
                    "broken_ids": tuple(paired["broken_ids"]),
                    "comparisons": tuple(Comparison(**each) for each in paired["comparisons"]),
                    "labels": tuple(LabelChange(**each) for each in paired["labels"]),
                    "predictions": tuple(Predictions(**each) for each in paired["predictions"]),
                    "anchor": tuple(Comparison(**each) for each in paired.get("anchor", ())),
                }
            )
        return cls(**fields)

    def comparison(self, metric: str, label: str | None, error: float) -> Comparison:
        """Return what is known of a metric, from the answers where there are any."""
        if (found := self._answered(metric, label)) is not None:
            return found
        if label is not None:
            return self._of_label(metric, label, error)
        test_set = self.test_set
        is_over_labels = test_set is not None and self.kind != "entities"
        return of_averages(
            metric,
            usable(self.champion, metric),
            usable(self.challenger, metric),
            documents=test_set.documents if test_set else None,
            label_counts=test_set.label_counts if test_set and is_over_labels else {},
            error=error,
        )

    def values(self, metric: str) -> tuple[float | None, float | None]:
        """Return both models' values of a metric, for people.

        They are the iteration's; where it has none, e.g. because models are judged again, those by
        their answers.
        """
        old, new = usable(self.champion, metric), usable(self.challenger, metric)
        found = self._answered(metric, None) if old is None and new is None else None
        return (old, new) if found is None else (found.champion, found.challenger)

    def _answered(self, metric: str, label: str | None) -> Comparison | None:
        """Return the comparison by both models' answers; None where they were not asked for it."""
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
            documents=test_set.documents if test_set else 0,
            error=error,
            missing=labels.missing,
        )

    @property
    def scarce_label(self) -> str | None:
        """The label of which more test documents would tell most; None where not known."""
        if self.paired is not None:
            return self.paired.most_disputed
        counts = self.test_set.label_counts if self.test_set else {}
        return min(counts, key=lambda label: (counts[label], label)) if counts else None


def paired_evidence(
    documents: Sequence[ScoredDocument],
    measured: Iterable[Measured],
    *,
    kind: Kind,
    labels: int,
    error: float,
    test_set_sha256: str,
    predictions: tuple[Predictions, ...] = (),
    anchor: Sequence[ScoredDocument] | None = None,
) -> PairedEvidence:
    """Say what both models' answers to the same documents show.

    Parameters
    ----------
    documents : sequence of ScoredDocument
    measured : iterable of Measured
        The metrics that a policy names.
    labels : int
        How many labels there are to choose from.
    error : float
        E.g. 0.05.
    """
    measured = list(measured)
    seed = _seed(test_set_sha256, predictions)
    averaged = [each for each in measured if each[1] is None]
    drifted = (
        of_answers(anchor, averaged, kind=kind, labels=labels, error=error, seed=seed)
        if anchor
        else {}
    )
    champion, challenger = tallies(documents, kind=kind, labels=labels)
    found = of_answers(documents, measured, kind=kind, labels=labels, error=error, seed=seed)
    changes = [
        LabelChange(
            label,
            count,
            champion.metric("F1Score", label) if champion else None,
            challenger.metric("F1Score", label) or 0.0,
        )
        for label, count in challenger.actual.items()
    ]
    changes.sort(key=lambda each: (each.challenger - (each.champion or 0.0), each.label))
    fixed = [each.id for each in documents if each.is_fixed]
    broken = [each.id for each in documents if each.is_broken]
    return PairedEvidence(
        test_set_sha256=test_set_sha256,
        documents=len(documents),
        fixed=len(fixed) if champion else 0,
        broken=len(broken),
        disputed=sum(each.is_disputed for each in documents),
        fixed_ids=tuple(fixed[:_IDS_KEPT]) if champion else (),
        broken_ids=tuple(broken[:_IDS_KEPT]),
        comparisons=tuple(found.values()),
        labels=tuple(changes),
        most_disputed=_most_disputed(documents, challenger.actual),
        seed=seed,
        predictions=predictions,
        anchor=tuple(drifted.values()),
    )


def _most_disputed(documents: Sequence[ScoredDocument], actual: Mapping[str, int]) -> str | None:
    """Return the label that adds most to an average's variance: disputes over squared support."""
    disputes: Counter[str] = Counter()
    for each in documents:
        if each.is_disputed:
            disputes.update(label for label, _ in each.actual)
    return max(
        disputes, key=lambda label: (disputes[label] / actual[label] ** 2, label), default=None
    )


def _seed(test_set_sha256: str, predictions: Sequence[Predictions]) -> int:
    """Return a seed that follows from what is compared, so that nobody can choose a lucky one."""
    named = " ".join((test_set_sha256, *(each.sha256 for each in predictions)))
    return int(hashlib.sha256(named.encode()).hexdigest()[:12], 16)


def averages(metrics: Metrics | None) -> dict[str, float]:
    """Return only the four averages, those that are there, as plain floats.

    Examples
    --------
    >>> averages({"AverageF1Score": 0.5, "Other": 1.0})
    {'AverageF1Score': 0.5}
    """
    return {name: float(metrics[name]) for name in METRICS if metrics and name in metrics}
