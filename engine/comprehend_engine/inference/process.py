"""The process that answers for models: one task a line, models kept warm in between.

Decides how a task becomes calls of `comprehend_engine.inference.models`. Runs apart from the
server, which never imports a learner, and apart from training, which may take long. Read next:
`comprehend_engine.inference.worker`, the other end of the line.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comprehend_engine.inference.models import ModelCache, classify_texts, detect_mentions
from comprehend_engine.processes.task_loop import serve

_MODELS = ModelCache()


def perform(task: Mapping[str, Any]) -> dict[str, Any]:
    """Do one task.

    Parameters
    ----------
    task : mapping
        ``do``: "warm", "classify" or "detect"; ``model_file``; ``texts``; and for "classify"
        ``most``.

    Returns
    -------
    dict
        ``told``: for each text its labels with scores, or its mentions.
    """
    model = _MODELS.get(Path(task["model_file"]))
    if task["do"] == "classify":
        return {"told": classify_texts(model, task["texts"], task["most"])}
    if task["do"] == "detect":
        return {"told": detect_mentions(model, task["texts"])}
    return {"told": []}


if __name__ == "__main__":
    serve(perform)
