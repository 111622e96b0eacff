"""Find datasets that failed only after their batch had: their rows are not in the flywheel.

While a dataset is taken in nobody can say; its rows count as known then. A later upload with the
same rows must not be a duplicate of rows that no dataset holds.
"""

from adapters.configuration import KnownFlywheel
from adapters.services import Services
from flywheel.batches import BatchOutcome

_BATCHES_LOOKED_AT = 5
_FAILED = "FAILED"


def forget_lost_datasets(services: Services, known: KnownFlywheel) -> int:
    """Take back that such rows are known; returns for how many batches."""
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None:
        return 0
    comprehend, forgotten = services.comprehend(row.arn), 0
    for batch in services.ledger.batches.newest(row, _BATCHES_LOOKED_AT):
        if batch.outcome is not BatchOutcome.FAILED or batch.generation != row.generation:
            continue
        lost = [
            kind for kind, arn in batch.planned.items() if comprehend.dataset_status(arn) == _FAILED
        ]
        forgotten += bool(lost) and services.ledger.batches.forget(batch, lost)
    return forgotten
