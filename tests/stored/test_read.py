"""Today's readers read what was recorded, and what earlier releases stored.

`READ` names the reader of each kind of row. Where a module moves, only imports change here.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.clients import client
from adapters.objects import Objects
from adapters.table import Table
from application.comparison.stored_answers import ModelAnswers
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import batch_row
from application.ledger.flywheel_rows import FlywheelRow, flywheel_row
from application.ledger.ledger import Ledger
from application.ledger.upload_rows import staged_upload, upload_row, waits_again
from application.ledger.verdicts import stored_verdict
from application.port_values import Item, Key, Put
from console.record.derived_inputs import derive_inputs
from console.record.offline_verifier import verify_record
from console.record.replay import replayed
from console.record.timeline import timeline_of
from flywheel.batches.batches import BatchManifest
from flywheel.evaluation.verdict import Verdict
from flywheel.evaluation.verdict_document import document_sha256
from flywheel.settings.environment import ReceivedSettings
from tests.functions.cloud import STAGING, TABLE, VERDICTS, running_cloud
from tests.functions.world import NAME
from tests.stored.recorder import as_bytes, row_kind
from tests.stored.samples import FOLDER, as_stored, recorded
from tests.stored.stage import Document

_ACCOUNTS = (
    "account",
    "earlier/before_bound_kinds",
    "earlier/before_champions",
    "earlier/before_looks",
)
_FLYWHEEL = FlywheelRow(NAME, "")


def _approval(ledger: Ledger, row: Item) -> Any:
    state = {"state": "STARTED", "opened_at": "", "seen_registrations": 0}
    return ledger.approvals.get(batch_row({**row, **state}))


def _iteration(ledger: Ledger, row: Item) -> Any:
    iteration = row["sk"].rpartition("#")[2]
    assert ledger.flywheels.knows_iteration(NAME, iteration)
    is_unjudged = ledger.flywheels.is_unjudged(NAME, iteration)
    assert is_unjudged is not bool({"batch", "judged_at"} & row.keys())
    verdict = Verdict.from_json(row["verdict"]).to_json() if "verdict" in row else None
    return {"verdict": verdict}


def _waiting(ledger: Ledger, row: Item) -> Any:
    news = [{**asdict(pending), **asdict(pending.news)} for pending in ledger.outbox.news()]
    told = [{**asdict(pending), **asdict(pending.notice)} for pending in ledger.outbox.notices()]
    return next(each for each in (*news, *told) if each["id"] == row["id"])


def _half(ledger: Ledger, row: Item) -> Any:
    halves = [{**asdict(half), **asdict(half.upload)} for half in ledger.pairs.waiting(NAME)]
    return next(half for half in halves if half["key"] == row["key"])


def _segments(ledger: Ledger, row: Item) -> Any:
    found = ledger.holdings.segments(NAME, int(row["sk"].split("#")[1]))
    return {"segments": {kind: keys[-1] for kind, keys in found.items() if keys}}


def _listing(ledger: Ledger, row: Item) -> Any:
    at = datetime.fromisoformat(row["at"])
    assert not ledger.runs.is_whole_due(at, timedelta(days=1))
    assert ledger.runs.is_whole_due(at + timedelta(days=1), timedelta(days=1))
    return {"at": row["at"]}


def _upload(_: Ledger, row: Item) -> Any:
    upload = upload_row(row)
    assert upload.delivered_at == row.get("redelivered_at", row["received_at"])
    assert {*row.get("earlier_batches", ())} - {0} <= {*upload.batches}
    waits: Any = waits_again(NAME, row)[1] if "staged_key" in row else None
    copy = {**waits.values, "staged_bytes": waits.values["size_bytes"]} if waits else {}
    return {**copy, **{name: getattr(upload, name) for name in upload.__dataclass_fields__}}


READ: Mapping[str, Callable[[Ledger, Item], Any]] = {
    "APPROVAL": _approval,
    "BATCH": lambda _, row: batch_row(row),
    "FLYWHEEL": lambda _, row: flywheel_row(row),
    "FLYWHEEL-AUDIT_HEAD": lambda ledger, row: ledger.audit.head(row["pk"].partition("#")[2]),
    "FLYWHEEL-CHAMPION": lambda ledger, row: {
        champion.number: champion for champion in ledger.champions.history(NAME)
    }[row["number"]],
    "FLYWHEEL-GATHER": lambda ledger, _: {"registrations": ledger.flywheels.registrations(NAME)},
    "FLYWHEEL-GENERATION": lambda ledger, row: ledger.rebuilds.past(_FLYWHEEL, row["arn"]),
    "FLYWHEEL-ITERATION": _iteration,
    "FLYWHEEL-KNOWN": _segments,
    "FLYWHEEL-PAIR": _half,
    "FLYWHEEL-STAGED": lambda _, row: staged_upload(row),
    "OUTBOX-NOTICE": _waiting,
    "RECONCILE-HEAD": lambda ledger, row: ledger.runs.last_head(row["sk"].partition("#")[2]),
    "RECONCILE-LAST_RUN": lambda ledger, _: ledger.runs.last(),
    "RECONCILE-LAST_WHOLE_LISTING": _listing,
    "UPLOAD": _upload,
    "VERDICT": lambda _, row: {**asdict(stored_verdict(row)), "verdict": row["verdict"]},
}
"""Ledger with the row, and the row -> what is read of it, with the row's own names."""


