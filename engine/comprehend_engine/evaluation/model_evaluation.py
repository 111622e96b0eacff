"""Evaluation of a model, per task: metrics from the counts of a test.

Decides the averages, each between 0 and 1, and the form of the confusion matrix. Knows no documents
and no model. Read next: `comprehend_engine.lifecycles.iteration_run`, which evaluates champion and
challenger, and `comprehend_engine.operations.models`, which returns a recognizer's from 0 to 100.

Notes
-----
*Source*: developer guide, "Custom classifier metrics" (macro averages, form of the confusion
matrix), and the two published iterations in "Flywheel iterations" and the AWS CLI example
describe-flywheel-iteration. These formulas reproduce them to the last published digit. "Custom
Entity Recognizer Metrics": global metrics come from the sums of true positives, false positives and
false negatives of all types. Whether a flywheel's averages are these or means over types is not
documented. The engine uses these, the only ones that the guide defines for a whole recognizer. It
defines no accuracy, so there is none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from comprehend_engine.evaluation.counts import (
    EvaluationCounts,
    LabelMetrics,
    PerLabelEvaluation,
    ratio,
)
from comprehend_engine.tasks import ENTITIES, MULTI_CLASS


@dataclass(frozen=True, slots=True)
class MultiClassEvaluation:
    """A confusion matrix and its metrics: documents with one label each.

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
        """Build one from (actual, predicted, documents) triples; other pairs are 0."""
        names = tuple(labels)
        place = {label: index for index, label in enumerate(names)}
        matrix = [[0] * len(names) for _ in names]
        for actual, predicted, documents in counts:
            matrix[place[actual]][place[predicted]] += documents
        return cls(names, tuple(tuple(row) for row in matrix))

    @property
    def documents(self) -> int:
        """Number of test documents."""
        return sum(map(sum, self.matrix))

    @property
    def accuracy(self) -> float:
        """The fraction of the documents that was classified correctly."""
        correct = sum(self.matrix[index][index] for index in range(len(self.labels)))
        return ratio(correct, self.documents)

    def per_label(self) -> dict[str, LabelMetrics]:
        """Return precision, recall, F1 and support per label; 0 where undefined."""
        predicted = [sum(column) for column in zip(*self.matrix, strict=True)]
        scores = {}
        for index, label in enumerate(self.labels):
            positives, support = self.matrix[index][index], sum(self.matrix[index])
            scores[label] = LabelMetrics.from_counts(
                positives, predicted[index] - positives, support - positives
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
            average="macro", zero_division=0)``. A label without test documents has no recall, so
            it does not count.
        """
        return {**_macro(self.per_label()), "AverageAccuracy": self.accuracy}

    def model_metrics(self) -> dict[str, float]:
        """Return the eight metrics of ClassifierEvaluationMetrics.

        With one label per document, micro precision, recall and F1 equal the accuracy, and the
        Hamming loss is 1 minus the accuracy.
        """
        accuracy = self.accuracy
        return _classifier_metrics(self.averages(), LabelMetrics(accuracy, accuracy, accuracy, 0))

    def confusion_document(self) -> Mapping[str, Any] | None:
        """Return the content of the service's ``confusion_matrix.json``."""
        return {
            "type": "multi_class",
            "confusion_matrix": [list(row) for row in self.matrix],
            "labels": list(self.labels),
            "all_labels": list(self.labels),
        }


class MultiLabelEvaluation(PerLabelEvaluation):
    """Documents with any number of labels: one decision per document and label."""

    __slots__ = ()

    @property
    def accuracy(self) -> float:
        """The fraction of correct decisions, one per document and label."""
        wrong = sum(extra + missing for _, extra, missing in self.counts)
        decisions = self.documents * len(self.labels)
        return ratio(decisions - wrong, decisions)

    def averages(self) -> dict[str, float]:
        """Return the four averages of an iteration.

        Returns
        -------
        dict of str to float
            As for `MultiClassEvaluation`, except ``AverageAccuracy``: correct decisions /
            (documents x labels), which is 1 minus the Hamming loss.
        """
        return {**_macro(self.per_label()), "AverageAccuracy": self.accuracy}

    def model_metrics(self) -> dict[str, float]:
        """Return the eight metrics of ClassifierEvaluationMetrics."""
        return _classifier_metrics(self.averages(), self.total())

    def confusion_document(self) -> Mapping[str, Any] | None:
        """Return the content of the service's ``confusion_matrix.json``.

        There is one matrix per label: rows are the actual, columns the predicted decision, first
        negative, then positive.
        """
        return {
            "type": "multi_label",
            "confusion_matrix": [
                [[self.documents - positives - extra - missing, extra], [missing, positives]]
                for positives, extra, missing in self.counts
            ],
            "labels": list(self.labels),
            "all_labels": list(self.labels),
        }


class EntityEvaluation(PerLabelEvaluation):
    """Counts of mentions per entity type."""

    __slots__ = ()

    def averages(self) -> dict[str, float]:
        """Return the averages of an iteration, each in [0, 1]; there is no accuracy."""
        total = self.total()
        return {
            "AverageF1Score": total.f1,
            "AveragePrecision": total.precision,
            "AverageRecall": total.recall,
        }

    def model_metrics(self) -> dict[str, float]:
        """Return the metrics of EntityRecognizerEvaluationMetrics, between 0 and 1."""
        return recognizer_metrics(self.total())

    def confusion_document(self) -> Mapping[str, Any] | None:
        """Return None: the service writes no confusion matrix of a recognizer."""
        return None


def recognizer_metrics(metrics: LabelMetrics) -> dict[str, float]:
    """Return the members of a recognizer's metrics."""
    return {"Precision": metrics.precision, "Recall": metrics.recall, "F1Score": metrics.f1}


ModelEvaluation = MultiClassEvaluation | MultiLabelEvaluation | EntityEvaluation
"""An evaluation of a model for any task."""


def evaluation_of(task: str, labels: Iterable[str], tested: EvaluationCounts) -> ModelEvaluation:
    """Return the evaluation of a model for a task from the counts of its test."""
    if task == ENTITIES:
        return EntityEvaluation.from_counts(labels, tested)
    if task == MULTI_CLASS:
        rows = ((actual, predicted, count) for actual, predicted, count in tested.counts)
        return MultiClassEvaluation.from_counts(labels, rows)
    return MultiLabelEvaluation.from_counts(labels, tested)


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
