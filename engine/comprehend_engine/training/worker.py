"""The engine's side of the training process: what it is asked, and what comes back.

Decides how a task is told. Knows nothing of learning; must never import a learner. Read next:
`comprehend_engine.processes.child_process` (the process's life) and
`comprehend_engine.training.process`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comprehend_engine.evaluation.classifier_evaluation import EvaluationCounts
from comprehend_engine.processes.child_process import ChildProcess
from comprehend_engine.tasks import MULTI_CLASS


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """How much trained a model: documents, and of a recognizer the mentions of each type."""

    documents: int
    mentions: Mapping[str, int] | None


class TrainingWorker:
    """The one training process of an engine.

    Parameters
    ----------
    log_file : Path
        Where the process writes what it has to say.
    """

    def __init__(self, log_file: Path) -> None:
        module = "comprehend_engine.training.process"
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

    def train(
        self,
        files: Sequence[Path],
        model_file: Path,
        *,
        task: str = MULTI_CLASS,
        delimiter: str | None = None,
        holds_out: bool,
        seed: int,
    ) -> TrainingSummary:
        """Train a model and keep it.

        Parameters
        ----------
        files : sequence of Path
            Training data.
        model_file : Path
            Where the model is kept.
        task : str
            What the model is for.
        delimiter : str of length 1, optional
            What stands between the labels of a document; None where it has one.
        holds_out : bool
            Whether a part of the documents is left out for testing.
        seed : int
            The trainer's seed.

        Raises
        ------
        IterationFailedError, WorkCancelledError, WorkerDiedError, EngineStopping
            See `evaluate`.
        """
        options = {"task": task, "delimiter": delimiter, "holds_out": holds_out, "seed": seed}
        reply = self._ask("train", files, model_file, **options)
        return TrainingSummary(reply["documents"], reply.get("mentions"))

    def evaluate(
        self,
        files: Sequence[Path],
        model_file: Path,
        *,
        task: str = MULTI_CLASS,
        delimiter: str | None = None,
        holds_out: bool,
    ) -> EvaluationCounts:
        """Test a kept model.

        Parameters
        ----------
        files : sequence of Path
            Test data; or training data of which the held out part is used.
        model_file : Path
            The model.
        task, delimiter : str
            As for `train`.
        holds_out : bool
            Which of the two `files` are.

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
        options = {"task": task, "delimiter": delimiter, "holds_out": holds_out}
        reply = self._ask("evaluate", files, model_file, **options)
        return EvaluationCounts(reply["documents"], [tuple(counted) for counted in reply["counts"]])

    def stop(self) -> None:
        """End the process, also in the middle of its work."""
        self._process.stop()

    def _ask(
        self, what: str, files: Sequence[Path], model_file: Path, **options: Any
    ) -> dict[str, Any]:
        model = str(model_file.resolve())
        task = {
            "do": what,
            # Its working directory is that of its start.
            "files": [str(file.resolve()) for file in files],
            "model_file": model,
            **options,
        }
        return self._process.ask(task, owner=model)
