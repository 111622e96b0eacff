"""Whether a gain in a metric could be chance: approximate randomization and paired bootstrap.

For metrics that are no share of documents, macro-F1 above all, no formula is exact; both models'
answers are exchanged, or the documents drawn again, a thousand times and the metric counted anew.
Documents of one group are exchanged and drawn together. The seed makes it repeatable to the bit.
Read next: `flywheel.evaluation.lanes` (why that is quick), `flywheel.evaluation.comparisons`.

Notes
-----
*Source*: Riezler and Maxwell 2005 (randomization for the decision, bootstrap for the interval);
Koehn 2004; Dror et al. 2018.
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from flywheel.evaluation import lanes
from flywheel.evaluation.intervals import quantile
from flywheel.evaluation.scored_documents import (
    ACCURACY,
    AVERAGES_OF_LABELS,
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

_Columns = Mapping[str, Sequence[int]]


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
            values.extend(drawn(*each))
    resampled = {each: array("d") for each in gains}
    random = Random(seed + 1)
    for lanes_used in _blocks(resamples):
        drawn = _resampled(grouped, challenger, random, lanes_used)
        for each, values in resampled.items():
            values.extend(drawn(*each))
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


_Gains = Callable[[str, str | None], Iterable[float]]
_Clusters = Sequence[Sequence[ScoredDocument]]


def _exchanged(
    grouped: _Clusters, champion: Tally, challenger: Tally, random: Random, draws: int
) -> _Gains:
    """Exchange the models' answers of each group with a coin; returns the gains, draw by draw.

    What one model wins by an exchange the other loses, so one sum a label and count is enough.
    """
    ones, base = lanes.filled(draws, 1), lanes.filled(draws, lanes.BASE)
    told: defaultdict[str, int] = defaultdict(lambda: base)
    right: defaultdict[str, int] = defaultdict(lambda: base)
    for group in grouped:
        disputed = [each for each in group if each.is_disputed]
        if not disputed:
            continue
        coins = lanes.coins(random, draws, ones)
        for each in disputed:
            if each.champion is None:
                continue
            for label, change in _changes(each.champion.told, each.challenger.told):
                told[label] += change * coins
            for label, change in _changes(each.champion.right, each.challenger.right):
                right[label] += change * coins
    told_moved = {label: lanes.values(packed, draws) for label, packed in told.items()}
    right_moved = {label: lanes.values(packed, draws) for label, packed in right.items()}

    def columns(tally: Tally, sign: int) -> tuple[_Columns, _Columns, _Columns]:
        return (
            {label: [count] * draws for label, count in tally.actual.items()},
            _shifted(tally.told, told_moved, sign, draws),
            _shifted(tally.right, right_moved, sign, draws),
        )

    counts = [challenger.documents] * draws
    return _gains(columns(champion, 1), columns(challenger, -1), challenger, counts)


def _changes(old: Counts, new: Counts) -> list[tuple[str, int]]:
    if old == new:
        return []
    changes = dict(new)
    for label, count in old:
        changes[label] = changes.get(label, 0) - count
    return [(label, change) for label, change in changes.items() if change]


def _shifted(totals: Mapping[str, int], moved: _Columns, sign: int, draws: int) -> _Columns:
    return {
        label: (
            [totals[label] + sign * (change - lanes.BASE) for change in moved[label]]
            if label in moved
            else [totals[label]] * draws
        )
        for label in {*totals, *moved}
    }


def _resampled(grouped: _Clusters, challenger: Tally, random: Random, resamples: int) -> _Gains:
    """Draw the groups again, with both models' answers; returns the gains, draw by draw."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    count = 0
    for group in grouped:
        weights = lanes.weights(random, resamples)
        count += weights * len(group)
        for each in group:
            for name, counts in (("actual", each.actual), *_parts(each)):
                for label, times in counts:
                    sums[name, label] += weights if times == 1 else weights * times
    columns: dict[str, dict[str, Sequence[int]]] = defaultdict(dict)
    for (name, label), packed in sums.items():
        columns[name][label] = lanes.values(packed, resamples)
    for part in ("told", "right"):
        for who in ("old", "new"):
            columns[f"{who} {part}"] = {
                label: _added(
                    columns[f"both {part}"].get(label), columns[f"{who} {part}"].get(label)
                )
                for label in {*columns[f"both {part}"], *columns[f"{who} {part}"]}
            }
    old = (columns["actual"], columns["old told"], columns["old right"])
    new = (columns["actual"], columns["new told"], columns["new right"])
    return _gains(old, new, challenger, lanes.values(count, resamples))


