"""How many more test documents would end a hold, and what a test set can show at all.

Decides the arithmetic and the words, which promise no more than the evidence carries: the number
stands on the gain that was seen, which is itself uncertain. Knows no rules. Read next:
`flywheel.evaluation.effective_rules`.

Notes
-----
*Source*: the normal approximation of a test's power, e.g. Fleiss, Levin and Paik 2003, chapter 4;
Miettinen 1968 for McNemar's exact test, which moves in steps of a document.
"""

import math
from collections.abc import Mapping

from flywheel.evaluation import intervals
from flywheel.evaluation.comparisons import Comparison
from flywheel.evaluation.effective_rules import ROUNDING
from flywheel.evaluation.worth import LEAST_WORTH
from flywheel.number_words import number_of

POWER = 0.8
"""A test set is large enough where a gain shows in so many cases."""


def documents_needed(
    compared: Comparison, shown: float, reached: float, error: float
) -> int | None:
    """Return with how many test documents a gain as large as seen passes in `POWER` of all cases.

    Parameters
    ----------
    compared : Comparison
    shown : float
        The evidence must show a larger gain: 0, or ``-margin`` for non-inferiority.
    reached : float
        The value itself must reach this gain.
    error : float
        Of the look at the larger test set.

    Returns
    -------
    int or None
        None where no number would do: the gain is no larger than required, or nothing is known.

    Notes
    -----
    The variance of the gain falls as the number of documents grows.
    """
    gain, deviation, documents = compared.gain, compared.deviation, compared.documents
    if gain is None or not deviation or not documents or gain - max(shown, reached) <= ROUNDING:
        return None
    variance, power = documents * deviation**2, intervals.quantile(1 - POWER)
    test = variance * (intervals.quantile(error) + power) ** 2 / (gain - shown) ** 2
    if compared.p_value is not None:
        test += 1 / (gain - shown)
    value = variance * power**2 / (gain - reached) ** 2
    return max(1, math.ceil(max(test, value)), _carried(compared))


def documents_advised(
    compared: Comparison, shown: float, reached: float, error: float
) -> int | None:
    """Return how many more test documents to advise, in round numbers: a tenth more at least.

    The parameters, and None, are those of `documents_needed`.
    """
    needed, documents = documents_needed(compared, shown, reached, error), compared.documents
    if needed is None or documents is None:
        return None
    return rounded_up(max(needed - documents, math.ceil(documents / 10)))


def smallest_gain(compared: Comparison) -> float | None:
    """Return from which true gain on a test set of this size shows it in `POWER` of all cases."""
    if not compared.deviation:
        return None
    reach = intervals.quantile(compared.error) + intervals.quantile(1 - POWER)
    return min(1.0, reach * compared.deviation)


def advice(
    compared: Comparison,
    shown: float,
    reached: float,
    *,
    error: float,
    scarce_labels: Mapping[str, int],
) -> str:
    """Return what would end a hold, as the end of a sentence; empty where nothing is known.

    Parameters
    ----------
    compared : Comparison
    shown, reached : float
        What the evidence must show, and what the value must reach (`documents_needed`).
    error : float
        Of the next look.
    scarce_labels : mapping of str to int
        Labels that lack test documents, and how many each has.
    """
    smallest = smallest_gain(compared)
    if compared.gain is None or not compared.documents or smallest is None:
        return ""
    more = documents_advised(compared, shown, reached, error)
    if more is None:
        return "; no number of test documents would show it: the gain is no larger than asked"
    what = "gain" if shown >= 0 else "change"
    words = (
        f"; about {number_of(more, 'more test document')}, drawn at random, would show it in 4 of "
        f"5 cases if the {what} is as large as seen"
    )
    if shown >= 0:
        words += f"; this test set shows gains from about {_points(smallest)} on"
    if scarce_labels:
        label, count = next(iter(scarce_labels.items()))
        words += f"; {label!r} has only {count:,} of its documents"
    return words


def rounded_up(count: int) -> int:
    """Round up to two digits: more would pretend to know.

    Examples
    --------
    >>> rounded_up(871)
    880
    """
    step = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // step) * step


def _carried(compared: Comparison) -> int:
    """Return with how many documents averages have bounds at all; 0 where they have some."""
    if compared.low is not None or compared.deviation is None or compared.documents is None:
        return 0
    old, new = compared.champion or 0.0, compared.challenger or 0.0
    worth = (old * (1 - old) + new * (1 - new)) / compared.deviation**2
    return math.ceil(compared.documents * LEAST_WORTH / worth)


def _points(gain: float) -> str:
    points = 100 * gain
    shown = f"{math.ceil(points)}" if points >= 1 else f"{points:.1g}"
    return f"{shown} point{'' if shown == '1' else 's'}"
