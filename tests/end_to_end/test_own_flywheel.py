"""From one's own CSV to one's own flywheel: init, up, the printed upload, a verdict."""

import csv
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from console.commands import files as init_verb
from console.commands import options as verb_options
from console.environment.running_environment import LocalFile
from tests.console.command_line import invoke, running_with_answer

pytestmark = pytest.mark.slow

LABELS = ("hot, dry", "wet", 'so "cold"')
Answered = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    """Return a function that runs the command, with files in folders of the test's own."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "environments").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(init_verb, "ENVIRONMENTS_FOLDER", folder / "environments")
        patch.setattr(verb_options, "local_file", lambda: LocalFile(folder / ".local"))

        def run(*arguments: str) -> dict[str, Any]:
            result = invoke(*arguments, "--json")
            assert result.exit_code == 0, result.output
            answer: dict[str, Any] = json.loads(result.stdout)
            return answer

        yield run


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a labeled file as a user has one."""
    path = tmp_path_factory.mktemp("mine") / "weather.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            (label, f"on day {day} it was {label}") for day in range(40) for label in LABELS
        )
    return path


@pytest.fixture(scope="module")
def made(answered: Answered, own_file: Path) -> dict[str, Any]:
    """Make an environment from the file."""
    return answered("init", str(own_file))


@pytest.fixture(scope="module")
def running(made: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Run it, as ``flywheel up --env weather`` does, and give what it answered."""
    environments = Path(made["files"][0]).parent
    folder = environments.parent / ".local"
    options = ("--name", made["environment"], "--environments", str(environments))
    with running_with_answer(folder, *options) as (_, answer):
        yield answer


def test_the_flywheel_has_the_files_labels_when_it_runs(running: Mapping[str, Any]) -> None:
    """No other flywheel is deployed, and the waits that were replaced are named."""
    assert (running["environment"], running["settings_of"]) == ("local", "weather")
    (flywheel,) = running["flywheels"]
    assert (flywheel["name"], sorted(flywheel["labels"])) == ("weather", sorted(LABELS))
    assert "min_documents = 1 (weather.toml: 200)" in running["replaced"]


@pytest.mark.usefixtures("running")
def test_a_first_model_goes_live_when_the_own_file_is_uploaded(
    made: dict[str, Any], answered: Answered
) -> None:
    """The command that init printed is taken word for word."""
    *_, upload = made["next"]
    answer = answered(*shlex.split(upload)[1:])
    assert (answer["outcome"], answer["verdict"]) == ("PROMOTED", "PROMOTE")
    (status,) = answered("status")["flywheels"]
    assert status["active_model"].startswith("arn:aws:comprehend:")


def test_the_printed_upload_gets_a_verdict_when_it_runs(running: Mapping[str, Any]) -> None:
    """Its sample file is taken; without a test set no second model goes live."""
    (flywheel,) = running["flywheels"]
    _, *arguments = shlex.split(flywheel["upload"])
    result = invoke(*arguments, "--json")
    assert result.exit_code in {3, 4}, result.output
    answer = json.loads(result.stdout)
    assert answer["verdict"] in {"HOLD", "REJECT"}
    assert answer["validation"]["left_out"] == 0
