"""The ledger's row of a flywheel: is it idle, which batch is open, what has it used.

The row is written by the one open batch alone, so it is never contended. How many uploads were
registered is counted in a row of its own, which the state machine reads while it gathers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from adapters.ledger.audit import Audit
from adapters.ledger.outbox import notice_row
from adapters.ledger.table import Change, Item, Key, Put, Write
from adapters.ports import Rows
from flywheel.errors import ConcurrentChangeError
from flywheel.notices import Notice

GATHER_SK = "GATHER"
"""Sort key of the row whose ``registrations`` the Gather state watches."""

_PAST_ITERATIONS_KEPT = 5


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a flywheel opens no batch."""

    by: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class TestSet:
    """One version of what judges every model.

    Parameters
    ----------
    version : int
        From 1 in every generation.
    sha256 : str
        Over all its rows, whatever their order.
    documents : int
    label_counts : mapping of str to int
    frozen_at : str
    """

    __test__ = False  # for pytest, which takes names that begin so for tests

    version: int
    sha256: str
    documents: int
    label_counts: Mapping[str, int]
    frozen_at: str


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A next generation that is under way.

    Parameters
    ----------
    step : str
        REQUESTED, CREATING or SWITCHED.
    reason : str
    before_arn : str
        The earlier generation's flywheel.
    last_batch : int
        The earlier generation's last batch.
    add_labels, drop_labels : sequence of str
    arn : str or None
        The new flywheel, once it was created.
    """

    step: str
    reason: str
    before_arn: str
    last_batch: int
    add_labels: Sequence[str] = ()
    drop_labels: Sequence[str] = ()
    arn: str | None = None


@dataclass(frozen=True, slots=True)
class FlywheelRow:
    """One flywheel as the ledger knows it.

    Parameters
    ----------
    name, arn : str
    generation : int
    open_batch : int or None
        The batch that is under way; None when the flywheel is idle.
    open_attempt : int
        Its attempt.
    last_batch : int
        The highest number given so far; 0 before the first.
    expected_champion : str or None
        The model that was active after the last verdict.
    train_datasets, test_datasets : int
        Dataset slots used; the service gives none back.
    past_seconds : sequence of int
        How long the last iterations took.
    last_iteration_at : datetime or None
    test_set : TestSet or None
        The frozen test set; None before the first.
    freeze_asked_by : str or None
        Who asked for drafts to be frozen with the next batch.
    failures_in_row : int
        Batches that failed since the last verdict.
    pause : Pause or None
        Why no batch opens, if so.
    taint : sequence of str
        What was taken back and is in the flywheel's datasets all the same.
    asked_by : str or None
        Who asked for the next batch by a ``_GO`` marker.
    rebuild : Rebuild or None
        The next generation that is under way.
    deployed_arn : str
        The first generation's, as the stack knows it.
    dropped_labels : sequence of str
        Labels of earlier generations whose rows are not sent any more.
    """

    name: str
    arn: str
    generation: int = 1
    open_batch: int | None = None
    open_attempt: int = 1
    last_batch: int = 0
    expected_champion: str | None = None
    train_datasets: int = 0
    test_datasets: int = 0
    past_seconds: Sequence[int] = ()
    last_iteration_at: datetime | None = None
    test_set: TestSet | None = None
    freeze_asked_by: str | None = None
    failures_in_row: int = 0
    pause: Pause | None = None
    taint: Sequence[str] = ()
    asked_by: str | None = None
    rebuild: Rebuild | None = None
    deployed_arn: str = ""
    dropped_labels: Sequence[str] = ()

    @property
    def is_idle(self) -> bool:
        """Whether no batch is under way."""
        return self.open_batch is None

    @property
    def test_documents(self) -> int:
        """How many documents judge every model."""
        return self.test_set.documents if self.test_set else 0


class Flywheels:
    """Reads flywheels' rows, counts registrations, and writes down acts on a flywheel.

    Parameters
    ----------
    table : Rows
    actor : str
        Who acts, for the audit.
    """

    def __init__(self, table: Rows, actor: str) -> None:
        self._table = table
        self._actor = actor
        self._audit = Audit(table)

    def ensure(self, name: str, arn: str) -> FlywheelRow:
        """Return the flywheel's row; the first to ask creates it."""
        row = self.get(name)
        if row is not None:
            return row
        values = {"name": name, "arn": arn, "generation": 1, "last_batch": 0}
        # Another function may create it in this moment, which is what is wanted too.
        with suppress(ConcurrentChangeError):
            self._table.write([Put(flywheel_key(name), values)])
        return self.get(name) or FlywheelRow(name, arn)

    def get(self, name: str) -> FlywheelRow | None:
        """Return the flywheel's row, or None before its first upload."""
        item = self._table.get(flywheel_key(name))
        return None if item is None else _row(item)

    def count_registration(self, name: str) -> int:
        """Count one more staged upload and return the count."""
        return self._table.count_up(Key(f"FLYWHEEL#{name}", GATHER_SK), "registrations")

    def registrations(self, name: str) -> int:
        """Return how many uploads were ever staged."""
        item = self._table.get(Key(f"FLYWHEEL#{name}", GATHER_SK))
        return 0 if item is None else int(item["registrations"])

    def free(self, name: str, batch: int, attempt: int = 1) -> bool:
        """Make the flywheel idle again; False where another batch or attempt is open, or none."""
        # The first attempt of a batch is not written down.
        expected = {"open_batch": batch, "open_attempt": attempt if attempt > 1 else None}
        try:
            self._table.write(
                [change_flywheel(name, {"open_batch": None, "open_attempt": None}, expected)]
            )
        except ConcurrentChangeError:
            row = self.get(name)
            if row is not None and (row.open_batch, row.open_attempt) == (batch, attempt):
                raise
            return False
        return True

    def last_of_earlier(self, row: FlywheelRow) -> int:
        """Return the last batch of the flywheel's earlier generations; 0 in the first."""
        if row.generation == 1:
            return 0
        past = self._table.query(f"FLYWHEEL#{row.name}", "GENERATION#")
        return max((int(item["last_batch"]) for item in past), default=0)

    def ask_for_batch(self, name: str, who: str) -> Change:
        """Return the write after which the next batch does not wait for our own minimums."""
        return change_flywheel(name, {"asked_by": who})

    def pause(self, row: FlywheelRow, reason: str, notice: Notice, now: datetime) -> None:
        """Let no batch open."""
        pause = {"by": self._actor, "reason": reason, "at": now.isoformat()}
        change = change_flywheel(row.name, {"pause": pause}, {"pause": None})
        self._act(row.name, "paused", {"reason": reason}, change, notice=notice, now=now)

    def resume(self, row: FlywheelRow, notice: Notice, now: datetime) -> None:
        """Let batches open again, and count failures anew."""
        pause = asdict(row.pause) if row.pause else None
        changes = {"pause": None, "failures_in_row": None}
        change = change_flywheel(row.name, changes, {"pause": pause})
        self._act(row.name, "resumed", {}, change, notice=notice, now=now)

    def note_stop(self, row: FlywheelRow, model_arn: str, reason: str, now: datetime) -> None:
        """Write down that a model's training is stopped, before it is."""
        details = {"model": model_arn, "reason": reason}
        self._act(row.name, "training stopped", details, now=now)

    def ask_to_freeze(self, row: FlywheelRow, now: datetime) -> None:
        """Have the drafts of the test set frozen with the next batch."""
        change = change_flywheel(row.name, {"freeze_asked_by": self._actor})
        self._act(row.name, "freeze asked for", {}, change, now=now)

    def note_withdrawal(
        self, name: str, details: Mapping[str, Any], notice: Notice, now: datetime
    ) -> None:
        """Write down that data is taken back, before it is."""
        self._act(name, "withdrawal", details, notice=notice, now=now)

    def ask_for_rebuild(
        self, row: FlywheelRow, asked: Rebuild, notice: Notice, now: datetime
    ) -> None:
        """Let the next generation begin: no batch opens until it has switched."""
        expected = {"open_batch": None, **unchanged_rebuild(row)}
        change = change_flywheel(row.name, {"rebuild": _plain(asked)}, expected)
        details = {"generation": row.generation + 1, **_plain(asked)}
        self._act(row.name, "rebuild asked for", details, change, notice=notice, now=now)

    def note_created(self, row: FlywheelRow, arn: str) -> None:
        """Write down the new generation's flywheel."""
        asked = row.rebuild
        if asked is None:
            return
        created = replace(asked, step="CREATING", arn=arn)
        self._table.write(
            [change_flywheel(row.name, {"rebuild": _plain(created)}, {"rebuild": _plain(asked)})]
        )

    def switch(self, row: FlywheelRow, now: datetime) -> None:
        """Make the new generation the flywheel: its slots are free and nothing taints it."""
        asked = row.rebuild
        if asked is None or asked.arn is None:
            return
        dropped = sorted({*row.dropped_labels, *asked.drop_labels} - set(asked.add_labels))
        changes = {
            "rebuild": _plain(replace(asked, step="SWITCHED")),
            "arn": asked.arn,
            "deployed_arn": row.deployed_arn,
            "generation": row.generation + 1,
            "train_datasets": 0,
            "test_datasets": 0,
            "test_set": None,
            "taint": None,
            "failures_in_row": None,
            "dropped_labels": dropped or None,
        }
        past = {"arn": row.arn, "until": now.isoformat(), "last_batch": row.last_batch}
        self._act(
            row.name,
            "generation switched",
            {"before": row.arn, "arn": asked.arn, "generation": row.generation + 1},
            change_flywheel(row.name, changes, {"rebuild": _plain(asked), "open_batch": None}),
            Put(Key(f"FLYWHEEL#{row.name}", f"GENERATION#{row.generation:05d}"), past),
            now=now,
        )

    def abandon_rebuild(self, row: FlywheelRow, why: str, notice: Notice, now: datetime) -> None:
        """End a rebuild whose flywheel cannot be made; the present generation goes on."""
        if row.rebuild is None:
            return
        change = change_flywheel(row.name, {"rebuild": None}, {"rebuild": _plain(row.rebuild)})
        self._act(row.name, "rebuild failed", {"why": why}, change, notice=notice, now=now)

    def end_rebuild(
        self, row: FlywheelRow, endpoints: Sequence[str], notice: Notice, now: datetime
    ) -> None:
        """End a rebuild whose model is live."""
        asked = row.rebuild
        if asked is None:
            return
        change = change_flywheel(row.name, {"rebuild": None}, {"rebuild": _plain(asked)})
        details = {"before": asked.before_arn, "arn": row.arn, "endpoints": list(endpoints)}
        self._act(row.name, "rebuilt", details, change, notice=notice, now=now)

    def note_champion(
        self, row: FlywheelRow, active: str | None, notice: Notice | None, now: datetime
    ) -> None:
        """Take a model that was made active outside for the champion."""
        changes = {"expected_champion": active}
        change = change_flywheel(
            row.name, changes, {"expected_champion": row.expected_champion, "open_batch": None}
        )
        details = {"before": row.expected_champion, "active": active}
        self._act(row.name, "champion changed outside", details, change, notice=notice, now=now)

    def knows_iteration(self, name: str, iteration_id: str) -> bool:
        """Say whether a batch booked an iteration, or it was written down as somebody else's."""
        return self._table.get(iteration_key(name, iteration_id)) is not None

    def note_outside_iteration(
        self, name: str, iteration_id: str, notice: Notice, now: datetime
    ) -> None:
        """Write down an iteration that no batch booked, once."""
        put = Put(iteration_key(name, iteration_id), {"at": now.isoformat()})
        details = {"iteration_id": iteration_id}
        self._act(name, "outside iteration", details, put, notice=notice, now=now)

    def _act(
        self,
        name: str,
        event: str,
        details: Mapping[str, Any],
        *changes: Write,
        notice: Notice | None = None,
        now: datetime,
    ) -> None:
        """Carry out changes with their audit entry and, where there is one, their notice."""
        entry = self._audit.entry(name, event, details, actor=self._actor, now=now)
        told = [] if notice is None else [notice_row(name, notice, now)]
        self._table.write([*changes, *entry, *told])


