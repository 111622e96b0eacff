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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.demo.few_documents import FewDocuments, few_documents
from console.demo.sample_tickets import generate_tickets
from console.demo.tasks import csv_bytes
from console.environment.local_environment import Mailbox
from console.environment.target import ENVIRONMENTS_FOLDER, Target, local_target
from local_cloud.environment import LocalEnvironment, LocalSettings
from tests.console.command_line import invoke
from tests.end_to_end.conftest import RunVerb

pytestmark = pytest.mark.slow

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
def environment(environments: Path) -> Iterator[LocalEnvironment]:
    """Run it."""
    with LocalEnvironment(LocalSettings(environments_folder=environments)) as started:
        yield started


@pytest.fixture(scope="module")
def target(environment: LocalEnvironment) -> Iterator[Target]:
    """Return the command's view of the environment."""
    opened = local_target(environment.variables)
    yield opened
    opened.close()


def subjects(target: Target, mailbox: Mailbox, words: str) -> bool:
    """Say whether a notice with such a subject comes soon."""
    for _ in range(30):
        if any(words in letter.subject for letter in mailbox.letters):
            return True
        mailbox.collect(wait_seconds=1)
    return False


def approve_the_first(target: Target, run_verb: RunVerb, mailbox: Mailbox, waiting: str) -> None:
    """Check that batch 1 waits for approval of a model; approve it."""
    (status,) = run_verb("status", "tickets")["flywheels"]
    assert status["approval"]["challenger"] == waiting
    assert status["running"]["phase"] == "APPROVAL"
    assert "token" not in json.dumps(status)
    shown = invoke("status", "--env", "local").output
    assert "flywheel approve 1 tickets --env local --reason TEXT" in shown
    assert "APPROVAL" in shown
    assert subjects(target, mailbox, "ACTION NEEDED: approve batch 1")

    done = run_verb("approve", "1", "tickets", "--reason", "looks good", "--wait")
    assert (done["outcome"], done["verdict"]) == ("PROMOTED", "PROMOTE")
    assert "was approved by" in str(
        run_verb("approve", "1", "tickets", "--reason", "again", exit_code=3)
    )
    assert run_verb("status", "tickets")["flywheels"][0]["active_model"] == waiting


def roll_back(
    target: Target, run_verb: RunVerb, mailbox: Mailbox, *, first: str, second: str
) -> None:
    """Roll back from the second model to the first; resume promotions."""
    assert run_verb("rollback", "tickets", "--reason", "complaints") == {
        "environment": "local",
        "account": "123456789012",
        "region": "us-east-1",
        "flywheel": "tickets",
        "model": first,
        "before": second,
    }
    (status,) = run_verb("status", "tickets")["flywheels"]
    assert (status["active_model"], status["barred"]) == (first, [second])
    assert status["promotion_paused"]["reason"] == "rollback: complaints"
    assert subjects(target, mailbox, "ROLLED BACK")
    assert "no earlier champion" in str(
        run_verb("rollback", "tickets", "--reason", "more", exit_code=3)
    )
    run_verb("resume", "tickets", "--reason", "the labels are right")
    assert run_verb("status", "tickets")["flywheels"][0]["promotion_paused"] is None


