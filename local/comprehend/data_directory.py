"""The engine's data directory: made when absent, and one engine's at a time.

Decides who may use it. The lock ends with its process, so an engine that was killed leaves nothing
in the way of the next. Knows nothing of what is kept there. Read next: `local.comprehend.store`.
"""

import fcntl
import os
from pathlib import Path


class DirectoryInUseError(OSError):
    """Another engine uses the directory; whoever starts this one chooses another."""


class DataDirectory:
    """A directory that this process has for itself until `release`.

    Parameters
    ----------
    path : Path
        Made when absent.

    Raises
    ------
    DirectoryInUseError
        Another engine uses it; the message names its process.
    OSError
        It cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        # Documents and models are nobody else's to read, and a model is code to whoever loads it.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = (path / "engine.lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            message = f"{path} is in use by another engine (process {holder})"
            raise DirectoryInUseError(message) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    def release(self) -> None:
        """Let another engine use the directory."""
        self._lock.close()
