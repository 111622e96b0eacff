"""The engine's side of the inference process: its tasks, and predictions as responses spell them.

Decides the form of a task, and that a task whose process ended is repeated once. Decides the
members of a label and of an entity in responses and in the output of jobs. Must never import a
learner. Read next: `comprehend_engine.child_process` (the process's life) and
`comprehend_engine.inference.process`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from comprehend_engine.child_process import ChildProcess
from comprehend_engine.errors import WorkerDiedError

ScoredLabel = tuple[str, float]
"""A label's name and score."""

ScoredMention = tuple[int, int, str, float]
"""Where a mention begins and ends (exclusive), its type and its score."""


class InferenceWorker(ChildProcess):
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
        super().__init__("inference process", "comprehend_engine.inference.process", log_file)

    def load(self, model_file: Path) -> None:
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

    def _ask(
        self, action: str, model_file: Path, texts: Sequence[str], **options: Any
    ) -> list[list[Any]]:
        # The process keeps the working directory of its start.
        model = str(model_file.resolve())
        task = {"do": action, "model_file": model, "texts": list(texts), **options}
        try:
            predictions: list[list[Any]] = self.ask(task)["predictions"]
        except WorkerDiedError:
            predictions = self.ask(task)["predictions"]
        return predictions


def label_entries(labels: Iterable[ScoredLabel], **members: Any) -> list[dict[str, Any]]:
    """Return the entries of ``Classes`` or ``Labels``; each also gets the given members."""
    return [{"Name": name, "Score": score, **members} for name, score in labels]


def entity_entries(text: str, mentions: Iterable[ScoredMention]) -> list[dict[str, Any]]:
    """Return the entries of ``Entities``; offsets count characters.

    Examples
    --------
    >>> entity_entries("in York", [(3, 7, "CITY", 0.9)])[0]["Text"]
    'York'
    """
    return [
        {
            "Score": score,
            "Type": kind,
            "Text": text[begin:end],
            "BeginOffset": begin,
            "EndOffset": end,
        }
        for begin, end, kind, score in mentions
    ]
