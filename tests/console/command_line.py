"""Run the command: its verbs in this process, and a local environment in another."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from console import command
from tests.command_process import answering

Run = Callable[..., Result]
"""Runs the command with these arguments."""


def invoke(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command.app, list(arguments))


@contextmanager
def kept_running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process that keeps a local environment running, when it can be used."""
    with running_with_answer(folder) as (process, answer):
        assert answer["environment"] == "local"
        yield process


@contextmanager
def running_with_answer(
    folder: Path, *options: str
) -> Iterator[tuple[subprocess.Popen[str], Mapping[str, Any]]]:
    """Give the process and what it answered; ``--name`` and ``--environments`` choose a file."""
    program = str(Path(__file__).with_name("kept_running.py"))
    command = [sys.executable, program, str(folder), *options]
    with answering(command, {"PYTHONPATH": os.pathsep.join(sys.path)}) as (process, answer):
        try:
            yield process, answer
        finally:
            process.terminate()
            process.wait()
