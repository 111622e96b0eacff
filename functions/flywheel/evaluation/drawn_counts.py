"""The counts of two models in many draws of one test set, and each draw's gain in a metric.

Decides the arithmetic alone: the metrics are those of `flywheel.evaluation.scored_documents`,
written out for whole columns of draws, for they are most of the work of resampling. Read next:
`flywheel.evaluation.resampling` (where draws come from).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flywheel.evaluation.scored_documents import ACCURACY, AVERAGES_OF_LABELS, Kind

Columns = Mapping[str, Sequence[int]]
"""Counts per label, each with one value per draw."""


@dataclass(frozen=True, slots=True)
class DrawnCounts:
    """One model's counts in every draw.

    Parameters
    ----------
    actual, predicted, true_positives : Columns
    """

    actual: Columns
    predicted: Columns
    true_positives: Columns

    def of_label(self, label: str, draws: int) -> Iterator[Sequence[int]]:
        """Give a label's three counts; a model may never predict it."""
        for columns in (self.actual, self.predicted, self.true_positives):
            yield columns.get(label) or [0] * draws

    def of_all(self, draws: int) -> Iterator[Sequence[int]]:
        """Give the three counts summed over labels; a model may be right nowhere."""
        for columns in (self.actual, self.predicted, self.true_positives):
            yield [sum(values) for values in zip([0] * draws, *columns.values(), strict=True)]


@dataclass(frozen=True, slots=True)
class Draws:
    """Both models' counts in every draw.

    Parameters
    ----------
    champion, challenger : DrawnCounts
    documents : sequence of int
        How many documents each draw has.
    kind : {"multi-class", "multi-label", "entities"}
    labels : int
        How many labels there are to choose from.
    """

    champion: DrawnCounts
    challenger: DrawnCounts
    documents: Sequence[int]
    kind: Kind
    labels: int

    def gains(self, metric: str, label: str | None) -> list[float]:
        """Return what the challenger has more of a metric, draw by draw."""
        before = self._values(self.champion, metric, label)
        after = self._values(self.challenger, metric, label)
        return [new - old for old, new in zip(before, after, strict=True)]

    def _values(self, model: DrawnCounts, metric: str, label: str | None) -> list[float]:
        """Return a metric in every draw, as `Tally.metric` defines it."""
        draws = len(self.documents)
        if label is not None:
            return _ratios(metric, *model.of_label(label, draws))
        if metric == ACCURACY:
            return self._accuracies(model)
        of_label = AVERAGES_OF_LABELS[metric]
        if self.kind == "entities":
            return _ratios(of_label, *model.of_all(draws))
        each_label = [_ratios(of_label, *model.of_label(one, draws)) for one in model.actual]
        return [math.fsum(values) / len(each_label) for values in zip(*each_label, strict=True)]

    def _accuracies(self, model: DrawnCounts) -> list[float]:
        counts = zip(*model.of_all(len(self.documents)), self.documents, strict=True)
        if self.kind == "multi-class":
            return [right / size if size else 0.0 for _, _, right, size in counts]
        return [
            1 - (actual + predicted - 2 * right) / (size * self.labels) if size else 0.0
            for actual, predicted, right, size in counts
        ]


def _ratios(
    metric: str, actual: Sequence[int], predicted: Sequence[int], true_positives: Sequence[int]
) -> list[float]:
    """Return `ratio_of` in every draw."""
    if metric == "F1Score":
        sums = (a + p for a, p in zip(actual, predicted, strict=True))
        return [2 * t / s if s else 0.0 for t, s in zip(true_positives, sums, strict=True)]
    below = predicted if metric == "Precision" else actual
    return [t / b if b else 0.0 for t, b in zip(true_positives, below, strict=True)]
