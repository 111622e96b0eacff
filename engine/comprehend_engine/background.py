"""Work that goes on after a call was answered: one thread a job, all ended by one stop.

Decides how long a passing state stays visible, how a stop unwinds, and how long a job waits for
room to record its end. Knows nothing of what the jobs do. Read next: `comprehend_engine.ingestion`
and `comprehend_engine.iteration_run`.
"""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from comprehend_engine.clock import Clock
from comprehend_engine.errors import DiskFullError, EngineStopping

PATIENCE_SECONDS = 24 * 3600.0
"""How long a job waits for room on a full disk before it is left for the next start, s."""

_RETRY_SECONDS = 1.0
T = TypeVar("T")
_LOG = logging.getLogger(__name__)


class BackgroundWork:
    """The engine's jobs.

    Parameters
    ----------
    clock : Clock
        What waits are measured with.
    pace_seconds : float
        Least time a passing state is visible, s.
    """

    def __init__(self, clock: Clock, pace_seconds: float) -> None:
        self._clock = clock
        self._pace_seconds = pace_seconds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def run(self, name: str, job: Callable[[], None]) -> None:
        """Start a job in its own thread; nothing is started once `stop` was called."""
        thread = threading.Thread(target=self._guarded, args=(name, job), name=name, daemon=True)
        with self._lock:
            if self._stop.is_set():
                return
            self._threads.add(thread)
            thread.start()

    def hold(self, entered: float) -> None:
        """Wait until a state that was entered at `entered` (epoch s) may be left.

        Raises
        ------
        EngineStopping
            The engine is stopped meanwhile.
        """
        if not self._clock.wait_until(entered + self._pace_seconds, self._stop):
            raise EngineStopping

    def record(self, write: Callable[[], T]) -> T:
        """Keep what a job has come to; where the disk is full, again and again until there is room.

        Parameters
        ----------
        write : callable
            Keeps it, in a transaction of its own.

        Raises
        ------
        DiskFullError
            There was no room for as long as a job is patient.
        EngineStopping
            The engine is stopped meanwhile.
        """
        gives_up_at = self._clock.now() + PATIENCE_SECONDS
        while True:
            try:
                return write()
            except DiskFullError as failure:
                if self._clock.now() >= gives_up_at:
                    raise
                _LOG.warning("%s: %s", threading.current_thread().name, failure)
            if not self._clock.wait_until(self._clock.now() + _RETRY_SECONDS, self._stop):
                raise EngineStopping

    def check_going_on(self) -> None:
        """Raise EngineStopping when the engine is being stopped."""
        if self._stop.is_set():
            raise EngineStopping

    def ask_to_stop(self) -> None:
        """Let no new job start and wake the ones that hold."""
        with self._lock:
            self._stop.set()

    def join(self) -> None:
        """Wait until the last job has unwound."""
        while True:
            with self._lock:
                threads = list(self._threads)
            if not threads:
                return
            for thread in threads:
                thread.join()

    def _guarded(self, name: str, job: Callable[[], None]) -> None:
        try:
            job()
        except EngineStopping:
            _LOG.debug("%s was left for the next start", name)
        except Exception:  # a defect in a job must be seen in the log, not end in silence
            _LOG.exception("%s failed", name)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
