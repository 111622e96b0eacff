"""The engine's side of the inference process: what it is asked, and what comes back.

Decides how a question is told, and that one which lost its process is asked once more. Knows
nothing of models; must never import a learner. Read next:
`comprehend_engine.processes.child_process` (the process's life) and
`comprehend_engine.inference.process`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comprehend_engine.errors import WorkerDiedError
from comprehend_engine.inference.predictions import ScoredLabel, ScoredMention
from comprehend_engine.processes.child_process import ChildProcess


class InferenceWorker:
    """The one inference process of an engine; started by the first question.

    Parameters
    ----------
    log_file : Path
        Where the process writes what it has to say.

    Raises
    ------
    IterationFailedError, WorkerDiedError, EngineStopping
        From every question: the model cannot be used; the process died twice; `stop` was called.
    """

    def __init__(self, log_file: Path) -> None:
        module = "comprehend_engine.inference.process"
        self._process = ChildProcess("inference process", module, log_file)

    @property
    def process_id(self) -> int | None:
        """The process's id, where there is one."""
        return self._process.process_id

    def warm(self, model_file: Path) -> None:
        """Have a model in memory before it is asked."""
        self._ask("warm", model_file, [])

    def classify(
        self, model_file: Path, texts: Sequence[str], *, most: int | None = None
    ) -> list[list[ScoredLabel]]:
        """Return each text's labels, best first; `most` of them where it is given."""
        told = self._ask("classify", model_file, texts, most=most)
        return [[(name, score) for name, score in labels] for labels in told]

    def detect(self, model_file: Path, texts: Sequence[str]) -> list[list[ScoredMention]]:
        """Return each text's mentions, in the order of the text."""
        told = self._ask("detect", model_file, texts)
        return [[(begin, end, kind, score) for begin, end, kind, score in row] for row in told]

    def stop(self) -> None:
        """End the process, also in the middle of its work."""
        self._process.stop()

    def _ask(
        self, what: str, model_file: Path, texts: Sequence[str], **options: Any
    ) -> list[list[Any]]:
        # Its working directory is that of its start.
        model = str(model_file.resolve())
        task = {"do": what, "model_file": model, "texts": list(texts), **options}
        try:
            told: list[list[Any]] = self._process.ask(task)["told"]
        except WorkerDiedError:
            told = self._process.ask(task)["told"]
        return told
