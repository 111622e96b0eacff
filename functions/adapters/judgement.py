"""Write down what came of a verdict: transaction 2, with its notice and audit entry.

Used by the function that carries verdicts out, and by the one that closes batches where the first
died after it had acted. Decides nothing. Read next: `flywheel.batch_notices`.
"""

from dataclasses import dataclass

from aws_lambda_powertools import Logger

from adapters.comprehend import Iteration
from adapters.crash_points import crash_point
from adapters.ledger.batch_rows import BatchRow, StoredVerdict
from adapters.ledger.flywheel_rows import FlywheelRow
from adapters.ports import FlywheelService
from adapters.services import Services
from flywheel.batch_notices import BatchFacts, judged
from flywheel.batches import BatchOutcome
from flywheel.champions import Course, Kept
from flywheel.endpoints import endpoint_words
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from flywheel.kept_words import kept_reason

logger = Logger(child=True)


def batch_facts(
    services: Services, batch: BatchRow, row: FlywheelRow, live_model: str | None
) -> BatchFacts:
    """Return what every notice about a batch names."""
    return BatchFacts(
        environment=services.configuration.environment,
        flywheel=batch.flywheel,
        batch=batch.batch,
        flywheel_arn=row.arn,
        uploads=batch.uploads,
        upload_count=batch.upload_count,
        live_model=live_model,
        iteration_id=batch.iteration_id,
        attempt=batch.attempt,
        taint=row.taint,
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of a verdict.

    Parameters
    ----------
    outcome : BatchOutcome
    kept : Kept or None
        Why a PROMOTE was not carried out.
    detail : str or None
        Who did what, and why, where that is known.
    """

    outcome: BatchOutcome
    kept: Kept | None = None
    detail: str | None = None


def record_outcome(
    services: Services, batch: BatchRow, row: FlywheelRow, stored: StoredVerdict, ending: Ending
) -> None:
    """Record an outcome with the model that is live now, and publish its notice."""
    comprehend: FlywheelService = services.comprehend(row.arn)
    iteration: Iteration = comprehend.iteration(batch.iteration_id or "")
    live_model = comprehend.describe().active_model
    facts = batch_facts(services, batch, row, live_model)
    because = None if ending.kept is None else kept_reason(ending.kept, ending.detail)
    is_promoted = ending.outcome is BatchOutcome.PROMOTED
    notice = judged(
        facts,
        stored.verdict,
        ending.outcome,
        kept=ending.kept,
        because=because,
        followers=followers(services, row, stored.expected_champion, live_model)
        if is_promoted and live_model
        else (),
    )
    is_asked = stored.course is Course.ASK
    services.ledger.batches.judge(
        batch,
        row,
        outcome=ending.outcome,
        live_model=live_model,
        expected_champion=stored.expected_champion,
        iteration_seconds=iteration.seconds,
        notice=notice,
        now=services.now(),
        kept=ending.kept,
        because=because,
        also=[services.ledger.approvals.over(batch)] if is_asked else [],
    )
    crash_point("compare_models.judged")
    services.notices.publish(batch.flywheel, notice)


def followers(
    services: Services, row: FlywheelRow, before: str | None, live_model: str
) -> list[str]:
    """Return what is told of endpoints after a model went live; never an error.

    A model is live whether its endpoints can be listed or not.
    """
    history = services.ledger.champions.history(row.name)
    models = {model for model in (before, *(item.model for item in history)) if model}
    try:
        endpoints = services.comprehend(row.arn).endpoints()
    except (ServiceBusyError, ServiceRefusedError) as error:
        logger.warning("endpoints cannot be listed", reason=str(error))
        return [f"Which endpoints follow the flywheel is not known: {error}"]
    return endpoint_words(endpoints, row.arn, live_model, models)
