"""What every notice about a batch names."""

from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.services import Services
from flywheel.notices.batches import BatchFacts


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
        test_upload_count=batch.test_upload_count,
        live_model=live_model,
        iteration_id=batch.iteration_id,
        attempt=batch.attempt,
        taint=row.taint,
        is_rebuilt=row.rebuild is not None and row.rebuild.last_batch + 1 == batch.batch,
    )
