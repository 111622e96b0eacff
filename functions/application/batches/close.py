"""CloseBatch: both ends of the workflow meet here; the batch ends and the flywheel goes on.

A batch that failed gets its notice here; one that was judged has had it. The flywheel is freed
only when its iteration is terminal or absent, and then the batch rules are looked at again.
"""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger

from application.comparison.judgement import keep_document, record_outcome
from application.comparison.next_step import StepFacts, VerdictOutcome, next_step
from application.ledger.batch_rows import BatchFailure, BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.notices import batch_facts
from application.ports import FlywheelService
from application.services import Services
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ServiceRefusedError
from flywheel.notices.acts import paused
from flywheel.notices.batches import empty, failed

logger = Logger(child=True)

_FAILURES_BEFORE_PAUSE = 2

_GONE = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended a batch without a verdict, and whether its iteration goes on."""

    error: str
    cause: str
    is_still_running: bool


def close(
    services: Services,
    flywheel: str,
    number: int,
    *,
    attempt: int | None = None,
    error: str = "",
    cause: str = "",
) -> dict[str, Any]:
    """Close a batch, free its flywheel and open the next batch when the rules are met.

    Parameters
    ----------
    attempt : int, optional
        The attempt that is over; when another one has begun nothing is done.

    Returns
    -------
    dict
        ``outcome`` of the batch, ``is_freed``, and ``opened``: the next batch's number or None.
    """
    ledger = services.ledger
    known = services.flywheel(flywheel)
    row = ledger.flywheels.ensure(flywheel, known.arn)
    batch = ledger.batches.get(flywheel, number)
    if attempt not in {None, batch.attempt}:
        return {"outcome": batch.outcome, "is_freed": False, "opened": None}
    is_running = _is_running(services.comprehend(row.arn), batch)
    if batch.state is not BatchState.CLOSED:
        _end(services, _finished(services, batch, row), row, Failure(error, cause, is_running))
    outcome = ledger.batches.get(flywheel, number).outcome
    opened = None
    is_freed = not is_running and ledger.flywheels.free(flywheel, number, batch.attempt)
    if is_freed and outcome is not BatchOutcome.FAILED:
        # After a failure the schedule looks again, so that a lasting trouble is no tight loop.
        opened, _ = services.workflow.open_when_ready(known, services.now())
    return {"outcome": outcome, "is_freed": is_freed, "opened": opened and opened.batch}


def _is_running(comprehend: FlywheelService, batch: BatchRow) -> bool:
    """Say whether the batch's iteration still occupies the flywheel; True where nobody can say."""
    if batch.iteration_id is None:
        return False
    try:
        return comprehend.iteration(batch.iteration_id).is_running
    except ServiceRefusedError as error:
        return error.code != _GONE


def _finished(services: Services, batch: BatchRow, row: FlywheelRow) -> BatchRow:
    """Record the outcome of a verdict whose function died after it had acted.

    Where the service refuses to describe the flywheel the outcome stays unknown, and the batch ends
    as failed.
    """
    stored = services.ledger.verdicts.get(batch)
    if batch.state is not BatchState.STARTED or stored is None:
        return batch
    keep_document(services, batch, stored)
    try:
        active = services.comprehend(row.arn).describe().active_model
        step = next_step(StepFacts(batch, row, stored, active, None, services.now()))
        if not isinstance(step, VerdictOutcome) or not step.is_settled:
            return batch
        record_outcome(services, batch, row, stored, step)
    except ServiceRefusedError as error:
        logger.warning("the verdict's outcome is not known", reason=str(error))
        return batch
    return services.ledger.batches.get(batch.flywheel, batch.batch)


def _end(services: Services, batch: BatchRow, row: FlywheelRow, failure: Failure) -> None:
    """Record the end of the batch; a verdict that was carried out stands, whatever came after."""
    ledger = services.ledger
    if batch.state is BatchState.JUDGED and batch.outcome is not None:
        ledger.batches.close(batch, batch.outcome, services.now())
        return
    live = _live_model(services.comprehend(row.arn))
    facts = batch_facts(services, batch, row, live)
    if batch.state is BatchState.SEALED and not batch.planned and not failure.error:
        nothing = empty(
            facts,
            batch.left_out,
            batch.waiting_labels,
            is_for_test_alone=batch.rejudges is not None,
        )
        ledger.batches.close_empty(batch, nothing, services.now())
        services.notices.publish(batch.flywheel, nothing)
        return
    ending = _ending(services, batch, row, failure)
    notice = failed(facts, ending.error, ending.cause, is_still_running=failure.is_still_running)
    ledger.batches.fail(batch, row, ending, notice, services.now())
    for pending in (notice, ending.pause_notice):
        if pending is not None:
            services.notices.publish(batch.flywheel, pending)


def _ending(
    services: Services, batch: BatchRow, row: FlywheelRow, failure: Failure
) -> BatchFailure:
    """Say how the batch failed, what became of its datasets, and whether the flywheel pauses."""
    statuses = _dataset_statuses(services.comprehend(row.arn), batch)
    reason, pause_notice = f"{row.failures_in_row + 1} batches in a row failed", None
    if row.pause is None and row.failures_in_row + 1 >= _FAILURES_BEFORE_PAUSE:
        pause_notice = paused(
            services.configuration.environment,
            batch.flywheel,
            reason,
            services.actor,
            services.now(),
            is_after_failures=True,
        )
    return BatchFailure(
        error=failure.error or "WorkflowEnded",
        cause=failure.cause or "The workflow ended before the batch was judged.",
        refused=[kind for kind, status in statuses.items() if status == "FAILED"],
        pause_reason=reason,
        pause_notice=pause_notice,
        is_test_set_held=statuses.get(DatasetKind.TEST) == "COMPLETED",
    )


def _dataset_statuses(
    comprehend: FlywheelService, batch: BatchRow
) -> dict[DatasetKind, str | None]:
    """Return the status of each planned dataset; one that cannot be described may exist."""
    statuses: dict[DatasetKind, str | None] = {}
    for kind, arn in batch.planned.items():
        try:
            statuses[kind] = comprehend.dataset_status(arn)
        except ServiceRefusedError as error:
            logger.warning("a dataset cannot be looked at", reason=str(error))
            statuses[kind] = ""
    return statuses


def _live_model(comprehend: FlywheelService) -> str | None:
    """Return the active model as words for the notice, which must go out in any case."""
    try:
        return comprehend.describe().active_model
    except ServiceRefusedError as error:
        return f"not known, since the flywheel cannot be read ({error.code})"
