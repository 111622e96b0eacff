"""One metric of one label of two models, from the values that the service reports of each.

Decides how far chance carries such a gain where the models' answers are not known: bounds of each
value by the counts behind it, joined as if the answers were paired as badly as they can be. Knows
no rules. Read next: `flywheel.evaluation.comparisons` (averages, and answers),
`flywheel.evaluation.evidence`.

Notes
-----
*Source*: Newcombe 1998, methods 10 and of paired data, and its general form, Zou and Donner 2008
(the bounds of a difference of any two measures from the bounds of each).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from flywheel.evaluation import intervals
from flywheel.evaluation.comparisons import Comparison

_F1, _PRECISION, _RECALL = "F1Score", "Precision", "Recall"
_OPPOSITE = -1.0


@dataclass(frozen=True, slots=True)
class _Measure:
    """A value, its bounds, and its variance; None where it is not known what the value is of."""

    value: float
    low: float
    high: float
    variance: float | None


def of_label(
    metric: str,
    label: str,
    champion: Mapping[str, float | None],
    challenger: Mapping[str, float | None],
    *,
    support: int,
    documents: int,
    error: float,
    missing: str = "",
) -> Comparison:
    """Compare one metric of one label by the service's own values of both models.

    Parameters
    ----------
    champion, challenger : mapping of str to float or None
        F1Score, Precision and Recall, each in [0, 1] or None.
    support : int
        Test documents of the label, or mentions of the type.
    documents : int
        In the test set. Mentions of one document are not independent, so no more of them count.
    missing : str
        Why a model has no values.

    Notes
    -----
    Recall is a share of the label's documents, the same for both models: the correlation is the
    lowest that the two shares allow. Precision is a share of what a model predicted, and F1 follows
    from a share, ``F1 = 2J / (1 + J)`` with ``J`` the hits among hits, misses and false finds
    (how many those are follows from the three values). Of these the two models have different
    wholes, so the correlation is assumed to be -1, the worst that there is.
    """
    old, new = champion.get(metric), challenger.get(metric)
    low = high = deviation = None
    worth = min(support, documents)
    method = f"the service's values of {support:,} of the label in the test set"
    if old is None or new is None:
        method = missing or "the service tells no usable value"
    elif worth:
        of_old, of_new = (
            _measure(metric, values, worth, error) for values in (champion, challenger)
        )
        low, high = _joined(metric, of_old, of_new)
        if of_old.variance is not None and of_new.variance is not None:
            deviation = math.sqrt(of_old.variance + of_new.variance)
    return Comparison(
        metric, label, old, new, support or None, low, high, None, error, method, deviation
    )


def _joined(metric: str, old: _Measure, new: _Measure) -> tuple[float, float]:
    correlation = _OPPOSITE
    if metric == _RECALL:
        correlation = intervals.least_favourable_correlation(old.value, new.value)
    return intervals.joined_gain(
        old.value,
        new.value,
        (old.low, old.high),
        (new.low, new.high),
        correlation=correlation,
    )


def _measure(
    metric: str, values: Mapping[str, float | None], worth: float, error: float
) -> _Measure:
    value = values[metric] or 0.0
    hits = (values.get(_RECALL) or 0.0) * worth
    precision = values.get(_PRECISION) or 0.0
    # Without a hit, nothing shows how much was predicted.
    predicted = hits / precision if hits and precision else 0.0
    if metric == _RECALL:
        return _share(value, worth, error)
    if metric == _PRECISION:
        return _share(value, predicted, error) if predicted else _Measure(value, 0.0, 1.0, None)
    return _of_f1(value, worth + max(0.0, predicted - hits), error)


def _share(value: float, whole: float, error: float) -> _Measure:
    return _Measure(value, *intervals.wilson(value, whole, error), value * (1 - value) / whole)


def _of_f1(value: float, events: float, error: float) -> _Measure:
    """Return F1 with bounds: those of the share of hits among all events, carried over."""
    share = value / (2 - value)
    low, high = intervals.wilson(share, events, error)
    slope = 2 / (1 + share) ** 2
    return _Measure(
        value,
        2 * low / (1 + low),
        2 * high / (1 + high),
        slope**2 * share * (1 - share) / events,
    )
