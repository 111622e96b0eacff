"""Work that goes on after a call was answered: one thread a job, all ended by one stop.

Decides how long a passing state stays visible and how a stop unwinds. What a job cannot record, as
where the disk is full, it does again at the next start. Knows nothing of what the jobs do. Read
next: `comprehend_engine.lifecycles.dataset_ingestion` and
`comprehend_engine.lifecycles.iteration_run`.
"""

import logging
import threading
from collections.abc import Callable

from comprehend_engine.clock import Clock
from comprehend_engine.errors import EngineStopping

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

    def check_running(self) -> None:
        """Raise EngineStopping when the engine is being stopped."""
        if self._stop.is_set():
            raise EngineStopping

    def request_stop(self) -> None:
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
