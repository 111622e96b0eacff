"""A rebuild that is not promoted is no dead end, by the command, on the deployed stack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.demo.sample_tickets import LABELS, generate_tickets
from console.demo.split import with_wrong_labels
from console.demo.tasks import csv_bytes
from local_cloud.environment import LocalEnvironment, LocalSettings
from tests.console.command_line import invoke
from tests.end_to_end.conftest import RunVerb

pytestmark = pytest.mark.slow

REASON = ("--reason", "by hand")


@pytest.fixture(scope="module")
def environment() -> Iterator[LocalEnvironment]:
    """Run a local environment."""
    with LocalEnvironment(LocalSettings()) as started:
        yield started


@pytest.fixture(scope="module")
def rejected(run_verb: RunVerb, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
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
        run_verb("upload", str(file), "--kind", kind, "--wait", exit_code=exit_code)
    refused = run_verb("rebuild", *REASON, exit_code=2)
    assert refused["error"]["remedy"] == "Confirm it with --yes"
    ending = run_verb("rebuild", "--wait", "--yes", *REASON, exit_code=4)
    assert ending["outcome"] == "REJECTED"
    return ending


def shown(run_verb: RunVerb) -> dict[str, Any]:
    """Return the status of the one flywheel."""
    found: dict[str, Any] = run_verb("status")["flywheels"][0]
    return found


def test_a_rebuild_goes_on_or_back_when_its_model_was_rejected(
    run_verb: RunVerb, rejected: dict[str, Any], tmp_path: Path
) -> None:
    """Status says what it waits for; it is rebuilt again, and given up twice; uploads go on."""
    status = shown(run_verb)
    assert (status["rebuild"]["generation"], status["rebuild"]["step"]) == (2, "SWITCHED")
    assert "to be promoted" in status["rebuild"]["waits_for"]
    again = run_verb("rebuild", "--wait", *REASON, exit_code=4)
    assert (again["generation"], again["before"]) == (3, rejected["arn"])

    back = run_verb("rebuild", "--abandon", *REASON)
    assert (back["generation"], back["arn"]) == (2, rejected["arn"])
    back = run_verb("rebuild", "--abandon", *REASON)
    assert (back["generation"], back["arn"]) == (1, rejected["before"])
    status = shown(run_verb)
    assert (status["rebuild"], status["arn"]) == (None, rejected["before"])
    nothing = invoke("rebuild", "--abandon", *REASON, "--env", "local")
    assert nothing.exit_code == 3
    assert "not being rebuilt" in " ".join(nothing.output.split())

    (tmp_path / "more.csv").write_bytes(csv_bytes(generate_tickets(900, seed=8)))
    options = ("--kind", "train", "--wait", "--env", "local")
    result = invoke("upload", str(tmp_path / "more.csv"), *options)
    assert result.exit_code in {0, 3, 4}, result.output
    assert shown(run_verb)["datasets"]["train"]["used"] == 3


@pytest.mark.usefixtures("rejected")
def test_a_batch_with_test_rows_stays_when_nobody_confirmed_its_withdrawal(
    run_verb: RunVerb,
) -> None:
    """The rows are counted, those of the test set by themselves."""
    result = invoke("withdraw", "--batch", "1", *REASON, "--env", "local")
    assert result.exit_code == 2
    words = " ".join(result.output.split())
    assert "has 200 training rows of 1 upload and 100 test rows of 1 upload" in words
    assert "Confirm it with --yes" in words
    assert shown(run_verb)["tainted"] == []


@pytest.mark.usefixtures("rejected")
def test_the_next_rebuild_is_possible_at_once_when_one_was_promoted(run_verb: RunVerb) -> None:
    """Without a label the new generation's model is its first; nobody waits for reconcile."""
    made = run_verb("rebuild", "--drop-label", "FEEDBACK", *REASON)
    run_verb("status", "--watch")
    status = shown(run_verb)
    assert (status["last"]["outcome"], status["generation"]) == ("PROMOTED", made["generation"])
    again = run_verb("rebuild", "--yes", *REASON)
    assert again["generation"] == made["generation"] + 1
