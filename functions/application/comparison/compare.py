"""CompareModels: judge the challenger, then carry the verdict out, in two transactions.

The verdict and the intent are stored first, and then the verdict's document. Only then the active
model is read again and, for PROMOTE, changed and verified. A stored verdict is never made again.
Where both models must answer the test set, or the policy asks a person, the workflow waits and
calls again; the answers are in the ledger. Read next: `application.comparison.verdict_maker`.
"""

import math
from dataclasses import replace
from typing import Any

from application.comparison.judgement import keep_document, record_outcome
from application.comparison.next_step import (
    AwaitAnswer,
    EndQuestion,
    StepFacts,
    VerdictOutcome,
    next_step,
)
from application.comparison.verdict_maker import VerdictMaker, evidence_of
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from application.ports import FlywheelService
from application.services import Services
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.errors import ConcurrentChangeError
from flywheel.evaluation.champions import NotCarriedOutReason, PromotionMode
from flywheel.evaluation.verdict import decide
from flywheel.notices.champions import outside_judged


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
    step = _carry_out(services, comprehend, batch, row, stored)
    if isinstance(step, AwaitAnswer):
        return {"outcome": None, "approval_seconds": max(1, math.ceil(step.left.total_seconds()))}
    row = ledger.flywheels.ensure(flywheel, known.arn)
    record_outcome(services, batch, row, stored, step)
    return {"outcome": step.outcome}


def _carry_out(
    services: Services,
    comprehend: FlywheelService,
    batch: BatchRow,
    row: FlywheelRow,
    stored: StoredVerdict,
) -> VerdictOutcome | AwaitAnswer:
    """Do what the verdict calls for; returns what came of it, or how long a person may take."""
    approvals = services.ledger.approvals
    approval = approvals.get(batch) if stored.course is PromotionMode.ASK else None
    active, now = comprehend.describe().active_model, services.now()
    facts = StepFacts(batch, row, stored, active, approval, now)
    step = next_step(facts)
    if isinstance(step, EndQuestion) and approval is not None:
        approvals.expire(batch, approval, now)
        step = next_step(replace(facts, approval=approvals.get(batch)))
    if isinstance(step, VerdictOutcome | AwaitAnswer):
        return step
    return _promote(services, comprehend, batch, row, stored)


def _promote(
    services: Services,
    comprehend: FlywheelService,
    batch: BatchRow,
    row: FlywheelRow,
    stored: StoredVerdict,
) -> VerdictOutcome:
    """Make the challenger active, unless the champion changed since it was last looked at.

    UpdateFlywheel is a blind write, so the active model is read before and after it.
    """
    challenger = stored.verdict.evidence.challenger_arn or ""
    services.ledger.champions.claim(row, batch)
    # What a person changed before the claim is seen only now; after it nobody does.
    if comprehend.describe().active_model != stored.expected_champion:
        return VerdictOutcome(BatchOutcome.HELD, NotCarriedOutReason.CHAMPION_CHANGED)
    comprehend.make_active(challenger)
    if comprehend.describe().active_model != challenger:
        raise ConcurrentChangeError("UpdateFlywheel was accepted, but the active model is another")
    return VerdictOutcome(BatchOutcome.PROMOTED)


def judge_outside(services: Services, flywheel: str, iteration_id: str) -> dict[str, Any]:
    """Judge an outside iteration, once.

    Returns
    -------
    dict
        ``decision``; None where it was judged before, or belongs to a batch.
    """
    ledger, known = services.ledger, services.flywheel(flywheel)
    if not ledger.flywheels.is_unjudged(flywheel, iteration_id):
        return {"decision": None}
    row = ledger.flywheels.ensure(flywheel, known.arn)
    comprehend = services.comprehend(row.arn)
    evidence = evidence_of(services, known, row, comprehend.iteration(iteration_id))
    verdict = decide(evidence, known.settings.policy)
    notice = outside_judged(
        services.configuration.environment,
        flywheel,
        iteration_id,
        verdict,
        comprehend.describe().active_model,
    )
    ledger.flywheels.judge_outside_iteration(
        flywheel, iteration_id, verdict, notice, services.now()
    )
    services.notices.publish(flywheel, notice)
    return {"decision": verdict.decision}
