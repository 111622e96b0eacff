"""People decide what is live, and read what was decided, by the command, on the deployed stack.

One flywheel asks a person each time. The other has few test documents, so that what its averages
leave open both models' answers must say. All with the stack's own roles.
"""

import html
import json
import shutil
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from console.commands import options as verb_options
from console.demo.few_documents import FewDocuments, few_documents
from console.demo.sample_tickets import generate_tickets
from console.demo.tasks import csv_bytes
from console.environment.local_environment import Mailbox
from console.environment.target import ENVIRONMENTS_FOLDER, Target, local_target
from local_cloud.environment import LocalEnvironment, LocalSettings
from tests.console.command_line import invoke

pytestmark = pytest.mark.slow

Told = Callable[..., dict[str, Any]]

LEAST_GAIN = 0.005


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have an environment with a flywheel that asks a person and one whose models must answer."""
    folder = tmp_path_factory.mktemp("asking") / "environments"
    shutil.copytree(ENVIRONMENTS_FOLDER, folder)
    file = folder / "local.toml"
    asking = 'mode = "approve"\nrules = [{ metric = "AverageF1Score", min = 0.1 }]\n'
    text = file.read_text("utf-8").replace("[policy]\n", f"[policy]\n{asking}")
    few = f"""
        [flywheels.few]
        task = "classification"
        mode = "multi-class"
        language = "en"
        labels_file = "labels/tickets.txt"
        policy.mode = "auto"
        policy.rules = [
            {{ metric = "AverageF1Score", min = 0.1 }},
            {{ metric = "AverageAccuracy", min_improvement = {LEAST_GAIN} }},
        ]
    """
    file.write_text(text + textwrap.dedent(few), "utf-8")
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


@pytest.fixture(scope="module")
def told(world: LocalEnvironment) -> Iterator[Told]:
    """Return a function that runs a verb there, sees its exit code and reads its answer."""

    def run(*arguments: str, exit_code: int = 0) -> dict[str, Any]:
        result: Result = invoke(*arguments, "--env", "local", "--json")
        assert result.exit_code == exit_code, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verb_options, "open_target", lambda *_: local_target(dict(world.variables)))
        yield run


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
        file = str(tmp_path / f"{name}.csv")
        return told("upload", file, "tickets", "--kind", kind, "--wait", exit_code=exit_code)

    upload("test", "test", 0)
    asked = upload("first", "train", 3)
    assert asked["approval"]["batch"] == 1
    (status,) = told("status", "tickets")["flywheels"]
    assert status["approval"]["challenger"] == asked["approval"]["challenger"]
    assert status["running"]["phase"] == "APPROVAL"
    assert "token" not in json.dumps(status)
    shown = invoke("status", "--env", "local").output
    assert "flywheel approve 1 tickets --env local --reason TEXT" in shown
    assert "APPROVAL" in shown
    assert subjects(target, mailbox, "ACTION NEEDED: approve batch 1")

    done = told("approve", "1", "tickets", "--reason", "looks good", "--wait")
    assert (done["outcome"], done["verdict"]) == ("PROMOTED", "PROMOTE")
    assert "was approved by" in str(
        told("approve", "1", "tickets", "--reason", "again", exit_code=3)
    )
    first = told("status", "tickets")["flywheels"][0]["active_model"]
    assert first == asked["approval"]["challenger"]

    second = upload("more", "train", 3)["approval"]["challenger"]
    told("reject", "2", "tickets", "--reason", "too early")
    assert subjects(target, mailbox, "REJECTED by a person")
    assert told("status", "tickets")["flywheels"][0]["active_model"] == first

    assert told("promote", "2", "tickets", "--reason", "now")["model"] == second
    assert told("rollback", "tickets", "--reason", "complaints") == {
        "environment": "local",
        "account": "123456789012",
        "region": "us-east-1",
        "flywheel": "tickets",
        "model": first,
        "before": second,
    }
    (status,) = told("status", "tickets")["flywheels"]
    assert (status["active_model"], status["barred"]) == (first, [second])
    assert status["promotion_paused"]["reason"] == "rollback: complaints"
    assert subjects(target, mailbox, "ROLLED BACK")
    assert "no earlier champion" in str(
        told("rollback", "tickets", "--reason", "more", exit_code=3)
    )
    told("resume", "tickets", "--reason", "the labels are right")
    assert told("status", "tickets")["flywheels"][0]["promotion_paused"] is None
    decisions = world.cloud.decisions()
    assert any(decision.action == "states:SendTaskSuccess" for decision in decisions)
    assert [decision for decision in decisions if not decision.is_allowed] == []


@pytest.fixture(scope="module")
def few() -> FewDocuments:
    """Cut tickets so that a better model cannot prove it by the test documents that there are."""
    tickets = generate_tickets(1200, seed=2)
    found = few_documents(tickets[:300], tickets[300:])
    assert found is not None
    return found


@pytest.fixture(scope="module")
def held(told: Told, few: FewDocuments, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Have a second verdict that stands on both models' answers; returns its document."""
    folder = tmp_path_factory.mktemp("few")
    for name, kind, exit_code in (("test", "test", 0), ("first", "train", 0), ("more", "train", 3)):
        file = folder / f"{name}.csv"
        file.write_bytes(csv_bytes(getattr(few, name)))
        told("upload", str(file), "few", "--kind", kind, "--wait", exit_code=exit_code)
    return told("verdict", "2", "few")


