"""The record as an operator reads it, on a real local environment."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import Result

from console.environment.target import Target
from flywheel.evaluation.verdict_document import canonical, document_sha256
from tests.console.command_line import Run
from tests.flywheel.evaluation.test_verdict_document import SCHEMA

pytestmark = pytest.mark.usefixtures("first_upload")


def answer(result: Result) -> Any:
    """Return the one JSON document on standard output."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def first(run_locally: Run) -> dict[str, Any]:
    """Return the document of the first verdict."""
    document: dict[str, Any] = answer(run_locally("verdict", "1", "--json"))
    return document


def test_the_verdict_is_the_document_that_is_kept_when_json_is_asked_for(
    first: dict[str, Any], target: Target
) -> None:
    """It fits the published schema, and the audit has its hash."""
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(first)
    kept = target.verdicts().text("verdicts/tickets/1.json") or ""
    assert json.loads(kept) == first
    named = [
        entry["details"]["document_sha256"]
        for entry in target.ledger().audit.entries("tickets")
        if entry["event"] == "verdict"
    ]
    assert document_sha256(kept) == named[0]
    assert (first["decision"], first["is_bootstrap"]) == ("PROMOTE", True)
    assert first["actor"] == "compare_models"


def test_the_verdict_is_told_whole_when_people_read_it(
    run_locally: Run, first: dict[str, Any]
) -> None:
    """Decision, rules with values and bounds, evidence, inputs, policy and who, in 80 columns."""
    result = run_locally("verdict", "1", "tickets")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    joined = "".join(result.stdout.split())
    assert "Batch1oftickets:PROMOTE,BOOTSTRAP" in joined
    assert "carriedoutasPROMOTED" in joined
    assert "PASSAverageF1Scoreatleast0.500" in joined
    assert "bound0.500" in joined
    for told in (
        first["policy_sha256"],
        first["inputs"]["manifest_sha256"],
        first["inputs"]["test_set"]["sha256"],
        first["evidence"]["challenger_arn"],
        first["iteration_id"],
        f"{first['decided_at']}bycompare_models",
    ):
        assert told in joined


def test_the_code_says_so_when_there_is_no_verdict(run_locally: Run) -> None:
    """No such batch is a wrong use."""
    result = run_locally("verdict", "999", "--json")
    assert result.exit_code == 2
    assert "no batch 999" in json.loads(result.stdout)["error"]["problem"]


def test_the_verdict_is_identical_when_it_is_made_again(
    run_locally: Run, first: dict[str, Any], target: Target
) -> None:
    """Bit for bit, from what its document says it was made from."""
    kept = target.verdicts().text("verdicts/tickets/1.json") or ""
    document = answer(run_locally("replay", "1", "--json"))
    assert document["is_identical"]
    assert document["bytes"] == len(kept.encode())
    assert "manifest" in document["checked"]
    assert "looks (verdicts before: 0)" in document["checked"]
    result = run_locally("replay", "1", "tickets")
    assert result.exit_code == 0, result.output
    assert "Not checked: the models and the averages" in result.stdout
    assert f"verdicts/tickets/1.json: identical, {len(kept.encode()):,} bytes" in result.stdout
    assert json.loads(kept) == first


@pytest.fixture
def replayed_as(run_locally: Run, target: Target) -> Iterator[Callable[[str], Result]]:
    """Return what replays the first verdict with another document in its place.

    Only who takes the bucket's policy away can replace one.
    """
    bucket, s3 = target.outputs["VerdictsBucket"], target.client("s3")
    kept = target.verdicts().text("verdicts/tickets/1.json") or ""
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)

    def replay(text: str) -> Result:
        s3.put_object(Bucket=bucket, Key="verdicts/tickets/1.json", Body=text.encode())
        return run_locally("replay", "1", "--json")

    yield replay
    s3.put_object(Bucket=bucket, Key="verdicts/tickets/1.json", Body=kept.encode())
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def test_the_path_is_named_when_the_verdict_follows_from_other_numbers(
    replayed_as: Callable[[str], Result], first: dict[str, Any]
) -> None:
    """It ends with 1."""
    follows = first["evidence"]["challenger"]["AverageF1Score"]
    turned = json.loads(json.dumps(first))
    turned["evidence"]["challenger"]["AverageF1Score"] = 0.25
    result = replayed_as(json.dumps(turned))
    assert result.exit_code == 1
    difference = json.loads(result.stdout)["difference"]
    assert difference == (f"evidence.challenger.AverageF1Score: 0.25 is kept, {follows} follows")


@pytest.mark.slow
@pytest.mark.parametrize(
    "turn",
    [
        lambda document: {**document, "schema_version": 1},
        lambda document: {**document, "actor": "somebody"},
        lambda document: {name: document[name] for name in document if name != "evidence"},
        lambda document: [],
    ],
    ids=["an older gate's", "another who follows", "incomplete", "no document"],
)
def test_a_document_is_refused_when_it_is_another_than_was_entered(
    replayed_as: Callable[[str], Result], first: dict[str, Any], turn: Callable[[Any], Any]
) -> None:
    """One that follows from itself, one of an older gate and one that cannot be read alike."""
    result = replayed_as(canonical(turn(first)))
    assert result.exit_code == 1
    problem = json.loads(result.stdout)["error"]["problem"]
    assert problem == "it is not the one that the ledger names"