def next_test_set(
    before: TestSet | None, sha256: str | None, more: Mapping[str, int], now: datetime
) -> dict[str, Any]:
    """Return the next version of a test set, with more rows in it, as the row holds it."""
    counts = Counter(before.label_counts if before else {})
    counts.update(more)
    return {
        "version": before.version + 1 if before else 1,
        "sha256": sha256,
        "documents": counts.total(),
        "label_counts": dict(counts),
        "frozen_at": now.isoformat(),
    }


def _plain(asked: Rebuild) -> dict[str, Any]:
    """Return a rebuild as the row holds it."""
    values = {
        **asdict(asked),
        "add_labels": list(asked.add_labels),
        "drop_labels": list(asked.drop_labels),
    }
    return {name: value for name, value in values.items() if value is not None}


def unchanged_rebuild(row: FlywheelRow) -> dict[str, Any]:
    """Return the expectation that no rebuild has begun or gone on since the row was read."""
    return {"arn": row.arn, "rebuild": _plain(row.rebuild) if row.rebuild else None}


def iteration_key(name: str, iteration_id: str) -> Key:
    """Return the key of the row that says of an iteration that the ledger knows it."""
    return Key(f"FLYWHEEL#{name}", f"ITERATION#{iteration_id}")


def change_flywheel(
    name: str, changes: Mapping[str, Any], expect: Mapping[str, Any] | None = None
) -> Change:
    """Return the write that changes a flywheel's row, for a transaction."""
    return Change(flywheel_key(name), changes, expect or {})


