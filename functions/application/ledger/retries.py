"""What becomes of a failed batch: what it never got is given back, or it has another attempt.

Read next: `application.commands.operator_commands` (who asks for an attempt),
`application.reconciliation.late_arrivals` (who gives back).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from application.ledger.audit import Audited
from application.ledger.batch_rows import BatchRow, batch_key
from application.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    unchanged_rebuild,
    unchanged_test_set,
)
from application.ledger.holdings import DatasetSlots, slot_changes, slots_used
from application.ledger.test_sets import freeze_late
from application.port_values import Change
from application.ports import Rows
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.batches.uploads import DatasetKind


class Retries(Audited):
    """Gives back, and opens failed batches again."""

    def __init__(self, table: Rows, actor: str) -> None:
        super().__init__(table, actor)
        self._holdings = DatasetSlots(table, actor)

    def give_back(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        absent: Collection[DatasetKind],
        now: datetime,
        *,
        without: Mapping[str, Any],
    ) -> None:
        """Give slots back, and forget rows, of datasets that a failed batch never got; once.

        Parameters
        ----------
        without : mapping
            Changes of the flywheel's row without these rows (`test_set_rows.without_lost_rows`).

        Raises
        ------
        ConcurrentChangeError
            A batch is under way, or somebody else did meanwhile.
        """
        given = {"given_back": sorted(absent)}
        expected = {"given_back": None, "outcome": BatchOutcome.FAILED, "attempt": batch.attempt}
        idle = {**unchanged_test_set(flywheel), **slots_used(flywheel, absent)}
        datasets = [batch.planned[kind] for kind in absent]
        details = {"batch": batch.batch, "datasets": datasets, **without}
        self._audit.act(
            batch.flywheel,
            "slots given back",
            details,
            Change(batch_key(batch.flywheel, batch.batch), given, expected),
            change_flywheel(flywheel.name, {**slot_changes(flywheel, absent, -1), **without}, idle),
            *self._holdings.forgotten(batch.name, batch.generation, absent),
            now=now,
        )

    def count_test_rows(self, batch: BatchRow, flywheel: FlywheelRow, now: datetime) -> None:
        """Freeze the test rows of a failed batch whose TEST dataset was complete only later; once.

        Raises
        ------
        ConcurrentChangeError
            A batch is under way, or somebody else did meanwhile.
        """
        late = _counted_late(batch, flywheel, now)
        expected = {"is_test_frozen": None, "outcome": BatchOutcome.FAILED}
        key = batch_key(batch.flywheel, batch.batch)
        self._audit.act(
            batch.flywheel,
            "test rows counted late",
            {"batch": batch.batch, **late},
            Change(key, {"is_test_frozen": True}, {**expected, "attempt": batch.attempt}),
            change_flywheel(flywheel.name, late, unchanged_test_set(flywheel)),
            now=now,
        )

    def reopen(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        *,
        is_sealed: bool,
        absent: Collection[DatasetKind],
        refused: Collection[DatasetKind],
        without: Mapping[str, Any],
        reason: str,
        now: datetime,
    ) -> None:
        """Open a failed batch for another attempt: CLOSED -> OPEN.

        Where its datasets are complete it keeps them and goes on as SEALED.

        Parameters
        ----------
        absent, refused : collection of DatasetKind
            Kinds of its datasets that the service does not have, or has FAILED.
        without : mapping
            Changes of the flywheel's row without their rows (`test_set_rows.without_lost_rows`).

        Raises
        ------
        ConcurrentChangeError
            Somebody else did meanwhile, or another batch is under way.
        """
        attempt, lost = batch.attempt + 1, {*absent, *refused}
        late = dict(without)
        if DatasetKind.TEST in {*batch.planned} - lost and not batch.was_test_set_frozen:
            late = _counted_late(batch, flywheel, now)
        expected = {
            "state": BatchState.CLOSED,
            "outcome": BatchOutcome.FAILED,
            "attempt": batch.attempt,
            "given_back": list(batch.given_back) or None,
        }
        slots = {*absent} - {*batch.given_back}
        details = {"batch": batch.batch, "attempt": attempt, "reason": reason, **late}
        self._audit.act(
            batch.flywheel,
            "batch reopened",
            details,
            Change(
                batch_key(batch.flywheel, batch.batch),
                _next_attempt(batch, is_sealed=is_sealed),
                expected,
            ),
            change_flywheel(
                batch.flywheel,
                {
                    "open_batch": batch.batch,
                    "open_attempt": attempt,
                    **slot_changes(flywheel, slots, -1),
                    **late,
                },
                {
                    **unchanged_test_set(flywheel),
                    **unchanged_rebuild(flywheel),
                    **slots_used(flywheel, slots),
                },
            ),
            *self._holdings.forgotten(batch.name, batch.generation, lost),
            now=now,
        )


def _counted_late(batch: BatchRow, flywheel: FlywheelRow, now: datetime) -> dict[str, Any]:
    """Return the changes of a flywheel's row that count a failed batch's test rows."""
    late = freeze_late(
        flywheel.test_set,
        batch.test_rows,
        now,
        closed_at=batch.closed_at or "",
        past=flywheel.past_test_set,
        is_judged_again=batch.rejudges is not None,
    )
    return {"test_set": late, "generation_looks": flywheel.generation_looks}


def _next_attempt(batch: BatchRow, *, is_sealed: bool) -> dict[str, Any]:
    """Return what changes in a batch's row; what is of the attempt before is gone."""
    gone = ["outcome", "error", "cause", "closed_at", "iteration_id", "answer_jobs", "given_back"]
    if is_sealed:
        kept = {"datasets": list(batch.planned.values()), "is_test_frozen": True}
    else:
        kept = {}
        gone += ["datasets", "planned", "announced_at", "is_test_frozen"]
    state = BatchState.SEALED if is_sealed else BatchState.OPEN
    return {**dict.fromkeys(gone), **kept, "state": state, "attempt": batch.attempt + 1}
