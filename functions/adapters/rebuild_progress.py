"""Whether the wait for a new generation's first promoted model is over.

Decides nothing else. Read next: `adapters.ledger.rebuilds`.
"""

from adapters.ledger.flywheel_rows import FlywheelRow, Rebuild
from adapters.ledger.ledger import Ledger
from flywheel.batches import BatchOutcome


def was_promoted(ledger: Ledger, row: FlywheelRow, asked: Rebuild) -> bool:
    """Say whether a model of the new generation went live, by its verdict or by a person."""
    batches = ledger.batches.newest(row, row.last_batch - asked.last_batch)
    if any(batch.outcome is BatchOutcome.PROMOTED for batch in batches):
        return True
    verdicts = [stored for batch in batches if (stored := ledger.verdicts.get(batch))]
    trained = {stored.verdict.evidence.challenger_arn for stored in verdicts} - {None}
    return any(champion.model in trained for champion in ledger.champions.history(row.name))
