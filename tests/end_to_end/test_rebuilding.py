"""A rebuild that is not promoted is no dead end, by the command, on the deployed stack."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.commands import options as verb_options
from console.demo.sample_tickets import LABELS, generate_tickets
from console.demo.split import with_wrong_labels
from console.demo.tasks import csv_bytes
from console.environment.target import local_target
from local_cloud.environment import LocalEnvironment, LocalSettings
from tests.console.command_line import invoke

pytestmark = pytest.mark.slow

Answer = Callable[..., dict[str, Any]]

REASON = ("--reason", "by hand")


@pytest.fixture(scope="module")
def world() -> Iterator[LocalEnvironment]:
    """Run a local environment."""
    with LocalEnvironment(LocalSettings()) as environment:
        yield environment


@pytest.fixture(scope="module")
def answer(world: LocalEnvironment) -> Iterator[Answer]:
    """Return a function that runs a verb there, sees its exit code and reads its answer."""

    def run(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
        result = invoke(*arguments, "--env", "local", "--json")
        assert result.exit_code == exit_code, result.output
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verb_options, "open_target", lambda *_: local_target(dict(world.variables)))
        yield run


@pytest.fixture(scope="module")
def rejected(answer: Answer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Rebuild a flywheel with rows that are mislabeled, so that its new model is worse."""
    folder = tmp_path_factory.mktemp("rebuilding")
    tickets = generate_tickets(300, seed=1)
    wrong = with_wrong_labels(generate_tickets(700, seed=5), LABELS, seed=1)
    for name, kind, rows, exit_code in (
        ("test", "test", tickets[:100], 0),
        ("first", "train", tickets[100:], 0),
        ("wrong", "train", wrong, 4),
    ):
        file = folder / f"{name}.csv"
        file.write_bytes(csv_bytes(rows))
        answer("upload", str(file), "--kind", kind, "--wait", exit_code=exit_code)
    asked = answer("rebuild", *REASON, exit_code=2)
    assert asked["error"]["remedy"] == "Confirm it with --yes"
    ending = answer("rebuild", "--wait", "--yes", *REASON, exit_code=4)
    assert ending["outcome"] == "REJECTED"
    return ending


def shown(answer: Answer) -> dict[str, Any]:
    """Return the status of the one flywheel."""
    found: dict[str, Any] = answer("status")["flywheels"][0]
    return found


def test_a_rebuild_goes_on_or_back_when_its_model_was_rejected(
    answer: Answer, rejected: dict[str, Any], tmp_path: Path
) -> None:
    """Status says what it waits for; it is rebuilt again, and given up twice; uploads go on."""
    status = shown(answer)
    assert (status["rebuild"]["generation"], status["rebuild"]["step"]) == (2, "SWITCHED")
    assert "to be promoted" in status["rebuild"]["waits_for"]
    again = answer("rebuild", "--wait", *REASON, exit_code=4)
    assert (again["generation"], again["before"]) == (3, rejected["arn"])

    back = answer("rebuild", "--abandon", *REASON)
    assert (back["generation"], back["arn"]) == (2, rejected["arn"])
    back = answer("rebuild", "--abandon", *REASON)
    assert (back["generation"], back["arn"]) == (1, rejected["before"])
    status = shown(answer)
    assert (status["rebuild"], status["arn"]) == (None, rejected["before"])
    nothing = invoke("rebuild", "--abandon", *REASON, "--env", "local")
    assert nothing.exit_code == 3
    assert "not being rebuilt" in " ".join(nothing.output.split())

    (tmp_path / "more.csv").write_bytes(csv_bytes(generate_tickets(900, seed=8)))
    options = ("--kind", "train", "--wait", "--env", "local")
    result = invoke("upload", str(tmp_path / "more.csv"), *options)
    assert result.exit_code in {0, 3, 4}, result.output
    assert shown(answer)["datasets"]["train"]["used"] == 3


@pytest.mark.usefixtures("rejected")
def test_a_batch_with_test_rows_stays_when_nobody_confirmed_its_withdrawal(answer: Answer) -> None:
    """The rows are counted, those of the test set by themselves."""
    result = invoke("withdraw", "--batch", "1", *REASON, "--env", "local")
    assert result.exit_code == 2
    words = " ".join(result.output.split())
    assert "has 200 training rows of 1 upload and 100 test rows of 1 upload" in words
    assert "Confirm it with --yes" in words
    assert shown(answer)["tainted"] == []


@pytest.mark.usefixtures("rejected")
def test_the_next_rebuild_is_possible_at_once_when_one_was_promoted(answer: Answer) -> None:
    """Without a label the new generation's model is its first; nobody waits for reconcile."""
    made = answer("rebuild", "--drop-label", "FEEDBACK", *REASON)
    answer("status", "--watch")
    status = shown(answer)
    assert (status["last"]["outcome"], status["generation"]) == ("PROMOTED", made["generation"])
    again = answer("rebuild", "--yes", *REASON)
    assert again["generation"] == made["generation"] + 1