def _parts(document: ScoredDocument) -> list[tuple[str, Counts]]:
    """Return a document's counts, those that both models share only once."""
    if document.champion is None or not document.is_disputed:
        return [("both told", document.challenger.told), ("both right", document.challenger.right)]
    old, new = document.champion, document.challenger
    return [
        ("old told", old.told),
        ("old right", old.right),
        ("new told", new.told),
        ("new right", new.right),
    ]


def _added(one: Sequence[int] | None, other: Sequence[int] | None) -> Sequence[int]:
    if one is None or other is None:
        return one or other or ()
    return [a + b for a, b in zip(one, other, strict=True)]


def _gains(
    old: tuple[_Columns, _Columns, _Columns],
    new: tuple[_Columns, _Columns, _Columns],
    like: Tally,
    documents: Sequence[int],
) -> _Gains:
    """Return a function that gives a metric's gain in every draw.

    Parameters
    ----------
    documents : sequence of int
        How many each draw has.
    """

    def gains(name: str, label: str | None) -> Iterable[float]:
        was = _metric(old, name, label, like, documents)
        becomes = _metric(new, name, label, like, documents)
        return [after - before for before, after in zip(was, becomes, strict=True)]

    return gains


def _metric(
    columns: tuple[_Columns, _Columns, _Columns],
    name: str,
    label: str | None,
    like: Tally,
    documents: Sequence[int],
) -> list[float]:
    """Return a metric in every draw, as `Tally.metric` defines it."""
    actual, told, right = columns
    nothing = [0] * len(documents)
    if label is not None:
        return _ratios(name, actual[label], told.get(label, nothing), right.get(label, nothing))
    if name == ACCURACY:
        return _accuracies(columns, like, documents)
    of_label = AVERAGES_OF_LABELS[name]
    if like.kind == "entities":
        return _ratios(of_label, *(_summed(each, len(documents)) for each in columns))
    seen = [label for label, count in like.actual.items() if count]
    each_label = [
        _ratios(of_label, actual[label], told.get(label, nothing), right.get(label, nothing))
        for label in seen
    ]
    return [math.fsum(values) / len(seen) for values in zip(*each_label, strict=True)]


def _accuracies(
    columns: tuple[_Columns, _Columns, _Columns], like: Tally, documents: Sequence[int]
) -> list[float]:
    actual, told, right = (_summed(each, len(documents)) for each in columns)
    if like.kind == "multi-class":
        return [
            part / count if count else 0.0 for part, count in zip(right, documents, strict=True)
        ]
    return [
        1 - (is_so + said - 2 * both) / (count * like.labels) if count else 0.0
        for is_so, said, both, count in zip(actual, told, right, documents, strict=True)
    ]


def _ratios(
    name: str, actual: Sequence[int], told: Sequence[int], right: Sequence[int]
) -> list[float]:
    """Return `ratio_of` in every draw; written out, for it is most of the work."""
    if name == "F1Score":
        sums = (a + t for a, t in zip(actual, told, strict=True))
        return [2 * r / s if s else 0.0 for r, s in zip(right, sums, strict=True)]
    below = told if name == "Precision" else actual
    return [r / b if b else 0.0 for r, b in zip(right, below, strict=True)]


def _summed(columns: _Columns, draws: int) -> list[int]:
    """Return sums over labels; a model that is right nowhere has no label to sum over."""
    return [sum(values) for values in zip([0] * draws, *columns.values(), strict=True)]
