import json
import signal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from console.demo.sample_tickets import LABELS, generate_tickets
from console.demo.split import with_wrong_labels
from console.demo.tasks import csv_bytes
from console.environment.local_environment import Mailbox
from console.environment.running_environment import LocalFile
from console.environment.target import Target
from engine_testing.rig import until
from tests.console.command_line import Run, kept_running

OPTIONS = ("--kind", "train", "--env", "local")


def answer(result: Result) -> Any:
    """Return the one JSON document on standard output."""
    return json.loads(result.stdout)


def test_a_test_set_is_staged_when_it_is_uploaded(first_upload: dict[str, Result]) -> None:
    """Waiting ends there, since a test set starts nothing by itself."""
    result = first_upload["test"]
    assert result.exit_code == 0, result.stderr
    document = answer(result)
    assert document["state"] == "STAGED"
    assert document["key"] == "tickets/test/test.csv"
    assert document["version_id"]
    assert (document["environment"], document["account"]) == ("local", "123456789012")


def test_the_outcome_is_told_when_a_training_file_is_waited_for(
    first_upload: dict[str, Result],
) -> None:
    """The first model is promoted, so the exit code is 0; progress is on standard error."""
    result = first_upload["train"]
    assert result.exit_code == 0, result.stderr
    document = answer(result)
    assert (document["outcome"], document["verdict"]) == ("PROMOTED", "PROMOTE")
    assert document["rules"][0]["outcome"] == "PASS"
    assert "GATHERING" in result.stderr
    assert "AverageF1Score" in result.stderr
    assert "Batch 1: PROMOTED, BOOTSTRAP" in result.stderr


@pytest.mark.usefixtures("first_upload")
def test_a_worse_model_is_rejected_when_its_file_is_mislabeled(
    run_locally: Run, target: Target, tmp_path: Path
) -> None:
    """The exit code is 4, the table shows both models, and a subscriber gets the notice."""
    mailbox = Mailbox(target)
    rows = with_wrong_labels(generate_tickets(700, seed=5), LABELS, seed=1)
    (tmp_path / "wrong.csv").write_bytes(csv_bytes(rows))
    result = run_locally("upload", str(tmp_path / "wrong.csv"), "tickets", *OPTIONS, "--wait")
    assert result.exit_code == 4, result.output
    assert result.stdout.startswith("Environment local, account 123456789012, region us-east-1")
    assert "REJECTED, the active model stays" in result.stdout
    assert "challenger" in result.stdout
    while mailbox.collect(wait_seconds=1):
        pass
    assert any("REJECTED" in letter.subject for letter in mailbox.letters)


@pytest.mark.usefixtures("first_upload")
def test_nothing_is_uploaded_when_the_file_is_refused(
    run_locally: Run, target: Target, tmp_path: Path
) -> None:
    """The report is the one of validate, and the inbox has no such object."""
    (tmp_path / "refused.csv").write_bytes(b"BILLING,one\nNOBODY,two\n")
    result = run_locally("upload", str(tmp_path / "refused.csv"), *OPTIONS, "--json")
    assert result.exit_code == 1
    assert answer(result)["validation"]["is_refused"] is True
    bucket = target.outputs["InboxBucket"]
    listed = target.client("s3").list_objects_v2(Bucket=bucket, Prefix="tickets/train/refused")
    assert listed["KeyCount"] == 0


@pytest.mark.usefixtures("first_upload")
def test_start_says_what_is_lacking_when_nothing_is_staged(run_locally: Run) -> None:
    """It ends with 3, as a flywheel that is busy does."""
    result = run_locally("start", "--env", "local", "--json")
    assert result.exit_code == 3
    assert answer(result)["lacks"] == ["no training documents are staged"]


@pytest.mark.usefixtures("first_upload")
def test_stop_says_so_when_nothing_trains(run_locally: Run) -> None:
    """The exit code is 3, and where it looked is told first."""
    result = run_locally("stop", "tickets", "--reason", "wrong data", "--env", "local")
    assert result.exit_code == 3, result.output
    assert result.stdout.startswith("Environment local, account 123456789012")
    assert "there is nothing to stop" in result.stderr


