"""Find flywheels that the service keeps from working, and statuses that nobody has heard of.

Both may pass by themselves, so nothing is done here: an alarm watches whether they last. What is
not known is waited for, and never taken for a success.
"""

from application.configuration import KnownFlywheel
from application.services import Services
from flywheel.batches.batches import BatchState

_READY = "ACTIVE"
_ITERATION_STATUSES = frozenset(
    {"TRAINING", "EVALUATING", "COMPLETED", "FAILED", "STOP_REQUESTED", "STOPPED"}
)
"""*Source*: botocore, FlywheelIterationStatus."""


def is_unready(services: Services, known: KnownFlywheel) -> bool:
    """Say whether a flywheel is not ACTIVE, or its iteration in a status that is not known."""
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None:
        return False
    comprehend = services.comprehend(row.arn)
    if comprehend.describe().status != _READY:
        return True
    if row.open_batch is None:
        return False
    batch = services.ledger.batches.get(row.name, row.open_batch)
    if batch.state is not BatchState.STARTED or batch.iteration_id is None:
        return False
    return comprehend.iteration(batch.iteration_id).status not in _ITERATION_STATUSES
