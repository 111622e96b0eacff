"""What a stored verdict calls for: one case for each thing that can decide it, and their order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.comparison.next_step import (
    AwaitAnswer,
    EndQuestion,
    Promote,
    Step,
    StepFacts,
    VerdictOutcome,
    next_step,
)
from application.ledger.approvals import Approval, ApprovalState
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow, PauseReason
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.evaluation.champions import NotCarriedOutReason, PromotionMode
from flywheel.evaluation.evidence import Evidence
from flywheel.evaluation.verdict import Decision, Verdict, decide
from flywheel.settings.policy import Policy

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OLD, NEW = "model/old", "model/new"
PAUSE = PauseReason("alice", "an incident", "2026-01-01")


def verdict(decision: Decision) -> Verdict:
    """Return a verdict on a challenger that would replace the champion."""
    made = decide(Evidence(OLD, None, NEW, {}, has_test_set=True), Policy())
    return replace(made, decision=decision)


def question(state: ApprovalState, **changes: Any) -> Approval:
    """Return a question about the challenger, open for another hour."""
    asked = Approval(
        "tickets", 2, 1, NEW, state, NOW + timedelta(hours=1), "keep", "bob", "too low"
    )
    return replace(asked, **changes)


def facts(decision: Decision = Decision.PROMOTE, **changes: Any) -> StepFacts:
    """Return facts under which a PROMOTE is carried out, changed."""
    batch = BatchRow("tickets", 2, BatchState.STARTED, 1, "2026-01-01", 0)
    row = FlywheelRow("tickets", "flywheel/tickets")
    stored = StoredVerdict(verdict(decision), OLD, None)
    return replace(StepFacts(batch, row, stored, OLD, None, NOW), **changes)


def in_row(**changes: Any) -> StepFacts:
    """Return facts with a changed row of the flywheel."""
    return facts(row=replace(facts().row, **changes))


def asked(approval: Approval, **changes: Any) -> StepFacts:
    """Return facts of a verdict that people are asked about."""
    stored = replace(facts().stored, course=PromotionMode.ASK)
    return facts(stored=stored, approval=approval, **changes)


def held(reason: NotCarriedOutReason, detail: str | None = None) -> VerdictOutcome:
    """Return the outcome of a PROMOTE that cannot be carried out."""
    return VerdictOutcome(BatchOutcome.HELD, reason, detail)


REJECTED_BY_BOB = VerdictOutcome(
    BatchOutcome.REJECTED, NotCarriedOutReason.REJECTED_BY_PERSON, "too low (by bob)"
)
CASES = {
    "a rejected challenger": (facts(Decision.REJECT), VerdictOutcome(BatchOutcome.REJECTED)),
    "missing evidence": (facts(Decision.HOLD), VerdictOutcome(BatchOutcome.HELD)),
    "a rejected challenger that somebody made active": (
        facts(Decision.REJECT, active_model=NEW),
        VerdictOutcome(BatchOutcome.REJECTED),
    ),
    "shadow mode": (
        facts(stored=replace(facts().stored, course=PromotionMode.SHADOW)),
        VerdictOutcome(BatchOutcome.SHADOW, NotCarriedOutReason.SHADOW),
    ),
    "nothing in the way": (facts(), Promote()),
    "our own write": (
        replace(in_row(promoting=facts().batch.name.label), active_model=NEW),
        VerdictOutcome(BatchOutcome.PROMOTED),
    ),
    "another batch's claim": (
        replace(in_row(promoting="1-1"), active_model=NEW),
        held(NotCarriedOutReason.CHAMPION_CHANGED),
    ),
    "a challenger that somebody made active": (
        facts(active_model=NEW),
        held(NotCarriedOutReason.CHAMPION_CHANGED),
    ),
    "another champion": (
        facts(active_model="model/third"),
        held(NotCarriedOutReason.CHAMPION_CHANGED),
    ),
    "a model that was rolled back": (in_row(barred=(NEW,)), held(NotCarriedOutReason.BARRED)),
    "paused promotions": (
        in_row(promotion_pause=PAUSE),
        held(NotCarriedOutReason.PROMOTION_PAUSED, "an incident (by alice)"),
    ),
    "an open question": (
        asked(question(ApprovalState.PENDING)),
        AwaitAnswer(timedelta(hours=1)),
    ),
    "a question that is not sent yet": (
        asked(question(ApprovalState.WANTED)),
        AwaitAnswer(timedelta(hours=1)),
    ),
    "a question whose time ends now": (
        asked(question(ApprovalState.PENDING, until=NOW)),
        EndQuestion(),
    ),
    "a yes": (asked(question(ApprovalState.APPROVED)), Promote()),
    "a no": (asked(question(ApprovalState.REJECTED)), REJECTED_BY_BOB),
    "a no, and another champion": (
        asked(question(ApprovalState.REJECTED), active_model="model/third"),
        REJECTED_BY_BOB,
    ),
    "a yes, and another champion": (
        asked(question(ApprovalState.APPROVED), active_model="model/third"),
        held(NotCarriedOutReason.CHAMPION_CHANGED),
    ),
    "silence that keeps the champion": (
        asked(question(ApprovalState.EXPIRED)),
        held(NotCarriedOutReason.UNANSWERED),
    ),
    "silence that promotes": (
        asked(question(ApprovalState.EXPIRED, on_timeout="promote")),
        Promote(),
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_the_step_follows_when_the_facts_are_known(given: StepFacts, expected: Step) -> None:
    """Whoever carries a verdict out, and whoever closes after a crash, sees the same."""
    assert next_step(given) == expected


def test_an_outcome_is_settled_when_the_verdict_alone_decided() -> None:
    """After a crash CloseBatch records these, and nothing that would need another look."""
    settled = {name for name, (_, step) in CASES.items() if getattr(step, "is_settled", False)}
    assert settled == {
        "a rejected challenger",
        "missing evidence",
        "a rejected challenger that somebody made active",
        "shadow mode",
        "our own write",
    }
