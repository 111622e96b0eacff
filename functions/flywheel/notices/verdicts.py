"""The notice of a verdict that was acted on.

Decides the words only. Read next: `flywheel.evaluation.verdict_view` (what is said of the numbers),
`flywheel.notices.rejections`.
"""

from collections.abc import Sequence

from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.champions import NotCarriedOutReason
from flywheel.evaluation.verdict import Decision, Verdict
from flywheel.evaluation.verdict_view import AverageChange, VerdictView
from flywheel.notices.acts import named_keys
from flywheel.notices.batches import BatchFacts, batch_notice
from flywheel.notices.not_carried_out import NOT_CARRIED_OUT
from flywheel.notices.notice import Notice
from flywheel.notices.rejections import rejection
from flywheel.notices.what_changed import label_shift, metric_table

_NOTHING = "Nothing to do."
_AFTER_HOLD = "You need not do anything. The reasons above say what would end the hold."
_AFTER_HOLD_WITHOUT_TRAINING = (
    " More test documents end it without training: upload them to {flywheel}/test/ in the inbox, "
    "then run `flywheel testset freeze {flywheel} --env {environment}` to have both models judged "
    "again."
)
_AFTER_LIVE_ANYWAY = "ACTION NEEDED: if it should not be live, make another model active by hand."
_LIVE_ANYWAY = "The challenger is active already: the service or a person made it active."


def judged(
    facts: BatchFacts,
    verdict: Verdict,
    outcome: BatchOutcome,
    *,
    can_be_judged_again: bool = False,
    trained_by: int | None = None,
    kept: NotCarriedOutReason | None = None,
    because: str | None = None,
    followers: Sequence[str] = (),
) -> Notice:
    """Report a verdict after it was acted on.

    Parameters
    ----------
    can_be_judged_again : bool
        Whether more test rows could end a hold without training.
    trained_by : int, optional
        The batch that trained the challenger, where this one trained nothing.
    kept, because : NotCarriedOutReason and str, optional
        Why a PROMOTE was not carried out.
    followers : sequence of str
        Sentences about endpoints after a promotion.
    """
    place = {"flywheel": facts.flywheel, "batch": facts.batch, "environment": facts.environment}
    view = VerdictView(verdict)
    change = f1_change(view.f1)
    words, todo = f"{outcome.value}{change}", _NOTHING
    why = [
        *verdict.reasons,
        *(f"WARNING: {warning}" for warning in verdict.warnings),
        *filter(None, [view.answers_summary]),
        *label_shift(facts.label_counts, facts.earlier_counts),
        *followers,
    ]
    if verdict.is_bootstrap:
        words += ", BOOTSTRAP (first model)"
    if kept is not None:
        case = NOT_CARRIED_OUT[kept]
        words, todo = f"{case.headline}{change}", case.todo.format(**place)
        why = [because or case.reason, *why]
    elif verdict.decision is Decision.HOLD:
        words, todo = f"{words}, evidence is missing", _AFTER_HOLD
        if can_be_judged_again:
            todo += _AFTER_HOLD_WITHOUT_TRAINING.format(**place)
    elif verdict.decision is Decision.REJECT:
        which = "this batch" if trained_by is None else f"batch {trained_by}"
        cause = rejection(
            verdict,
            facts.label_counts,
            facts.earlier_counts,
            is_rebuilt=facts.is_rebuilt,
            is_return_tainted=facts.is_return_tainted,
            is_live_mistrained=bool(facts.live_trained_on),
        )
        why = [why[0], cause.likely, *why[1:]] if why else [cause.likely]
        facts_named = {"which": which, "batch": trained_by or facts.batch}
        facts_named["withdrawn"] = named_keys(facts.live_trained_on)
        todo = cause.todo.format(**{**place, **facts_named})
    challenger = verdict.evidence.challenger_arn
    if outcome is not BatchOutcome.PROMOTED and challenger and challenger == facts.live_model:
        why, todo = [_LIVE_ANYWAY, *why], _AFTER_LIVE_ANYWAY
    return batch_notice(facts, "verdict", words, why=why, todo=todo, table=metric_table(view))


def f1_change(f1: AverageChange) -> str:
    """Return the part of a subject about F1; empty where the challenger has none."""
    return f", F1 {f1.summary}" if f1.summary else ""
