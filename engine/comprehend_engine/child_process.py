"""A child process that works for the engine: both sides of its pipes, JSON lines in each direction.

Decides how such a process runs: one process at a time with one thread, and one task after the
other; a task can be cancelled in progress. A child ends as soon as its input does, so it never
outlives its engine, even one that was killed. Knows nothing of the tasks; must never import a
learner. Read next: `comprehend_engine.training.worker` and `comprehend_engine.inference.worker`.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from comprehend_engine.errors import (
    DatasetRefusedError,
    EngineStopping,
    IterationFailedError,
    WorkCancelledError,
    WorkerDiedError,
)

Perform = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Performs one task; takes and returns JSON documents."""

_POLL_SECONDS = 0.05


class ChildProcess:
    """One process and its pipes: each task is a JSON document on a line, and so is its result.

    Parameters
    ----------
    name : str
        Its name in messages, such as ``training process``.
    module : str
        The module that it runs, such as ``comprehend_engine.training.process``.
    log_file : Path
        Its log file.
    """

    def __init__(self, name: str, module: str, log_file: Path) -> None:
        self._name = name
        self._module = module
        self._log_file = log_file
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._current_owner: str | None = None
        self._cancelled: set[str] = set()
        self._killed: list[subprocess.Popen[str]] = []
        self._is_stopped = False

    @property
    def process_id(self) -> int | None:
        """The id of the process; None where none runs."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def warm(self) -> None:
        """Start the process where none runs; return at once."""
        self._running()

    def ask(self, task: Mapping[str, Any], *, owner: str = "") -> dict[str, Any]:
        """Perform a task, after those of earlier calls.

        Parameters
        ----------
        task : mapping
            The JSON document to send.
        owner : str
            The owner of the task, for `cancel`.

        Raises
        ------
        IterationFailedError
            The task failed; the message says why.
        WorkCancelledError
            `cancel` was called for its owner.
        WorkerDiedError
            The process ended; the next task starts a new one.
        EngineStopping
            `stop` was called.
        """
        with self._turn_for(owner):
            process = self._running()
            try:
                line = _exchange(process, json.dumps(task))
            finally:
                self._close_if_killed(process)
            if not line:
                self._discard(process, owner)
        reply: dict[str, Any] = json.loads(line)
        if "defect" in reply:
            message = f"The {self._name} failed: {reply['defect']}"
            raise IterationFailedError(message)
        if "failed" in reply:
            raise IterationFailedError(reply["failed"])
        return reply

    def cancel(self, owner: str) -> None:
        """Cancel the tasks of an owner: the one in progress, and those that wait for their turn."""
        with self._lock:
            self._cancelled.add(owner)
            process = self._process if self._current_owner == owner else None
            if process is not None:
                self._process = None
                self._killed.append(process)
                process.kill()

    def stop(self) -> None:
        """End the process, also during a task."""
        with self._lock:
            self._is_stopped = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
        # A thread that waits for a result now reads the end of the pipe, and ends its turn.
        with self._turn:
            if process is not None:
                _close(process)

    @contextlib.contextmanager
    def _turn_for(self, owner: str) -> Iterator[None]:
        """Wait for the turn; an owner that was cancelled meanwhile does not get it."""
        while not self._turn.acquire(timeout=_POLL_SECONDS):
            self._check_not_cancelled(owner)
        try:
            with self._lock:
                self._current_owner = owner
            self._check_not_cancelled(owner)
            yield
        finally:
            with self._lock:
                self._current_owner = None
            self._turn.release()

    def _check_not_cancelled(self, owner: str) -> None:
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
        # One release writes and reads models: the child imports the same code as its engine, and
        # (-P) nothing from the current directory.
        path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],
                env={**os.environ, **pinned, "PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C at a terminal only interrupts the engine.
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )

    def _close_if_killed(self, process: subprocess.Popen[str]) -> None:
        """Close the pipes of a cancelled process, in the thread that used them."""
        with self._lock:
            self._current_owner = None
            is_killed = process in self._killed
            if is_killed:
                self._killed.remove(process)
        if is_killed:
            _close(process)

    def _discard(self, process: subprocess.Popen[str], owner: str) -> None:
        with self._lock:
            if self._is_stopped:
                raise EngineStopping
            is_current = self._process is process
            self._process = None if is_current else self._process
        if is_current:
            process.kill()
            _close(process)
        self._check_not_cancelled(owner)
        message = (
            f"The {self._name} ended with code {process.returncode}; "
            "the next task starts a new one."
        )
        raise WorkerDiedError(message)


def _exchange(process: subprocess.Popen[str], task: str) -> str:
    """Send a line and return the response line; empty when the process ended."""
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


def result_of(perform: Perform, line: str) -> dict[str, Any]:
    """Perform one task; return its result, or ``failed`` or ``defect`` with a message."""
    try:
        return perform(json.loads(line))
    except (IterationFailedError, DatasetRefusedError) as failure:
        return {"failed": str(failure)}
    except Exception as defect:  # the process continues with the next task
        traceback.print_exc()
        return {"defect": f"{type(defect).__name__}: {defect}"}


def serve(perform: Perform) -> None:
    """Perform tasks until the input ends; then end at once, also during a task."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # The output of libraries must not mix with results.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        results.write(json.dumps(result_of(perform, lines.get())) + "\n")
        results.flush()


def _read(lines: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    # The engine ended, perhaps killed: the next one must not compete with this process for files.
    os._exit(0)
