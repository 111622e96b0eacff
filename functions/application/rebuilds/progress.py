"""Whether the wait for a new generation's first promoted model is over, and what a return meets.

Decides nothing else. Read next: `application.ledger.rebuilds`.
"""

from collections.abc import Sequence

from application.ledger.flywheel_rows import FlywheelRow, RebuildState
from application.ledger.ledger import Ledger
from flywheel.batches.batches import BatchOutcome


def was_promoted(ledger: Ledger, row: FlywheelRow, asked: RebuildState) -> bool:
    """Say whether a model of the new generation went live, by its verdict or by a person."""
    batches = ledger.batches.newest(row, row.last_batch - asked.last_batch)
    if any(batch.outcome is BatchOutcome.PROMOTED for batch in batches):
        return True
    verdicts = [stored for batch in batches if (stored := ledger.verdicts.get(batch))]
    trained = {stored.verdict.evidence.challenger_arn for stored in verdicts} - {None}
    return any(champion.model in trained for champion in ledger.champions.history(row.name))


def taint_of_return(ledger: Ledger, row: FlywheelRow, asked: RebuildState) -> Sequence[str]:
    """Return the withdrawn uploads that the flywheel holds which is used if a rebuild is given up.

    Returns
    -------
    sequence of str
        Inbox keys, the newest.
    """
    if row.arn == asked.before_arn:
        return row.taint
    past = ledger.rebuilds.past(row, asked.before_arn)
    return ledger.returned_uploads.taint_of(row, past.generation) if past else ()
