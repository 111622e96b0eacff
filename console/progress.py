"""Show phases as they come: a line for each new one, and a spinner with the time on a terminal.

Decides how waiting looks; what is waited for is `console.flywheels.following`.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from rich.text import Text

from console.terminal import Terminal

_STILL_SECONDS = 30.0
"""Where there is no spinner, a phase that lasts is told again after so long."""

Found = TypeVar("Found")


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
        self._told: str | None = None
        self._told_at = 0.0

    def wait(self, phases: Generator[Phase, None, Found]) -> Found:
        """Run a wait to its end, showing its phases, and return what it found."""
        with self._terminal.people.status("") as status:
            while True:
                try:
                    phase = next(phases)
                except StopIteration as end:
                    found: Found = end.value
                    return found
                self.tell(phase)
                status.update(Text(f"{phase.name} {minutes(self._elapsed())}"))

    def say(self, name: str, words: str, style: str = "cyan") -> None:
        """Tell one line as a phase is told."""
        line = Text.assemble((f"  {minutes(self._elapsed()):>6}  ", "dim"), (f"{name:<11} ", style))
        line.append(words)
        self._told, self._told_at = name, time.monotonic()
        self._terminal.people.print(line)

    def tell(self, phase: Phase) -> None:
        """Tell a phase, unless it is the one that was told last."""
        now = time.monotonic()
        is_still = not self._terminal.people.is_terminal and now - self._told_at >= _STILL_SECONDS
        if phase.name != self._told or is_still:
            self.say(phase.name, phase.words)

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
