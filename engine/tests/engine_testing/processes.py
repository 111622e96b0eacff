"""An engine in a process of its own, started with the command as people start it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import comprehend_engine

COMMAND = (sys.executable, "-m", "comprehend_engine")
VARIABLES = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    # The package that is tested, wherever another one is installed.
    "PYTHONPATH": str(Path(comprehend_engine.__path__[0]).parent),
    "COLUMNS": "80",
}


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """A process that serves."""

    process: subprocess.Popen[str]
    url: str


@contextmanager
def engine_process(data: Path, s3_url: str, *options: str) -> Iterator[EngineProcess]:
    """Give an engine that runs in a process; it is killed at the end if it still runs."""
    with subprocess.Popen(
        [*COMMAND, "--data", str(data), "--json", *options],
        env={**VARIABLES, "AWS_ENDPOINT_URL_S3": s3_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        document = ""
        for line in process.stdout:
            document += line
            if line == "}\n":
                break
        try:
            assert document.endswith("}\n"), process.stderr.read()
            yield EngineProcess(process, json.loads(document)["url"])
        finally:
            process.kill()


def run_command(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *options],
        env=VARIABLES,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
