"""The file by which other commands find a running local environment.

Decides the file ``.local/local.json``, which holds the credentials of the local cloud and is for
its owner only, and the lock that lets one environment run at a time. The lock ends with its
process, so a killed one leaves nothing in the way. Knows nothing of AWS.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
"""The checkout that the command runs from."""

_FOLDER = PROJECT_ROOT / ".local"


class AlreadyRunningError(Exception):
    """Another process keeps the local environment running."""


@dataclass(frozen=True, slots=True)
class RunningEnvironment:
    """The facts about a running environment that other commands need.

    Parameters
    ----------
    pid : int
        The process that keeps it running.
    variables : mapping
        The environment variables that make AWS SDKs use it.
    """

    pid: int
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """The file and its lock, in one folder."""

    folder: Path

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "local.json"

    def read(self) -> RunningEnvironment | None:
        """Return the environment that runs, or None; the file of a killed one does not count."""
        try:
            stored = json.loads(self.path.read_text("utf-8"))
            running = RunningEnvironment(int(stored["pid"]), dict(stored["variables"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return running if _is_alive(running.pid) else None

    def write(self, variables: Mapping[str, str]) -> None:
        """Write the file for the environment that this process runs."""
        document = json.dumps(asdict(RunningEnvironment(os.getpid(), dict(variables))), indent=2)
        partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        partial.touch(mode=0o600)
        partial.write_text(document + "\n", "utf-8")
        partial.replace(self.path)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the one that runs; the file is gone at the end.

        Raises
        ------
        AlreadyRunningError
            Another process is.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunningError from None
            self.path.unlink(missing_ok=True)
            try:
                yield
            finally:
                self.path.unlink(missing_ok=True)


def local_file() -> LocalFile:
    """Return the file of this checkout."""
    return LocalFile(_FOLDER)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
