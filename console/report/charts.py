"""The drawings of a report page, as inline SVG: intervals against their bounds, bars of change.

Decides shapes alone; colors are the page's style sheet's, by class. Numbers come in, and no text
that is not escaped goes out.
"""

from collections.abc import Callable, Sequence
from html import escape

_WIDTH = 560
_ROW = 22
_APART = 60
"""Nearer than this two numbers under an axis run into each other."""

_LABEL_X, _BARS_X, _BARS_WIDTH = 190, 200, 250


def interval_chart(
    *, gain: float, low: float | None, high: float | None, bound: float, words: str
) -> str:
    """Draw a gain with its one-sided bounds, against the bound of a rule.

    Parameters
    ----------
    gain, bound : float
        ``challenger - champion``, and what the rule asks of it.
    low, high : float or None
        None where nothing is known of the gain's chance.
    words : str
        The same in words, for those who do not see it.
    """
    values = [value for value in (gain, low, high, bound, 0.0) if value is not None]
    x = _scale(min(values), max(values))
    parts = [
        _line("axis", (12, 26), (_WIDTH - 12, 26)),
        _line("zero", (x(0), 16), (x(0), 36)),
        _line("bound", (x(bound), 6), (x(bound), 40)),
        _text("tick", x(0), 52, "0", "middle"),
    ]
    if abs(x(bound) - x(0)) > _APART:
        parts.append(_text("tick boundtext", x(bound), 52, f"{bound:+z.3f}", "middle"))
    if low is not None and high is not None:
        width = max(x(high) - x(low), 1.0)
        parts.append(
            f'<rect class="interval" x="{x(low):.1f}" y="20" width="{width:.1f}" height="12"/>'
        )
    parts.append(f'<circle class="gain" cx="{x(gain):.1f}" cy="26" r="5"/>')
    return _svg(58, words, parts)


def floor_chart(*, champion: float | None, challenger: float, floor: float, words: str) -> str:
    """Draw a value in [0, 1] against a floor; the champion's is drawn hollow."""
    x = _scale(0.0, 1.0)
    parts = [
        _line("axis", (12, 26), (_WIDTH - 12, 26)),
        _line("bound", (x(floor), 6), (x(floor), 40)),
        *(_text("tick", x(value), 52, f"{value:g}", "middle") for value in (0.0, 0.5, 1.0)),
    ]
    if champion is not None:
        parts.append(f'<circle class="hollow" cx="{x(champion):.1f}" cy="26" r="5"/>')
    parts.append(f'<circle class="gain" cx="{x(challenger):.1f}" cy="26" r="5"/>')
    return _svg(58, words, parts)


def change_bars(changes: Sequence[tuple[str, float, str]], words: str) -> str:
    """Draw changes as bars to the left and right of nothing.

    Parameters
    ----------
    changes : sequence of (str, float, str)
        Name, change, and what stands at its end.
    """
    largest = max((abs(change) for _, change, _ in changes), default=0.0) or 1.0
    middle, half = _BARS_X + _BARS_WIDTH / 2, _BARS_WIDTH / 2
    parts = []
    for place, (name, change, end) in enumerate(changes):
        y = place * _ROW
        length = abs(change) / largest * half
        kind = "won" if change > 0 else "lost"
        x = middle if change > 0 else middle - length
        parts.append(_text("name", _LABEL_X, y + 15, name, "end"))
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y + 4}" width="{max(length, 0.5):.1f}" '
            f'height="{_ROW - 8}"/>'
        )
        parts.append(_text("tick", _BARS_X + _BARS_WIDTH + 8, y + 15, end, "start"))
    parts.append(_line("zero", (middle, 0), (middle, len(changes) * _ROW)))
    return _svg(max(len(changes), 1) * _ROW, words, parts)


def _scale(low: float, high: float) -> Callable[[float], float]:
    """Return what places values between the margins of a drawing."""
    span = (high - low) or 1.0
    return lambda value: 24 + (value - low) / span * (_WIDTH - 48)


def _line(name: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    return (
        f'<line class="{name}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" '
        f'y2="{end[1]:.1f}"/>'
    )


def _text(name: str, x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _svg(height: int, words: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(words)}">{"".join(parts)}</svg>'
    )
