"""Faults on demand: what a program that uses the service must live with, when a test wants it.

Decides which faults there are, whom they meet and how often. Nothing happens by itself: without a
fault that was asked for, every question here is answered with None. Read next:
`comprehend_engine.api.fault_control` (how one is asked for), `comprehend_engine.api.protocol` and
`comprehend_engine.lifecycles.iteration_run` (where they are met).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

CALL_FAULTS = ("throttle", "error", "delay", "drop")
"""Faults of calls: refused as throttled, refused with a code, answered late, carried out and never
answered."""

ITERATION_FAULTS = ("fail_iteration", "hang_iteration", "withhold_metrics")
"""Faults of iterations: they fail, train until the faults are removed, complete without metrics."""

_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was asked for.

    Parameters
    ----------
    fault : str
        One of `CALL_FAULTS` and `ITERATION_FAULTS`.
    operation : str, optional
        The operation whose calls it meets; without one it meets all.
    flywheel : str, optional
        The ARN of the flywheel whose iterations it meets; without one it meets all.
    times : int, optional
        How often it happens; without it, until it is removed.
    code : str
        Of "error": the error that is answered.
    message : str
        What is told.
    seconds : float
        Of "delay": how late the call is carried out, s.
    """

    fault: str
    operation: str | None = None
    flywheel: str | None = None
    times: int | None = None
    code: str = "InternalServerException"
    message: str = "This fault was asked for."
    seconds: float = 1.0


class Faults:
    """The faults that are asked for now; safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._ending = threading.Event()
        self._cleared = 0

    def add(self, fault: Fault) -> None:
        """Ask for a fault; of several that would meet a call, the first one does."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove every fault; iterations that hang go on."""
        with self._lock:
            self._faults = []
            self._cleared += 1

    def all(self) -> list[Fault]:
        """Return the faults that can still happen."""
        with self._lock:
            return list(self._faults)

    def of_call(self, operation: str) -> Fault | None:
        """Return the fault that meets a call, once it is counted, or None."""
        return self._take(CALL_FAULTS, lambda fault: fault.operation in (None, operation))

    def of_iteration(self, fault: str, flywheel_arn: str) -> Fault | None:
        """Return the fault that meets an iteration, once it is counted, or None."""
        return self._take((fault,), lambda found: found.flywheel in (None, flywheel_arn))

    def wait(self, seconds: float) -> None:
        """Be late; returns early when the engine is being stopped."""
        self._ending.wait(seconds)

    def hang(self, look: Callable[[], None]) -> None:
        """Block until the faults are cleared; `look` is called again and again and may raise."""
        with self._lock:
            before = self._cleared
        while not self._ending.wait(_LOOK_SECONDS):
            with self._lock:
                if self._cleared != before:
                    return
            look()
        look()

    def stop(self) -> None:
        """End every wait: the engine is being stopped."""
        self._ending.set()

    def _take(self, kinds: tuple[str, ...], meets: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.fault in kinds and meets(fault):
                    left = None if fault.times is None else fault.times - 1
                    self._faults[place : place + 1] = (
                        [] if left == 0 else [replace(fault, times=left)]
                    )
                    return fault
        return None