def with_past(past_seconds: Sequence[int], seconds: int) -> list[int]:
    """Return the remembered durations with one more; the oldest is forgotten."""
    return [*past_seconds, seconds][-_PAST_ITERATIONS_KEPT:]


def flywheel_key(name: str) -> Key:
    """Return the key of a flywheel's row."""
    return Key(f"FLYWHEEL#{name}", "FLYWHEEL")


def _row(item: Item) -> FlywheelRow:
    last = item.get("last_iteration_at")
    return FlywheelRow(
        name=item["name"],
        arn=item["arn"],
        generation=item["generation"],
        open_batch=item.get("open_batch"),
        open_attempt=item.get("open_attempt", 1),
        last_batch=item["last_batch"],
        expected_champion=item.get("expected_champion"),
        train_datasets=item.get("train_datasets", 0),
        test_datasets=item.get("test_datasets", 0),
        past_seconds=item.get("past_seconds", ()),
        last_iteration_at=datetime.fromisoformat(last) if last else None,
        test_set=TestSet(**item["test_set"]) if "test_set" in item else None,
        freeze_asked_by=item.get("freeze_asked_by"),
        failures_in_row=item.get("failures_in_row", 0),
        pause=Pause(**item["pause"]) if "pause" in item else None,
        taint=item.get("taint", ()),
        asked_by=item.get("asked_by"),
        rebuild=Rebuild(**item["rebuild"]) if "rebuild" in item else None,
        deployed_arn=str(item.get("deployed_arn", item["arn"])),
        dropped_labels=item.get("dropped_labels", ()),
    )
