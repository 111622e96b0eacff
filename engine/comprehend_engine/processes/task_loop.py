"""The loop of a child process: it reads tasks and writes results, one JSON document per line.

Decides the form of a failure. A child ends as soon as its input does, so it never outlives its
engine, even one that was killed. Read next: `comprehend_engine.processes.child_process`, the other
side.
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
"""Performs one task; takes and returns JSON documents."""


def result_of(perform: Perform, line: str) -> dict[str, Any]:
    """Perform one task; return its result, or ``failed`` or ``defect`` with a message."""
    try:
        return perform(json.loads(line))
    except (IterationFailedError, DatasetRefusedError) as failure:
        return {"failed": str(failure)}
    except Exception as defect:  # the process continues with the next task
        traceback.print_exc()
        return {"defect": f"{type(defect).__name__}: {defect}"}


def serve(perform: Perform) -> None:
    """Perform tasks until the input ends; then end at once, also during a task."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # The output of libraries must not mix with results.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        results.write(json.dumps(result_of(perform, lines.get())) + "\n")
        results.flush()


def _read(lines: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    # The engine ended, perhaps killed: the next one must not compete with this process for files.
    os._exit(0)
