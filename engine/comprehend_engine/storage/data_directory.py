"""The engine's data directory: made when absent, and one engine's at a time.

Decides who may use it: nobody else of this machine may own or change what is there, since whoever
can write a model decides what it answers. The lock ends with its process, so an engine that was
killed leaves nothing in the way of the next. Knows nothing of what is kept there. Read next:
`comprehend_engine.storage.store`.
"""

import fcntl
import os
import stat
from pathlib import Path

_WRITABLE_BY_GROUP_OR_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class DirectoryInUseError(OSError):
    """Another engine uses the directory; whoever starts this one chooses another."""


class DirectoryNotPrivateError(OSError):
    """Somebody else owns the directory, or may change it; its user makes it private."""


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
    DirectoryNotPrivateError
        Another user owns it or something in it, or may write there; the message names what, and
        what to do.
    OSError
        It cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        # Documents and models are nobody else's to read, and nobody else's to change.
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
    """Refuse a directory in which another user could put a model, or has put one."""
    _check_place(path, _WRITABLE_BY_GROUP_OR_OTHERS)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            # What the engine writes may be its group's, where the umask of its user says so.
            _check_place(Path(folder) / name, stat.S_IWOTH)


def _check_place(place: Path, forbidden_mode: int) -> None:
    found, own = place.lstat(), os.geteuid()
    if found.st_uid != own:
        message = f"{place} belongs to user {found.st_uid}, and this engine is run by user {own}"
        raise DirectoryNotPrivateError(message)
    if found.st_mode & forbidden_mode and not stat.S_ISLNK(found.st_mode):
        message = f"other users may write to {place}; chmod go-w {place} takes that from them"
        raise DirectoryNotPrivateError(message)