def test_a_verdict_is_read_back_when_both_models_answered(
    told: Told, held: dict[str, Any], few: FewDocuments, target: Target, tmp_path: Path
) -> None:
    """Told, made again bit for bit, reported, exported and traced, each by one command."""
    paired = held["evidence"]["paired"]
    assert (held["decision"], paired["documents"]) == ("HOLD", len(few.test))
    assert paired["fixed"] > paired["broken"]
    models = [held["evidence"][f"{who}_arn"] for who in ("champion", "challenger")]
    assert [each["model"] for each in paired["predictions"]] == models
    (rule,) = [each for each in held["rules"] if each["outcome"] == "UNKNOWN"]
    assert (rule["metric"], rule["bound"]) == ("AverageAccuracy", LEAST_GAIN)
    assert "more test documents, drawn at random," in rule["reason"]
    people = "".join(invoke("verdict", "2", "few", "--env", "local").output.split())
    assert f"fixes{paired['fixed']}andbreaks{paired['broken']};" in people

    kept = target.verdicts().text("verdicts/few/2.json") or ""
    replayed = told("replay", "2", "few")
    assert (replayed["is_identical"], replayed["bytes"]) == (True, len(kept.encode()))
    assert "both models' answers" in invoke("replay", "2", "few", "--env", "local").output

    page = tmp_path / "report.html"
    told("report", "2", "few", "-o", str(page))
    assert rule["reason"] in html.unescape(page.read_text("utf-8"))
    assert paired["predictions"][0]["sha256"] in page.read_text("utf-8")

    out = tmp_path / "out.zip"
    assert told("audit", "export", "few", str(out))["verdicts"] == 2
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "out")
    assert (tmp_path / "out" / "verdicts" / "few" / "2.json").read_text("utf-8") == kept
    offline = [sys.executable, "-I", "-S", str(tmp_path / "out" / "verify.py")]
    done = subprocess.run(offline, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, "unbroken" in done.stdout) == (0, True), done.stdout + done.stderr

    traced = told("lineage", models[1], "few")
    assert json.dumps(traced).count("few/train/") == len(("first", "more"))


def test_the_replay_says_so_when_an_answer_was_changed(
    told: Told, held: dict[str, Any], target: Target
) -> None:
    """The object is named, and nothing is called identical."""
    key = held["evidence"]["paired"]["predictions"][1]["key"]
    staging = target.staging()
    written = staging.text(key) or ""
    target.client("s3").put_object(
        Bucket=staging.bucket, Key=key, Body=written.replace("FEEDBACK", "BILLING").encode()
    )
    assert key in str(told("replay", "2", "few", exit_code=1))


@pytest.mark.usefixtures("held")
def test_a_batch_is_told_as_empty_when_all_its_rows_are_known(
    told: Told, few: FewDocuments, tmp_path: Path
) -> None:
    """Nothing is trained, nothing has failed, and every verb that looks can say so."""
    (tmp_path / "again.csv").write_bytes(csv_bytes(few.more))
    done = told("upload", str(tmp_path / "again.csv"), "few", "--kind", "train", "--wait")
    assert (done["outcome"], done["state"], done["verdict"]) == ("EMPTY", "DUPLICATE", None)
    for verb in ("status", "history"):
        assert "EMPTY" in invoke(verb, "few", "--env", "local").output
