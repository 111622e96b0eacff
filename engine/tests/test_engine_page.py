"""docs/engine.md does what it says: its script as it stands, and its fixture in another project."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from comprehend_engine.fault_control import _MEMBERS
from comprehend_engine.faults import CALL_FAULTS, ITERATION_FAULTS
from engine_testing.processes import VARIABLES, engine_process
from engine_testing.rig import BUCKET, ROLE
from tests.command_process import ROOT

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PAGE = (ROOT / "docs" / "engine.md").read_text("utf-8")
_OTHER_PROJECT = {
    "conftest.py": 'pytest_plugins = ["comprehend_engine.pytest_plugin"]\n',
    "test_theirs.py": """
import boto3


def test_flywheels_are_listed(comprehend_engine):
    comprehend = boto3.client("comprehend")
    assert comprehend.meta.endpoint_url == comprehend_engine.url
    assert comprehend.list_flywheels()["FlywheelSummaryList"] == []
""",
}


def test_the_script_of_the_page_runs_when_it_is_taken_as_it_stands(
    s3: "S3Client", tmp_path: Path
) -> None:
    """On an engine that runs alone; the endpoint knows what the question is about."""
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    s3_url = s3.meta.endpoint_url
    with engine_process(tmp_path / "data", s3_url) as process:
        variables = {
            "BUCKET": BUCKET,
            "ROLE": ROLE,
            "PAUSE_SECONDS": "0.05",
            "AWS_ENDPOINT_URL_S3": s3_url,
            "AWS_ENDPOINT_URL_COMPREHEND": process.url,
        }
        ended = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, **VARIABLES, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "F1 of the new model: 1.0",
        "Iterations so far: 1",
        "It is about: delivery",
    ]


def test_the_fixture_works_when_another_project_names_the_plugin(tmp_path: Path) -> None:
    """A project of its own, in a pytest of its own."""
    for name, content in _OTHER_PROJECT.items():
        (tmp_path / name).write_text(content)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, **VARIABLES},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout


def test_the_page_names_every_fault_when_its_table_is_read() -> None:
    """Each fault has its row, and each member is named."""
    _, *rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == [*CALL_FAULTS, *ITERATION_FAULTS]
    assert all(f"`{name}`" in PAGE for name in _MEMBERS)
