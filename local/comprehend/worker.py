"""The engine's side of the training process: start it early, ask it, notice its end, replace it.

Decides the process's life: one at a time, threads pinned to one, started before it is needed.
Knows nothing of learning; must never import scikit-learn. Read next:
`local.comprehend.training_process`.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from local.comprehend.errors import EngineStopping, IterationFailedError, WorkerDiedError

_ROOT = Path(__file__).resolve().parents[2]


class TrainingWorker:
    """The one training process of an engine.

    Parameters
    ----------
    log_file : Path
        Where the process writes what it has to say.
    """

    def __init__(self, log_file: Path) -> None:
        self._log_file = log_file
        self._turn = threading.Lock()
        self._process_lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_stopped = False

    @property
    def process_id(self) -> int | None:
        """The process's id, where there is one."""
        with self._process_lock:
            return None if self._process is None else self._process.pid

    def warm(self) -> None:
        """Start the process where there is none; returns at once."""
        self._running()

    def train(self, files: Sequence[Path], model_file: Path, *, holds_out: bool, seed: int) -> int:
        """Train a model and keep it.

        Parameters
        ----------
        files : sequence of Path
            Training data.
        model_file : Path
            Where the model is kept.
        holds_out : bool
            Whether a part of the documents is left out for testing.
        seed : int
            The trainer's seed.

        Returns
        -------
        int
            How many documents trained the model.

        Raises
        ------
        IterationFailedError, WorkerDiedError, EngineStopping
            See `evaluate`.
        """
        reply = self._ask("train", files, model_file, holds_out=holds_out, seed=seed)
        return int(reply["documents"])

    def evaluate(
        self, files: Sequence[Path], model_file: Path, *, holds_out: bool
    ) -> list[tuple[str, str, int]]:
        """Test a kept model.

        Parameters
        ----------
        files : sequence of Path
            Test data; or training data of which the held out part is used.
        model_file : Path
            The model.
        holds_out : bool
            Which of the two `files` are.

        Returns
        -------
        list of tuple
            Actual label, predicted label, documents.

        Raises
        ------
        IterationFailedError
            The data or the model cannot do; the message says why.
        WorkerDiedError
            The process ended; the next task gets a new one.
        EngineStopping
            `stop` was called.
        """
        reply = self._ask("evaluate", files, model_file, holds_out=holds_out)
        return [(actual, predicted, count) for actual, predicted, count in reply["counts"]]

    def stop(self) -> None:
        """End the process, also in the middle of its work."""
        with self._process_lock:
            self._is_stopped = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
        # Whoever waits for an answer now reads the end of the line, and gives way.
        with self._turn:
            if process is not None:
                _close(process)

    def _ask(
        self, what: str, files: Sequence[Path], model_file: Path, **options: Any
    ) -> dict[str, Any]:
        task = {
            "do": what,
            # The process has another working directory.
            "files": [str(file.resolve()) for file in files],
            "model_file": str(model_file.resolve()),
            **options,
        }
        with self._turn:
            process = self._running()
            line = _exchange(process, json.dumps(task))
            if not line:
                self._bury(process)
        reply: dict[str, Any] = json.loads(line)
        if "defect" in reply:
            message = f"The training process failed: {reply['defect']}"
            raise IterationFailedError(message)
        if "failed" in reply:
            raise IterationFailedError(reply["failed"])
        return reply

    def _running(self) -> subprocess.Popen[str]:
        with self._process_lock:
            if self._is_stopped:
                raise EngineStopping
            if self._process is None:
                self._process = self._spawned()
            return self._process

    def _spawned(self) -> subprocess.Popen[str]:
        pinned = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "local.comprehend.training_process"],
                cwd=_ROOT,
                env={**os.environ, **pinned},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # An interrupt typed at a terminal is the engine's to handle, not the process's.
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )

    def _bury(self, process: subprocess.Popen[str]) -> None:
        with self._process_lock:
            if self._is_stopped:
                raise EngineStopping
            self._process = None
        process.kill()
        _close(process)
        message = (
            f"The training process ended with code {process.returncode}; "
            "the next iteration gets a new one."
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
        message = "the training process is always started with pipes"
        raise RuntimeError(message)
    return end
