"""The engine's side of the training process: its tasks and their results.

Decides the form of a task. Knows nothing of learning; must never import a learner. Read next:
`comprehend_engine.child_process` (the process's life) and
`comprehend_engine.training.process`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from comprehend_engine.child_process import ChildProcess
from comprehend_engine.evaluation.counts import EvaluationCounts
from comprehend_engine.tasks import MULTI_CLASS


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """The numbers of training documents and, for a recognizer, of mentions per type."""

    documents: int
    mentions: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class TaskData:
    """Documents that train or test a model.

    Parameters
    ----------
    files : sequence of Path
        Files of the data lake.
    task : str
        The task of the model.
    delimiter : str of length 1, optional
        Separates the labels of a document; None where each has one label.
    holds_out : bool
        Whether these are training data of which a part is held out for the test.
    """

    files: Sequence[Path]
    task: str = MULTI_CLASS
    delimiter: str | None = None
    holds_out: bool = False


class TrainingWorker(ChildProcess):
    """The one training process of an engine.

    Parameters
    ----------
    log_file : Path
        The log file of the process.
    """

    def __init__(self, log_file: Path) -> None:
        super().__init__("training process", "comprehend_engine.training.process", log_file)

    def cancel_training(self, model_file: Path) -> None:
        """Cancel the tasks of a model, also one in progress."""
        self.cancel(str(model_file.resolve()))

    def train(self, data: TaskData, model_file: Path, *, seed: int) -> TrainingSummary:
        """Train a model and save it; `evaluate` lists the errors.

        Parameters
        ----------
        data : TaskData
            Training data.
        model_file : Path
            The file to save the model in.
        seed : int
            The seed of the training.
        """
        reply = self._ask("train", data, model_file, seed=seed)
        return TrainingSummary(reply["documents"], reply.get("mentions"))

    def evaluate(self, data: TaskData, model_file: Path) -> EvaluationCounts:
        """Test a saved model.

        Parameters
        ----------
        data : TaskData
            Test data, or training data of which only the held-out part is used.
        model_file : Path
            The model.

        Raises
        ------
        IterationFailedError
            The data or the model cannot be used; the message says why.
        WorkCancelledError
            `cancel_training` was called for the model.
        WorkerDiedError
            The process ended; the next task starts a new one.
        EngineStopping
            `stop` was called.
        """
        reply = self._ask("evaluate", data, model_file)
        return EvaluationCounts(reply["documents"], [tuple(counted) for counted in reply["counts"]])

    def _ask(self, action: str, data: TaskData, model_file: Path, **options: Any) -> dict[str, Any]:
        model = str(model_file.resolve())
        task = {
            **asdict(data),
            "do": action,
            # The process keeps the working directory of its start.
            "files": [str(file.resolve()) for file in data.files],
            "model_file": model,
            **options,
        }
        return self.ask(task, owner=model)
