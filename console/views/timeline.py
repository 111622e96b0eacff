"""How the timeline looks at 80 columns: when and what, then who and why below."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from console.record.timeline import Event
from console.views.principals import with_short_principals
from flywheel.notices.acts import shown_actor
from flywheel.notices.notice import shown

_BELOW = (0, 0, 0, 18)
_STYLES = {
    "upload refused": "red",
    "verdict carried out": "bold",
    "champion changed": "bold",
    "champion changed outside": "bold yellow",
    "paused": "yellow",
    "withdrawal": "yellow",
    "act refused": "red",
    "answer refused": "red",
}


def timeline_view(events: Sequence[Event]) -> RenderableType:
    """Return events as people read them."""
    parts: list[RenderableType] = []
    for event in events:
        at = datetime.fromisoformat(event.at)
        what = Text(_short(event.what, 200), _STYLES.get(event.event, ""), overflow="fold")
        first = Text(f"{at:%Y-%m-%d %H:%M}  ")
        first.append_text(what)
        first.overflow = "fold"
        parts.append(first)
        who = shown_actor(with_short_principals(event.who), 40)
        words = f"{who}{': ' if event.why else ''}{_short(event.why, 300)}"
        parts.append(Padding(Text(words, "dim", overflow="fold"), _BELOW, expand=False))
    return Group(*parts)


def _short(words: str, most_characters: int) -> str:
    return shown(with_short_principals(words), most_characters)