UNREAD: Mapping[str, set[str]] = {
    "FLYWHEEL-GENERATION": {"last_batch", "until"},
    "FLYWHEEL-ITERATION": {"at", "attempt", "batch", "judged_at"},
    "OUTBOX-NOTICE": {"claimed_at", "written_at"},
    "UPLOAD": {
        "bucket",
        "earlier_batches",
        "redelivered_at",
        "sealed_by",
        "size_bytes",
        "split_from",
        "withdrawn_because",
    },
    "VERDICT": {"batch", "decided_at", "decision", "facts", "flywheel", "policy_sha256"},
}
"""Attributes of which the readers above make nothing: others do, or people who look."""


def is_read(ledger: Ledger, row: Item) -> bool:
    """Say whether everything in a row is read as it is."""
    kind = row_kind(row["pk"], row["sk"])
    stored = {name: row[name] for name in row.keys() - {"pk", "sk"} - UNREAD.get(kind, set())}
    return agrees(READ[kind](ledger, row), stored)


def agrees(read: Any, stored: Any) -> bool:
    """Say whether what is read has all that was stored."""
    if is_dataclass(read) and not isinstance(read, type):
        read = {name: getattr(read, name) for name in read.__dataclass_fields__}
    if isinstance(read, Mapping) and isinstance(stored, Mapping):
        return stored.keys() <= read.keys() and all(
            agrees(read[name], stored[name]) for name in stored
        )
    if isinstance(read, datetime):
        return read == datetime.fromisoformat(stored)
    return list(read) == stored if isinstance(read, tuple) else bool(read == stored)


def stored_account(name: str) -> Document:
    """Return an account, as it was stored."""
    account: Document = as_stored(json.loads((FOLDER / f"{name}.json").read_text("utf-8")))
    return account


@pytest.fixture
def opened() -> Iterator[Callable[..., Ledger]]:
    """Return a function that opens a ledger with some rows and objects in its account."""
    with running_cloud():
        table = Table(TABLE, client("dynamodb"))

        def open_ledger(rows: list[Item], objects: Mapping[str, str] | None = None) -> Ledger:
            for row in rows:
                values = {name: row[name] for name in row if name not in {"pk", "sk"}}
                table.write([Put(Key(row["pk"], row["sk"]), values, replaces=True)])
            for path, content in (objects or {}).items():
                bucket, key = path.split("/", 1)
                client("s3").put_object(Bucket=bucket, Key=key, Body=as_bytes(content))
            return Ledger(table, actor="reader")

        yield open_ledger


@pytest.mark.parametrize("kind", sorted(recorded("rows")))
def test_a_row_is_read_when_it_was_recorded(opened: Callable[..., Ledger], kind: str) -> None:
    """Each sample of a kind comes back with the values that it has."""
    for row in as_stored(recorded("rows")[kind]):
        assert is_read(opened([row]), row), row


@pytest.mark.parametrize("name", _ACCOUNTS)
def test_every_row_is_read_when_an_earlier_release_wrote_it(
    opened: Callable[..., Ledger], name: str
) -> None:
    """Members that it did not know have their defaults."""
    for row in stored_account(name)["rows"]:
        kind = row_kind(row["pk"], row["sk"])
        if kind != "AUDIT":
            assert is_read(opened([row]), row), row
    (row,) = [row for row in stored_account(name)["rows"] if row["sk"] == "FLYWHEEL"]
    flywheel, test_set = flywheel_row(row), row["test_set"]
    assert flywheel.generation_looks == row.get("generation_looks", test_set.get("looks", 0))
    assert (flywheel.anchor, flywheel.champions) == (row.get("anchor"), row.get("champions", 0))
    assert (flywheel.deployed_arn, flywheel.given_up_generation) == (flywheel.arn, 0)


