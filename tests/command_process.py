"""A command in a process of its own, which tells one JSON document when it is ready."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def answering(
    command: Sequence[str], variables: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], Mapping[str, Any]]]:
    """Give a process, and what it told, as soon as it has; it is killed in the end."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        told = ""
        for line in process.stdout:
            told += line
            if line == "}\n":
                break
        try:
            assert told.endswith("}\n"), process.stderr.read()
            yield process, json.loads(told)
        finally:
            process.kill()
            process.wait()
