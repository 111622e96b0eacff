"""The inference process: one task per line of its input, with saved models cached in memory.

Decides which models stay in memory and the order of labels. Runs apart from the server, which never
imports a learner, and apart from training, which may take long. Imports no learner itself: reading
a model imports the one that it needs. Knows neither endpoints nor jobs. Read next:
`comprehend_engine.inference.worker`, the other side.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comprehend_engine.child_process import serve
from comprehend_engine.learning import model_files

if TYPE_CHECKING:
    from comprehend_engine.learning.classifier import TextClassifier
    from comprehend_engine.learning.entities import EntityModel

MAX_CACHED_MODELS = 8
"""Most models in memory; the least recently used one is removed first."""


def classify_texts(
    model: "TextClassifier", texts: Sequence[str], most: int | None
) -> list[list[tuple[str, float]]]:
    """Return the labels of each text with their scores, best first.

    Parameters
    ----------
    model : TextClassifier
    texts : sequence of str
    most : int or None
        Most labels per text; None for all.
    """
    predictions = []
    for row in model.scores(texts):
        scored = zip(model.labels, (float(score) for score in row), strict=True)
        predictions.append(sorted(scored, key=lambda label: (-label[1], label[0]))[:most])
    return predictions


def detect_mentions(
    model: "EntityModel", texts: Sequence[str]
) -> list[list[tuple[int, int, str, float]]]:
    """Return begin, end, type and score of the mentions of each text, in text order."""
    return [
        [(each.begin, each.end, each.type, float(each.score)) for each in mentions]
        for mentions in model.find(texts)
    ]


class ModelCache:
    """Models in memory, by their files."""

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[str, int], Any] = OrderedDict()

    def get(self, file: Path) -> Any:
        """Return a model, from memory where possible.

        Raises
        ------
        IterationFailedError
            The file is missing or unreadable.
        """
        key = (str(file), file.stat().st_mtime_ns if file.exists() else 0)
        if key not in self._models:
            self._models[key] = model_files.load(file)
        self._models.move_to_end(key)
        while len(self._models) > MAX_CACHED_MODELS:
            self._models.popitem(last=False)
        return self._models[key]


_CACHE = ModelCache()


def perform(task: Mapping[str, Any]) -> dict[str, Any]:
    """Perform one task.

    Parameters
    ----------
    task : mapping
        ``do``: "warm", "classify" or "detect"; ``model_file``; ``texts``; and for "classify"
        ``most``.

    Returns
    -------
    dict
        ``predictions``: the labels with scores, or the mentions, of each text.
    """
    model = _CACHE.get(Path(task["model_file"]))
    if task["do"] == "classify":
        return {"predictions": classify_texts(model, task["texts"], task["most"])}
    if task["do"] == "detect":
        return {"predictions": detect_mentions(model, task["texts"])}
    return {"predictions": []}


if __name__ == "__main__":
    serve(perform)
