"""Whether a gain in a metric could be chance: approximate randomization and paired bootstrap.

For metrics that are no share of documents, macro-F1 above all, no formula is exact; both models'
answers are exchanged, or the documents drawn again, a thousand times and the metric counted anew.
The seed makes it repeatable to the bit. Read next: `flywheel.lanes` (why that is quick),
`flywheel.comparisons`.

Notes
-----
*Source*: Riezler and Maxwell 2005 (randomization for the decision, bootstrap for the interval);
Koehn 2004; Dror et al. 2018.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from flywheel import lanes
from flywheel.scored_documents import (
    ACCURACY,
    AVERAGES_OF_LABELS,
    Counts,
    Kind,
    ScoredDocument,
    Tally,
    tallies,
)

DRAWS = 2000
"""Exchanges of answers; the smallest p-value that can be seen is 1 in one more."""

RESAMPLES = 1000

_ROUNDING = 1e-12

Measured = tuple[str, str | None]
"""A metric and the label it is measured of, or None for the average."""

_Columns = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Chance:
    """What chance could have done to one metric.

    Parameters
    ----------
    p_value : float
        One-sided: how often exchanged answers gain at least as much.
    low, high : float
        Bounds of the gain, each wrong in `error` of all cases.
    deviation : float
        Standard deviation of the gain over resamples.
    """

    p_value: float
    low: float
    high: float
    deviation: float


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
        E.g. 0.05.
    seed : int
    """
    wanted = list(dict.fromkeys(measured))
    if not wanted:
        return {}
    champion, challenger = tallies(documents, kind=kind, labels=labels)
    if champion is None:
        raise ValueError("documents without a champion's answers show no gain")
    exchanged = _exchanged(documents, champion, challenger, Random(seed))
    resampled = _resampled(documents, challenger, Random(seed + 1))
    found = {}
    for name, label in wanted:
        old, new = champion.metric(name, label), challenger.metric(name, label)
        if old is None or new is None:
            continue
        reached = sum(gain >= new - old - _ROUNDING for gain in exchanged(name, label))
        drawn = sorted(resampled(name, label))
        mean = sum(drawn) / len(drawn)
        found[name, label] = Chance(
            p_value=(1 + reached) / (1 + DRAWS),
            low=drawn[int(error * len(drawn))],
            high=drawn[-1 - int(error * len(drawn))],
            deviation=(sum((gain - mean) ** 2 for gain in drawn) / len(drawn)) ** 0.5,
        )
    return found


_Gains = Callable[[str, str | None], Iterable[float]]


def _exchanged(
    documents: Sequence[ScoredDocument], champion: Tally, challenger: Tally, random: Random
) -> _Gains:
    """Exchange the models' answers of each document with a coin; returns the gains, draw by draw.

    What one model wins by an exchange the other loses, so one sum a label and count is enough.
    """
    ones, base = lanes.filled(DRAWS, 1), lanes.filled(DRAWS, lanes.BASE)
    told: defaultdict[str, int] = defaultdict(lambda: base)
    right: defaultdict[str, int] = defaultdict(lambda: base)
    for each in documents:
        if each.champion is None or not each.is_disputed:
            continue
        coins = lanes.coins(random, DRAWS, ones)
        for label, change in _changes(each.champion.told, each.challenger.told):
            told[label] += change * coins
        for label, change in _changes(each.champion.right, each.challenger.right):
            right[label] += change * coins
    told_moved = {label: lanes.values(packed, DRAWS) for label, packed in told.items()}
    right_moved = {label: lanes.values(packed, DRAWS) for label, packed in right.items()}

    def columns(tally: Tally, sign: int) -> tuple[_Columns, _Columns, _Columns]:
        return (
            {label: [count] * DRAWS for label, count in tally.actual.items()},
            _shifted(tally.told, told_moved, sign),
            _shifted(tally.right, right_moved, sign),
        )

    return _gains(columns(champion, 1), columns(challenger, -1), challenger, challenger.documents)


def _changes(old: Counts, new: Counts) -> list[tuple[str, int]]:
    if old == new:
        return []
    changes = dict(new)
    for label, count in old:
        changes[label] = changes.get(label, 0) - count
    return [(label, change) for label, change in changes.items() if change]


def _shifted(totals: Mapping[str, int], moved: _Columns, sign: int) -> _Columns:
    return {
        label: (
            [totals[label] + sign * (change - lanes.BASE) for change in moved[label]]
            if label in moved
            else [totals[label]] * DRAWS
        )
        for label in {*totals, *moved}
    }


def _resampled(documents: Sequence[ScoredDocument], challenger: Tally, random: Random) -> _Gains:
    """Draw the documents again, with both models' answers; returns the gains, draw by draw."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    count = 0
    for each in documents:
        weights = lanes.weights(random, RESAMPLES)
        count += weights
        for name, counts in (("actual", each.actual), *_parts(each)):
            for label, times in counts:
                sums[name, label] += weights if times == 1 else weights * times
    columns: dict[str, dict[str, Sequence[int]]] = defaultdict(dict)
    for (name, label), packed in sums.items():
        columns[name][label] = lanes.values(packed, RESAMPLES)
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
    return _gains(old, new, challenger, lanes.values(count, RESAMPLES))


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
    documents: int | Sequence[int],
) -> _Gains:
    """Return a function that gives a metric's gain in every draw."""

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
    documents: int | Sequence[int],
) -> list[float]:
    """Return a metric in every draw, as `Tally.metric` defines it."""
    actual, told, right = columns
    if label is not None:
        nothing = [0] * len(actual[label])
        return _ratios(name, actual[label], told.get(label, nothing), right.get(label, nothing))
    if name == ACCURACY:
        return _accuracies(columns, like, documents)
    of_label = AVERAGES_OF_LABELS[name]
    if like.kind == "entities":
        return _ratios(of_label, *(_summed(each) for each in columns))
    seen = [label for label, count in like.actual.items() if count]
    nothing = [0] * len(actual[seen[0]])
    each_label = [
        _ratios(of_label, actual[label], told.get(label, nothing), right.get(label, nothing))
        for label in seen
    ]
    return [sum(values) / len(seen) for values in zip(*each_label, strict=True)]


def _accuracies(
    columns: tuple[_Columns, _Columns, _Columns], like: Tally, documents: int | Sequence[int]
) -> list[float]:
    actual, told, right = (_summed(each) for each in columns)
    counts = documents if not isinstance(documents, int) else [documents] * len(actual)
    if like.kind == "multi-class":
        return [part / count if count else 0.0 for part, count in zip(right, counts, strict=True)]
    return [
        1 - (is_so + said - 2 * both) / (count * like.labels) if count else 0.0
        for is_so, said, both, count in zip(actual, told, right, counts, strict=True)
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


def _summed(columns: _Columns) -> list[int]:
    return [sum(values) for values in zip(*columns.values(), strict=True)]
