"""The ledger's rows on a real client: which transitions there are, and the audit's chain."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.clients import client
from application.ledger.audit import entry_hash
from application.ledger.batch_rows import BatchFailure, BatchRow, SealedFacts
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.port_values import Item
from flywheel.batches.batches import BatchOutcome, BatchState, StagedUpload
from flywheel.batches.uploads import DatasetKind, ObjectVersion, UploadState
from flywheel.errors import BatchNotFoundError, ConcurrentChangeError
from flywheel.notices.notice import Notice, UploadNews
from tests.functions.cloud import TABLE, seeing

NAME = "tickets"
UPLOAD = ObjectVersion("inbox-bucket", f"{NAME}/train/a.csv", "v1")
NEWS = UploadNews(UPLOAD.key, "REFUSED a.csv: 1 bad row", ["line 1: empty text"], "Repair it.")
NOTICE = Notice("n", "subject", "body")
FACTS = SealedFacts(
    "hash",
    [UPLOAD.key],
    2,
    {"billing": 2},
    {},
    planned={DatasetKind.TRAIN: "train-arn"},
    known={DatasetKind.TRAIN: "known/1-train.bin"},
)
FAILED = BatchFailure("E", "c")


def staged(now: datetime) -> StagedUpload:
    """Return the upload as it is staged."""
    counts = {"billing": 2}
    key = f"uploads/{NAME}/x.csv"
    return StagedUpload(UPLOAD.uid, UPLOAD.key, DatasetKind.TRAIN, key, counts, 20, now, rows=2)


def receive(ledger: Ledger, now: datetime, upload: ObjectVersion = UPLOAD) -> None:
    """Record that an upload was seen."""
    ledger.uploads.receive(upload, flywheel=NAME, kind="train", size_bytes=20, now=now)


def opened(ledger: Ledger, now: datetime) -> tuple[FlywheelRow, BatchRow]:
    """Open the first batch."""
    row = ledger.flywheels.ensure(NAME, "arn")
    return row, ledger.batches.open(row, 1, now)


def test_what_is_known_is_returned_when_an_upload_is_seen_again(
    ledger: Ledger, now: datetime
) -> None:
    """The first event made the row; a later one changes nothing."""
    receive(ledger, now)
    ledger.uploads.stage(NAME, staged(now), left_out=0, news=None)
    again = ledger.uploads.receive(
        UPLOAD, flywheel=NAME, kind="train", size_bytes=20, now=now + timedelta(hours=1)
    )
    assert (again.state, again.received_at) == (UploadState.STAGED, now.isoformat())
    assert ledger.uploads.staged(NAME) == [staged(now)]


def test_an_upload_is_staged_or_refused_when_it_was_received_and_never_both(
    ledger: Ledger, now: datetime
) -> None:
    """Two deliveries at the same time end in one of the two; the other one reads again."""
    receive(ledger, now)
    ledger.uploads.stage(NAME, staged(now), left_out=0, news=None)
    with pytest.raises(ConcurrentChangeError):
        ledger.uploads.refuse(
            UPLOAD.uid, NAME, state=UploadState.REFUSED, reasons=["x"], news=NEWS, now=now
        )
    with pytest.raises(ConcurrentChangeError):
        ledger.uploads.stage(NAME, staged(now), left_out=0, news=None)
    assert ledger.outbox.news() == []


def test_reasons_and_news_come_together_when_an_upload_is_refused(
    ledger: Ledger, now: datetime
) -> None:
    """One transaction: no refusal that nobody is told of."""
    receive(ledger, now)
    ledger.uploads.refuse(
        UPLOAD.uid, NAME, state=UploadState.REFUSED, reasons=["x"], news=NEWS, now=now
    )
    row = ledger.uploads.get(UPLOAD.uid)
    assert row is not None
    assert (row.state, row.reasons) == (UploadState.REFUSED, ["x"])
    (pending,) = ledger.outbox.news()
    assert (pending.flywheel, pending.news, pending.written_at) == (NAME, NEWS, now)


def test_the_newest_uploads_come_first_when_a_flywheel_is_looked_at(
    ledger: Ledger, now: datetime
) -> None:
    """By the index, which knows the flywheel and the time."""
    for number in range(3):
        upload = replace(UPLOAD, version_id=f"v{number}", key=f"{NAME}/train/{number}.csv")
        receive(ledger, now + timedelta(minutes=number), upload)
    found = [row.key for row in ledger.uploads.newest(NAME, most=2)]
    assert found == [f"{NAME}/train/2.csv", f"{NAME}/train/1.csv"]
    assert ledger.uploads.newest("other") == []


def test_one_batch_opens_when_two_functions_saw_an_idle_flywheel(
    ledger: Ledger, now: datetime
) -> None:
    """The second one holds an old row; numbers have no gap."""
    row, batch = opened(ledger, now)
    assert (batch.batch, batch.state) == (1, BatchState.OPEN)
    with pytest.raises(ConcurrentChangeError):
        ledger.batches.open(row, 1, now)
    assert ledger.flywheels.ensure(NAME, "another arn").open_batch == 1
    assert not ledger.flywheels.free(NAME, 2)
    assert ledger.flywheels.free(NAME, 1)
    assert not ledger.flywheels.free(NAME, 1)
    second = ledger.batches.open(ledger.flywheels.ensure(NAME, "arn"), 2, now)
    assert second.batch == 2
    newest = ledger.batches.newest(ledger.flywheels.ensure(NAME, "arn"), 5)
    assert [item.batch for item in newest] == [2, 1]


def test_a_batch_goes_forward_only_when_it_is_in_the_state_before(
    ledger: Ledger, now: datetime
) -> None:
    """Each transition expects the one before it and cannot be made twice."""
    row, batch = opened(ledger, now)
    with pytest.raises(ConcurrentChangeError):
        ledger.batches.start(batch, "20260101T000000Z", now)
    ledger.batches.seal(batch, row, FACTS, now)
    with pytest.raises(ConcurrentChangeError):
        ledger.batches.seal(batch, row, FACTS, now)
    ledger.batches.record_datasets(batch, ["train-arn"])
    with pytest.raises(ConcurrentChangeError):
        ledger.batches.record_datasets(batch, ["train-arn"])
    assert ledger.batches.announce(batch, row, NOTICE, now)
    assert not ledger.batches.announce(batch, row, NOTICE, now)
    ledger.batches.start(batch, "20260101T000000Z", now)
    with pytest.raises(ConcurrentChangeError):
        ledger.batches.start(batch, "20260101T000001Z", now)
    with pytest.raises(ConcurrentChangeError):
        ledger.batches.fail(batch, row, FAILED, NOTICE, now)
    current = ledger.batches.get(NAME, 1)
    assert (current.state, current.datasets) == (BatchState.STARTED, ["train-arn"])
    ledger.batches.fail(current, row, FAILED, NOTICE, now)
    closed = ledger.batches.get(NAME, 1)
    assert (closed.state, closed.outcome) == (BatchState.CLOSED, BatchOutcome.FAILED)
    assert ledger.flywheels.ensure(NAME, "arn").train_datasets == 1


def test_a_row_stays_small_when_a_batch_has_many_uploads(ledger: Ledger, now: datetime) -> None:
    """The manifest names them all; a row holds at most 400 KB."""
    row, batch = opened(ledger, now)
    keys = [f"{NAME}/train/{number}.csv" for number in range(5000)]
    ledger.batches.seal(batch, row, replace(FACTS, uploads=keys), now)
    sealed = ledger.batches.get(NAME, 1)
    assert (sealed.uploads, sealed.upload_count) == (keys[:20], 5000)


def test_the_error_says_which_when_there_is_no_such_batch(ledger: Ledger) -> None:
    """The name is what the state machine sees."""
    with pytest.raises(BatchNotFoundError, match="no batch 9 of flywheel tickets"):
        ledger.batches.get(NAME, 9)


def broken_link(entries: list[Item]) -> int | None:
    """Return the number of the first entry that does not follow from the one before it."""
    before = "0" * 64
    for number, entry in enumerate(entries, 1):
        is_whole = entry_hash(entry) == entry["hash"]
        if entry["seq"] != number or entry["previous"] != before or not is_whole:
            return number
        before = entry["hash"]
    return None


@pytest.fixture
def chain(ledger: Ledger, now: datetime) -> Ledger:
    """Have an audit of three entries with numbers, floats and text in them."""
    row, batch = opened(ledger, now)
    ledger.batches.seal(batch, row, FACTS, now)
    sealed = ledger.batches.get(NAME, 1)
    ledger.batches.fail(sealed, row, BatchFailure("E", "grüße 0.5"), NOTICE, now)
    return ledger


def test_the_chain_holds_when_nobody_touched_it(chain: Ledger) -> None:
    """Who, what and when, in order; other flywheels have chains of their own."""
    entries = chain.audit.entries(NAME)
    assert [entry["event"] for entry in entries] == [
        "batch opened",
        "batch sealed",
        "batch closed",
    ]
    assert {entry["actor"] for entry in entries} == {"somebody"}
    assert broken_link(entries) is None
    assert chain.audit.entries("other") == []


@pytest.mark.parametrize("name", ["actor", "event", "at", "hash", "previous"])
def test_the_chain_breaks_when_an_entry_was_changed(chain: Ledger, name: str) -> None:
    """Whatever is changed in it, the hash no longer fits."""
    client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"AUDIT#{NAME}#2"}, "sk": {"S": "AUDIT"}},
        UpdateExpression="SET #n = :v",
        ExpressionAttributeNames={"#n": name},
        ExpressionAttributeValues={":v": {"S": "forged"}},
    )
    assert broken_link(chain.audit.entries(NAME)) == 2


def test_the_chain_breaks_when_an_entry_was_removed(chain: Ledger) -> None:
    """A gap shows."""
    client("dynamodb").delete_item(
        TableName=TABLE, Key={"pk": {"S": f"AUDIT#{NAME}#2"}, "sk": {"S": "AUDIT"}}
    )
    assert broken_link(chain.audit.entries(NAME)) == 2


@pytest.mark.slow
def test_a_long_chain_is_read_in_few_calls_when_it_is_read(ledger: Ledger, now: datetime) -> None:
    """A hundred entries a call, in their order."""
    for number in range(120):
        ledger.audit.act(NAME, "paused", {"number": number}, now=now)
    with seeing("dynamodb", "BatchGetItem") as calls:
        entries = ledger.audit.entries(NAME)
    assert [entry["details"]["number"] for entry in entries] == list(range(120))
    assert len(calls) == 2


def test_an_entry_is_hashed_as_it_comes_back_when_it_has_numbers(
    ledger: Ledger, now: datetime
) -> None:
    """The table knows no difference between 1.0 and 1."""
    ledger.audit.act(NAME, "measured", {"whole": 1.0, "part": 0.1 + 0.2, "all": [2.0]}, now=now)
    assert broken_link(ledger.audit.entries(NAME)) is None
