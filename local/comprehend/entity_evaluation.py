"""How good an entity recognizer is: metrics from the mentions that a test found and missed.

Decides the averages, as parts of 1. Read next: `local.comprehend.evaluation` (classifiers) and
`local.comprehend.recognizers` (which tells them from 0 to 100).

Notes
-----
*Source*: developer guide, "Custom Entity Recognizer Metrics": global metrics come from the sums of
true positives, false positives and false negatives of all types. Whether a flywheel's averages are
these or means over types is not documented; these are taken, since they are the only ones that the
guide defines for a whole recognizer. It defines no accuracy, so none is told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.comprehend.evaluation import Counted, Evaluation, LabelScore, MultiLabelEvaluation
from local.comprehend.tasks import ENTITIES, MULTI_CLASS


@dataclass(frozen=True, slots=True)
class EntityEvaluation:
    """Mentions, type by type, and what follows from them.

    Parameters
    ----------
    types : tuple of str, of shape (n_types,)
        All types of the model.
    counts : tuple of tuple of int, of shape (n_types, 3)
        True positives, false positives, false negatives of each.
    documents : int
        How many documents tested the model.
    """

    types: tuple[str, ...]
    counts: tuple[tuple[int, int, int], ...]
    documents: int

    @classmethod
    def from_counted(cls, types: Iterable[str], counted: Counted) -> "EntityEvaluation":
        """Build one from what a test found; a type that is not named has no mentions."""
        names = tuple(types)
        found = {name: (hits, false, missed) for name, hits, false, missed in counted.counts}
        counts = tuple(found.get(name, (0, 0, 0)) for name in names)
        return cls(names, counts, counted.documents)

    def per_label(self) -> dict[str, LabelScore]:
        """Return precision, recall, F1 and support of every type; 0 where undefined."""
        return {
            kind: LabelScore.of(*counts)
            for kind, counts in zip(self.types, self.counts, strict=True)
        }

    def averages(self) -> dict[str, float]:
        """Return the averages of an iteration, each in [0, 1]; there is no accuracy."""
        total = self._total()
        return {
            "AverageF1Score": total.f1,
            "AveragePrecision": total.precision,
            "AverageRecall": total.recall,
        }

    def model_metrics(self) -> dict[str, float]:
        """Return the metrics of EntityRecognizerEvaluationMetrics, as parts of 1."""
        return metrics_of(self._total())

    def confusion_document(self) -> Mapping[str, Any] | None:
        """Return None: the service writes no confusion matrix of a recognizer."""
        return None

    def _total(self) -> LabelScore:
        hits, false, missed = (sum(column) for column in zip(*self.counts, strict=True))
        return LabelScore.of(hits, false, missed)


AnyEvaluation = Evaluation | MultiLabelEvaluation | EntityEvaluation
"""What can be told of a test, whatever the task."""


def evaluation_of(task: str, labels: Iterable[str], counted: Counted) -> AnyEvaluation:
    """Return what a test says of a model for a task."""
    if task == ENTITIES:
        return EntityEvaluation.from_counted(labels, counted)
    if task == MULTI_CLASS:
        return Evaluation.from_counts(labels, ((row[0], row[1], row[2]) for row in counted.counts))
    return MultiLabelEvaluation.from_counted(labels, counted)


def metrics_of(score: LabelScore) -> dict[str, float]:
    """Return a score as the members that recognizers have."""
    return {"Precision": score.precision, "Recall": score.recall, "F1Score": score.f1}
