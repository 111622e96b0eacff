"""The engine's clock: the time, and how to wait.

Decides nothing about states; `comprehend_engine.lifecycles.background_work` does. There are two
clocks: the system's, and one for tests and simulations that only moves when it is driven.
"""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """The engine's only source of time."""

    def now(self) -> float:
        """Return the present moment in epoch seconds, to the millisecond, as the service does."""
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
        """Move on by `seconds`, and wake the threads whose moment has come."""
        with self._moved:
            self._now += seconds
            self._moved.notify_all()

    def wait_until(self, moment: float, stop: threading.Event) -> bool:
        """Block until a moment (epoch seconds); False when `stop` was set first."""
        with self._moved:
            while self._now < moment and not stop.is_set():
                # An Event cannot wake a Condition: the timeout bounds the delay of a stop.
                self._moved.wait(timeout=0.02)
        return not stop.is_set()
