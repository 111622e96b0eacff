"""The `flywheel` command as a person runs it: another process, its own local environment."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FLYWHEEL = Path(sys.executable).parent / "flywheel"

Demo = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def run_demo() -> Demo:
    """Return a function that runs `flywheel demo --json` and reads what it answers."""

    def run(*options: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(FLYWHEEL), "demo", "--json", *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return run
