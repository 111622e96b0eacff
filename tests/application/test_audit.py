"""Two writers at one chain: both entries stand, one after the other, whoever was first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from adapters.table import Table
from application.ledger.audit import FIRST_SHA256, Audit, VerdictLink, entry_hash
from application.ledger.ledger import Ledger
from application.port_values import Change, Key, Put
from flywheel.errors import ConcurrentChangeError
from tests.application.test_ledger import FACTS, NAME, NOTICE, opened
from tests.functions.cloud import before, seeing

ROW = Key("FLYWHEEL#tickets", "ROW")
REFUSED = {"act": "rollback"}
WRITE = "TransactWriteItems"

Act = Callable[[Ledger, datetime], object]


def events(ledger: Ledger, name: str = NAME) -> list[str]:
    """Return what a chain records, and see that it is one."""
    entries, last = ledger.audit.entries(name), FIRST_SHA256
    for number, entry in enumerate(entries, 1):
        assert (entry["seq"], entry["previous"], entry["hash"]) == (number, last, entry_hash(entry))
        last = entry["hash"]
    return [entry["event"] for entry in entries]


def overtake(audit: Audit, now: datetime) -> None:
    """Append an entry of somebody else."""
    audit.act(NAME, "other", {}, now=now)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("name", "event", "act"),
    [
        (
            NAME,
            "act refused",
            lambda ledger, now: ledger.champions.note_refusal(NAME, REFUSED, "no", now),
        ),
        (
            NAME,
            "answer refused",
            lambda ledger, now: ledger.approvals.note_refusal(NAME, REFUSED, "no", now),
        ),
        ("-", "reconciled", lambda ledger, now: ledger.runs.note({"uploads": 1}, now)),
    ],
    ids=["change of the champion", "answer", "run of reconcile"],
)
def test_both_entries_are_recorded_when_two_writers_are_at_one_chain(
    ledger: Ledger, now: datetime, *, name: str, event: str, act: Act, is_first: bool
) -> None:
    """Whether the chain begins with them or not."""
    if not is_first:
        act(ledger, now)
    with before("dynamodb", WRITE, lambda: act(ledger, now)):
        act(ledger, now)
    assert events(ledger, name) == [event] * (2 if is_first else 3)


def test_a_batch_goes_on_when_the_chain_moves_before_each_of_its_steps(
    ledger: Ledger, table: Table, now: datetime
) -> None:
    """Its rows are as expected: only the entry is made again."""
    audit = Audit(table, "somebody else")

    def raced(step: Callable[[], object]) -> object:
        with before("dynamodb", WRITE, lambda: overtake(audit, now)):
            return step()

    row = ledger.flywheels.ensure(NAME, "arn")
    raced(lambda: ledger.batches.open(row, 1, now))
    batch = ledger.batches.get(NAME, 1)
    facts = replace(FACTS, test_documents=1, test_sha256="hash", test_label_counts={"billing": 1})
    raced(lambda: ledger.batches.seal(batch, row, facts, now))
    batch = ledger.batches.get(NAME, 1)
    assert raced(lambda: ledger.batches.announce(batch, row, NOTICE, now))
    raced(lambda: ledger.batches.start(batch, "20260101T000000Z", now))
    steps = ["batch opened", "batch sealed", "test set frozen", "iteration started"]
    assert events(ledger) == [event for step in steps for event in ("other", step)]


@pytest.mark.parametrize(("overtakers", "is_written"), [(9, True), (10, False)])
def test_the_caller_is_told_when_the_chain_moves_before_every_try(
    table: Table, now: datetime, overtakers: int, is_written: bool
) -> None:
    """Ten tries; the change is made with its entry or not at all."""
    audit, others = Audit(table, "one"), Audit(table, "others")
    left = [None] * overtakers
    busy: list[bool] = []

    def move() -> None:
        if left and not busy:
            busy.append(True)
            left.pop()
            overtake(others, now)
            busy.clear()

    put = Put(ROW, {"value": 1})
    with before("dynamodb", WRITE, move, at=None):
        if is_written:
            audit.act(NAME, "act", {}, put, now=now)
        else:
            with pytest.raises(ConcurrentChangeError):
                audit.act(NAME, "act", {}, put, now=now)
    assert (table.get(ROW) is not None) == is_written
    assert len(audit.entries(NAME)) == overtakers + is_written


def test_nothing_is_tried_again_when_the_row_itself_changed(table: Table, now: datetime) -> None:
    """Whatever became of the chain: the caller must look at the row anew."""
    audit = Audit(table, "one")
    table.write([Put(ROW, {"state": "OPEN"})])

    def change() -> None:
        audit.act(NAME, "other", {}, Change(ROW, {"state": "CLOSED"}, {"state": "OPEN"}), now=now)

    stale = Change(ROW, {"state": "SEALED"}, {"state": "OPEN"})
    with (
        seeing("dynamodb", WRITE) as writes,
        before("dynamodb", WRITE, change),
        pytest.raises(ConcurrentChangeError),
    ):
        audit.act(NAME, "act", {}, stale, now=now)
    assert len(writes) == 2
    assert [entry["event"] for entry in audit.entries(NAME)] == ["other"]


def test_a_verdict_is_not_entered_when_another_one_came_before_it(
    table: Table, now: datetime
) -> None:
    """Its document names the one before, so it must be made again; no number is used."""
    audit = Audit(table, "one")

    def enter(before: str, after: str) -> None:
        audit.act(NAME, "verdict", {}, now=now, verdict=VerdictLink(before, after))

    with (
        before("dynamodb", WRITE, lambda: enter(FIRST_SHA256, "a")),
        pytest.raises(ConcurrentChangeError, match="another verdict of tickets"),
    ):
        enter(FIRST_SHA256, "b")
    head = audit.head(NAME)
    assert head is not None
    assert (head.seq, head.verdict_sha256) == (1, "a")


def test_a_batch_opens_once_when_two_are_opened_at_the_same_moment(
    ledger: Ledger, now: datetime
) -> None:
    """The flywheel's row decides, not the chain."""
    row = ledger.flywheels.ensure(NAME, "arn")
    with (
        before("dynamodb", WRITE, lambda: opened(ledger, now)),
        pytest.raises(ConcurrentChangeError),
    ):
        ledger.batches.open(row, 1, now)
    assert events(ledger) == ["batch opened"]
