"""An engine in a process of its own, started with the command as people start it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.command_process import ROOT, answering

COMMAND = (sys.executable, "-c", "from console.entry import main; main()", "engine")
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "functions"))),
}


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """A process that serves."""

    process: subprocess.Popen[str]
    url: str


@contextmanager
def engine_process(data: Path, s3_url: str, *options: str) -> Iterator[EngineProcess]:
    """Give an engine that runs in a process; it is killed at the end if it still runs."""
    command = [*COMMAND, "--data", str(data), "--json", *options]
    with answering(command, {**VARIABLES, "AWS_ENDPOINT_URL_S3": s3_url}) as (process, told):
        yield EngineProcess(process, str(told["url"]))


def refused(*options: str) -> tuple[int, str]:
    """Start an engine that cannot run; return its exit code and what it says."""
    ended = subprocess.run(
        [*COMMAND, *options],
        cwd=ROOT,
        env={**os.environ, **VARIABLES, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stderr
