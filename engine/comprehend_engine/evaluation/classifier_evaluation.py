"""How good a model is: metrics from the counts of a test, task by task.

Decides what is counted, and the averages. Knows no documents and no model; standard library only,
so that the serving process can count. Read next: `comprehend_engine.evaluation.entity_evaluation`
and `comprehend_engine.lifecycles.iteration_run`.

Notes
-----
*Source*: developer guide, "Custom classifier metrics" (macro averages, form of the confusion
matrix), and the two published iterations in "Flywheel iterations" and the AWS CLI example
describe-flywheel-iteration, which these formulas rebuild to the last published digit.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EvaluationCounts:
    """What a test found: how many documents tested, and rows of counts as the task has them.

    Rows are actual label, predicted label, documents where documents have one label each; else
    label or type, true positives, false positives, false negatives.
    """

    documents: int
    counts: Sequence[tuple[Any, ...]]


def decision_counts(
    pairs: Iterable[tuple[Set[T], Set[T]]], label_of: Callable[[T], str]
) -> list[tuple[str, int, int, int]]:
    """Count what was found and missed.

    Parameters
    ----------
    pairs : iterable of tuple of set
        What is in a document, and what a model found there.
    label_of : callable
        Returns the label, or type, that something counts for.

    Returns
    -------
    list of tuple
        Label, true positives, false positives, false negatives; of labels that occur, sorted.

    Examples
    --------
    >>> decision_counts([({"a", "b"}, {"b", "c"})], label_of=str)
    [('a', 0, 0, 1), ('b', 1, 0, 0), ('c', 0, 1, 0)]
    """
    hits, false, missed = Counter[str](), Counter[str](), Counter[str]()
    for actual, found in pairs:
        hits.update(map(label_of, actual & found))
        false.update(map(label_of, found - actual))
        missed.update(map(label_of, actual - found))
    names = sorted({*hits, *false, *missed})
    return [(name, hits[name], false[name], missed[name]) for name in names]


@dataclass(frozen=True, slots=True)
class LabelMetrics:
    """One label's part: `support` is its number of test documents, or of mentions in them."""

    precision: float
    recall: float
    f1: float
    support: int

    @classmethod
    def of(cls, hits: int, false: int, missed: int) -> "LabelMetrics":
        """Build one from true positives, false positives and false negatives; 0 where undefined."""
        return cls(
            precision=ratio(hits, hits + false),
            recall=ratio(hits, hits + missed),
            f1=ratio(2 * hits, 2 * hits + false + missed),
            support=hits + missed,
        )


@dataclass(frozen=True, slots=True)
class MultiClassEvaluation:
    """A confusion matrix and what follows from it: documents with one label each.

    Parameters
    ----------
    labels : tuple of str
        All labels of the model, in the order of rows and columns.
    matrix : tuple of tuple of int, of shape (n_labels, n_labels)
        Test documents; rows are actual, columns predicted labels.
    """

    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]

    @classmethod
    def from_counts(
        cls, labels: Iterable[str], counts: Iterable[tuple[str, str, int]]
    ) -> "MultiClassEvaluation":
        """Build one from (actual, predicted, documents) triples; what is not named is 0."""
        names = tuple(labels)
        place = {label: index for index, label in enumerate(names)}
        matrix = [[0] * len(names) for _ in names]
        for actual, predicted, documents in counts:
            matrix[place[actual]][place[predicted]] += documents
        return cls(names, tuple(tuple(row) for row in matrix))

    @property
    def documents(self) -> int:
        """How many documents tested the model."""
        return sum(map(sum, self.matrix))

    @property
    def accuracy(self) -> float:
        """The part of the documents that was classified correctly."""
        correct = sum(self.matrix[index][index] for index in range(len(self.labels)))
        return ratio(correct, self.documents)

    def per_label(self) -> dict[str, LabelMetrics]:
        """Return precision, recall, F1 and support of every label; 0 where undefined."""
        predicted = [sum(column) for column in zip(*self.matrix, strict=True)]
        scores = {}
        for index, label in enumerate(self.labels):
            hits, support = self.matrix[index][index], sum(self.matrix[index])
            scores[label] = LabelMetrics.of(hits, predicted[index] - hits, support - hits)
        return scores

    def averages(self) -> dict[str, float]:
        """Return the four averages of an iteration.

        Returns
        -------
        dict of str to float
            ``AverageF1Score``, ``AveragePrecision``, ``AverageRecall``: unweighted means over the
            labels that have test documents (F1 is the mean of the labels' F1), each in [0, 1];
            ``AverageAccuracy``: correct documents / documents. Equal to scikit-learn's
            ``precision_recall_fscore_support(..., labels=<labels with support>,
            average="macro", zero_division=0)``. A label without a test document has no recall,
            so it does not count.
        """
        return {**_macro(self.per_label()), "AverageAccuracy": self.accuracy}

    def model_metrics(self) -> dict[str, float]:
        """Return the eight metrics of ClassifierEvaluationMetrics.

        With one label a document, micro precision, recall and F1 are all the accuracy, and the
        Hamming loss is what it lacks to 1.
        """
        accuracy = self.accuracy
        return _classifier_metrics(self.averages(), LabelMetrics(accuracy, accuracy, accuracy, 0))

    def confusion_document(self) -> Mapping[str, Any] | None:
        """Return what the service writes as ``confusion_matrix.json``."""
        return {
            "type": "multi_class",
            "confusion_matrix": [list(row) for row in self.matrix],
            "labels": list(self.labels),
            "all_labels": list(self.labels),
        }


