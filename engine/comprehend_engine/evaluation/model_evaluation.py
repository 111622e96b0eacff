"""Evaluation of a model, whatever its task.

Decides which evaluation a task has. Read next: `comprehend_engine.lifecycles.iteration_run`, which
evaluates champion and challenger.
"""

from collections.abc import Iterable

from comprehend_engine.evaluation.classifier_evaluation import (
    MultiClassEvaluation,
    MultiLabelEvaluation,
)
from comprehend_engine.evaluation.counts import EvaluationCounts
from comprehend_engine.evaluation.entity_evaluation import EntityEvaluation
from comprehend_engine.tasks import ENTITIES, MULTI_CLASS

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
