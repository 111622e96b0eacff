"""Evaluation of entity recognizers: metrics from the counts of predicted mentions.

Decides the averages, each between 0 and 1. Read next:
`comprehend_engine.evaluation.model_evaluation`, and `comprehend_engine.operations.models`, which
returns them from 0 to 100.

Notes
-----
*Source*: developer guide, "Custom Entity Recognizer Metrics": global metrics come from the sums of
true positives, false positives and false negatives of all types. Whether a flywheel's averages are
these or means over types is not documented. The engine uses these, the only ones that the guide
defines for a whole recognizer. It defines no accuracy, so there is none.
"""

from collections.abc import Mapping
from typing import Any

from comprehend_engine.evaluation.counts import LabelMetrics, PerLabelEvaluation


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
