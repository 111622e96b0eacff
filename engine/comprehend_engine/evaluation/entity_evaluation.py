"""How good an entity recognizer is: metrics from the mentions that a test found and missed.

Decides the averages, as parts of 1. Read next: `comprehend_engine.evaluation.classifier_evaluation`
(classifiers) and `comprehend_engine.operations.models` (which tells them from 0 to 100).

Notes
-----
*Source*: developer guide, "Custom Entity Recognizer Metrics": global metrics come from the sums of
true positives, false positives and false negatives of all types. Whether a flywheel's averages are
these or means over types is not documented; these are taken, since they are the only ones that the
guide defines for a whole recognizer. It defines no accuracy, so none is told.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from comprehend_engine.evaluation.classifier_evaluation import (
    EvaluationCounts,
    LabelMetrics,
    MultiClassEvaluation,
    MultiLabelEvaluation,
    PerLabelEvaluation,
)
from comprehend_engine.tasks import ENTITIES, MULTI_CLASS


class EntityEvaluation(PerLabelEvaluation):
    """Mentions, each of which is found or missed, type by type."""

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
        """Return the metrics of EntityRecognizerEvaluationMetrics, as parts of 1."""
        return metrics_of(self.total())

    def confusion_document(self) -> Mapping[str, Any] | None:
        """Return None: the service writes no confusion matrix of a recognizer."""
        return None


ModelEvaluation = MultiClassEvaluation | MultiLabelEvaluation | EntityEvaluation
"""What can be told of a test, whatever the task."""


def evaluation_of(task: str, labels: Iterable[str], counted: EvaluationCounts) -> ModelEvaluation:
    """Return what a test says of a model for a task."""
    if task == ENTITIES:
        return EntityEvaluation.from_counted(labels, counted)
    if task == MULTI_CLASS:
        return MultiClassEvaluation.from_counts(
            labels, ((row[0], row[1], row[2]) for row in counted.counts)
        )
    return MultiLabelEvaluation.from_counted(labels, counted)


def metrics_of(score: LabelMetrics) -> dict[str, float]:
    """Return a score as the members that recognizers have."""
    return {"Precision": score.precision, "Recall": score.recall, "F1Score": score.f1}
