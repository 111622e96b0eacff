"""AskApproval: ask people whether a challenger goes live, and keep the task's token.

The workflow waits for the token to be answered; this function's own answer ends nothing. The token
goes into the ledger and nowhere else, so that `answer_approval` alone can use it.
"""

from typing import Any

from application.batches.batch_facts import batch_facts
from application.ledger.approvals import ApprovalState
from application.services import Services
from flywheel.batches.batches import BatchState
from flywheel.notices.champions import approval_asked


def ask(
    services: Services, flywheel: str, number: int, *, attempt: int, token: str
) -> dict[str, Any]:
    """Ask people, once; a repeat only takes the newer token.

    Returns
    -------
    dict
        ``is_asked``; false where the batch is past this attempt, and nobody waits for an answer.
    """
    ledger, known = services.ledger, services.flywheel(flywheel)
    batch = ledger.batches.get(flywheel, number)
    stored, approval = ledger.verdicts.get(batch), ledger.approvals.get(batch)
    is_over = batch.state is not BatchState.STARTED or batch.attempt != attempt
    if is_over or stored is None or approval is None:
        return {"is_asked": False}
    if approval.state is not ApprovalState.WANTED:
        ledger.approvals.ask_again(batch, approval, token)
        return {"is_asked": True}
    row = ledger.flywheels.ensure(flywheel, known.arn)
    facts = batch_facts(services, batch, row, services.comprehend(row.arn).describe().active_model)
    notice = approval_asked(facts, stored.verdict, approval.until, approval.on_timeout)
    ledger.approvals.ask(batch, token, notice, services.now())
    services.notices.publish(flywheel, notice)
    return {"is_asked": True}
