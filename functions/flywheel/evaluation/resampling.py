"""Whether a gain in a metric could be chance: approximate randomization and paired bootstrap.

For metrics that are no share of documents, macro-F1 above all, no formula is exact; both models'
answers are exchanged, or the documents drawn again, a thousand times and the metric counted anew.
Documents of one group are exchanged and drawn together. The seed makes it repeatable to the bit.
Read next: `flywheel.evaluation.lanes` (why that is quick), `flywheel.evaluation.drawn_counts` (the
metrics of a draw), `flywheel.evaluation.comparisons`.

Notes
-----
*Source*: Riezler and Maxwell 2005 (randomization for the decision, bootstrap for the interval);
Koehn 2004; Dror et al. 2018.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from flywheel.evaluation import lanes
from flywheel.evaluation.drawn_counts import Columns, DrawnCounts, Draws
from flywheel.evaluation.intervals import quantile
from flywheel.evaluation.lanes import LaneSums
from flywheel.evaluation.scored_documents import (
    Counts,
    Kind,
    ScoredDocument,
    Tally,
    clusters,
    tallies,
)

DRAWS, RESAMPLES = 2000, 1000
"""Exchanges of answers, and resamples of documents, at least."""

_DRAWS_PER_ERROR = 20
"""So many draws lie beyond a bound in the mean, however small the error is."""

_MOST_DRAWS = 400_000
"""For errors below 20 in so many, tails are those of the normal curve through the draws."""

_AT_ONCE = 2000
"""Draws in one block: memory stays the same however many there are."""

_ROUNDING = 1e-12

Measured = tuple[str, str | None]
"""A metric and the label it is measured of, or None for the average."""

_Clusters = Sequence[Sequence[ScoredDocument]]


@dataclass(frozen=True, slots=True)
class Chance:
    """What chance could have done to one metric.

    Parameters
    ----------
    p_value, drop_p_value : float
        One-sided: how often exchanged answers gain at least as much, or at most as much.
    low, high : float
        Bounds of the gain, each wrong in `error` of all cases.
    deviation : float
        Standard deviation of the gain over resamples.
    """

    p_value: float
    drop_p_value: float
    low: float
    high: float
    deviation: float


def draws_for(error: float, least: int) -> int:
    """Return how many draws an error asks for.

    Examples
    --------
    >>> draws_for(0.04, 2000), draws_for(0.0001, 2000), draws_for(1e-9, 2000)
    (2000, 200000, 400000)
    """
    return max(least, min(_MOST_DRAWS, math.ceil(_DRAWS_PER_ERROR / error)))


def chances(
    documents: Sequence[ScoredDocument],
    measured: Iterable[Measured],
    *,
    kind: Kind,
    labels: int,
    error: float,
    seed: int,
) -> dict[Measured, Chance]:
    """Say of each metric how much of its gain chance explains.

    Parameters
    ----------
    documents : sequence of ScoredDocument
        With a champion's answer each.
    measured : iterable of Measured
    labels : int
        How many labels there are to choose from.
    error : float
        E.g. 0.04. Draws and resamples are at least 20 / error, as long as that is no more than
        400,000.
    seed : int
    """
    champion, challenger = tallies(documents, kind=kind, labels=labels)
    if champion is None:
        raise ValueError("documents without a champion's answers show no gain")
    gains = {
        (name, label): new - old
        for name, label in dict.fromkeys(measured)
        if (old := champion.metric(name, label)) is not None
        and (new := challenger.metric(name, label)) is not None
    }
    if not gains:
        return {}
    grouped = clusters(documents)
    draws, resamples = draws_for(error, DRAWS), draws_for(error, RESAMPLES)
    exchanged = {each: array("d") for each in gains}
    random = Random(seed)
    for lanes_used in _blocks(draws):
        drawn = _exchanged(grouped, champion, challenger, random, lanes_used)
        for each, values in exchanged.items():
            values.extend(drawn.gains(*each))
    resampled = {each: array("d") for each in gains}
    random = Random(seed + 1)
    for lanes_used in _blocks(resamples):
        drawn = _resampled(grouped, challenger, random, lanes_used)
        for each, values in resampled.items():
            values.extend(drawn.gains(*each))
    return {
        each: _chance(gain, exchanged[each], resampled[each], error) for each, gain in gains.items()
    }


def _blocks(draws: int) -> Iterator[int]:
    """Give how many draws each block has."""
    for start in range(0, draws, _AT_ONCE):
        yield min(_AT_ONCE, draws - start)


def _chance(
    gain: float, exchanged: Sequence[float], resampled: Sequence[float], error: float
) -> Chance:
    drawn = sorted(resampled)
    mean, deviation = _moments(drawn)
    if _is_beyond_draws(error):
        reach = quantile(error) * deviation
        low, high = mean - reach, mean + reach
    else:
        beyond = int(error * len(drawn))
        low, high = drawn[beyond], drawn[-1 - beyond]
    return Chance(
        p_value=_tail(gain, exchanged, error),
        drop_p_value=_tail(-gain, [-one for one in exchanged], error),
        low=low,
        high=high,
        deviation=deviation,
    )


def _tail(gain: float, exchanged: Sequence[float], error: float) -> float:
    """Return how often exchanged answers gain at least as much."""
    reached = sum(one >= gain - _ROUNDING for one in exchanged)
    counted = (1 + reached) / (1 + len(exchanged))
    mean, deviation = _moments(exchanged)
    if reached or not deviation or not _is_beyond_draws(error):
        return counted
    return NormalDist(mean, deviation).cdf(2 * mean - gain)


def _is_beyond_draws(error: float) -> bool:
    return _DRAWS_PER_ERROR / error > _MOST_DRAWS


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation: the same on every Python, as a replay must be."""
    mean = math.fsum(values) / len(values)
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


