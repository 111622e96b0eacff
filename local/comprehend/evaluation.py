"""How good a model is: metrics from an integer confusion matrix.

Decides the averages. Knows no documents and no model; standard library only, so that the serving
process can count. Read next: `local.comprehend.iteration_run`.

Notes
-----
*Source*: developer guide, "Custom classifier metrics" (macro averages), and the two published
iterations in "Flywheel iterations" and the AWS CLI example describe-flywheel-iteration, which these
formulas rebuild to the last published digit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's part: `support` is its number of test documents."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A confusion matrix and what follows from it.

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
    ) -> "Evaluation":
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
        return _ratio(correct, self.documents)

    def per_label(self) -> dict[str, LabelScore]:
        """Return precision, recall, F1 and support of every label; 0 where undefined."""
        predicted = [sum(column) for column in zip(*self.matrix, strict=True)]
        scores = {}
        for index, label in enumerate(self.labels):
            hits, support = self.matrix[index][index], sum(self.matrix[index])
            scores[label] = LabelScore(
                precision=_ratio(hits, predicted[index]),
                recall=_ratio(hits, support),
                f1=_ratio(2 * hits, support + predicted[index]),
                support=support,
            )
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
        scores = [score for score in self.per_label().values() if score.support]
        return {
            "AverageF1Score": _ratio(sum(score.f1 for score in scores), len(scores)),
            "AveragePrecision": _ratio(sum(score.precision for score in scores), len(scores)),
            "AverageRecall": _ratio(sum(score.recall for score in scores), len(scores)),
            "AverageAccuracy": self.accuracy,
        }

    def classifier_metrics(self) -> dict[str, float]:
        """Return the eight metrics of ClassifierEvaluationMetrics.

        With one label a document, micro precision, recall and F1 are all the accuracy, and the
        Hamming loss is what it lacks to 1.
        """
        averages = self.averages()
        return {
            "Accuracy": self.accuracy,
            "Precision": averages["AveragePrecision"],
            "Recall": averages["AverageRecall"],
            "F1Score": averages["AverageF1Score"],
            "MicroPrecision": self.accuracy,
            "MicroRecall": self.accuracy,
            "MicroF1Score": self.accuracy,
            "HammingLoss": 1 - self.accuracy,
        }

    def confusion_document(self) -> Mapping[str, Any]:
        """Return what the service writes as ``confusion_matrix.json``."""
        return {
            "type": "multi_class",
            "confusion_matrix": [list(row) for row in self.matrix],
            "labels": list(self.labels),
            "all_labels": list(self.labels),
        }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
