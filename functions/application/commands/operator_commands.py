"""What people do to a flywheel: pause, resume, stop its training, retry a failed batch.

Used by `Operate` and by the simulator alike. Read next: `application.commands.rebuild_commands`
(its generations), `application.commands.data_commands` (its data) and
`application.batches.workflow` (when a batch opens).
"""

from dataclasses import dataclass
from datetime import datetime

from application.batches.workflow import Workflow
from application.commands.rebuild_commands import RebuildActs
from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.ports import StagingObjects
from application.staged_rows import with_measured_test_set, without_lost_rows
from flywheel.batches.batches import LONGEST_CALL, BatchOutcome, BatchState
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ActRefusedError, ServiceRefusedError
from flywheel.notices.acts import paused, resumed
from flywheel.notices.notice import Notice

_COMPLETED, _FAILED = "COMPLETED", "FAILED"
_TOO_LATE = "InvalidRequestException"


@dataclass(frozen=True, slots=True)
class OperatorCommands(RebuildActs):
    """All acts on one flywheel.

    Parameters
    ----------
    workflow : Workflow
    """

    workflow: Workflow

    def pause(self, reason: str, now: datetime) -> Notice:
        """Let no batch open by itself; what is under way goes on.

        Raises
        ------
        ActRefusedError
            It is paused already.
        """
        row = self._row()
        if row.pause is not None:
            raise ActRefusedError(f"it is paused already, by {row.pause.by}: {row.pause.reason}")
        notice = paused(self.environment, self.name, reason, self.ledger.actor, now)
        self.ledger.flywheels.pause(row, reason, notice, now)
        return notice

    def resume(self, reason: str, now: datetime) -> Notice:
        """Let batches open again, and verdicts promote; the caller opens one where it may be.

        Raises
        ------
        ActRefusedError
            It is not paused.
        """
        row = self._row()
        pauses = [pause.reason for pause in (row.pause, row.promotion_pause) if pause]
        if not pauses:
            raise ActRefusedError("it is not paused")
        notice = resumed(
            self.environment,
            self.name,
            reason,
            self.ledger.actor,
            paused_for="; ".join(pauses),
            now=now,
        )
        self.ledger.flywheels.resume(row, reason, notice, now)
        return notice

    def stop(self, reason: str, now: datetime) -> str:
        """Stop the training that is under way and return its model; the act is recorded first.

        Raises
        ------
        ActRefusedError
            Nothing trains, or it has ended meanwhile.
        """
        model = self.comprehend.model_in_training()
        if model is None:
            raise ActRefusedError("no model of it is in training, so there is nothing to stop")
        self.ledger.flywheels.note_stop(self._row(), model, reason, now)
        try:
            self.comprehend.stop_training(model)
        except ServiceRefusedError as error:
            if error.code != _TOO_LATE:
                raise
            detail = error.detail.rstrip(".")
            raise ActRefusedError(
                f"the training could not be stopped any more: {detail}"
            ) from error
        return model

    def retry(
        self, staging: StagingObjects, number: int | None, reason: str, now: datetime
    ) -> BatchRow:
        """Open a failed batch again with the uploads that it has kept, and start it.

        Datasets that the service has taken are not sent again: only the iteration is tried anew.

        Raises
        ------
        ActRefusedError
            The batch did not fail, or another one is under way.
        """
        row = self._row()
        batch = self._failed_batch(row, number)
        statuses = self._settled_statuses(batch, now)
        # A batch with a dataset that is not complete is sealed anew, as another dataset.
        is_sealed = bool(statuses) and all(status == _COMPLETED for status in statuses.values())
        absent = [kind for kind, status in statuses.items() if status is None]
        refused = [kind for kind, status in statuses.items() if status == _FAILED]
        lost = [*absent, *refused]
        is_frozen_late = DatasetKind.TEST in {*batch.planned} - {*lost}
        if is_frozen_late and not batch.was_test_set_frozen:
            batch = with_measured_test_set(staging, self.ledger, batch, self._shape())
        shape = self._shape
        without = without_lost_rows(staging, self.ledger, batch, row, lost=lost, shape=shape)
        self.ledger.retries.reopen(
            batch,
            row,
            is_sealed=is_sealed,
            absent=absent,
            refused=refused,
            without=without,
            reason=reason,
            now=now,
        )
        reopened = self.ledger.batches.get(self.name, batch.batch)
        self.workflow.start(self.known, reopened)
        return reopened

    def _failed_batch(self, row: FlywheelRow, number: int | None) -> BatchRow:
        """Return the batch to retry, or refuse where it cannot be retried now."""
        if not row.is_idle:
            raise ActRefusedError(f"batch {row.open_batch} is under way: wait for it")
        if row.rebuild is not None and row.rebuild.block_reason is not None:
            raise ActRefusedError(f"{row.rebuild.block_reason}: its uploads will wait again")
        batch = self.ledger.batches.get(self.name, self._failed_number(row, number))
        if batch.state is not BatchState.CLOSED or batch.outcome is not BatchOutcome.FAILED:
            state = batch.outcome or batch.state
            raise ActRefusedError(
                f"batch {batch.batch} of {self.name} is {state}: only a FAILED one can be retried"
            )
        if batch.batch <= self.ledger.flywheels.last_of_earlier(row):
            raise ActRefusedError(
                f"{self.name} was rebuilt since batch {batch.batch} failed: its uploads wait again"
            )
        return batch

    def _settled_statuses(self, batch: BatchRow, now: datetime) -> dict[DatasetKind, str | None]:
        """Return what became of a failed batch's datasets, or refuse while it can still change."""
        statuses = {
            kind: self.comprehend.dataset_status(arn) for kind, arn in batch.planned.items()
        }
        if "CREATING" in statuses.values():
            raise ActRefusedError(
                f"a dataset of batch {batch.batch} is still being taken in: try again when it is "
                "complete or has failed"
            )
        if None in statuses.values() and not batch.closed_before(now - LONGEST_CALL):
            minutes = LONGEST_CALL.total_seconds() // 60
            raise ActRefusedError(
                f"a dataset of batch {batch.batch} was not created so far, and a call that is "
                f"still under way may create it: try again {minutes:.0f} minutes after the batch "
                f"failed (it was closed at {batch.closed_at})"
            )
        return statuses

    def _failed_number(self, row: FlywheelRow, number: int | None) -> int:
        """Return the batch that is meant: the newest failed one where none is named.

        While the flywheel has no training rows it is the newest one that has some: without them no
        iteration starts.
        """
        if number is not None:
            return number
        batches = self.ledger.batches.newest(row, row.last_batch)
        failed = [batch for batch in batches if batch.outcome is BatchOutcome.FAILED]
        if not failed:
            raise ActRefusedError(f"no batch of {self.name} has failed")
        if self.ledger.holdings.segments(self.name, row.generation)[DatasetKind.TRAIN]:
            return failed[0].batch
        current = (batch for batch in failed if batch.generation == row.generation)
        with_rows = (batch for batch in current if batch.documents)
        return next(with_rows, failed[0]).batch
