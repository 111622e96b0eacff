"""Fault injection: a test can make calls and iterations fail as the service sometimes does.

Decides which faults exist, what they affect and how often. Without an injected fault, nothing here
has an effect. Read next: `comprehend_engine.api.fault_control` (how a test injects one),
`comprehend_engine.api.protocol` and `comprehend_engine.lifecycles.iteration_run` (where they take
effect).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

CALL_FAULTS = ("throttle", "error", "delay", "drop")
"""Faults of calls: refused as throttled, refused with a code, delayed, carried out but never
answered."""

ITERATION_FAULTS = ("fail_iteration", "hang_iteration", "withhold_metrics")
"""Faults of iterations: fail, train until the faults are removed, complete without metrics."""

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault to inject.

    Parameters
    ----------
    fault : str
        One of `CALL_FAULTS` and `ITERATION_FAULTS`.
    operation : str, optional
        The operation whose calls it affects; all operations without it.
    flywheel : str, optional
        The ARN of the flywheel whose iterations it affects; all flywheels without it.
    times : int, optional
        How often it happens; until it is removed without it.
    code : str
        For "error": the error code.
    message : str
        The message of the error.
    seconds : float
        For "delay": the delay of the call, s.
    """

    fault: str
    operation: str | None = None
    flywheel: str | None = None
    times: int | None = None
    code: str = "InternalServerException"
    message: str = "This fault was asked for."
    seconds: float = 1.0


class InjectedFaults:
    """The faults that can still happen; safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[InjectedFault] = []
        self._ending = threading.Event()
        self._cleared = 0

    def add(self, fault: InjectedFault) -> None:
        """Inject a fault; where several match a call, the first one added takes effect."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove every fault; iterations that hang continue."""
        with self._lock:
            self._faults = []
            self._cleared += 1

    def all(self) -> list[InjectedFault]:
        """Return the faults that can still happen."""
        with self._lock:
            return list(self._faults)

    def of_call(self, operation: str) -> InjectedFault | None:
        """Return the fault for a call and count it, or None."""
        return self._take(CALL_FAULTS, lambda fault: fault.operation in (None, operation))

    def of_iteration(self, fault: str, flywheel_arn: str) -> InjectedFault | None:
        """Return the fault for an iteration and count it, or None."""
        return self._take((fault,), lambda each: each.flywheel in (None, flywheel_arn))

    def wait(self, seconds: float) -> None:
        """Delay a call; return early when the engine stops."""
        self._ending.wait(seconds)

    def hang(self, check: Callable[[], None]) -> None:
        """Block until the faults are cleared; `check` is called repeatedly and may raise."""
        with self._lock:
            before = self._cleared
        while not self._ending.wait(_POLL_SECONDS):
            with self._lock:
                if self._cleared != before:
                    return
            check()
        check()

    def stop(self) -> None:
        """End every wait, because the engine stops."""
        self._ending.set()

    def _take(
        self, kinds: tuple[str, ...], matches: Callable[[InjectedFault], bool]
    ) -> InjectedFault | None:
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.fault in kinds and matches(fault):
                    left = None if fault.times is None else fault.times - 1
                    self._faults[place : place + 1] = (
                        [] if left == 0 else [replace(fault, times=left)]
                    )
                    return fault
        return None
