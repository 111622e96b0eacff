"""Write down what came of a verdict: transaction 2, with its notice and audit entry.

Used by the function that carries verdicts out, and by the one that closes batches where the first
died after it had acted. Decides nothing. Read next: `flywheel.batch_notices`.
"""

from adapters.comprehend import Iteration
from adapters.crash_points import crash_point
from adapters.ledger.batch_rows import BatchRow, StoredVerdict
from adapters.ledger.flywheel_rows import FlywheelRow
from adapters.ports import FlywheelService
from adapters.services import Services
from flywheel.batch_notices import BatchFacts, judged
from flywheel.batches import BatchOutcome


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


def record_outcome(
    services: Services,
    batch: BatchRow,
    row: FlywheelRow,
    stored: StoredVerdict,
    outcome: BatchOutcome,
    *,
    is_changed_outside: bool = False,
) -> None:
    """Record an outcome with the model that is live now, and publish its notice."""
    comprehend: FlywheelService = services.comprehend(row.arn)
    iteration: Iteration = comprehend.iteration(batch.iteration_id or "")
    live_model = comprehend.describe().active_model
    facts = batch_facts(services, batch, row, live_model)
    notice = judged(facts, stored.verdict, outcome, is_changed_outside=is_changed_outside)
    services.ledger.batches.judge(
        batch,
        row,
        outcome=outcome,
        live_model=live_model,
        iteration_seconds=iteration.seconds,
        notice=notice,
        now=services.now(),
    )
    crash_point("compare_models.judged")
    services.notices.publish(batch.flywheel, notice)
