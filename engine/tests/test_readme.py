"""The README's script and test run unchanged."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from comprehend_engine.api.fault_control import _MEMBERS
from comprehend_engine.api.faults import CALL_FAULTS, ITERATION_FAULTS
from engine_testing.processes import VARIABLES, engine_process
from engine_testing.rig import BUCKET, ROLE

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ROOT = Path(__file__).parents[1]
PLUGIN = "comprehend_engine.pytest_plugin"
PAGE = (ROOT / "README.md").read_text("utf-8")
SCRIPT, FIXTURE_EXAMPLE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_script_runs_when_it_is_taken_as_it_stands(s3: "S3Client", tmp_path: Path) -> None:
    """On an engine that runs by itself; the endpoint knows what the question is about."""
    s3_url = s3.meta.endpoint_url
    with engine_process(tmp_path / "data", s3_url) as serving:
        variables = {
            "BUCKET": BUCKET,
            "ROLE": ROLE,
            "PAUSE_SECONDS": "0.05",
            "AWS_ENDPOINT_URL_S3": s3_url,
            "AWS_ENDPOINT_URL_COMPREHEND": serving.url,
        }
        ended = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**VARIABLES, **variables},
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


def test_the_fixture_works_when_another_project_takes_the_example(tmp_path: Path) -> None:
    """A separate pytest process loads only this plugin, whatever is installed."""
    (tmp_path / "test_example.py").write_text(FIXTURE_EXAMPLE)
    plugins = ["-p", PLUGIN, "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, str(tmp_path)],
        cwd=tmp_path,
        env={**VARIABLES, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 passed" in ended.stdout


def test_a_conftest_may_name_the_plugin_when_it_is_installed() -> None:
    """Pytest recognizes one plugin where the entry point has the name of its module."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {PLUGIN: PLUGIN}


def test_the_page_names_every_fault_when_its_table_is_read() -> None:
    """Each fault has its row, and each member is named."""
    _, *faults = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert faults == [*CALL_FAULTS, *ITERATION_FAULTS]
    assert all(f"`{name}`" in PAGE for name in _MEMBERS)