def test_a_document_is_refused_when_the_ledger_was_changed_with_it(
    replayed_as: Callable[[str], Result], first: dict[str, Any], target: Target
) -> None:
    """The audit has the hash of what was entered."""
    ledger = target.client("dynamodb")
    row = {"pk": {"S": "VERDICT#tickets#1"}, "sk": {"S": "VERDICT"}}
    table = {"TableName": target.outputs["LedgerTable"], "Key": row}
    facts = ledger.get_item(**table)["Item"]["facts"]["S"]

    def write(text: str) -> None:
        values = {":facts": {"S": text}}
        ledger.update_item(
            **table, UpdateExpression="SET facts = :facts", ExpressionAttributeValues=values
        )

    write(canonical({**json.loads(facts), "actor": "somebody"}))
    try:
        result = replayed_as(canonical({**first, "actor": "somebody"}))
    finally:
        write(facts)
    assert result.exit_code == 1
    problem = json.loads(result.stdout)["error"]["problem"]
    assert problem == "it is not the one that the audit names"


def test_the_report_is_one_page_when_it_is_written(
    run_locally: Run, first: dict[str, Any], tmp_path: Path
) -> None:
    """A new file that tells the verdict; it is not written over another."""
    out = tmp_path / "verdict.html"
    document = answer(run_locally("report", "1", "-o", str(out), "--json"))
    assert (document["out"], document["has_excerpts"]) == (str(out), False)
    page = out.read_text("utf-8")
    assert "Verdict 1 of tickets" in page
    assert first["policy_sha256"] in page
    again = run_locally("report", "1", "tickets", "--excerpts", "-o", str(out))
    assert again.exit_code == 2
    assert "it exists already" in again.stderr
    assert out.read_text("utf-8") == page


def test_the_audit_is_unbroken_when_it_is_verified(run_locally: Run) -> None:
    """Every flywheel's chain and the environment's own."""
    result = run_locally("audit", "verify")
    assert result.exit_code == 0, result.output
    assert "tickets: " in result.stdout
    assert ": unbroken" in result.stdout
    document = answer(run_locally("audit", "verify", "tickets", "--json"))
    (chain,) = document["chains"]
    assert document["is_whole"]
    assert chain["verdicts"] >= 1
    assert chain["entries"] > chain["verdicts"]


def test_the_entry_is_named_when_somebody_changed_the_ledger(
    run_locally: Run, target: Target
) -> None:
    """It ends with 1. Only who takes the bucket's policy away can replace a document."""
    table, dynamodb = target.outputs["LedgerTable"], target.client("dynamodb")
    key = {"pk": {"S": "AUDIT#tickets#2"}, "sk": {"S": "AUDIT"}}
    before = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.put_item(TableName=table, Item={**before, "actor": {"S": "nobody"}})
    try:
        result = run_locally("audit", "verify", "tickets", "--json")
    finally:
        dynamodb.put_item(TableName=table, Item=before)
    assert result.exit_code == 1
    (chain,) = json.loads(result.stdout)["chains"]
    assert chain["problem"].startswith("entry 2 (")
    assert "was changed" in chain["problem"]


def test_an_export_verifies_offline_when_it_was_written(run_locally: Run, tmp_path: Path) -> None:
    """Unpacked anywhere, by Python alone; it is not written over another file."""
    out = tmp_path / "audit.zip"
    document = answer(run_locally("audit", "export", "tickets", str(out), "--json"))
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "audit")
    command = [sys.executable, "-I", "-S", str(tmp_path / "audit" / "verify.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{document['entries']} entries, {document['verdicts']} verdict")
    again = run_locally("audit", "export", str(out))
    assert again.exit_code == 2
    assert "it exists already" in again.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".audit")] == []


def test_the_timeline_names_who_and_why_when_it_is_asked_for(
    run_locally: Run, first: dict[str, Any]
) -> None:
    """Every entry of the audit is an event, newest first, within 80 columns."""
    events = answer(run_locally("log", "--json"))
    assert [event["event"] for event in events if event["entry"]][-1] == "batch opened"
    (carried,) = (
        event for event in events if (event["event"], event["batch"]) == ("verdict carried out", 1)
    )
    assert carried["details"]["live_model"] == first["evidence"]["challenger_arn"]
    assert events == sorted(events, key=lambda event: str(event["at"]), reverse=True)
    assert len(answer(run_locally("log", "-n", "2", "--json"))) == 2
    result = run_locally("log", "tickets")
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "verdict of batch 1: PROMOTE" in result.stdout
    assert "compare_models: " in result.stdout


@pytest.mark.slow
def test_a_model_leads_back_to_its_files_when_its_lineage_is_asked_for(
    run_locally: Run, first: dict[str, Any], target: Target
) -> None:
    """The files with versions and hashes, the batch, datasets, verdict, and who made it live."""
    model = first["evidence"]["challenger_arn"]
    document = answer(run_locally("lineage", model, "--json"))
    (batch,) = document["batches"]
    assert batch["batch"] == 1
    assert batch["datasets"] == first["inputs"]["datasets"]
    assert batch["is_manifest_whole"]
    files = {file["key"]: file for file in batch["files"]}
    assert set(files) == {"tickets/train/first.csv", "tickets/test/test.csv"}
    file = files["tickets/train/first.csv"]
    body = target.client("s3").get_object(
        Bucket=target.outputs["InboxBucket"], Key=file["key"], VersionId=file["version_id"]
    )["Body"]
    assert document_sha256(body.read().decode()) == file["sha256"]
    assert document["made_live"][0]["who"] == "compare_models"
    assert document["verdict"]["document"] == "verdicts/tickets/1.json"
    result = run_locally("lineage", model)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "Trained on batch 1 (PROMOTED)" in result.stdout
    name = model.split(":document-classifier/")[1]
    assert answer(run_locally("lineage", name, "--json")) == document


def test_a_model_that_nobody_knows_is_refused_when_its_lineage_is_asked_for(
    run_locally: Run,
) -> None:
    """It is a wrong use."""
    assert run_locally("lineage", "arn:aws:comprehend:x", "--json").exit_code == 2
