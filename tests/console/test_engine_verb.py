"""`flywheel engine` is the engine's own command; engine/tests has what it does."""

import os
import subprocess
import sys
from pathlib import Path

from tests.command_process import ROOT

_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


def run_engine_verb(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run the verb to its end, with the modules that this process imports."""
    return subprocess.run(
        [sys.executable, "-c", "from console.entry import main; main()", "engine", *options],
        cwd=ROOT,
        env={**os.environ, **_CREDENTIALS, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_engines_command_answers_when_the_verb_is_used(tmp_path: Path) -> None:
    """Its help under the name that was typed; its error and its exit code."""
    helped = run_engine_verb("--help")
    assert helped.stdout.startswith("usage: flywheel engine [-h] --data DIR "), helped.stderr
    (tmp_path / "file").touch()
    refused = run_engine_verb("--data", str(tmp_path / "file"))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"--data {tmp_path}/file: ")
