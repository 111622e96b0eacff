"""Whether a gain in a metric could be chance: approximate randomization and paired bootstrap.

For metrics that are no share of documents, macro-F1 above all, no formula is exact. So both models'
predictions are exchanged, or the documents are drawn again, a thousand times, and the metric is
counted anew.
Documents of one group are exchanged and drawn together. The seed makes it repeatable to the bit.
Read next: `flywheel.evaluation.draws` (why that is quick, and the metrics of a draw),
`flywheel.evaluation.comparisons`.

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

from flywheel.evaluation.draws import exchanged, resampled
from flywheel.evaluation.intervals import quantile
from flywheel.evaluation.predictions import Kind, ScoredDocument, clusters, tallies

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
    """Return how many draws an error requires.

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
    """Return how much of each metric's gain chance explains.

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
    draws, redraws = draws_for(error, DRAWS), draws_for(error, RESAMPLES)
    exchanges = {each: array("d") for each in gains}
    random = Random(seed)
    for block in _blocks(draws):
        drawn = exchanged(grouped, champion, challenger, random, block)
        for each, values in exchanges.items():
            values.extend(drawn.gains(*each))
    resamples = {each: array("d") for each in gains}
    random = Random(seed + 1)
    for block in _blocks(redraws):
        drawn = resampled(grouped, challenger, random, block)
        for each, values in resamples.items():
            values.extend(drawn.gains(*each))
    return {
        each: _chance(gain, exchanges[each], resamples[each], error) for each, gain in gains.items()
    }


def _blocks(draws: int) -> Iterator[int]:
    """Yield how many draws each block has."""
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
