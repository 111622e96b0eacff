"""The ledger's rows of batches and verdicts: OPEN, SEALED, STARTED, JUDGED, CLOSED.

Every transition is one transaction that expects the state before it and carries the notice and
the audit entry of what it records. Who calls which is said in docs/architecture.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.ledger.audit import Audit
from adapters.ledger.flywheels import FlywheelRow, change_flywheel, with_past
from adapters.ledger.outbox import notice_row
from adapters.ledger.table import Change, Item, Key, Put, Write
from adapters.ports import Rows
from flywheel.batches import BatchOutcome, BatchState
from flywheel.errors import BatchNotFoundError, ConcurrentChangeError
from flywheel.notices import Notice
from flywheel.verdict import Verdict

_UPLOADS_NAMED = 20
"""How many inbox keys a batch's row names; the manifest has them all, and a row is bounded."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch as the ledger knows it."""

    flywheel: str
    batch: int
    state: BatchState
    attempt: int
    opened_at: str
    seen_registrations: int
    manifest_sha256: str | None = None
    uploads: Sequence[str] = ()
    upload_count: int = 0
    documents: int = 0
    label_counts: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    waiting_labels: Sequence[str] = ()
    test_set_keys: Sequence[str] = ()
    test_documents: int = 0
    datasets: Sequence[str] = ()
    announced_at: str | None = None
    iteration_id: str | None = None
    outcome: BatchOutcome | None = None
    error: str | None = None
    cause: str | None = None
    closed_at: str | None = None


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict as it was stored before anything was done about it.

    Parameters
    ----------
    verdict : Verdict
    expected_champion : str or None
        The active model at that time: the intent of a promotion is to replace exactly this one.
    outcome : BatchOutcome or None
        None until it was acted on.
    """

    verdict: Verdict
    expected_champion: str | None
    outcome: BatchOutcome | None


@dataclass(frozen=True, slots=True)
class SealedFacts:
    """What the seal decided about a batch."""

    manifest_sha256: str
    uploads: Sequence[str]
    documents: int
    label_counts: Mapping[str, int]
    left_out: Mapping[str, int]
    waiting_labels: Sequence[str]
    test_set_keys: Sequence[str]
    test_documents: int


class Batches:
    """Moves batches from state to state.

    Parameters
    ----------
    table : Rows
    actor : str
        Who acts, for the audit.
    """

    def __init__(self, table: Rows, actor: str) -> None:
        self._table = table
        self._audit = Audit(table)
        self._actor = actor

    def get(self, flywheel: str, batch: int) -> BatchRow:
        """Return a batch.

        Raises
        ------
        BatchNotFoundError
            There is no such batch.
        """
        item = self._table.get(_key(flywheel, batch))
        if item is None:
            raise BatchNotFoundError(f"the ledger has no batch {batch} of flywheel {flywheel}")
        return _row(item)

    def newest(self, flywheel: FlywheelRow, most: int) -> list[BatchRow]:
        """Return the newest batches of a flywheel, newest first."""
        numbers = range(flywheel.last_batch, max(0, flywheel.last_batch - most), -1)
        return [self.get(flywheel.name, number) for number in numbers]

    def open(self, flywheel: FlywheelRow, registrations: int, now: datetime) -> BatchRow:
        """Open the next batch of an idle flywheel.

        Raises
        ------
        ConcurrentChangeError
            Another batch was opened in this moment.
        """
        number = flywheel.last_batch + 1
        values = {
            "flywheel": flywheel.name,
            "batch": number,
            "state": BatchState.OPEN,
            "attempt": 1,
            "opened_at": now.isoformat(),
            "seen_registrations": registrations,
        }
        self._table.write(
            [
                change_flywheel(
                    flywheel.name,
                    {"open_batch": number, "last_batch": number},
                    {"open_batch": None, "last_batch": flywheel.last_batch},
                ),
                Put(_key(flywheel.name, number), values),
                *self._entry(flywheel.name, "batch opened", {"batch": number}, now),
            ]
        )
        return _row(values)

    def seal(self, batch: BatchRow, facts: SealedFacts, now: datetime) -> None:
        """Record what the manifest decided: OPEN -> SEALED."""
        sealed = {
            "state": BatchState.SEALED,
            "manifest_sha256": facts.manifest_sha256,
            "uploads": list(facts.uploads[:_UPLOADS_NAMED]),
            "upload_count": len(facts.uploads),
            "documents": facts.documents,
            "label_counts": dict(facts.label_counts),
            "left_out": dict(facts.left_out),
            "waiting_labels": list(facts.waiting_labels),
            "test_set_keys": list(facts.test_set_keys),
            "test_documents": facts.test_documents,
        }
        details = {"batch": batch.batch, "manifest_sha256": facts.manifest_sha256}
        change = Change(_key(batch.flywheel, batch.batch), sealed, {"state": BatchState.OPEN})
        self._table.write([change, *self._entry(batch.flywheel, "batch sealed", details, now)])

    def record_datasets(
        self, batch: BatchRow, flywheel: FlywheelRow, *, train: str, test: str | None
    ) -> None:
        """Record the datasets of a sealed batch and the slots they use; once."""
        arns = [arn for arn in (train, test) if arn is not None]
        slots = {
            "train_datasets": flywheel.train_datasets + 1,
            "test_datasets": flywheel.test_datasets + (test is not None),
        }
        self._table.write(
            [
                Change(_key(batch.flywheel, batch.batch), {"datasets": arns}, {"datasets": None}),
                change_flywheel(batch.flywheel, slots),
            ]
        )

    def announce(self, batch: BatchRow, notice: Notice, now: datetime) -> bool:
        """Leave the notice that the iteration is about to start; False where that was done.

        A test set that came with the batch is frozen with it: only now its dataset is complete.
        """
        announced = Change(
            _key(batch.flywheel, batch.batch),
            {"announced_at": now.isoformat()},
            {"announced_at": None},
        )
        writes: list[Write] = [announced, notice_row(batch.flywheel, notice, now)]
        if batch.test_set_keys:
            test_set = {
                "test_set_keys": list(batch.test_set_keys),
                "test_documents": batch.test_documents,
            }
            writes.append(change_flywheel(batch.flywheel, test_set))
        try:
            self._table.write(writes)
        except ConcurrentChangeError:
            item = self._table.get(_key(batch.flywheel, batch.batch))
            if item is None or "announced_at" not in item:
                raise
            return False
        return True

    def start(self, batch: BatchRow, iteration_id: str, now: datetime) -> None:
        """Book an iteration for a batch: SEALED -> STARTED."""
        details = {"batch": batch.batch, "iteration_id": iteration_id}
        self._table.write(
            [
                Change(
                    _key(batch.flywheel, batch.batch),
                    {"state": BatchState.STARTED, "iteration_id": iteration_id},
                    {"state": BatchState.SEALED},
                ),
                change_flywheel(batch.flywheel, {"last_iteration_at": now.isoformat()}),
                *self._entry(batch.flywheel, "iteration started", details, now),
            ]
        )

    def verdict(self, flywheel: str, batch: int) -> StoredVerdict | None:
        """Return the stored verdict of a batch, or None."""
        item = self._table.get(_verdict_key(flywheel, batch))
        if item is None:
            return None
        outcome = item.get("outcome")
        return StoredVerdict(
            Verdict.from_json(item["verdict"]),
            item.get("expected_champion"),
            BatchOutcome(outcome) if outcome else None,
        )

    def store_verdict(
        self, batch: BatchRow, verdict: Verdict, expected_champion: str | None, now: datetime
    ) -> StoredVerdict:
        """Store a verdict and the intent that follows from it, before anything is done."""
        values = {
            "flywheel": batch.flywheel,
            "batch": batch.batch,
            "decision": verdict.decision,
            "policy_sha256": verdict.policy_sha256,
            "verdict": verdict.to_json(),
            "expected_champion": expected_champion,
            "decided_at": now.isoformat(),
        }
        details = {
            "batch": batch.batch,
            "decision": verdict.decision,
            "challenger": verdict.evidence.challenger_arn,
            "expected_champion": expected_champion,
            "policy_sha256": verdict.policy_sha256,
        }
        self._table.write(
            [
                Put(_verdict_key(batch.flywheel, batch.batch), values),
                *self._entry(batch.flywheel, "verdict", details, now),
            ]
        )
        return StoredVerdict(verdict, expected_champion, None)

    def judge(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        *,
        outcome: BatchOutcome,
        live_model: str | None,
        iteration_seconds: int,
        notice: Notice,
        now: datetime,
    ) -> None:
        """Record what came of a verdict, with its notice: STARTED -> JUDGED."""
        details = {"batch": batch.batch, "outcome": outcome, "live_model": live_model}
        changes = {
            "expected_champion": live_model,
            "past_seconds": with_past(flywheel.past_seconds, iteration_seconds),
        }
        judged = {"state": BatchState.JUDGED, "outcome": outcome}
        key = _key(batch.flywheel, batch.batch)
        self._table.write(
            [
                Change(_verdict_key(batch.flywheel, batch.batch), {"outcome": outcome}),
                Change(key, judged, {"state": BatchState.STARTED}),
                change_flywheel(batch.flywheel, changes),
                notice_row(batch.flywheel, notice, now),
                *self._entry(batch.flywheel, "verdict carried out", details, now),
            ]
        )

    def close(self, batch: BatchRow, outcome: BatchOutcome, now: datetime) -> None:
        """Close a batch that was judged."""
        self._close(batch, {"outcome": outcome}, [], now)

    def fail(
        self, batch: BatchRow, *, error: str, cause: str, notice: Notice, now: datetime
    ) -> None:
        """Close a batch that ended without a verdict, with its notice."""
        changes = {"outcome": BatchOutcome.FAILED, "error": error, "cause": cause}
        self._close(batch, changes, [notice_row(batch.flywheel, notice, now)], now)

    def _close(
        self, batch: BatchRow, changes: Mapping[str, Any], also: Sequence[Write], now: datetime
    ) -> None:
        closed = {**changes, "state": BatchState.CLOSED, "closed_at": now.isoformat()}
        details = {"batch": batch.batch, **changes}
        self._table.write(
            [
                Change(_key(batch.flywheel, batch.batch), closed, {"state": batch.state}),
                *also,
                *self._entry(batch.flywheel, "batch closed", details, now),
            ]
        )

    def _entry(
        self, flywheel: str, event: str, details: Mapping[str, Any], now: datetime
    ) -> list[Write]:
        return self._audit.entry(flywheel, event, details, actor=self._actor, now=now)


def _key(flywheel: str, batch: int) -> Key:
    return Key(f"BATCH#{flywheel}#{batch}", "BATCH")


def _verdict_key(flywheel: str, batch: int) -> Key:
    return Key(f"VERDICT#{flywheel}#{batch}", "VERDICT")


def _row(item: Item) -> BatchRow:
    fields = {name: item[name] for name in BatchRow.__dataclass_fields__ if name in item}
    outcome = item.get("outcome")
    fields["state"] = BatchState(item["state"])
    fields["outcome"] = BatchOutcome(outcome) if outcome else None
    return BatchRow(**fields)
