"""Work that a service does after its response: deliveries, retries, asynchronous calls.

Decides that such work runs on a few shared threads, that waits end at once when the cloud stops,
and that a failure is logged and affects nothing else. Must not know what the work is. Read next:
cloud.py.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec

P = ParamSpec("P")
_log = logging.getLogger(__name__)
_WORKERS = 32


class Background:
    """A few threads that end when the cloud stops."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._executor = ThreadPoolExecutor(_WORKERS, thread_name_prefix="local-cloud")

    def submit(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run `work` on another thread; an exception is logged."""
        if not self.stopping.is_set():
            self._executor.submit(self._run, lambda: work(*args, **kwargs))

    def wait(self, seconds: float) -> bool:
        """Wait; return whether the cloud is stopping."""
        return self.stopping.wait(seconds)

    def stop(self) -> None:
        """Drop work that has not begun and wait for the rest."""
        self.stopping.set()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:  # any kind of work runs here, and one failure must not end the thread
            if not self.stopping.is_set():
                _log.exception("work in the background failed")