def test_a_generation_is_read_when_nothing_was_kept_of_its_end(
    opened: Callable[..., Ledger],
) -> None:
    """An earlier release switched: there is no way back."""
    row = {"pk": f"FLYWHEEL#{NAME}", "sk": "GENERATION#00001", "arn": "arn:one", "last_batch": 3}
    past = opened([row]).rebuilds.past(_FLYWHEEL, "arn:one")
    assert past is not None
    assert (past.generation, past.left) == (1, None)


@pytest.mark.parametrize("name", _ACCOUNTS)
def test_the_audit_is_told_and_verified_when_it_was_recorded(
    opened: Callable[..., Ledger], name: str
) -> None:
    """The chain is unbroken, with documents and heads, and each entry is told in words."""
    account = stored_account(name)
    ledger, prefix = opened(account["rows"]), f"{VERDICTS}/"
    kept = {
        path.removeprefix(prefix): as_bytes(content)
        for path, content in account["objects"].items()
        if path.startswith(prefix) and f"/{NAME}/" in path
    }
    documents = {key: body for key, body in kept.items() if key.startswith("verdicts/")}
    heads = {key: body for key, body in kept.items() if key.startswith("chain/")}
    entries = [
        {name: row[name] for name in row if name not in {"pk", "sk"}}
        for row in ledger.audit.entries(NAME)
    ]
    head = ledger.audit.head(NAME)
    assert head is not None
    counts = verify_record(
        NAME, iter(entries), {"seq": head.seq, "hash": head.hash}, documents, heads
    )
    assert (counts.entries, counts.verdicts) == (len(entries), len(documents))
    told = {event.event: event.what for event in timeline_of(ledger, NAME, 100) if event.entry}
    assert told.keys() == {entry["event"] for entry in entries}
    assert told["verdict"].startswith("verdict of batch ")


@pytest.mark.parametrize("name", ["account", "earlier/before_bound_kinds"])
def test_verdicts_are_replayed_when_they_were_recorded(
    opened: Callable[..., Ledger], name: str
) -> None:
    """From the rows, answers and manifests that were kept, byte for byte."""
    account = stored_account(name)
    ledger = opened(account["rows"], account["objects"])
    staging = Objects(STAGING, client("s3"))
    documents = {
        path.removeprefix(f"{VERDICTS}/"): content
        for path, content in account["objects"].items()
        if path.startswith(f"{VERDICTS}/verdicts/")
    }
    known = KnownFlywheel("", ReceivedSettings.from_document({"name": NAME}))
    shape = known.shape(lambda: account["task"])
    chain = ledger.audit.entries(NAME)
    for document in documents.values():
        values = json.loads(document)
        derived = derive_inputs(values, documents, chain, staging, shape)
        assert replayed(values, staging, known, lambda: account["task"], derived) == document
    assert len(documents) == 3


def test_the_kind_of_a_bound_is_read_when_a_release_did_not_store_it() -> None:
    """It is the one that the same verdict stores now."""
    kinds = {
        name: [
            [(rule.rule, rule.bound_kind) for rule in stored_verdict(row).verdict.outcomes]
            for row in stored_account(name)["rows"]
            if row_kind(row["pk"], row["sk"]) == "VERDICT"
        ]
        for name in ("account", "earlier/before_bound_kinds")
    }
    now, earlier = kinds.values()
    assert now == earlier
    assert {kind for rules in now for _, kind in rules} >= {"min", "min_improvement"}


def test_objects_are_read_when_they_were_recorded() -> None:
    """Manifests and verdicts come back to the same bytes; answers name their model."""
    objects = as_stored(recorded("objects"))
    for sample in objects["staging-manifests"]:
        assert BatchManifest.from_json(sample["content"]).to_json() == sample["content"]
    answers = [each for each in objects["staging-answers"] if each["object_key"].endswith("jsonl")]
    for sample in answers:
        read = ModelAnswers.of(sample["content"])
        assert ":comprehend:" in read.facts["model"]
        assert len(read.answers) == sample["content"].count("\n") - 1
    named = {row["details"]["document_sha256"] for row in recorded("audit")["verdict"]}
    kept = {document_sha256(each["content"]) for each in objects["verdicts-verdicts"]}
    assert named & kept
    for row in as_stored(recorded("rows")["VERDICT"]):
        assert Verdict.from_json(row["verdict"]).to_json() == row["verdict"]


def test_settings_are_read_when_the_stack_wrote_them() -> None:
    """As the parameters hold them; a key of another release is left out."""
    for sample in as_stored(recorded("deployed")["parameters"]):
        document = json.loads(sample["value"])
        settings = ReceivedSettings.from_document({**document["settings"], "of_later": 1})
        assert sample["name"].endswith(f"/{settings.name}")
        assert settings.policy.min_test_documents == 30
