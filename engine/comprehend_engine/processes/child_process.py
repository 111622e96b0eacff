"""A process that answers for the engine: start it early, ask it, notice its end, replace it.

Decides such a process's life: one at a time, threads pinned to one, one question after the other,
work that nobody wants any more ended in the middle. Knows nothing of what is asked; must never
import a learner. Read next: `comprehend_engine.training.worker` and
`comprehend_engine.inference.worker`.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from comprehend_engine.errors import (
    EngineStopping,
    IterationFailedError,
    WorkCancelledError,
    WorkerDiedError,
)

_LOOK_SECONDS = 0.05


class ChildProcess:
    """One process, and the line to it: a JSON document goes out, a JSON document comes back.

    Parameters
    ----------
    name : str
        What messages call it, such as ``training process``.
    module : str
        What it runs, such as ``comprehend_engine.training.process``.
    log_file : Path
        Where it writes what it has to say.
    """

    def __init__(self, name: str, module: str, log_file: Path) -> None:
        self._name = name
        self._module = module
        self._log_file = log_file
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._at_work_for: str | None = None
        self._cancelled: set[str] = set()
        self._killed: list[subprocess.Popen[str]] = []
        self._is_stopped = False

    @property
    def process_id(self) -> int | None:
        """The process's id, where there is one."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def warm(self) -> None:
        """Start the process where there is none; returns at once."""
        self._running()

    def ask(self, task: Mapping[str, Any], *, owner: str = "") -> dict[str, Any]:
        """Have a task done, after those that were asked before.

        Parameters
        ----------
        task : mapping
            The JSON document that goes out.
        owner : str
            Whose task it is, for `cancel`.

        Raises
        ------
        IterationFailedError
            The task cannot be done; the message says why.
        WorkCancelledError
            `cancel` was called for its owner.
        WorkerDiedError
            The process ended; the next task gets a new one.
        EngineStopping
            `stop` was called.
        """
        with self._turn_for(owner):
            process = self._running()
            try:
                line = _exchange(process, json.dumps(task))
            finally:
                self._leave(process)
            if not line:
                self._bury(process, owner)
        reply: dict[str, Any] = json.loads(line)
        if "defect" in reply:
            message = f"The {self._name} failed: {reply['defect']}"
            raise IterationFailedError(message)
        if "failed" in reply:
            raise IterationFailedError(reply["failed"])
        return reply

    def cancel(self, owner: str) -> None:
        """End what is done for an owner, also in the middle; what waits for its turn gives way."""
        with self._lock:
            self._cancelled.add(owner)
            process = self._process if self._at_work_for == owner else None
            if process is not None:
                self._process = None
                self._killed.append(process)
                process.kill()

    def stop(self) -> None:
        """End the process, also in the middle of its work."""
        with self._lock:
            self._is_stopped = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
        # Whoever waits for an answer now reads the end of the line, and gives way.
        with self._turn:
            if process is not None:
                _close(process)

    @contextlib.contextmanager
    def _turn_for(self, owner: str) -> Iterator[None]:
        """Wait for the turn; an owner who was cancelled meanwhile never gets it."""
        while not self._turn.acquire(timeout=_LOOK_SECONDS):
            self._check_wanted(owner)
        try:
            with self._lock:
                self._at_work_for = owner
            self._check_wanted(owner)
            yield
        finally:
            with self._lock:
                self._at_work_for = None
            self._turn.release()

    def _check_wanted(self, owner: str) -> None:
        with self._lock:
            if owner in self._cancelled:
                message = "The work was cancelled."
                raise WorkCancelledError(message)

    def _running(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._is_stopped:
                raise EngineStopping
            if self._process is None:
                self._process = self._spawned()
            return self._process

    def _spawned(self) -> subprocess.Popen[str]:
        pinned = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        # One release writes and reads models: the child imports what its engine imports, and (-P)
        # nothing from the directory that they happen to be started in.
        path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],
                env={**os.environ, **pinned, "PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # An interrupt typed at a terminal is the engine's to handle, not the process's.
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )

    def _leave(self, process: subprocess.Popen[str]) -> None:
        """Have a cancelled process's pipes closed by who used them, and nobody else."""
        with self._lock:
            self._at_work_for = None
            is_killed = process in self._killed
            if is_killed:
                self._killed.remove(process)
        if is_killed:
            _close(process)

    def _bury(self, process: subprocess.Popen[str], owner: str) -> None:
        with self._lock:
            if self._is_stopped:
                raise EngineStopping
            is_ours = self._process is process
            self._process = None if is_ours else self._process
        if is_ours:
            process.kill()
            _close(process)
        self._check_wanted(owner)
        message = (
            f"The {self._name} ended with code {process.returncode}; the next task gets a new one."
        )
        raise WorkerDiedError(message)


def _exchange(process: subprocess.Popen[str], task: str) -> str:
    """Send a line and return the line that answers it; empty when the process has ended."""
    try:
        _pipe(process.stdin).write(task + "\n")
        _pipe(process.stdin).flush()
        return _pipe(process.stdout).readline()
    except BrokenPipeError:
        return ""


def _close(process: subprocess.Popen[str]) -> None:
    process.wait()
    with contextlib.suppress(BrokenPipeError):
        _pipe(process.stdin).close()
    _pipe(process.stdout).close()


def _pipe(end: IO[str] | None) -> IO[str]:
    if end is None:
        message = "the process is always started with pipes"
        raise RuntimeError(message)
    return end