@dataclass(frozen=True, slots=True)
class PerLabelEvaluation:
    """What was found and missed of each label, and what follows from it.

    Parameters
    ----------
    labels : tuple of str, of shape (n_labels,)
        All labels of the model, or all its types.
    counts : tuple of tuple of int, of shape (n_labels, 3)
        True positives, false positives, false negatives of each.
    documents : int
        How many documents tested the model.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, int, int], ...]
    documents: int

    @classmethod
    def from_counted(cls, labels: Iterable[str], counted: EvaluationCounts) -> Self:
        """Build one from what a test found; a label that is not named has no positives."""
        names = tuple(labels)
        found = {name: (hits, false, missed) for name, hits, false, missed in counted.counts}
        counts = tuple(found.get(name, (0, 0, 0)) for name in names)
        return cls(names, counts, counted.documents)

    def per_label(self) -> dict[str, LabelMetrics]:
        """Return precision, recall, F1 and support of every label; 0 where undefined."""
        return {
            label: LabelMetrics.of(*counts)
            for label, counts in zip(self.labels, self.counts, strict=True)
        }

    def total(self) -> LabelMetrics:
        """Return the score of all labels' decisions together."""
        hits, false, missed = (sum(column) for column in zip(*self.counts, strict=True))
        return LabelMetrics.of(hits, false, missed)


class MultiLabelEvaluation(PerLabelEvaluation):
    """Documents with any labels, each of which is there or not."""

    __slots__ = ()

    @property
    def accuracy(self) -> float:
        """The part of the decisions, one a document and label, that was right."""
        wrong = sum(false + missed for _, false, missed in self.counts)
        decisions = self.documents * len(self.labels)
        return ratio(decisions - wrong, decisions)

    def averages(self) -> dict[str, float]:
        """Return the four averages of an iteration.

        Returns
        -------
        dict of str to float
            As of `MultiClassEvaluation`, but for ``AverageAccuracy``: right decisions / (documents
            x labels), which is what the Hamming loss lacks to 1.
        """
        return {**_macro(self.per_label()), "AverageAccuracy": self.accuracy}

    def model_metrics(self) -> dict[str, float]:
        """Return the eight metrics of ClassifierEvaluationMetrics."""
        return _classifier_metrics(self.averages(), self.total())

    def confusion_document(self) -> Mapping[str, Any] | None:
        """Return what the service writes as ``confusion_matrix.json``.

        One matrix a label: rows are whether it was there, columns whether it was predicted, first
        not, then so.
        """
        return {
            "type": "multi_label",
            "confusion_matrix": [
                [[self.documents - hits - false - missed, false], [missed, hits]]
                for hits, false, missed in self.counts
            ],
            "labels": list(self.labels),
            "all_labels": list(self.labels),
        }


def _macro(per_label: Mapping[str, LabelMetrics]) -> dict[str, float]:
    scores = [score for score in per_label.values() if score.support]
    return {
        "AverageF1Score": ratio(sum(score.f1 for score in scores), len(scores)),
        "AveragePrecision": ratio(sum(score.precision for score in scores), len(scores)),
        "AverageRecall": ratio(sum(score.recall for score in scores), len(scores)),
    }


def _classifier_metrics(averages: Mapping[str, float], micro: LabelMetrics) -> dict[str, float]:
    accuracy = averages["AverageAccuracy"]
    return {
        "Accuracy": accuracy,
        "Precision": averages["AveragePrecision"],
        "Recall": averages["AverageRecall"],
        "F1Score": averages["AverageF1Score"],
        "MicroPrecision": micro.precision,
        "MicroRecall": micro.recall,
        "MicroF1Score": micro.f1,
        "HammingLoss": 1 - accuracy,
    }


def ratio(part: float, whole: float) -> float:
    """Return a part of a whole; 0 where there is nothing."""
    return part / whole if whole else 0.0
