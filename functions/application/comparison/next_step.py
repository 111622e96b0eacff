"""What a stored verdict calls for, given which model is active and what people answered.

Pure. CompareModels carries the step out; CloseBatch records an outcome that a process which died
could not record. Read next: `application.comparison.compare`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from application.ledger.approvals import Approval, ApprovalState
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.champions import NotCarriedOutReason, PromotionMode
from flywheel.evaluation.verdict import Decision

_OUTCOMES = {Decision.REJECT: BatchOutcome.REJECTED, Decision.HOLD: BatchOutcome.HELD}


@dataclass(frozen=True, slots=True)
class VerdictOutcome:
    """The verdict is carried out, or cannot be.

    Parameters
    ----------
    outcome : BatchOutcome
    kept : NotCarriedOutReason or None
        Why a PROMOTE was not carried out.
    detail : str or None
        Who did what, and why, where that is known.
    """

    outcome: BatchOutcome
    kept: NotCarriedOutReason | None = None
    detail: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the verdict alone decided, and not what people did meanwhile."""
        return self.kept in {None, NotCarriedOutReason.SHADOW}


@dataclass(frozen=True, slots=True)
class AwaitAnswer:
    """A person may still answer for so long."""

    left: timedelta


@dataclass(frozen=True, slots=True)
class EndQuestion:
    """The time to answer is over, which has not been recorded."""


@dataclass(frozen=True, slots=True)
class Promote:
    """The challenger must be made active."""


Step = VerdictOutcome | AwaitAnswer | EndQuestion | Promote


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What the next step depends on.

    Parameters
    ----------
    batch : BatchRow
    row : FlywheelRow
    stored : StoredVerdict
    active_model : str or None
        As the service says now.
    approval : Approval or None
        The question to a person, where one is asked.
    now : datetime
    """

    batch: BatchRow
    row: FlywheelRow
    stored: StoredVerdict
    active_model: str | None
    approval: Approval | None
    now: datetime

    @property
    def challenger(self) -> str:
        """The model that the verdict is about."""
        return self.stored.verdict.evidence.challenger_arn or ""


def next_step(facts: StepFacts) -> Step:
    """Return what must be done next for a stored verdict."""
    decided = _decided(facts) or _obstacle(facts)
    if decided is not None:
        return decided
    return Promote() if facts.approval is None else _by_answer(facts.approval, facts.now)


def _decided(facts: StepFacts) -> VerdictOutcome | None:
    """Return the outcome of a verdict that changes nothing, whatever is active; else None."""
    stored, approval = facts.stored, facts.approval
    if stored.verdict.decision is not Decision.PROMOTE:
        return VerdictOutcome(_OUTCOMES[stored.verdict.decision])
    if stored.course is PromotionMode.SHADOW:
        return VerdictOutcome(BatchOutcome.SHADOW, NotCarriedOutReason.SHADOW)
    if approval is not None and approval.state is ApprovalState.REJECTED:
        detail = f"{approval.reason} (by {approval.by})"
        return VerdictOutcome(BatchOutcome.REJECTED, NotCarriedOutReason.REJECTED_BY_PERSON, detail)
    return None


def _obstacle(facts: StepFacts) -> VerdictOutcome | None:
    """Return the outcome that events since the verdict impose on a promotion; else None.

    A challenger that is active already is our own write of an earlier attempt, or the service's
    after a first iteration; either way it is promoted. Without a claim of ours somebody else made
    it active.
    """
    row, stored, pause = facts.row, facts.stored, facts.row.promotion_pause
    is_ours = row.promoting == facts.batch.name.label or stored.verdict.is_bootstrap
    if facts.active_model == facts.challenger and is_ours:
        return VerdictOutcome(BatchOutcome.PROMOTED)
    if facts.active_model != stored.expected_champion:
        return VerdictOutcome(BatchOutcome.HELD, NotCarriedOutReason.CHAMPION_CHANGED)
    if facts.challenger in row.barred:
        return VerdictOutcome(BatchOutcome.HELD, NotCarriedOutReason.BARRED)
    if pause is not None:
        detail = f"{pause.reason} (by {pause.by})"
        return VerdictOutcome(BatchOutcome.HELD, NotCarriedOutReason.PROMOTION_PAUSED, detail)
    return None


def _by_answer(approval: Approval, now: datetime) -> Step:
    """Return what an approval, or silence, means for a promotion that nothing else forbids."""
    if approval.is_open:
        left = approval.until - now
        return AwaitAnswer(left) if left > timedelta(0) else EndQuestion()
    if approval.is_answered or approval.on_timeout == "promote":
        return Promote()
    return VerdictOutcome(BatchOutcome.HELD, NotCarriedOutReason.UNANSWERED)
