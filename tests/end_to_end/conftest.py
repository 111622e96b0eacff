"""The `flywheel` command as a person runs it: another process, its own local environment."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.commands import options as verb_options
from console.environment.target import local_target
from local_cloud.environment import LocalEnvironment
from tests.console.command_line import invoke

FLYWHEEL = Path(sys.executable).parent / "flywheel"

Demo = Callable[..., dict[str, Any]]
RunVerb = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def run_demo() -> Demo:
    """Return a function that runs `flywheel demo --json` and returns its output."""

    def run(*options: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(FLYWHEEL), "demo", "--json", *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    return run


@pytest.fixture(scope="module")
def run_verb(environment: LocalEnvironment) -> Iterator[RunVerb]:
    """Return a function that runs a verb in this process and checks its exit code.

    It returns the verb's JSON document. Each module has its own fixture `environment`.
    """

    def run(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
        result = invoke(*arguments, "--env", "local", "--json")
        assert result.exit_code == exit_code, result.output
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    variables = dict(environment.variables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verb_options, "open_target", lambda *_: local_target(variables))
        yield run
