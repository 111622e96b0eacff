"""Counts of two models in many draws of one test set, and each draw's gain in a metric.

Resampling asks for a metric of a thousand test sets that were drawn from one. `exchanged` and
`resampled` count them all at once, and `Draws.gains` gives a metric of each, as
`flywheel.evaluation.predictions` defines it. Read next:
`flywheel.evaluation.resampling`.

Notes
-----
Functions have no NumPy, so the counters of all draws share one long integer. Each draw has a lane
of 32 bits. One addition adds a count in every draw: about a thousand in a microsecond. A lane
must stay below 2**32. A lane of `_LaneSums` starts at `_BASE` and may hold sums from -`_BASE` to
3 * `_BASE`.
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from flywheel.evaluation.predictions import (
    ACCURACY,
    AVERAGES_OF_LABELS,
    Counts,
    Kind,
    ScoredDocument,
    Tally,
    ratios,
)

_BITS = 32
_BASE = 1 << 30
"""What a lane starts from, so that differences below 0 have room."""

_POISSON = b"".join(bytes([weight]) * share for weight, share in enumerate((95, 93, 47, 16, 4, 1)))
"""Each byte's weight: Poisson with mean 1 in steps of 1/256; mean exactly 1, variance 1.008."""


Columns = Mapping[str, Sequence[int]]
"""Counts per label, each with one value per draw."""

_Groups = Sequence[Sequence[ScoredDocument]]


class _LaneSums:
    """Sums per label, each with one value per draw; what is added may be negative."""

    def __init__(self, draws: int) -> None:
        self._draws = draws
        base = _filled(draws, _BASE)
        self._sums: defaultdict[str, int] = defaultdict(lambda: base)

    def add(self, counts: Counts, weights: int) -> None:
        """Add counts of labels, times the weights that `_coins` or `_weights` drew."""
        for label, count in counts:
            self._sums[label] += weights if count == 1 else weights * count

    def columns(self) -> dict[str, list[int]]:
        """Return the sums of each label, draw by draw."""
        return {
            label: [value - _BASE for value in _unpacked(packed, self._draws)]
            for label, packed in self._sums.items()
        }


def _filled(draws: int, value: int) -> int:
    """Return one value in the lane of every draw."""
    return int.from_bytes(value.to_bytes(_BITS // 8, "little") * draws, "little")


def _coins(random: Random, draws: int, ones: int) -> int:
    """Toss a coin in each lane; `ones` has a 1 in each."""
    return random.getrandbits(_BITS * draws) & ones


def _weights(random: Random, draws: int) -> int:
    """Draw a weight with mean 1 and variance 1 in each lane: how often a document is drawn."""
    spread = bytearray(_BITS // 8 * draws)
    spread[:: _BITS // 8] = random.randbytes(draws).translate(_POISSON)
    return int.from_bytes(spread, "little")


def _unpacked(packed: int, draws: int) -> "array[int]":
    """Return the value of each lane."""
    return array("I", packed.to_bytes(_BITS // 8 * draws, "little"))


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
        """Yield a label's three counts; a model may never predict it."""
        for columns in (self.actual, self.predicted, self.true_positives):
            yield columns.get(label) or [0] * draws

    def of_all(self, draws: int) -> Iterator[Sequence[int]]:
        """Yield the three counts summed over labels; a model may be right nowhere."""
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
            return ratios(metric, *model.of_label(label, draws))
        if metric == ACCURACY:
            return self._accuracies(model)
        of_label = AVERAGES_OF_LABELS[metric]
        if self.kind == "entities":
            return ratios(of_label, *model.of_all(draws))
        each_label = [ratios(of_label, *model.of_label(one, draws)) for one in model.actual]
        return [math.fsum(values) / len(each_label) for values in zip(*each_label, strict=True)]

    def _accuracies(self, model: DrawnCounts) -> list[float]:
        counts = zip(*model.of_all(len(self.documents)), self.documents, strict=True)
        if self.kind == "multi-class":
            return [right / size if size else 0.0 for _, _, right, size in counts]
        return [
            1 - (actual + predicted - 2 * right) / (size * self.labels) if size else 0.0
            for actual, predicted, right, size in counts
        ]


class _Changes:
    """What the challenger's predictions change in the champion's counts, in every draw."""

    def __init__(self, draws: int) -> None:
        self._predicted, self._true_positives = _LaneSums(draws), _LaneSums(draws)

    def add(self, document: ScoredDocument, weights: int) -> None:
        """Add a document's changes, as often as each draw has it."""
        old, new = document.champion, document.challenger
        if old is None or old == new:
            return
        for sums, before, after in (
            (self._predicted, old.predicted, new.predicted),
            (self._true_positives, old.true_positives, new.true_positives),
        ):
            if before != after:
                sums.add(before, -weights)
                sums.add(after, weights)

    def applied(self, counts: DrawnCounts, sign: int) -> DrawnCounts:
        """Return counts with the changes added (1) or taken away (-1)."""
        return DrawnCounts(
            counts.actual,
            _changed(counts.predicted, self._predicted.columns(), sign),
            _changed(counts.true_positives, self._true_positives.columns(), sign),
        )


def _changed(columns: Columns, changes: Columns, sign: int) -> Columns:
    result = dict(columns)
    for label, change in changes.items():
        before = columns.get(label, [0] * len(change))
        result[label] = [one + sign * other for one, other in zip(before, change, strict=True)]
    return result


def exchanged(
    groups: _Groups, champion: Tally, challenger: Tally, random: Random, draws: int
) -> Draws:
    """Exchange the models' answers of each group with a coin, in every draw.

    What one model wins by an exchange the other loses, so only the changes are summed.

    Parameters
    ----------
    groups : sequence of sequence of ScoredDocument
        Documents that are exchanged together.
    champion, challenger : Tally
        Of the same documents.
    random : Random
    draws : int
    """
    ones, changes = _filled(draws, 1), _Changes(draws)
    for group in groups:
        disputed = [each for each in group if each.is_disputed]
        if disputed:
            coins = _coins(random, draws, ones)
            for each in disputed:
                changes.add(each, coins)
    return Draws(
        changes.applied(_repeated(champion, draws), 1),
        changes.applied(_repeated(challenger, draws), -1),
        [challenger.documents] * draws,
        challenger.kind,
        challenger.labels,
    )


def _repeated(tally: Tally, draws: int) -> DrawnCounts:
    """Return counts that are the same in every draw."""
    counts = (tally.actual, tally.predicted, tally.true_positives)
    return DrawnCounts(
        *({label: [count] * draws for label, count in each.items()} for each in counts)
    )


def resampled(groups: _Groups, challenger: Tally, random: Random, draws: int) -> Draws:
    """Draw the groups again, with both models' answers.

    Most answers are the same, so the champion's counts are the challenger's without its changes.
    The parameters are those of `exchanged`.
    """
    changes, size = _Changes(draws), 0
    actual, predicted, true_positives = (_LaneSums(draws) for _ in range(3))
    for group in groups:
        weights = _weights(random, draws)
        size += weights * len(group)
        for each in group:
            changes.add(each, weights)
            actual.add(each.actual, weights)
            predicted.add(each.challenger.predicted, weights)
            true_positives.add(each.challenger.true_positives, weights)
    drawn = DrawnCounts(actual.columns(), predicted.columns(), true_positives.columns())
    return Draws(
        changes.applied(drawn, -1),
        drawn,
        _unpacked(size, draws),
        challenger.kind,
        challenger.labels,
    )
