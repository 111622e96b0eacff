"""Counts of a test, and the metrics of one label that follow from them.

Decides what is counted per label: true positives, false positives, false negatives. Knows no
documents and no model. Read next: `comprehend_engine.evaluation.model_evaluation`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any, Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EvaluationCounts:
    """The result of a test: its number of documents, and rows of counts.

    Where documents have one label each, a row is actual label, predicted label, documents. For
    other tasks it is label or type, true positives, false positives, false negatives.
    """

    documents: int
    counts: Sequence[tuple[Any, ...]]


def decision_counts(
    pairs: Iterable[tuple[Set[T], Set[T]]], label_of: Callable[[T], str]
) -> list[tuple[str, int, int, int]]:
    """Count true positives, false positives and false negatives per label.

    Parameters
    ----------
    pairs : iterable of tuple of set
        Per document, the actual and the predicted items.
    label_of : callable
        Returns the label, or type, of an item.

    Returns
    -------
    list of tuple
        Label, true positives, false positives, false negatives; of labels that occur, sorted.

    Examples
    --------
    >>> decision_counts([({"a", "b"}, {"b", "c"})], label_of=str)
    [('a', 0, 0, 1), ('b', 1, 0, 0), ('c', 0, 1, 0)]
    """
    positives, extra, missing = Counter[str](), Counter[str](), Counter[str]()
    for actual, predicted in pairs:
        positives.update(map(label_of, actual & predicted))
        extra.update(map(label_of, predicted - actual))
        missing.update(map(label_of, actual - predicted))
    names = sorted({*positives, *extra, *missing})
    return [(name, positives[name], extra[name], missing[name]) for name in names]


@dataclass(frozen=True, slots=True)
class LabelMetrics:
    """Metrics of one label; `support` is its number of test documents, or of actual mentions."""

    precision: float
    recall: float
    f1: float
    support: int

    @classmethod
    def from_counts(
        cls, true_positives: int, false_positives: int, false_negatives: int
    ) -> "LabelMetrics":
        """Compute the metrics; each is 0 where it is undefined."""
        errors = false_positives + false_negatives
        return cls(
            precision=ratio(true_positives, true_positives + false_positives),
            recall=ratio(true_positives, true_positives + false_negatives),
            f1=ratio(2 * true_positives, 2 * true_positives + errors),
            support=true_positives + false_negatives,
        )


@dataclass(frozen=True, slots=True)
class PerLabelEvaluation:
    """Counts per label, and the metrics that follow from them.

    Parameters
    ----------
    labels : tuple of str, of shape (n_labels,)
        All labels of the model, or all its entity types.
    counts : tuple of tuple of int, of shape (n_labels, 3)
        True positives, false positives, false negatives per label.
    documents : int
        Number of test documents.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, int, int], ...]
    documents: int

    @classmethod
    def from_counts(cls, labels: Iterable[str], tested: EvaluationCounts) -> Self:
        """Build one from the result of a test; a label without counts has zeros."""
        names = tuple(labels)
        by_name = {name: (each[0], each[1], each[2]) for name, *each in tested.counts}
        return cls(names, tuple(by_name.get(name, (0, 0, 0)) for name in names), tested.documents)

    def per_label(self) -> dict[str, LabelMetrics]:
        """Return precision, recall, F1 and support per label; 0 where undefined."""
        return {
            label: LabelMetrics.from_counts(*counts)
            for label, counts in zip(self.labels, self.counts, strict=True)
        }

    def total(self) -> LabelMetrics:
        """Return the metrics of all labels' decisions together."""
        positives, extra, missing = (sum(column) for column in zip(*self.counts, strict=True))
        return LabelMetrics.from_counts(positives, extra, missing)


def ratio(part: float, whole: float) -> float:
    """Return a part of a whole; 0 where the whole is 0."""
    return part / whole if whole else 0.0
