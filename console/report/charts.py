"""The geometry of a report page's drawings: where values lie, and how long bars are.

Decides positions alone; the shapes are in ``templates/charts.svg.j2`` and the colors in
``templates/style.css``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flywheel.evaluation.effective_rules import RuleOutcome
from flywheel.evaluation.paired_evidence import LabelChange

WIDTH = 560
ROW = 22
"""Height of one bar with the space around it."""

BARS_MIDDLE = 325
_BARS_HALF = 125
_MARGIN = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """The change of one label's F1 as a bar to the left or right of no change.

    Parameters
    ----------
    label : LabelChange
    gain : float
    x, y, width : float
    """

    label: LabelChange
    gain: float
    x: float
    y: float
    width: float


def has_chart(rule: RuleOutcome) -> bool:
    """Say whether a rule has the values that its drawing needs."""
    if rule.bound_kind is None or rule.challenger is None:
        return False
    return rule.bound_kind == "min" or rule.champion is not None


def scale_of(rule: RuleOutcome) -> Callable[[float], float]:
    """Return what places a value between the margins: a floor has [0, 1], a gain its bounds."""
    if rule.least_gain is None:
        return _scale(0.0, 1.0)
    drawn = (0.0, rule.gain, rule.least_gain, rule.low, rule.high)
    values = [value for value in drawn if value is not None]
    return _scale(min(values), max(values))


def bars(labels: Sequence[LabelChange]) -> Iterator[Bar]:
    """Give the bar of each label, the longest over half of the drawing's width."""
    gains = [label.gain or 0.0 for label in labels]
    largest = max(map(abs, gains), default=0.0) or 1.0
    for place, (label, gain) in enumerate(zip(labels, gains, strict=True)):
        width = abs(gain) / largest * _BARS_HALF
        x = BARS_MIDDLE if gain > 0 else BARS_MIDDLE - width
        yield Bar(label, gain, x, place * ROW, max(width, 0.5))


def _scale(low: float, high: float) -> Callable[[float], float]:
    span = (high - low) or 1.0
    return lambda value: _MARGIN + (value - low) / span * (WIDTH - 2 * _MARGIN)