@pytest.mark.slow
def test_waiting_ends_with_6_when_the_time_is_over(run_locally: Run, tmp_path: Path) -> None:
    """The upload goes on; only the waiting ends. A later look sees it through."""
    (tmp_path / "late.csv").write_bytes(csv_bytes(generate_tickets(40, seed=9)))
    path = str(tmp_path / "late.csv")
    result = run_locally("upload", path, *OPTIONS, "--wait", "--timeout", "0")
    assert result.exit_code == 6
    assert "It goes on by itself" in result.stderr
    assert run_locally("status", "--watch").exit_code == 0


@pytest.mark.usefixtures("first_upload")
def test_status_tells_everything_when_it_is_asked(run_locally: Run) -> None:
    """What is live, what runs, what is staged and lacking, and the slots, in 80 columns."""
    result = run_locally("status", "tickets")
    assert result.exit_code == 0
    assert "local-tickets-g1/version/" in result.stdout
    assert "not yet: no training documents are staged" in result.stdout
    assert "of 50 TRAIN, 1 of 10 TEST" in result.stdout
    assert "100 documents, frozen" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    (status,) = answer(run_locally("status", "--json"))["flywheels"]
    assert status["active_model"].startswith("arn:aws:comprehend:")
    assert status["running"] is None
    assert status["datasets"]["test"] == {"used": 1, "allowed": 10}
    assert status["last"]["outcome"] in {"PROMOTED", "REJECTED"}
    assert status["live"]["f1"] >= 0.5
    assert (status["live"]["how"], status["live"]["batch"]) == ("verdict", 1)
    assert status["live"]["age_seconds"] < 3600
    assert "live for" in result.stdout


@pytest.mark.usefixtures("first_upload")
def test_history_is_newest_first_when_it_is_asked(run_locally: Run) -> None:
    """Each batch is told with its files, both models' F1 and the first reason."""
    result = run_locally("history")
    assert "PROMOTED" in result.stdout
    assert "2 uploads: first.csv, test.csv" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    batches = answer(run_locally("history", "--json"))
    assert batches[-1]["batch"] == 1
    assert batches[-1]["champion_f1"] is None
    assert "AverageF1Score at least" in batches[-1]["why"]
    assert [batch["batch"] for batch in batches] == list(range(len(batches), 0, -1))
    assert len(answer(run_locally("history", "-n", "1", "--json"))) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("first_upload")
def test_the_batch_fails_when_its_training_is_stopped(run_locally: Run, tmp_path: Path) -> None:
    """The model that was under training is named; the uploads are kept for a retry."""
    (tmp_path / "unwanted.csv").write_bytes(csv_bytes(generate_tickets(40_000, seed=31)))
    assert run_locally("upload", str(tmp_path / "unwanted.csv"), "tickets", *OPTIONS).exit_code == 0
    asked = ("stop", "tickets", "--reason", "wrong data", "--env", "local", "--json")
    stopped = until(lambda: run_locally(*asked), lambda result: result.exit_code != 3, seconds=120)
    assert stopped.exit_code == 0, stopped.output
    assert ":document-classifier/" in answer(stopped)["model"]
    newest = until(
        lambda: answer(run_locally("history", "-n", "1", "--json"))[0],
        lambda batch: batch["outcome"] is not None,
        seconds=120,
    )
    assert newest["outcome"] == "FAILED"
    assert "stopped by a call" in newest["why"]


def test_the_known_flywheels_are_named_when_another_is_meant(run_locally: Run) -> None:
    """It ends with 2 and makes a guess."""
    result = run_locally("status", "ticket")
    assert result.exit_code == 2
    assert "Did you mean tickets? It has: tickets." in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_cleanly_when_a_signal_comes(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """No trace, no file left, and the exit code tells the signal."""
    folder = tmp_path / ".local"
    with kept_running(folder) as process:
        assert LocalFile(folder).read() is not None
        process.send_signal(number)
        assert process.wait() == code
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert not LocalFile(folder).path.exists()
