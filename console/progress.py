"""Show phases as they come: a line for each new one, and on a terminal a spinner with the time.

Decides how waiting looks; the waits themselves are `console.flywheels.following`.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from rich.text import Text

from console.terminal import Terminal

_STILL_SECONDS = 30.0
"""Without a spinner, a phase that lasts is shown again after this time."""

Awaited = TypeVar("Awaited")


@dataclass(frozen=True, slots=True)
class Phase:
    """Where an upload or a batch is.

    Parameters
    ----------
    name : str
        In capitals; where the service has a status for it, that status.
    words : str
        What happens there.
    """

    name: str
    words: str


class Progress:
    """Shows one wait after the other, with the time since the first.

    Parameters
    ----------
    terminal : Terminal
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._began = time.monotonic()
        self._shown: str | None = None
        self._shown_at = 0.0

    def wait(self, phases: Generator[Phase, None, Awaited]) -> Awaited:
        """Run a wait to its end, showing its phases, and return its result."""
        with self._terminal.people.status("") as status:
            while True:
                try:
                    phase = next(phases)
                except StopIteration as end:
                    awaited: Awaited = end.value
                    return awaited
                self.show(phase)
                status.update(Text(f"{phase.name} {minutes(self._elapsed())}"))

    def print(self, name: str, words: str, style: str = "cyan") -> None:
        """Print a line in the form of a phase."""
        line = Text.assemble((f"  {minutes(self._elapsed()):>6}  ", "dim"), (f"{name:<11} ", style))
        line.append(words)
        self._shown, self._shown_at = name, time.monotonic()
        self._terminal.people.print(line)

    def show(self, phase: Phase) -> None:
        """Show a phase, unless it is the one that was shown last."""
        now = time.monotonic()
        is_still = not self._terminal.people.is_terminal and now - self._shown_at >= _STILL_SECONDS
        if phase.name != self._shown or is_still:
            self.print(phase.name, phase.words)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


def minutes(seconds: float) -> str:
    """Return a duration for people.

    Examples
    --------
    >>> minutes(75), minutes(3700)
    ('1:15', '1:01:40')
    """
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
