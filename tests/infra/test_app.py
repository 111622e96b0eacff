import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest

from app import read_environment
from flywheel.errors import SettingsError
from tests.infra.synthesis import ROOT, Synthesized


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the environments' folder that a test may change."""
    return Path(shutil.copytree(ROOT / "environments", tmp_path / "environments"))


def run(tmp_path: Path, **context: str) -> subprocess.CompletedProcess[str]:
    """Run ``python app.py`` as the CDK's command does."""
    variables = {
        **os.environ,
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        "CDK_CONTEXT_JSON": json.dumps(context),
    }
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_app_exits_with_two_when_a_file_is_wrong(folder: Path, tmp_path: Path) -> None:
    """The message names the file and the key, and nothing is written."""
    file = folder / "dev.toml"
    text = file.read_text("utf-8").replace("quiet_seconds", "quite_seconds")
    file.write_text(text, "utf-8")
    ended = run(tmp_path, env="dev", environments=str(folder))
    assert ended.returncode == 2
    assert f"{file}: flywheels.tickets.batch.quite_seconds: unknown key; allowed:" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "cdk.out" / "flywheel-loop-dev.template.json").exists()


@pytest.mark.slow
def test_app_makes_another_environment_when_a_file_is_added(folder: Path, tmp_path: Path) -> None:
    """One more file in the folder is one more environment, without a line of code."""
    (folder / "staging.toml").write_text('extends = "base.toml"\n', "utf-8")
    ended = run(tmp_path, env="staging", environments=str(folder))
    assert ended.returncode == 0, ended.stderr
    template = tmp_path / "cdk.out" / "flywheel-loop-staging.template.json"
    assert "staging-tickets-g1" in template.read_text("utf-8")


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({}, "which environment? Use -c env=NAME, one of: dev, local, prod"),
        ({"env": "base"}, "there is no environment 'base'. Use -c env=NAME, one of: dev"),
        ({"env": "stagng"}, "there is no environment 'stagng'. Use -c env=NAME, one of: dev"),
        ({"env": "../dev"}, "there is no environment '../dev'"),
    ],
)
def test_the_environments_are_named_when_none_is_meant(context: dict[str, str], told: str) -> None:
    """Whoever forgets or mistypes the name is told which there are."""
    with pytest.raises(SettingsError) as caught:
        read_environment(cdk.App(context=context))
    assert told in str(caught.value)


@pytest.mark.slow
def test_no_template_has_an_error_when_it_is_linted(
    synthesized: Callable[[str], Synthesized], team: Synthesized
) -> None:
    """cfn-lint, with the project's own settings, finds nothing in any environment.

    ``.cfnlintrc.yaml`` leaves out W3005: the CDK names dependencies that a reference implies.
    """
    stacks = [*(synthesized(name) for name in ("local", "dev", "prod")), team]
    command = str(Path(sys.executable).with_name("cfn-lint"))
    linted = subprocess.run(
        [command, "--", *(str(item.template_file) for item in stacks)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout) == (0, "")
