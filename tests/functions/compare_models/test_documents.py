"""A verdict's document on real clients: kept once, named by the audit, repaired after a death."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from jsonschema import Draft202012Validator

from adapters.clients import client
from application.ledger.audit import FIRST_SHA256
from flywheel.errors import ServiceRefusedError
from flywheel.evaluation.verdict_document import document_sha256
from flywheel.settings.policy import Policy
from tests.flywheel.evaluation.test_verdict_document import SCHEMA
from tests.functions.cloud import VERDICTS, answering, crash
from tests.functions.world import NAME, World, documents


def document(world: World, key: str = f"verdicts/{NAME}/1.json") -> str | None:
    """Return a document as it is kept, or None."""
    try:
        answer = client("s3").get_object(Bucket=VERDICTS, Key=key)
    except ClientError:
        return None
    return answer["Body"].read().decode()


def entries(world: World) -> list[dict[str, Any]]:
    """Return what the audit says of verdicts."""
    found = world.services.ledger.audit.entries(NAME)
    return [entry["details"] for entry in found if entry["event"] == "verdict"]


@pytest.fixture
def trained(world: World) -> World:
    """Have a first model that was not judged yet."""
    world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained()
    return world


def test_the_document_is_kept_when_a_verdict_is_made(trained: World) -> None:
    """It fits the schema, the audit names it by hash, and it says what it was made from."""
    trained.compare()
    kept = document(trained) or ""
    found = json.loads(kept)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(found)
    (entry,) = entries(trained)
    assert entry["document"] == f"verdicts/{NAME}/1.json"
    assert entry["document_sha256"] == document_sha256(kept)
    batch, row = trained.batch(), trained.row
    assert row.test_set is not None
    assert (found["decision"], found["actor"], found["batch"]) == ("PROMOTE", "test", 1)
    assert found["inputs"]["manifest_sha256"] == batch.manifest_sha256
    assert found["inputs"]["datasets"] == list(batch.datasets)
    assert found["inputs"]["test_set"]["sha256"] == row.test_set.sha256
    assert found["iteration_id"] == batch.iteration_id
    assert found["inputs"]["iteration"]["trained_model"] == trained.active_model
    assert found["policy"] == Policy(evidence="none", approve_first=0).document()
    assert found["previous_sha256"] == FIRST_SHA256


@pytest.mark.slow
def test_a_document_names_the_one_before_when_there_is_one(trained: World) -> None:
    """Documents are a chain of their own, within the audit's."""
    trained.compare()
    trained.close()
    trained.upload("tuesday.csv", documents(8, first=100))
    trained.trained(2)
    trained.compare(2)
    second = json.loads(document(trained, f"verdicts/{NAME}/2.json") or "")
    assert second["previous_sha256"] == document_sha256(document(trained) or "")
    head = trained.services.ledger.audit.head(NAME)
    assert head is not None
    assert head.verdict_sha256 == entries(trained)[1]["document_sha256"]


@pytest.mark.parametrize("when", ["before-call", "after-call"])
def test_the_document_is_repaired_when_a_crash_cut_it_off(trained: World, when: str) -> None:
    """It is the one that the audit names already, whatever time it is now."""
    with crash("s3", "PutObject", when=when):
        trained.compare()
    (entry,) = entries(trained)
    trained.clock.advance(3600)
    trained.configure(policy={"rules": [{"metric": "AverageF1Score", "min": 0.1}]})
    trained.compare()
    assert document_sha256(document(trained) or "") == entry["document_sha256"]
    assert len(entries(trained)) == 1


@pytest.mark.slow
def test_the_document_is_kept_when_only_the_close_comes(trained: World) -> None:
    """Whoever closes a batch whose comparison never came back keeps its document first."""
    with crash("s3", "PutObject"):
        trained.compare()
    trained.close(error="Lambda.Unknown", cause="killed")
    (entry,) = entries(trained)
    assert document_sha256(document(trained) or "") == entry["document_sha256"]


@pytest.mark.slow
def test_nothing_is_promoted_when_the_document_cannot_be_kept(trained: World) -> None:
    """No verdict is carried out without its record; the error names the permission."""
    with (
        answering("s3", "PutObject", code="AccessDenied", status=403),
        pytest.raises(ServiceRefusedError, match="s3:PutObject"),
    ):
        trained.compare()
    assert trained.active_model is None


@pytest.mark.slow
def test_a_document_is_left_alone_when_one_is_there_already(trained: World) -> None:
    """It is never overwritten; that it is another is for the audit to say."""
    client("s3").put_object(Bucket=VERDICTS, Key=f"verdicts/{NAME}/1.json", Body=b"planted")
    trained.compare()
    assert document(trained) == "planted"
