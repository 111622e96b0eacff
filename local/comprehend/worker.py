"""The engine's side of the training process: what it is asked, and what comes back.

Decides how a task is told. Knows nothing of learning; must never import scikit-learn. Read next:
`local.comprehend.child_process` (the process's life) and `local.comprehend.training_process`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.comprehend.child_process import ChildProcess


class TrainingWorker:
    """The one training process of an engine.

    Parameters
    ----------
    log_file : Path
        Where the process writes what it has to say.
    """

    def __init__(self, log_file: Path) -> None:
        module = "local.comprehend.training_process"
        self._process = ChildProcess("training process", module, log_file)

    @property
    def process_id(self) -> int | None:
        """The process's id, where there is one."""
        return self._process.process_id

    def warm(self) -> None:
        """Start the process where there is none; returns at once."""
        self._process.warm()

    def cancel(self, model_file: Path) -> None:
        """End what is done about a model, also in the middle; nobody wants it any more."""
        self._process.cancel(str(model_file.resolve()))

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
        IterationFailedError, WorkCancelledError, WorkerDiedError, EngineStopping
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
        WorkCancelledError
            `cancel` was called for the model.
        WorkerDiedError
            The process ended; the next task gets a new one.
        EngineStopping
            `stop` was called.
        """
        reply = self._ask("evaluate", files, model_file, holds_out=holds_out)
        return [(actual, predicted, count) for actual, predicted, count in reply["counts"]]

    def stop(self) -> None:
        """End the process, also in the middle of its work."""
        self._process.stop()

    def _ask(
        self, what: str, files: Sequence[Path], model_file: Path, **options: Any
    ) -> dict[str, Any]:
        model = str(model_file.resolve())
        task = {
            "do": what,
            # The process has another working directory.
            "files": [str(file.resolve()) for file in files],
            "model_file": model,
            **options,
        }
        return self._process.ask(task, owner=model)
