"""Exact tests and intervals for shares, and for the difference of two shares.

Decides which formula answers which question; knows nothing of models. Everything is one-sided: the
question is always whether a gain, or a drop, is real. Read next: `flywheel.evaluation.comparisons`.
"""

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist

_EXACT_DRAWS = 200
"""Up to so many draws tails are summed in integers; above, in logarithms, to 1e-11."""

_NEAR_ENOUGH = 1e-13


@cache
def quantile(error: float) -> float:
    """Return the standard normal's upper quantile, e.g. 1.645 for an error of 0.05."""
    return NormalDist().inv_cdf(1 - error)


def binomial_tail(least: int, draws: int) -> float:
    """Return the chance of at least so many heads in so many tosses of a fair coin.

    Examples
    --------
    >>> binomial_tail(9, 10)
    0.0107421875
    """
    if least <= 0:
        return 1.0
    if least > draws:
        return 0.0
    if 2 * least <= draws:
        return 1 - binomial_tail(draws - least + 1, draws)
    if draws <= _EXACT_DRAWS:
        ways = math.comb(draws, least)
        total = ways
        for heads in range(least, draws):
            ways = ways * (draws - heads) // (heads + 1)
            total += ways
        return total / (1 << draws)
    term = math.exp(
        math.lgamma(draws + 1)
        - math.lgamma(least + 1)
        - math.lgamma(draws - least + 1)
        - draws * math.log(2)
    )
    total_share, heads = 0.0, least
    while term > total_share * 1e-17 and heads <= draws:
        total_share += term
        term *= (draws - heads) / (heads + 1)
        heads += 1
    return total_share


def mcnemar(fixed: int, broken: int) -> float:
    """Return McNemar's exact p-value, one-sided, for more documents being fixed than broken.

    Parameters
    ----------
    fixed, broken : int
        Documents that only the challenger, or only the champion, answers rightly.

    Notes
    -----
    *Source*: McNemar 1947; Dietterich 1998 on why not a test of two proportions.

    Examples
    --------
    >>> mcnemar(8, 1)
    0.01953125
    """
    return binomial_tail(fixed, fixed + broken)


def wilson(share: float, documents: float, error: float) -> tuple[float, float]:
    """Return Wilson's bounds of a share; each is wrong in `error` of all cases.

    Notes
    -----
    *Source*: Wilson 1927.
    """
    z = quantile(error)
    centre = share + z * z / (2 * documents)
    half = z * math.sqrt(share * (1 - share) / documents + z * z / (4 * documents**2))
    scale = 1 + z * z / documents
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def unpaired_gain(
    old: float, new: float, documents: float, error: float, *, correlation: float = 0.0
) -> tuple[float, float]:
    """Return Newcombe's hybrid score bounds of ``new - old``, both shares of so many documents.

    Parameters
    ----------
    correlation : float
        Of the two models' answers, document by document; 0 for two independent sets.

    Notes
    -----
    *Source*: Newcombe 1998, methods 10 (independent) and, with a correlation, of paired data.
    """
    return joined_gain(
        old,
        new,
        wilson(old, documents, error),
        wilson(new, documents, error),
        correlation=correlation,
    )


def joined_gain(
    old: float,
    new: float,
    old_bounds: tuple[float, float],
    new_bounds: tuple[float, float],
    *,
    correlation: float,
) -> tuple[float, float]:
    """Return bounds of ``new - old``, both in [0, 1], from bounds of each.

    Notes
    -----
    *Source*: Zou and Donner 2008; with Wilson's bounds of two shares it is Newcombe's interval.
    """
    (old_low, old_high), (new_low, new_high) = old_bounds, new_bounds

    def width(one: float, other: float) -> float:
        return math.sqrt(one * one - 2 * correlation * one * other + other * other)

    gain = new - old
    return (
        max(-1.0, gain - width(new - new_low, old_high - old)),
        min(1.0, gain + width(new_high - new, old - old_low)),
    )


def least_favourable_correlation(old: float, new: float) -> float:
    """Return the lowest correlation that two models with these shares can have on one test set.

    Two good models cannot disagree more often than both are wrong, which bounds how badly their
    answers may be paired.

    Examples
    --------
    >>> round(least_favourable_correlation(0.9, 0.9), 3)
    -0.111
    """
    right = math.sqrt(old * new)
    wrong = math.sqrt((1 - old) * (1 - new))
    larger, smaller = max(right, wrong), min(right, wrong)
    return -smaller / larger if larger else 0.0


def paired_gain(fixed: int, broken: int, documents: int, error: float) -> tuple[float, float]:
    """Return Tango's score bounds of ``(fixed - broken) / documents``.

    They hold where nothing disagrees too: without a disagreement among 100 documents a drop of
    0.026 is still possible.

    Notes
    -----
    *Source*: Tango 1998, equations 4 to 6.
    """
    z = quantile(error)

    def score(gain: float) -> float:
        return _tango_score(fixed, broken, documents, gain)

    point = (fixed - broken) / documents
    low = -1.0 if broken == documents else _root(lambda gain: score(gain) - z, -1.0, point)
    high = 1.0 if fixed == documents else _root(lambda gain: score(gain) + z, point, 1.0)
    return low, high


def no_disagreement(documents: float, error: float) -> float:
    """Return the largest true change that may hide behind no observed one (Tango's bound)."""
    z = quantile(error)
    return z * z / (documents + z * z)


def _tango_score(fixed: int, broken: int, documents: int, gain: float) -> float:
    a = 2 * documents
    b = -fixed - broken + (2 * documents - fixed + broken) * gain
    c = -broken * gain * (1 - gain)
    broken_share = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = documents * (2 * broken_share + gain * (1 - gain))
    deviation = fixed - broken - documents * gain
    if variance <= 0:
        return math.copysign(math.inf, deviation) if deviation else 0.0
    return deviation / math.sqrt(variance)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a falling function is zero, by false position (the Illinois way).

    Halves the interval as long as the function is infinite at one of its ends.
    """
    above, below = function(low), function(high)
    last = 0
    for _ in range(100):
        is_finite = math.isfinite(above) and math.isfinite(below)
        middle = (low * below - high * above) / (below - above) if is_finite else (low + high) / 2
        value = function(middle)
        if abs(value) < _NEAR_ENOUGH or high - low < _NEAR_ENOUGH:
            return middle
        if value > 0:
            low, above = middle, value
            below = below / 2 if last > 0 else below
            last = 1
        else:
            high, below = middle, value
            above = above / 2 if last < 0 else above
            last = -1
    return (low + high) / 2
