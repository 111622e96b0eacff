"""What a kept model says of texts: classes with scores, or mentions with places.

Decides how models are kept warm and in which order classes are told. Imported by the inference
process alone, because models come with their libraries. Imports no learner: reading a model does,
and only its own. Knows neither endpoints nor jobs. Read next:
`comprehend_engine.inference.process`.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comprehend_engine.learning import model_files

if TYPE_CHECKING:
    from comprehend_engine.learning.classifier import TextClassifier
    from comprehend_engine.learning.entities import EntityModel

MAX_CACHED_MODELS = 8
"""Models that stay in memory; the one that was not asked for longest goes first."""


def classify_texts(
    model: "TextClassifier", texts: Sequence[str], most: int | None
) -> list[list[tuple[str, float]]]:
    """Return each text's labels with their scores, best first.

    Parameters
    ----------
    model : TextClassifier
    texts : sequence of str
    most : int or None
        How many labels a text is told, at most; all without it.
    """
    told = []
    for row in model.scores(texts):
        scored = zip(model.labels, (float(score) for score in row), strict=True)
        told.append(sorted(scored, key=lambda label: (-label[1], label[0]))[:most])
    return told


def detect_mentions(
    model: "EntityModel", texts: Sequence[str]
) -> list[list[tuple[int, int, str, float]]]:
    """Return each text's mentions: begin, end, type and score, in the order of the text."""
    return [
        [(found.begin, found.end, found.type, float(found.score)) for found in mentions]
        for mentions in model.find(texts)
    ]


class ModelCache:
    """Models in memory, by the file they came from."""

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[str, int], Any] = OrderedDict()

    def get(self, file: Path) -> Any:
        """Return a model, from memory where it is.

        Raises
        ------
        IterationFailedError
            The file is not there.
        """
        key = (str(file), file.stat().st_mtime_ns if file.exists() else 0)
        if key not in self._models:
            self._models[key] = model_files.load(file)
        self._models.move_to_end(key)
        while len(self._models) > MAX_CACHED_MODELS:
            self._models.popitem(last=False)
        return self._models[key]
