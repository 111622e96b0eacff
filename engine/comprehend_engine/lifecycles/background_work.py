"""Work that continues after the response to a call: one thread per piece of work, one stop for all.

Decides how long a transient state lasts and how a stop unwinds. Work whose end cannot be recorded,
for example on a full disk, is repeated at the next start. Knows no resource. Read next:
`comprehend_engine.lifecycles.dataset_ingestion` and `comprehend_engine.lifecycles.iteration_run`.
"""

import logging
import threading
from collections.abc import Callable

from comprehend_engine.clock import Clock
from comprehend_engine.errors import EngineError, EngineStopping

_LOG = logging.getLogger(__name__)


class BackgroundWork:
    """The engine's threads.

    Parameters
    ----------
    clock : Clock
        Measures the waits.
    pace_seconds : float
        Least time that a transient state lasts, s.
    """

    def __init__(self, clock: Clock, pace_seconds: float) -> None:
        self._clock = clock
        self._pace_seconds = pace_seconds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def run(self, name: str, work: Callable[[], None]) -> None:
        """Start work in its own thread; once `request_stop` was called, start nothing."""
        thread = threading.Thread(target=self._guarded, args=(name, work), name=name, daemon=True)
        with self._lock:
            if self._stop.is_set():
                return
            self._threads.add(thread)
            thread.start()

    def hold(self, entered: float) -> None:
        """Wait until a state that began at `entered` (epoch s) may end.

        Raises
        ------
        EngineStopping
            The engine stops meanwhile.
        """
        if not self._clock.wait_until(entered + self._pace_seconds, self._stop):
            raise EngineStopping

    def check_running(self) -> None:
        """Raise EngineStopping when the engine stops."""
        if self._stop.is_set():
            raise EngineStopping

    def request_stop(self) -> None:
        """Start no more work, and wake the threads that hold."""
        with self._lock:
            self._stop.set()

    def join(self) -> None:
        """Wait until the last thread has unwound."""
        while True:
            with self._lock:
                threads = list(self._threads)
            if not threads:
                return
            for thread in threads:
                thread.join()

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except EngineStopping:
            _LOG.debug("%s resumes at the next start", name)
        except Exception:  # a defect must be in the log, not end silently
            _LOG.exception("%s failed", name)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())


def failure_message(error: Exception, subject: str) -> str:
    """Return the message of a resource whose work failed; log an unexpected error.

    Parameters
    ----------
    error : Exception
        The error that ended the work.
    subject : str
        Names the resource in the log, such as ``dataset <ARN>``.

    Raises
    ------
    EngineStopping
        The error is a stop, which is not a failure.
    """
    if isinstance(error, EngineStopping):
        raise error
    if isinstance(error, EngineError):
        return str(error)
    _LOG.error("%s", subject, exc_info=error)
    return f"The engine failed: {type(error).__name__}: {error}"
