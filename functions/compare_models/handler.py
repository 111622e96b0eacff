"""CompareModels: judge the challenger, then carry the verdict out, in two transactions.

The verdict and the intent are stored first, and the verdict's document is kept; only then is the
world read again and, for PROMOTE, the active model changed and verified. A stored verdict is never
made again. Where both models must answer the test set, or the policy asks a person, the workflow
waits and calls again; what was answered is in the ledger. Read next: `compare_models.judging`.
"""

import math
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.private_errors import quoting_no_document
from adapters.wiring import services
from application.chain_heads import write_head
from application.judgement import Ending, keep_document, record_outcome
from application.ledger.approvals import Approval, ApprovalState
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from application.ports import FlywheelService
from application.services import Services
from compare_models.judging import VerdictMaker
from compare_models.outside import judge_outside
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.errors import ConcurrentChangeError
from flywheel.evaluation.champions import NotCarriedOutReason, PromotionMode
from flywheel.evaluation.verdict import Decision

logger = Logger()
tracer = Tracer()

_OUTCOMES = {Decision.REJECT: BatchOutcome.REJECTED, Decision.HOLD: BatchOutcome.HELD}


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compare the models of an execution's iteration and act, or judge one from outside."""
    own_services = services("compare_models")
    name = event.get("iteration") or f"batch-{event['batch']}"
    logger.set_correlation_id(f"{event['flywheel']}-{name}")
    with quoting_no_document():
        if "iteration" in event:
            answer = judge_outside(own_services, event["flywheel"], event["iteration"])
        else:
            answer = compare(
                own_services,
                event["flywheel"],
                event["batch"],
                is_waited_for=event.get("is_waited_for", False),
            )
    write_head(own_services, event["flywheel"])
    return answer


def compare(
    services: Services, flywheel: str, number: int, *, is_waited_for: bool = False
) -> dict[str, Any]:
    """Judge a batch's iteration and act, from whatever state the ledger has it in.

    Parameters
    ----------
    is_waited_for : bool
        Whether jobs that still run have had all the time that they get.

    Returns
    -------
    dict
        ``outcome``; None where ``jobs`` must end, or a person answer, first.
    """
    ledger = services.ledger
    batch = ledger.batches.get(flywheel, number)
    if batch.state in {BatchState.JUDGED, BatchState.CLOSED}:
        return {"outcome": batch.outcome}
    known = services.flywheel(flywheel)
    row = ledger.flywheels.ensure(flywheel, known.arn)
    comprehend = services.comprehend(row.arn)
    stored = ledger.verdicts.get(batch)
    if stored is None:
        judging = VerdictMaker(services, known, row, batch)
        verdict = judging.verdict(is_waited_for=is_waited_for)
        if verdict is None:
            return {"outcome": None, "jobs": judging.jobs()}
        stored = judging.store(verdict)
    keep_document(services, batch, stored)
    next_step = _carry_out(services, comprehend, batch, row, stored)
    if isinstance(next_step, timedelta):
        seconds = max(1, math.ceil(next_step.total_seconds()))
        return {"outcome": None, "approval_seconds": seconds}
    row = ledger.flywheels.ensure(flywheel, known.arn)
    record_outcome(services, batch, row, stored, next_step)
    return {"outcome": next_step.outcome}


def _carry_out(
    services: Services,
    comprehend: FlywheelService,
    batch: BatchRow,
    row: FlywheelRow,
    stored: StoredVerdict,
) -> Ending | timedelta:
    """Do what the verdict says; returns what came of it, or how long a person may take."""
    approval = services.ledger.approvals.get(batch) if stored.course is PromotionMode.ASK else None
    return (
        _said_no(stored, approval)
        or _stands_already(comprehend, batch, row, stored)
        or _person_first(services, batch, approval)
        or _promote(services, comprehend, batch, row, stored)
    )


def _said_no(stored: StoredVerdict, approval: Approval | None) -> Ending | None:
    """Return the ending of a verdict that changes nothing, whatever is live; else None."""
    if stored.verdict.decision is not Decision.PROMOTE:
        return Ending(_OUTCOMES[stored.verdict.decision])
    if stored.course is PromotionMode.SHADOW:
        return Ending(BatchOutcome.SHADOW, NotCarriedOutReason.SHADOW)
    if approval is not None and approval.state is ApprovalState.REJECTED:
        said = f"{approval.reason} (by {approval.by})"
        return Ending(BatchOutcome.REJECTED, NotCarriedOutReason.REJECTED_BY_PERSON, said)
    return None


def _stands_already(
    comprehend: FlywheelService, batch: BatchRow, row: FlywheelRow, stored: StoredVerdict
) -> Ending | None:
    """Return the ending that the world gives a promotion; None where nothing is in its way.

    A challenger that is active already is our own write of an earlier try, or the service's after
    a first iteration; either way there is nothing left to do. Without a claim of ours somebody
    else made it active.
    """
    challenger = stored.verdict.evidence.challenger_arn or ""
    active, pause = comprehend.describe().active_model, row.promotion_pause
    is_ours = row.promoting == batch.name.label or stored.verdict.is_bootstrap
    if active == challenger and is_ours:
        return Ending(BatchOutcome.PROMOTED)
    if active != stored.expected_champion:
        return _held(NotCarriedOutReason.CHAMPION_CHANGED)
    if challenger in row.barred:
        return _held(NotCarriedOutReason.BARRED)
    if pause is not None:
        return _held(NotCarriedOutReason.PROMOTION_PAUSED, f"{pause.reason} (by {pause.by})")
    return None


def _person_first(
    services: Services, batch: BatchRow, approval: Approval | None
) -> Ending | timedelta | None:
    """Return how long a person may still take, or what silence means; None for a yes."""
    if approval is None or approval.is_answered:
        return None
    if approval.is_open:
        left = approval.until - services.now()
        if left > timedelta(0):
            return left
        services.ledger.approvals.expire(batch, approval, services.now())
    return None if approval.on_timeout == "promote" else _held(NotCarriedOutReason.UNANSWERED)


def _promote(
    services: Services,
    comprehend: FlywheelService,
    batch: BatchRow,
    row: FlywheelRow,
    stored: StoredVerdict,
) -> Ending:
    """Make the challenger active, unless the champion changed since it was last looked at.

    UpdateFlywheel is a blind write, so the active model is read before and after it.
    """
    challenger = stored.verdict.evidence.challenger_arn or ""
    services.ledger.champions.claim(row, batch)
    # What a person changed before the claim is seen only now; after it nobody does.
    if comprehend.describe().active_model != stored.expected_champion:
        return _held(NotCarriedOutReason.CHAMPION_CHANGED)
    comprehend.make_active(challenger)
    if comprehend.describe().active_model != challenger:
        raise ConcurrentChangeError("UpdateFlywheel was accepted, but the active model is another")
    return Ending(BatchOutcome.PROMOTED)


def _held(kept: NotCarriedOutReason, detail: str | None = None) -> Ending:
    return Ending(BatchOutcome.HELD, kept, detail)