def test_people_decide_when_the_policy_asks_them(
    target: Target, run_verb: RunVerb, tmp_path: Path, environment: LocalEnvironment
) -> None:
    """Asked, approved, rejected, promoted and rolled back, each by one command."""
    mailbox, tickets = Mailbox(target), generate_tickets(700, seed=1)
    files = {"test": tickets[:100], "first": tickets[100:300], "more": tickets[300:]}
    for name, rows in files.items():
        (tmp_path / f"{name}.csv").write_bytes(csv_bytes(rows))

    def upload(name: str, kind: str, exit_code: int) -> dict[str, Any]:
        file = str(tmp_path / f"{name}.csv")
        return run_verb("upload", file, "tickets", "--kind", kind, "--wait", exit_code=exit_code)

    upload("test", "test", 0)
    waiting = upload("first", "train", 3)["approval"]
    assert waiting["batch"] == 1
    first = waiting["challenger"]
    approve_the_first(target, run_verb, mailbox, first)

    second = upload("more", "train", 3)["approval"]["challenger"]
    run_verb("reject", "2", "tickets", "--reason", "too early")
    assert subjects(target, mailbox, "REJECTED by a person")
    assert run_verb("status", "tickets")["flywheels"][0]["active_model"] == first

    assert run_verb("promote", "2", "tickets", "--reason", "now")["model"] == second
    roll_back(target, run_verb, mailbox, first=first, second=second)
    decisions = environment.cloud.decisions()
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
def held(
    run_verb: RunVerb, few: FewDocuments, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Have a second verdict that stands on both models' answers; returns its document."""
    folder = tmp_path_factory.mktemp("few")
    for name, kind, exit_code in (("test", "test", 0), ("first", "train", 0), ("more", "train", 3)):
        file = folder / f"{name}.csv"
        file.write_bytes(csv_bytes(getattr(few, name)))
        run_verb("upload", str(file), "few", "--kind", kind, "--wait", exit_code=exit_code)
    return run_verb("verdict", "2", "few")


def test_a_verdict_is_read_back_when_both_models_answered(
    run_verb: RunVerb, held: dict[str, Any], few: FewDocuments, target: Target, tmp_path: Path
) -> None:
    """Read, made again bit for bit, reported, exported and traced, each by one command."""
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
    replayed = run_verb("replay", "2", "few")
    assert (replayed["is_identical"], replayed["bytes"]) == (True, len(kept.encode()))
    assert "both models' answers" in invoke("replay", "2", "few", "--env", "local").output

    page = tmp_path / "report.html"
    run_verb("report", "2", "few", "-o", str(page))
    assert rule["reason"] in html.unescape(page.read_text("utf-8"))
    assert paired["predictions"][0]["sha256"] in page.read_text("utf-8")

    out = tmp_path / "out.zip"
    assert run_verb("audit", "export", "few", str(out))["verdicts"] == 2
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "out")
    assert (tmp_path / "out" / "verdicts" / "few" / "2.json").read_text("utf-8") == kept
    offline = [sys.executable, "-I", "-S", str(tmp_path / "out" / "verify.py")]
    done = subprocess.run(offline, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, "unbroken" in done.stdout) == (0, True), done.stdout + done.stderr

    traced = run_verb("lineage", models[1], "few")
    assert json.dumps(traced).count("few/train/") == len(("first", "more"))


def test_the_replay_says_so_when_an_answer_was_changed(
    run_verb: RunVerb, held: dict[str, Any], target: Target
) -> None:
    """The object is named, and nothing is called identical."""
    key = held["evidence"]["paired"]["predictions"][1]["key"]
    staging = target.staging()
    written = staging.text(key) or ""
    target.client("s3").put_object(
        Bucket=staging.bucket, Key=key, Body=written.replace("FEEDBACK", "BILLING").encode()
    )
    assert key in str(run_verb("replay", "2", "few", exit_code=1))


@pytest.mark.usefixtures("held")
def test_a_batch_is_reported_as_empty_when_all_its_rows_are_known(
    run_verb: RunVerb, few: FewDocuments, tmp_path: Path
) -> None:
    """Nothing is trained, nothing has failed, and every verb that looks can say so."""
    (tmp_path / "again.csv").write_bytes(csv_bytes(few.more))
    done = run_verb("upload", str(tmp_path / "again.csv"), "few", "--kind", "train", "--wait")
    assert (done["outcome"], done["state"], done["verdict"]) == ("EMPTY", "DUPLICATE", None)
    for verb in ("status", "history"):
        assert "EMPTY" in invoke(verb, "few", "--env", "local").output
