"""What is kept of a verdict: its bytes, its schema, and that neither can drift.

``REWRITE_GOLDEN=1 pytest tests/flywheel/evaluation`` writes the schema anew.
"""

import json
import os
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from application.ledger.audit import FIRST_SHA256
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.verdict import decide, policy_sha256
from flywheel.evaluation.verdict_document import (
    IterationNumbers,
    JudgedTestSet,
    VerdictFacts,
    VerdictInputs,
    document_sha256,
    verdict_document,
)
from flywheel.settings.policy import Policy
from flywheel.version import PRODUCT_VERSION
from tests.flywheel.evaluation.verdict_schema import verdict_schema

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "docs" / "schemas" / "verdict.schema.json"

EVIDENCE = Evidence("m/1", {"AverageF1Score": 0.8}, "m/2", {"AverageF1Score": 0.9}, True)
NUMBERS = IterationNumbers("m/1", {"AverageF1Score": 0.8}, "m/2", {"AverageF1Score": 0.9})
INPUTS = VerdictInputs(
    "manifests/tickets/3.json", "a" * 64, ("d/1",), JudgedTestSet(1, "b" * 64, 100), NUMBERS
)
FACTS = VerdictFacts(
    environment="test",
    flywheel="tickets",
    flywheel_arn="arn:aws:comprehend:us-east-1:123456789012:flywheel/test-tickets-g1",
    generation=1,
    batch=3,
    attempt=1,
    iteration_id="20260101T000000Z",
    decided_at="2026-01-02T03:04:05+00:00",
    actor="compare_models",
    expected_champion="m/1",
    inputs=INPUTS,
    policy=Policy().model_dump(mode="json"),
    previous_sha256=FIRST_SHA256,
    product_version=PRODUCT_VERSION,
)


def document_of(evidence: Evidence, facts: VerdictFacts = FACTS) -> str:
    """Return the document of a verdict about some evidence."""
    return verdict_document(decide(evidence, Policy()).to_json(), facts.to_json())


def validate(document: Any) -> None:
    """Hold a document against the published schema."""
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(document)


def test_the_schema_is_the_dataclasses_when_it_is_published() -> None:
    """A member that is added to a verdict, its rules or its evidence is in the schema."""
    made = json.dumps(verdict_schema(), indent=2) + "\n"
    if os.environ.get("REWRITE_GOLDEN"):
        SCHEMA.write_text(made, encoding="utf-8")
    assert SCHEMA.read_text("utf-8") == made
    Draft202012Validator.check_schema(json.loads(made))


@pytest.mark.parametrize(
    "evidence",
    [
        EVIDENCE,
        replace(EVIDENCE, champion_arn=None, champion=None),
        replace(EVIDENCE, challenger_arn=None, challenger={}),
        replace(EVIDENCE, challenger={"AverageF1Score": float("nan")}),
    ],
    ids=["both", "no champion", "no challenger", "not a number"],
)
def test_a_document_fits_the_schema_when_it_is_made(evidence: Evidence) -> None:
    """It is JSON that any program reads, with every rule and its outcome."""
    document = json.loads(document_of(evidence), parse_constant=pytest.fail)
    validate(document)
    assert document["decision"] == decide(evidence, Policy()).decision
    assert {rule["outcome"] for rule in document["rules"]} <= {"PASS", "FAIL", "UNKNOWN", "SKIPPED"}
    assert document["policy_sha256"] == policy_sha256(Policy())


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, inputs=replace(INPUTS, test_set=None, manifest_sha256=None)),
        replace(FACTS, inputs=replace(INPUTS, iteration=IterationNumbers(None, None, None, None))),
        replace(FACTS, iteration_id=None, expected_champion=None),
    ],
    ids=["no test set", "no numbers", "no iteration"],
)
def test_a_document_fits_the_schema_when_something_is_missing(facts: VerdictFacts) -> None:
    """What the service or the ledger does not know is null."""
    validate(json.loads(document_of(EVIDENCE, facts)))


@pytest.mark.parametrize("change", [{"decision": "MAYBE"}, {"more": 1}, {"policy_sha256": "x"}])
def test_the_schema_refuses_when_a_document_is_another(change: dict[str, Any]) -> None:
    """It is no schema that takes anything."""
    with pytest.raises(ValidationError):
        validate({**json.loads(document_of(EVIDENCE)), **change})


def test_the_bytes_are_the_same_when_a_document_is_made_again() -> None:
    """From the texts that the ledger holds, after reading and writing them, too."""
    document = document_of(EVIDENCE)
    facts = json.dumps(json.loads(FACTS.to_json()))
    verdict = json.dumps(json.loads(decide(EVIDENCE, Policy()).to_json()))
    assert verdict_document(verdict, facts) == document
    assert json.dumps(json.loads(document), sort_keys=True, separators=(",", ":")) == document
    assert document_sha256(document) != document_sha256(
        document_of(EVIDENCE, replace(FACTS, batch=4))
    )


def test_the_version_is_the_projects_when_a_document_names_it() -> None:
    """What is installed takes its version from the asset, so that there is one."""
    assert version("comprehend-flywheel-loop") == PRODUCT_VERSION
