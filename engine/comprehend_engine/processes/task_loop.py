"""The child's end of the line: tasks in, one JSON a line; answers out, one JSON a line.

Decides how a task ends in words, and that a child ends as soon as its input does: none outlives its
engine, also where that was killed.
Read next: `comprehend_engine.processes.child_process`, the other end.
"""

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from comprehend_engine.errors import DatasetRefusedError, IterationFailedError

Perform = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Does one task; takes and returns JSON documents."""


def answer(perform: Perform, line: str) -> dict[str, Any]:
    """Do one task and tell how it ended: its result, or ``failed``, or ``defect``."""
    try:
        return perform(json.loads(line))
    except (IterationFailedError, DatasetRefusedError) as failure:
        return {"failed": str(failure)}
    except Exception as defect:  # the process must live on for the next task
        traceback.print_exc()
        return {"defect": f"{type(defect).__name__}: {defect}"}


def serve(perform: Perform) -> None:
    """Serve tasks until the input ends; then end at once, also in the middle of one."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # Whatever a library prints must not be taken for an answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        answers.write(json.dumps(answer(perform, lines.get())) + "\n")
        answers.flush()


def _read(lines: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    # The engine is gone, perhaps killed: a next one must not find this process at its files.
    os._exit(0)
