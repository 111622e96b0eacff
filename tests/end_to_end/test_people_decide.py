"""People decide what is live, by the command, on the deployed stack with its own roles."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from console import verb_options
from console.demo_tasks import csv_bytes
from console.mailbox import Mailbox
from console.sample_tickets import generate_tickets
from console.target import ENVIRONMENTS_FOLDER, Target, local_target
from local.environment import LocalEnvironment, LocalSettings
from tests.console.command_line import invoke

Told = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have an environment in which a person is asked each time."""
    folder = tmp_path_factory.mktemp("asking") / "environments"
    shutil.copytree(ENVIRONMENTS_FOLDER, folder)
    file = folder / "local.toml"
    asking = 'mode = "approve"\nrules = [{ metric = "AverageF1Score", min = 0.1 }]\n'
    text = file.read_text("utf-8").replace("[policy]\n", f"[policy]\n{asking}")
    file.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def world(environments: Path) -> Iterator[LocalEnvironment]:
    """Run it."""
    with LocalEnvironment(LocalSettings(environments_folder=environments)) as environment:
        yield environment


@pytest.fixture(scope="module")
def target(world: LocalEnvironment) -> Iterator[Target]:
    """Return the command's view of the environment."""
    opened = local_target(world.variables)
    yield opened
    opened.close()


@pytest.fixture
def told(world: LocalEnvironment, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Return a function that runs a verb there, sees its exit code and reads its answer."""
    monkeypatch.setattr(verb_options, "open_target", lambda *_: local_target(dict(world.variables)))

    def run(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
        result: Result = invoke(*arguments, "--env", "local", "--json")
        assert result.exit_code == exit_code, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    return run


def subjects(target: Target, mailbox: Mailbox, words: str) -> bool:
    """Say whether a notice with such a subject comes soon."""
    for _ in range(30):
        if any(words in letter.subject for letter in mailbox.letters):
            return True
        mailbox.collect(wait_seconds=1)
    return False


def test_people_decide_when_the_policy_asks_them(
    target: Target, told: Told, tmp_path: Path, world: LocalEnvironment
) -> None:
    """Asked, approved, rejected, promoted and rolled back, each by one command."""
    mailbox, tickets = Mailbox(target), generate_tickets(700, seed=1)
    files = {"test": tickets[:100], "first": tickets[100:300], "more": tickets[300:]}
    for name, rows in files.items():
        (tmp_path / f"{name}.csv").write_bytes(csv_bytes(rows))

    def upload(name: str, kind: str, exit_code: int) -> dict[str, Any]:
        return told(
            "upload", str(tmp_path / f"{name}.csv"), "--kind", kind, "--wait", exit_code=exit_code
        )

    upload("test", "test", 0)
    asked = upload("first", "train", 3)
    assert asked["approval"]["batch"] == 1
    (status,) = told("status")["flywheels"]
    assert status["approval"]["challenger"] == asked["approval"]["challenger"]
    assert status["running"]["phase"] == "APPROVAL"
    assert "token" not in json.dumps(status)
    shown = invoke("status", "--env", "local").output
    assert "flywheel approve 1 tickets --env local --reason TEXT" in shown
    assert "APPROVAL" in shown
    assert subjects(target, mailbox, "ACTION NEEDED: approve batch 1")

    done = told("approve", "1", "--reason", "looks good", "--wait")
    assert (done["outcome"], done["verdict"]) == ("PROMOTED", "PROMOTE")
    assert "was approved by" in str(told("approve", "1", "--reason", "again", exit_code=3))
    first = told("status")["flywheels"][0]["active_model"]
    assert first == asked["approval"]["challenger"]

    second = upload("more", "train", 3)["approval"]["challenger"]
    told("reject", "2", "--reason", "too early")
    assert subjects(target, mailbox, "REJECTED by a person")
    assert told("status")["flywheels"][0]["active_model"] == first

    assert told("promote", "2", "--reason", "now")["model"] == second
    assert told("rollback", "--reason", "complaints") == {
        "environment": "local",
        "account": "123456789012",
        "region": "us-east-1",
        "flywheel": "tickets",
        "model": first,
        "before": second,
    }
    (status,) = told("status")["flywheels"]
    assert (status["active_model"], status["barred"]) == (first, [second])
    assert status["promotion_paused"]["reason"] == "rollback: complaints"
    assert subjects(target, mailbox, "ROLLED BACK")
    assert "no earlier champion" in str(told("rollback", "--reason", "more", exit_code=3))
    told("resume")
    assert told("status")["flywheels"][0]["promotion_paused"] is None
    decisions = world.cloud.decisions()
    assert any(decision.action == "states:SendTaskSuccess" for decision in decisions)
    assert [decision for decision in decisions if not decision.is_allowed] == []
