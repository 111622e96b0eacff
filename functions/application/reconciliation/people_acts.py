"""Carry on what a person asked for and a function that died left behind.

An answer that was written down and did not reach the workflow is sent again; a change of the
champion goes on from where it is. Both are done by the one function that may.
"""

import json

from application.configuration import KnownFlywheel
from application.services import Services


def carry_acts_on(services: Services, known: KnownFlywheel) -> int:
    """Call the functions that have something to carry on; returns how many."""
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None:
        return 0
    called = 0
    if row.change is not None:
        services.ports.functions.change_champion(json.dumps({"flywheel": row.name}))
        called += 1
    if row.open_batch is not None:
        batch = services.ledger.batches.get(row.name, row.open_batch)
        approval = services.ledger.approvals.get(batch)
        if approval is not None and approval.is_answered and approval.sent_at is None:
            asked = {"flywheel": row.name, "batch": batch.batch}
            services.ports.functions.answer_approval(json.dumps(asked))
            called += 1
    return called
