"""The engine's data directory: created when absent, used by one engine at a time.

Decides who may use it. No other user may own or change its files, since whoever can write a model
decides what it predicts. The lock ends with its process, so an engine that was killed does not
block the next one. Knows nothing of the directory's content. Read next:
`comprehend_engine.storage.store`.
"""

import fcntl
import os
import stat
from pathlib import Path

_WRITABLE_BY_GROUP_OR_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class DirectoryInUseError(OSError):
    """Another engine uses the directory; start this one with another directory."""


class DirectoryNotPrivateError(OSError):
    """Another user owns the directory or may change it; its user must make it private."""


class DataDirectory:
    """A directory that only this process uses until `release`.

    Parameters
    ----------
    path : Path
        Created when absent.

    Raises
    ------
    DirectoryInUseError
        Another engine uses it; the message names its process.
    DirectoryNotPrivateError
        Another user owns it or a file in it, or may write there; the message names the path and
        what to do.
    OSError
        It cannot be created or written.
    """

    def __init__(self, path: Path) -> None:
        # No other user may read or change documents and models.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(path)
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


def _check_private(path: Path) -> None:
    """Refuse a directory in which another user could store a model, or has stored one."""
    _check_path(path, _WRITABLE_BY_GROUP_OR_OTHERS)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            # The user's umask may let the group write the files of the engine.
            _check_path(Path(folder) / name, stat.S_IWOTH)


def _check_path(path: Path, forbidden_mode: int) -> None:
    status, own = path.lstat(), os.geteuid()
    if status.st_uid != own:
        message = f"{path} belongs to user {status.st_uid}, but user {own} runs this engine"
        raise DirectoryNotPrivateError(message)
    if status.st_mode & forbidden_mode and not stat.S_ISLNK(status.st_mode):
        message = f"other users may write to {path}; run chmod go-w {path} to prevent that"
        raise DirectoryNotPrivateError(message)
