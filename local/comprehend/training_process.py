"""The process that trains: tasks in, one JSON a line; answers out, one JSON a line.

Decides how a task becomes calls of `local.comprehend.training`. Runs apart from the server so that
training never holds up an answer. It ends when its input ends, so it never outlives the engine.
Read next: `local.comprehend.worker`, the other end of the line.
"""

import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.comprehend import training
from local.comprehend.errors import DatasetRefusedError, IterationFailedError


def perform(task: Mapping[str, Any]) -> dict[str, Any]:
    """Do one task.

    Parameters
    ----------
    task : mapping
        ``do``: "train" or "evaluate"; ``files``: CSV files; ``holds_out``: whether `files` are
        training data split by the hold-out; ``model_file``; and for "train" ``seed``.

    Returns
    -------
    dict
        "train": ``documents``, how many trained the model. "evaluate": ``counts``, triples of
        actual label, predicted label, documents.
    """
    files = [Path(file) for file in task["files"]]
    model_file = Path(task["model_file"])
    if task["do"] == "train":
        data = training.read_texts(files, side="train" if task["holds_out"] else "both")
        training.save(training.train(data, seed=task["seed"]), model_file)
        return {"documents": len(data.texts)}
    data = training.read_texts(files, side="held out" if task["holds_out"] else "both")
    return {"counts": training.confusion_counts(training.load(model_file), data)}


def answer(line: str) -> dict[str, Any]:
    """Do one task and tell how it ended: its result, or ``failed``, or ``defect``."""
    try:
        return perform(json.loads(line))
    except (IterationFailedError, DatasetRefusedError) as failure:
        return {"failed": str(failure)}
    except Exception as defect:  # the process must live on for the next iteration
        traceback.print_exc()
        return {"defect": f"{type(defect).__name__}: {defect}"}


def main() -> None:
    """Serve tasks until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # Whatever a library prints must not be taken for an answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        answers.write(json.dumps(answer(line)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
