"""Run the command: its verbs in this process, and a local environment in another."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner, Result

from console import command

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., Result]
"""Runs the command with these arguments."""


def invoke(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command.app, list(arguments))


@contextmanager
def kept_running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process that keeps a local environment running, when it can be used."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("kept_running.py")), str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
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
        assert json.loads(told)["environment"] == "local", process.stderr.read()
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
