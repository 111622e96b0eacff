"""The look of dead letters.

Decides looks and words; the facts are `console.flywheels.dead_letters`.
"""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from console.flywheels.dead_letters import DeadLetter, Look
from console.views.layout import indented
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

_HOUR = 3600
_DAY = 24 * _HOUR


def looks_view(looks: Sequence[Look], now: datetime) -> RenderableType:
    """Return every queue's dead letters, a few lines each."""
    parts: list[RenderableType] = []
    for look in looks:
        parts.append(Text.assemble((look.queue.name, "bold"), f"  {_count(look)}"))
        for letter in look.letters:
            parts.append(indented(content_words(letter)))
            parts += [indented(line, 6, "dim") for line in _details(letter, now)]
    return Group(*parts)


def content_words(letter: DeadLetter) -> str:
    """Describe a message.

    Examples
    --------
    >>> from datetime import UTC
    >>> letter = DeadLetter("1", {"flywheel": "tickets"}, 5, datetime.now(UTC), {})
    >>> content_words(letter)
    'digest of upload notices of tickets'
    """
    parts = {name: shown(value, 200) for name, value in letter.content.items()}
    if "key" in parts:
        return f"upload {parts['key']}, version {parts['version_id'] or 'none'}"
    if "flywheel" in parts:
        return f"digest of upload notices of {parts['flywheel']}"
    if "notice_id" in parts:
        return f"notice {parts['notice_id']}: {parts['subject']}"
    if "subject" in parts:
        return f"alarm: {parts['subject']}"
    return f"not a message of ours: {parts['text']}"


def _count(look: Look) -> str:
    if not look.count:
        return "empty"
    more = f", the first {len(look.letters)} here" if look.count > len(look.letters) else ""
    return f"{number_of(look.count, 'message')}{more}"


def _details(letter: DeadLetter, now: datetime) -> list[str]:
    times = f"received {number_of(letter.times_received, 'time')}"
    return [
        f"{letter.id}, {_age((now - letter.sent_at).total_seconds())} old, {times}",
        *(f"{name} {shown(value, 200)}" for name, value in letter.undelivered.items()),
    ]


def _age(seconds: float) -> str:
    if seconds < _HOUR:
        return f"{max(seconds, 0) / 60:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} days"
