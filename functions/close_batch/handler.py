"""CloseBatch: both ends of the workflow meet here; the batch ends and the flywheel goes on.

A batch that failed gets its notice here; one that was judged has had it. The flywheel is freed
only when its iteration is terminal or absent, and then the batch rules are looked at again.
"""

import json
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.comprehend import Comprehend
from adapters.ledger.batches import BatchRow
from adapters.services import Services, services
from flywheel.batch_notices import BatchFacts, failed
from flywheel.batches import BatchOutcome, BatchState

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close an execution's batch; ``failure`` holds what went wrong, if anything did."""
    execution = event["execution"]
    logger.set_correlation_id(f"{execution['flywheel']}-batch-{execution['batch']}")
    failure = execution.get("failure") or {}
    # The state machine passes its own ARN: the stack cannot name it here, since it names this
    # function.
    return close(
        services("close_batch", state_machine_arn=event["state_machine_arn"]),
        execution["flywheel"],
        execution["batch"],
        error=str(failure.get("error", "")),
        cause=_plain(str(failure.get("cause", ""))),
    )


def _plain(cause: str) -> str:
    """Return what a function said when it failed, without its stack trace."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", cause)) if isinstance(told, dict) else cause


def close(
    services: Services, flywheel: str, number: int, *, error: str = "", cause: str = ""
) -> dict[str, Any]:
    """Close a batch, free its flywheel and open the next batch when the rules are met.

    Returns
    -------
    dict
        ``outcome`` of the batch, ``is_freed``, and ``opened``: the next batch's number or None.
    """
    ledger = services.ledger
    known = services.flywheel(flywheel)
    row = ledger.flywheels.ensure(flywheel, known.arn)
    comprehend = services.comprehend(row.arn)
    batch = ledger.batches.get(flywheel, number)
    is_running = _is_running(comprehend, batch)
    if batch.state is not BatchState.CLOSED:
        _end(services, comprehend, batch, error, cause, is_running=is_running)
    outcome = ledger.batches.get(flywheel, number).outcome
    opened = None
    is_freed = not is_running and ledger.flywheels.free(flywheel, number)
    if is_freed and outcome is not BatchOutcome.FAILED:
        # After a failure the schedule looks again, so that a lasting trouble is no tight loop.
        opened, _ = services.workflow.open_when_ready(known, services.now())
    return {"outcome": outcome, "is_freed": is_freed, "opened": opened and opened.batch}


def _is_running(comprehend: Comprehend, batch: BatchRow) -> bool:
    return batch.iteration_id is not None and comprehend.iteration(batch.iteration_id).is_running


def _end(
    services: Services,
    comprehend: Comprehend,
    batch: BatchRow,
    error: str,
    cause: str,
    *,
    is_running: bool,
) -> None:
    """Record how the batch ended; a verdict that was carried out stands, whatever came after."""
    ledger = services.ledger
    if batch.state is BatchState.JUDGED and batch.outcome is not None:
        ledger.batches.close(batch, batch.outcome, services.now())
        return
    facts = BatchFacts(
        environment=services.configuration.environment,
        flywheel=batch.flywheel,
        batch=batch.batch,
        flywheel_arn=services.flywheel(batch.flywheel).arn,
        uploads=batch.uploads,
        upload_count=batch.upload_count,
        live_model=comprehend.describe().active_model,
        iteration_id=batch.iteration_id,
    )
    error = error or "WorkflowEnded"
    cause = cause or "The workflow ended before the batch was judged."
    notice = failed(facts, error, cause, is_still_running=is_running)
    ledger.batches.fail(batch, error=error, cause=cause, notice=notice, now=services.now())
    services.notices.publish(batch.flywheel, notice)
