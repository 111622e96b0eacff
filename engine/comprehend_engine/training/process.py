"""The training process: one task per line of its input.

Decides the calls of `comprehend_engine.training.classifier_training` and of
`comprehend_engine.training.recognizer_training` for a task. The latter is only imported when it is
needed: its libraries take memory that a classifier can do without. Runs apart from the server, so
that training never delays a response. Read next: `comprehend_engine.training.worker`, the other
side.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comprehend_engine.child_process import serve
from comprehend_engine.tasks import ENTITIES
from comprehend_engine.training import classifier_training as training


def perform(task: Mapping[str, Any]) -> dict[str, Any]:
    """Perform one task.

    Parameters
    ----------
    task : mapping
        ``do``: "train" or "evaluate"; ``task``: the model's task; ``files``: files of the
        data lake; ``delimiter`` between the labels of a document, or None; ``holds_out``: whether
        `files` are training data split by the hold-out; ``model_file``; and for "train" ``seed``.

    Returns
    -------
    dict
        For "train": ``documents``, the number of training documents, and for a recognizer
        ``mentions``, their number per type. For "evaluate": ``documents``, the number of test
        documents, and ``counts``, the rows of `EvaluationCounts`.
    """
    files = [Path(file) for file in task["files"]]
    model_file = Path(task["model_file"])
    trains, mode = task["do"] == "train", task["task"]
    side = ("train" if trains else "held out") if task["holds_out"] else "both"
    if mode == ENTITIES:
        from comprehend_engine.training import recognizer_training  # noqa: PLC0415 - see above

        annotated = recognizer_training.read_annotated(files, side=side)
        if trains:
            return recognizer_training.train(annotated, model_file, seed=task["seed"])
        return recognizer_training.evaluate(annotated, model_file)
    data = training.read_texts(files, delimiter=task["delimiter"], side=side)
    if trains:
        return training.train(data, model_file, mode=mode, seed=task["seed"])
    return training.evaluate(data, model_file, mode=mode)


if __name__ == "__main__":
    serve(perform)
