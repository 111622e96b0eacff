"""The engine's side of the inference process: its tasks and their results.

Decides the form of a task, and that a task whose process ended is repeated once. Knows nothing of
models; must never import a learner. Read next: `comprehend_engine.processes.child_process` (the
process's life) and `comprehend_engine.inference.process`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comprehend_engine.errors import WorkerDiedError
from comprehend_engine.inference.predictions import ScoredLabel, ScoredMention
from comprehend_engine.processes.child_process import ChildProcess


class InferenceWorker:
    """The one inference process of an engine; the first task starts it.

    Parameters
    ----------
    log_file : Path
        The log file of the process.

    Raises
    ------
    IterationFailedError, WorkerDiedError, EngineStopping
        From every task: the model cannot be used; the process ended twice; `stop` was called.
    """

    def __init__(self, log_file: Path) -> None:
        module = "comprehend_engine.inference.process"
        self._process = ChildProcess("inference process", module, log_file)

    @property
    def process_id(self) -> int | None:
        """The id of the process; None where none runs."""
        return self._process.process_id

    def warm(self, model_file: Path) -> None:
        """Load a model into memory before its first task."""
        self._ask("warm", model_file, [])

    def classify(
        self, model_file: Path, texts: Sequence[str], *, most: int | None = None
    ) -> list[list[ScoredLabel]]:
        """Return the labels of each text, best first; at most `most` where it is given."""
        predictions = self._ask("classify", model_file, texts, most=most)
        return [[(name, score) for name, score in labels] for labels in predictions]

    def detect(self, model_file: Path, texts: Sequence[str]) -> list[list[ScoredMention]]:
        """Return the mentions of each text, in text order."""
        predictions = self._ask("detect", model_file, texts)
        return [
            [(begin, end, kind, score) for begin, end, kind, score in row] for row in predictions
        ]

    def stop(self) -> None:
        """End the process, also during a task."""
        self._process.stop()

    def _ask(
        self, action: str, model_file: Path, texts: Sequence[str], **options: Any
    ) -> list[list[Any]]:
        # The process keeps the working directory of its start.
        model = str(model_file.resolve())
        task = {"do": action, "model_file": model, "texts": list(texts), **options}
        try:
            predictions: list[list[Any]] = self._process.ask(task)["predictions"]
        except WorkerDiedError:
            predictions = self._process.ask(task)["predictions"]
        return predictions
