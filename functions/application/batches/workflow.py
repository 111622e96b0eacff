"""Open a batch and start the state machine for it.

The one place that does so, for every caller: an upload, a closed batch, the schedule, a person.
An execution is named by batch and attempt and its input has no time in it, so starting it twice
is the same as once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.ports import Executions
from flywheel.batches.batches import (
    BatchOutcome,
    Readiness,
    StagedUpload,
    of_kind,
    readiness,
    slots_used_up,
    too_soon,
)
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ConcurrentChangeError
from flywheel.evaluation.verdict import can_be_judged_again

_BATCHES_SEARCHED = 20
"""How many batches a held one may lie back, behind those in which nothing was new."""

_MOST_GATHER_LOOKS = 100
"""Gathering must leave room for what follows in an execution's 25,000 events."""


@dataclass(frozen=True, slots=True)
class OpeningPolicy:
    """When a flywheel's next batch may open. Pure.

    Parameters
    ----------
    known : KnownFlywheel
    row : FlywheelRow
    now : datetime
    is_requested : bool
        A person wants the batch now: our own minimum and pauses do not count.
    """

    known: KnownFlywheel
    row: FlywheelRow
    now: datetime
    is_requested: bool = False

    def obstacle(self) -> str | None:
        """Say what keeps any batch of the flywheel from opening, whatever is staged."""
        row = self.row
        if row.deployed_arn not in {"", self.known.arn}:
            return (
                f"{row.name} is {row.deployed_arn} in the ledger: "
                f"give {self.known.arn} another name"
            )
        if row.rebuild is not None and row.rebuild.block_reason is not None:
            return row.rebuild.block_reason
        if row.pause is not None:
            command = f"flywheel resume {row.name} --reason TEXT"
            return f"paused by {row.pause.by}: {row.pause.reason} ({command})"
        return None if row.is_idle else f"batch {row.open_batch} is under way"

    def early_obstacle(self) -> str | None:
        """Say what keeps a batch that trains from opening, as far as it needs no staged upload."""
        rules = self.known.settings.batch
        used_up = slots_used_up(rules, self.row.train_datasets)
        if used_up is not None or self._is_wanted_now:
            return used_up
        return too_soon(rules, self.now, self.row.last_iteration_at)

    def readiness(self, staged: Sequence[StagedUpload]) -> Readiness:
        """Say whether a batch that trains may open with what is staged."""
        is_first = self.row.train_datasets == 0
        return readiness(
            staged,
            self.known.settings.batch,
            self.now,
            last_iteration_at=self.row.last_iteration_at,
            train_datasets=self.row.train_datasets,
            # Nobody here knows what an adopted flywheel was trained on before.
            least_labels=2 if is_first and self.known.settings.task == "classification" else 1,
            is_asked_for=self._is_wanted_now,
        )

    def wants_rejudged(self, batch: BatchRow, stored: StoredVerdict) -> bool:
        """Say whether more test rows could still end a hold that a batch's verdict made."""
        return (
            batch.outcome is BatchOutcome.HELD
            and batch.generation == self.row.generation
            and stored.expected_champion == self.row.expected_champion
            and can_be_judged_again(stored.verdict, self.known.settings.policy)
        )

    @property
    def _is_wanted_now(self) -> bool:
        return self.is_requested or self.row.asked_by is not None


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
        self, known: KnownFlywheel, now: datetime, *, is_requested: bool = False
    ) -> tuple[BatchRow | None, Readiness]:
        """Open the flywheel's next batch when it is idle and the batch rules are met.

        Returns
        -------
        tuple of BatchRow or None, Readiness
            The batch that was opened, if any, and what is lacking otherwise.
        """
        name = known.settings.name
        row = self._ledger.flywheels.ensure(name, known.arn)
        policy = OpeningPolicy(known, row, now, is_requested=is_requested)
        rejudges = self._rejudges(policy)
        # Without a look at what is staged, or each upload of a burst would read all of them.
        obstacle = policy.obstacle() or (policy.early_obstacle() if rejudges is None else None)
        if obstacle is not None:
            return None, Readiness(False, (obstacle,))
        ready = self._readiness(policy, rejudges)
        if not ready.is_ready:
            return None, ready
        registrations = self._ledger.flywheels.registrations(name)
        try:
            batch = self._ledger.batches.open(row, registrations, now, rejudges=rejudges)
        except ConcurrentChangeError:
            return None, Readiness(False, ("another batch was opened meanwhile",))
        self.start(known, batch)
        return batch, ready

    def readiness(self, known: KnownFlywheel, row: FlywheelRow, now: datetime) -> Readiness:
        """Say whether the flywheel's next batch may open by the batch rules, idle or not."""
        policy = OpeningPolicy(known, row, now)
        return self._readiness(policy, self._rejudges(policy))

    def _readiness(self, policy: OpeningPolicy, rejudges: int | None) -> Readiness:
        if rejudges is not None:
            return Readiness(True)
        return policy.readiness(self._ledger.uploads.staged(policy.row.name))

    def _rejudges(self, policy: OpeningPolicy) -> int | None:
        """Return the held batch whose models the drafts of the test set are wanted for, if any.

        It is the newest one in which something was new: only of its challenger it is known that
        nothing was trained since.
        """
        row = policy.row
        if row.freeze_asked_by is None:
            return None
        newest = self._ledger.batches.newest(row, _BATCHES_SEARCHED)
        batch = next((batch for batch in newest if batch.outcome is not BatchOutcome.EMPTY), None)
        stored = self._ledger.verdicts.get(batch) if batch else None
        if batch is None or stored is None or not policy.wants_rejudged(batch, stored):
            return None
        has_drafts = of_kind(self._ledger.uploads.staged(row.name), DatasetKind.TEST)
        return batch.batch if has_drafts else None

    def start(self, known: KnownFlywheel, batch: BatchRow) -> None:
        """Start the execution of a batch; one that was started before goes on as it is."""
        row = self._ledger.flywheels.ensure(batch.flywheel, known.arn)
        self._executions.start(batch.name.execution, execution_input(known, row.arn, batch))

    def status(self, batch: BatchRow) -> tuple[str, str, str] | None:
        """Return status, error and cause of a batch's execution; None where it never began."""
        return self._executions.describe(batch.name.execution)


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
