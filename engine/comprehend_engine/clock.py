"""What time it is, and how the engine waits.

Decides nothing about states; `comprehend_engine.lifecycles.background_work` does. Two clocks: the
system's, and one that stands still until it is driven, for tests and simulations.
"""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """The engine's only source of time."""

    def now(self) -> float:
        """Return the present moment in epoch seconds, to the millisecond, as the service tells."""
        ...

    def wait_until(self, moment: float, stop: threading.Event) -> bool:
        """Block until a moment (epoch seconds); False when `stop` was set first."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the present moment in epoch seconds."""
        return round(time.time(), 3)

    def wait_until(self, moment: float, stop: threading.Event) -> bool:
        """Block until a moment (epoch seconds); False when `stop` was set first."""
        while (remaining := moment - self.now()) > 0:
            if stop.wait(remaining):
                return False
        return not stop.is_set()


class DrivenClock:
    """A clock that stands still until `advance` is called.

    Parameters
    ----------
    start : float
        Its first moment, epoch seconds.
    """

    def __init__(self, start: float = 1_767_225_600.0) -> None:
        self._now = start
        self._moved = threading.Condition()

    def now(self) -> float:
        """Return the present moment in epoch seconds."""
        with self._moved:
            return round(self._now, 3)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, and wake who waits for a moment that has come."""
        with self._moved:
            self._now += seconds
            self._moved.notify_all()

    def wait_until(self, moment: float, stop: threading.Event) -> bool:
        """Block until a moment (epoch seconds); False when `stop` was set first."""
        with self._moved:
            while self._now < moment and not stop.is_set():
                # An Event cannot wake a Condition: the pause bounds how late a stop is noticed.
                self._moved.wait(timeout=0.02)
        return not stop.is_set()
