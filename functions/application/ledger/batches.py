"""The ledger's rows of batches: OPEN, SEALED, STARTED, JUDGED, CLOSED.

Every transition is one transaction that expects the state before it and carries the notice and
the audit entry of what it records. docs/architecture.md names the callers. Read next:
`application.ledger.verdicts` (what is judged), `application.ledger.datasets` (what becomes of a
failed batch).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from application.ledger.audit import Audited
from application.ledger.batch_rows import (
    BatchFailure,
    BatchRow,
    SealedFacts,
    batch_key,
    batch_row,
    frozen_test_set,
)
from application.ledger.datasets import DatasetSlots, slot_changes
from application.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    iteration_key,
    unchanged_rebuild,
)
from application.ledger.outbox import notice_row
from application.port_values import Change, Put, Write
from application.ports import Rows
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.errors import BatchNotFoundError, ConcurrentChangeError
from flywheel.notices.notice import Notice

_UPLOADS_NAMED = 20
"""How many inbox keys a batch's row names; the manifest has them all, and a row is bounded."""


class Batches(Audited):
    """Moves batches from state to state."""

    def __init__(self, table: Rows, actor: str) -> None:
        super().__init__(table, actor)
        self._holdings = DatasetSlots(table, actor)

    def get(self, flywheel: str, batch: int) -> BatchRow:
        """Return a batch.

        Raises
        ------
        BatchNotFoundError
            There is no such batch.
        """
        item = self._table.get(batch_key(flywheel, batch))
        if item is None:
            raise BatchNotFoundError(f"the ledger has no batch {batch} of flywheel {flywheel}")
        return batch_row(item)

    def get_many(self, flywheel: str, numbers: Sequence[int]) -> list[BatchRow]:
        """Return those of the batches that there are, by number."""
        rows = self._table.get_many([batch_key(flywheel, number) for number in numbers])
        return sorted(map(batch_row, rows), key=lambda batch: batch.batch)

    def newest(self, flywheel: FlywheelRow, most: int) -> list[BatchRow]:
        """Return the newest batches of a flywheel, newest first."""
        first = max(1, flywheel.last_batch - most + 1)
        return self.get_many(flywheel.name, range(first, flywheel.last_batch + 1))[::-1]

    def judged_again(self, batch: BatchRow) -> list[BatchRow]:
        """Return the held batches whose models a batch has judged again, newest first.

        The oldest one trained the challenger; each was a look at the same pair of models.
        """
        held: list[BatchRow] = []
        number = batch.rejudges
        while number is not None:
            held.append(self.get(batch.flywheel, number))
            number = held[-1].rejudges
        return held

    def open(
        self,
        flywheel: FlywheelRow,
        registrations: int,
        now: datetime,
        *,
        rejudges: int | None = None,
    ) -> BatchRow:
        """Open the next batch of an idle flywheel.

        Parameters
        ----------
        rejudges : int, optional
            The held batch whose models it has judged again.

        Raises
        ------
        ConcurrentChangeError
            Another batch was opened, or a rebuild went on meanwhile.
        """
        number = flywheel.last_batch + 1
        again = {} if rejudges is None else {"rejudges": rejudges}
        values = {
            "flywheel": flywheel.name,
            "batch": number,
            "state": BatchState.OPEN,
            "attempt": 1,
            "opened_at": now.isoformat(),
            "seen_registrations": registrations,
            **again,
        }
        changes: dict[str, Any] = {"open_batch": number, "last_batch": number}
        if rejudges is None:
            # Who requests a batch means training rows, which one that judges again leaves waiting.
            changes["asked_by"] = None
        expected = {"open_batch": None, "last_batch": flywheel.last_batch, "pause": None}
        self._audit.act(
            flywheel.name,
            "batch opened",
            {"batch": number, **again},
            change_flywheel(flywheel.name, changes, {**expected, **unchanged_rebuild(flywheel)}),
            Put(batch_key(flywheel.name, number), values),
            now=now,
        )
        return batch_row(values)

    def seal(
        self, batch: BatchRow, flywheel: FlywheelRow, facts: SealedFacts, now: datetime
    ) -> None:
        """Record what the manifest decided: OPEN -> SEALED.

        The dataset slots and the rows count as used from here on.
        """
        sealed = {
            "state": BatchState.SEALED,
            "manifest_sha256": facts.manifest_sha256,
            "uploads": list(facts.uploads[:_UPLOADS_NAMED]),
            "upload_count": len(facts.uploads),
            "test_upload_count": facts.test_upload_count,
            "documents": facts.documents,
            "label_counts": dict(facts.label_counts),
            "left_out": dict(facts.left_out),
            "waiting_labels": list(facts.waiting_labels),
            "test_documents": facts.test_documents,
            "test_label_counts": dict(facts.test_label_counts),
            "test_sha256": facts.test_sha256,
            "test_groups": facts.test_groups,
            "generation": flywheel.generation,
            "planned": {kind.value: arn for kind, arn in facts.planned.items()},
        }
        details = {"batch": batch.batch, "manifest_sha256": facts.manifest_sha256}
        expected = {"state": BatchState.OPEN, "attempt": batch.attempt}
        writes: list[Write] = [Change(batch_key(batch.flywheel, batch.batch), sealed, expected)]
        if facts.planned:
            writes += [
                change_flywheel(flywheel.name, slot_changes(flywheel, facts.planned, 1)),
                self._holdings.known(batch.name, flywheel.generation, facts.known),
            ]
        self._audit.act(batch.flywheel, "batch sealed", details, *writes, now=now)

    def record_datasets(self, batch: BatchRow, arns: Sequence[str]) -> None:
        """Record that the datasets of a sealed batch were created; once."""
        created = {"datasets": list(arns)}
        expected = {"datasets": None, "attempt": batch.attempt}
        self._table.write([Change(batch_key(batch.flywheel, batch.batch), created, expected)])

    def announce(
        self, batch: BatchRow, flywheel: FlywheelRow, notice: Notice, now: datetime
    ) -> bool:
        """Leave the notice that the iteration is about to start; False where that was done.

        A test set that came with the batch is frozen with it: only now its dataset is complete.
        """
        announced = Change(
            batch_key(batch.flywheel, batch.batch),
            {"announced_at": now.isoformat()},
            {"announced_at": None},
        )
        try:
            if batch.test_documents and not batch.is_test_frozen:
                frozen = frozen_test_set(batch, flywheel, now)
                details = {"batch": batch.batch, **frozen["test_set"]}
                freeze = change_flywheel(batch.flywheel, frozen)
                self._audit.act(
                    batch.flywheel,
                    "test set frozen",
                    details,
                    announced,
                    freeze,
                    now=now,
                    notice=notice,
                )
            else:
                self._table.write([announced, notice_row(batch.flywheel, notice, now)])
        except ConcurrentChangeError:
            item = self._table.get(batch_key(batch.flywheel, batch.batch))
            if item is None or "announced_at" not in item:
                raise
            return False
        return True

    def start(self, batch: BatchRow, iteration_id: str, now: datetime) -> None:
        """Book an iteration for a batch: SEALED -> STARTED.

        One that is judged again stays the iteration of the batch that started it.
        """
        details = {"batch": batch.batch, "iteration_id": iteration_id}
        booked: Sequence[Write] = ()
        if batch.rejudges is None:
            booked = (
                change_flywheel(batch.flywheel, {"last_iteration_at": now.isoformat()}),
                Put(
                    iteration_key(batch.flywheel, iteration_id),
                    {"batch": batch.batch, "attempt": batch.attempt},
                    replaces=True,
                ),
            )
        self._audit.act(
            batch.flywheel,
            "iteration started" if batch.rejudges is None else "iteration judged again",
            details,
            Change(
                batch_key(batch.flywheel, batch.batch),
                {"state": BatchState.STARTED, "iteration_id": iteration_id},
                {"state": BatchState.SEALED},
            ),
            *booked,
            now=now,
        )

    def note_jobs(self, batch: BatchRow, jobs: Mapping[str, str]) -> BatchRow:
        """Write down the jobs that a verdict waits for, by model; returns the batch with them."""
        key = batch_key(batch.flywheel, batch.batch)
        noted = {"answer_jobs": dict(jobs)}
        expected = {"answer_jobs": None, "state": batch.state, "attempt": batch.attempt}
        self._table.write([Change(key, noted, expected)])
        return replace(batch, answer_jobs=noted["answer_jobs"])

    def close(self, batch: BatchRow, outcome: BatchOutcome, now: datetime) -> None:
        """Close a batch that was judged."""
        self._close(batch, {"outcome": outcome}, [], now)

    def close_empty(self, batch: BatchRow, notice: Notice, now: datetime) -> None:
        """Close a batch in which nothing new was left, with its notice.

        Test rows that are all known already are not asked for again and again.
        """
        writes: list[Write] = [notice_row(batch.flywheel, notice, now)]
        if batch.rejudges is not None:
            writes.append(change_flywheel(batch.flywheel, {"freeze_asked_by": None}))
        self._close(batch, {"outcome": BatchOutcome.EMPTY}, writes, now)

    def fail(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        ending: BatchFailure,
        notice: Notice,
        now: datetime,
    ) -> None:
        """Close a batch that ended without a verdict, with its notice.

        Rows of datasets that the service refused are not in the flywheel. The second failure in a
        row pauses the flywheel.

        Raises
        ------
        ConcurrentChangeError
            The batch ended otherwise, or a person paused the flywheel meanwhile.
        """
        changes: dict[str, Any] = {
            "outcome": BatchOutcome.FAILED,
            "error": ending.error,
            "cause": ending.cause,
        }
        also: list[Write] = [notice_row(batch.flywheel, notice, now)]
        row_changes: dict[str, Any] = {
            "failures_in_row": flywheel.failures_in_row + 1,
            "promoting": None,
        }
        expected: dict[str, Any] = {}
        if ending.pause_notice is not None:
            pause = {"by": self._actor, "reason": ending.pause_reason, "at": now.isoformat()}
            row_changes["pause"] = pause
            # A person's pause and its reason stay.
            expected["pause"] = None
            also.append(notice_row(batch.flywheel, ending.pause_notice, now))
        also += self._holdings.forgotten(batch.name, batch.generation, ending.refused)
        details: dict[str, Any] = {}
        if ending.pause_notice is not None:
            details["pause"] = ending.pause_reason
        frozen: dict[str, Any] = {}
        if ending.is_test_set_held and not batch.was_test_set_frozen:
            frozen = frozen_test_set(batch, flywheel, now)
            changes["is_test_frozen"] = True
        also.append(change_flywheel(batch.flywheel, {**row_changes, **frozen}, expected))
        self._close(batch, changes, also, now, details={**details, **frozen})

    def _close(
        self,
        batch: BatchRow,
        changes: Mapping[str, Any],
        also: Sequence[Write],
        now: datetime,
        *,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Close a batch; the audit records what changed, and more details where there are some."""
        closed = {**changes, "state": BatchState.CLOSED, "closed_at": now.isoformat()}
        recorded = {"batch": batch.batch, **changes, **(details or {})}
        self._audit.act(
            batch.flywheel,
            "batch closed",
            recorded,
            Change(batch_key(batch.flywheel, batch.batch), closed, {"state": batch.state}),
            *also,
            now=now,
        )
