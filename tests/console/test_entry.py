"""Ctrl-C before the command has begun, in a process of its own."""

import subprocess
import sys

import pytest

_INTERRUPTED = 130
_STOPPED_AT_IMPORT = """
import signal
import sys

_, module, verb = sys.argv

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from console.entry import main

sys.argv = ["flywheel", verb]
main()
"""
"""Presses Ctrl-C where a module is about to be imported."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "module"),
    [
        ("status", "console.command"),
        ("status", "typer"),
        ("status", "boto3"),
        ("up", "pydantic"),
        ("up", "console.commands.up"),
        ("up", "moto"),
        ("up", "local_cloud.environment"),
        ("demo", "console.demo.story"),
        ("demo", "werkzeug"),
        ("demo", "local_cloud.cloud"),
    ],
)
def test_one_line_is_shown_when_it_is_stopped_while_it_imports(verb: str, module: str) -> None:
    """The exit code says that it was interrupted; nobody gets a traceback."""
    ended = subprocess.run(
        [sys.executable, "-c", _STOPPED_AT_IMPORT, module, verb],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (_INTERRUPTED, "")
    assert ended.stderr == "Stopped.\n"
