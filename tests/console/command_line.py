"""Run the command: its verbs in this process, and a local environment in another."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner, Result

from console import command
from tests.command_process import ROOT, answering

Run = Callable[..., Result]
"""Runs the command with these arguments."""


def invoke(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command.app, list(arguments))


@contextmanager
def kept_running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process that keeps a local environment running, when it can be used."""
    command = [sys.executable, str(Path(__file__).with_name("kept_running.py")), str(folder)]
    with answering(command, {"PYTHONPATH": str(ROOT)}) as (process, told):
        assert told["environment"] == "local"
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
