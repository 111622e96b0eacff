"""Open a batch and start the state machine for it.

The one place that does so, for every caller: an upload, a closed batch, the schedule, a person.
An execution is named by batch and attempt and its input has no time in it, so starting it twice
is the same as once.
"""

import json
from datetime import datetime

from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.ports import Executions
from flywheel.batches.batches import (
    BatchOutcome,
    Readiness,
    of_kind,
    readiness,
    slots_used_up,
    too_soon,
)
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ConcurrentChangeError
from flywheel.evaluation.verdict import can_be_judged_again

_BATCHES_LOOKED_AT = 20
"""How many batches back a held one is found behind those in which nothing was new."""

_MOST_GATHER_LOOKS = 100
"""Gathering must leave room for what follows in an execution's 25,000 events."""


class Workflow:
    """Starts and looks at executions of the iteration workflow.

    Parameters
    ----------
    executions : Executions
    ledger : Ledger
    """

    def __init__(self, executions: Executions, ledger: Ledger) -> None:
        self._executions = executions
        self._ledger = ledger

    def open_when_ready(
        self, known: KnownFlywheel, now: datetime, *, is_asked_for: bool = False
    ) -> tuple[BatchRow | None, Readiness]:
        """Open the flywheel's next batch when it is idle and the batch rules are met.

        Returns
        -------
        tuple of BatchRow or None, Readiness
            The batch that was opened, if any, and what is lacking otherwise.
        """
        name = known.settings.name
        row = self._ledger.flywheels.ensure(name, known.arn)
        # Without a look at what is staged, or each upload of a burst would read all of them.
        rejudged, blocked = self._rejudged(known, row), _blocked(known, row)
        if blocked is None and rejudged is None:
            blocked = slots_used_up(known.settings.batch, row.train_datasets)
            if blocked is None and not (is_asked_for or row.asked_by):
                blocked = too_soon(known.settings.batch, now, row.last_iteration_at)
        if blocked is not None:
            return None, Readiness(False, (blocked,))
        if rejudged is not None:
            ready = Readiness(True)
        else:
            ready = self._readiness(known, row, now, is_asked_for=is_asked_for)
        if not ready.is_ready:
            return None, ready
        registrations = self._ledger.flywheels.registrations(name)
        try:
            batch = self._ledger.batches.open(row, registrations, now, rejudges=rejudged)
        except ConcurrentChangeError:
            return None, Readiness(False, ("another batch was opened meanwhile",))
        self.start(known, batch)
        return batch, ready

    def readiness(
        self, known: KnownFlywheel, row: FlywheelRow, now: datetime, *, is_asked_for: bool = False
    ) -> Readiness:
        """Say whether the flywheel's next batch may open by the batch rules, idle or not."""
        if self._rejudged(known, row) is not None:
            return Readiness(True)
        return self._readiness(known, row, now, is_asked_for=is_asked_for)

    def _readiness(
        self, known: KnownFlywheel, row: FlywheelRow, now: datetime, *, is_asked_for: bool
    ) -> Readiness:
        """Say whether a batch with training rows may open."""
        is_first = row.train_datasets == 0
        return readiness(
            self._ledger.uploads.staged(known.settings.name),
            known.settings.batch,
            now,
            last_iteration_at=row.last_iteration_at,
            train_datasets=row.train_datasets,
            # What an adopted flywheel was trained on before, nobody here knows.
            least_labels=2 if is_first and known.settings.task == "classification" else 1,
            is_asked_for=is_asked_for or row.asked_by is not None,
        )

    def _rejudged(self, known: KnownFlywheel, row: FlywheelRow) -> int | None:
        """Return the held batch whose models the drafts of the test set are wanted for, if any.

        It is the newest one in which something was new: of its challenger alone it is known that
        nothing was trained since.
        """
        if row.freeze_asked_by is None:
            return None
        for batch in self._ledger.batches.newest(row, _BATCHES_LOOKED_AT):
            if batch.outcome is BatchOutcome.EMPTY:
                continue
            stored = self._ledger.verdicts.get(batch)
            is_wanted = (
                batch.outcome is BatchOutcome.HELD
                and batch.generation == row.generation
                and stored is not None
                and stored.expected_champion == row.expected_champion
                and can_be_judged_again(stored.verdict, known.settings.policy)
                and of_kind(self._ledger.uploads.staged(row.name), DatasetKind.TEST)
            )
            return batch.batch if is_wanted else None
        return None

    def start(self, known: KnownFlywheel, batch: BatchRow) -> None:
        """Start the execution of a batch; one that was started before goes on as it is."""
        row = self._ledger.flywheels.ensure(batch.flywheel, known.arn)
        self._executions.start(batch.name.execution, execution_input(known, row.arn, batch))

    def status(self, batch: BatchRow) -> tuple[str, str, str] | None:
        """Return status, error and cause of a batch's execution; None where it never began."""
        return self._executions.describe(batch.name.execution)


def _blocked(known: KnownFlywheel, row: FlywheelRow) -> str | None:
    """Say what keeps any batch of the flywheel from opening, whatever is staged."""
    if row.deployed_arn not in {"", known.arn}:
        return f"{row.name} is {row.deployed_arn} in the ledger: give {known.arn} another name"
    if row.rebuild is not None and row.rebuild.block_reason is not None:
        return row.rebuild.block_reason
    if row.pause is not None:
        command = f"flywheel resume {row.name} --reason TEXT"
        return f"paused by {row.pause.by}: {row.pause.reason} ({command})"
    return None if row.is_idle else f"batch {row.open_batch} is under way"


def execution_input(known: KnownFlywheel, flywheel_arn: str, batch: BatchRow) -> str:
    """Return the execution's input as JSON; the same for the same batch, to the byte.

    The flywheel's ARN is the ledger's: that of its generation, which no open batch outlives.

    ``looks.left`` counts polls down to the deadline, since the state machine cannot subtract times.
    """
    rules = known.settings.batch
    gather_looks = rules.max_gather_minutes * 60 // rules.quiet_seconds - 1
    return json.dumps(
        {
            "flywheel": batch.flywheel,
            "flywheel_arn": flywheel_arn,
            "batch": batch.batch,
            "attempt": batch.attempt,
            "gather": {
                "seen": str(batch.seen_registrations),
                "looks_left": max(0, min(gather_looks, _MOST_GATHER_LOOKS)),
            },
            "quiet_seconds": rules.quiet_seconds,
            "poll_seconds": rules.poll_seconds,
            "looks": {"left": rules.iteration_looks},
        },
        sort_keys=True,
    )
