"""The inference process: one task per line of its input, with models cached in memory.

Maps a task to calls of `comprehend_engine.inference.models`. Runs apart from the server, which
never imports a learner, and apart from training, which may take long. Read next:
`comprehend_engine.inference.worker`, the other side.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comprehend_engine.inference.models import ModelCache, classify_texts, detect_mentions
from comprehend_engine.processes.task_loop import serve

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