@dataclass(slots=True)
class _Changes:
    """What the challenger's predictions change in the champion's counts, in every draw."""

    predicted: LaneSums
    true_positives: LaneSums

    @classmethod
    def none(cls, draws: int) -> "_Changes":
        return cls(LaneSums(draws), LaneSums(draws))

    def add(self, document: ScoredDocument, times: int) -> None:
        """Add a document's changes, as often as each draw has it (packed in lanes)."""
        old, new = document.champion, document.challenger
        if old is not None and old != new:
            _add_difference(self.predicted, old.predicted, new.predicted, times)
            _add_difference(self.true_positives, old.true_positives, new.true_positives, times)

    def applied(self, to: DrawnCounts, sign: int) -> DrawnCounts:
        """Return counts with the changes added (1) or taken away (-1)."""
        return DrawnCounts(
            to.actual,
            _moved(to.predicted, self.predicted.values(), sign),
            _moved(to.true_positives, self.true_positives.values(), sign),
        )


def _add_difference(sums: LaneSums, old: Counts, new: Counts, times: int) -> None:
    if old != new:
        for label, count in old:
            sums.add(label, -count * times)
        for label, count in new:
            sums.add(label, count * times)


def _moved(columns: Columns, changes: Columns, sign: int) -> Columns:
    moved = dict(columns)
    for label, change in changes.items():
        before = columns.get(label, [0] * len(change))
        moved[label] = [one + sign * other for one, other in zip(before, change, strict=True)]
    return moved


def _exchanged(
    grouped: _Clusters, champion: Tally, challenger: Tally, random: Random, draws: int
) -> Draws:
    """Exchange the models' answers of each group with a coin.

    What one model wins by an exchange the other loses, so that the changes alone are summed.
    """
    ones, changes = lanes.filled(draws, 1), _Changes.none(draws)
    for group in grouped:
        disputed = [each for each in group if each.is_disputed]
        if disputed:
            coins = lanes.coins(random, draws, ones)
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


def _resampled(grouped: _Clusters, challenger: Tally, random: Random, resamples: int) -> Draws:
    """Draw the groups again, with both models' answers.

    The champion's counts are the challenger's without its changes: most answers are the same.
    """
    changes, size = _Changes.none(resamples), 0
    actual, predicted, true_positives = (LaneSums(resamples) for _ in range(3))
    for group in grouped:
        weights = lanes.weights(random, resamples)
        size += weights * len(group)
        for each in group:
            changes.add(each, weights)
            for sums, counts in (
                (actual, each.actual),
                (predicted, each.challenger.predicted),
                (true_positives, each.challenger.true_positives),
            ):
                for label, count in counts:
                    sums.add(label, weights if count == 1 else weights * count)
    drawn = DrawnCounts(actual.values(), predicted.values(), true_positives.values())
    return Draws(
        changes.applied(drawn, -1),
        drawn,
        lanes.unpacked(size, resamples),
        challenger.kind,
        challenger.labels,
    )
