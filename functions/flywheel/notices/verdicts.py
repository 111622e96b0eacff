"""The notice of a verdict that was acted on, or not carried out: why, and what people may do.

Taking data back is offered only where the new model is worse: a tie shows nothing wrong with the
rows, and a rebuild's own batch holds all of them. Decides the words only. Read next:
`flywheel.evaluation.verdict_view` (what is shown of the numbers), `flywheel.evaluation.champions`
(why a verdict is not carried out).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.champions import NotCarriedOutReason
from flywheel.evaluation.effective_rules import Outcome
from flywheel.evaluation.verdict import Decision, Verdict
from flywheel.evaluation.verdict_view import AverageChange, VerdictView
from flywheel.notices.acts import named_keys
from flywheel.notices.batches import BatchFacts, batch_notice
from flywheel.notices.notice import Notice, shown
from flywheel.notices.what_changed import label_shift, metric_table

_LEAST_LOSS = 0.005
"""Smaller losses of an average are no news: the policy's own default asks for as large a gain."""

_NAMED = 3
_KEPT = (
    "The rows of {which} stay in the flywheel, since Comprehend has no call that takes a dataset "
    "back"
)
_NO_GAIN = (
    "Nothing to do: go on uploading. " + _KEPT + ", and nothing shows that they are wrong. Rows of "
    "labels with a low F1 help most."
)
_WORSE = (
    "Look at the rows of {which}. If they are right, go on uploading. "
    + _KEPT
    + ": every later iteration trains on them too. If they are wrong, for example mislabeled, "
    "withdraw them: "
    "`flywheel withdraw {flywheel} --batch {batch} --env {environment} --reason TEXT`, then "
    "`flywheel rebuild {flywheel} --env {environment} --reason TEXT` makes the next generation "
    "without them."
)
_FLOOR = (
    "Upload more labeled rows, above all of labels that have few. The next batch trains on the new "
    "rows and on those of this batch."
)
_LIVE_STAYS = "You need not do anything: the live model stays live. "
_REBUILT = (
    "Go on uploading, and the next batch trains in the new generation; or `flywheel rebuild "
    "{flywheel} --env {environment} --abandon --reason TEXT` goes back to the earlier "
    "flywheel{taint}."
)
_STILL_LIVE = (
    " The live model was trained on rows that were withdrawn ({withdrawn}), and stays live. To "
    "have this batch's model live instead: `flywheel promote {batch} {flywheel} --env "
    "{environment} --reason TEXT`."
)
_TAINTED = ", which is TAINTED: its datasets hold rows that were withdrawn"


def _rejection(facts: BatchFacts, verdict: Verdict, trained_by: int | None) -> tuple[str, str]:
    """Return the likely cause of a rejection, and what people may do about it."""
    losses = [
        -rule.gain
        for rule in verdict.outcomes
        if rule.outcome is Outcome.FAIL and rule.metric and rule.gain is not None
    ]
    is_worse = max(losses, default=0.0) >= _LEAST_LOSS
    if not losses:
        likely, todo = "too few rows, or labels that are hard to tell apart", _FLOOR
    elif facts.is_rebuilt:
        change = "worse" if is_worse else "no better"
        likely = (
            f"a rebuild trains anew on all rows that were not withdrawn, and is {change} this time"
        )
        likely += _worse_labels(verdict)
        todo = f"{_REBUILT}{_STILL_LIVE}" if facts.live_trained_on else f"{_LIVE_STAYS}{_REBUILT}"
    elif not is_worse:
        likely, todo = "no gain; the new rows teach it little that is new", _NO_GAIN
    else:
        likely, todo = f"the new rows make it worse{_worse_labels(verdict)}", _WORSE
        if label_shift(facts.label_counts, facts.earlier_counts):
            likely += "; they differ much from the rest, as the shift of labels below shows"
    return f"Likely: {likely}.", todo.format(
        flywheel=facts.flywheel,
        environment=facts.environment,
        batch=trained_by or facts.batch,
        which="this batch" if trained_by is None else f"batch {trained_by}",
        taint=_TAINTED if facts.is_return_tainted else "",
        withdrawn=named_keys(facts.live_trained_on),
    )


def _worse_labels(verdict: Verdict) -> str:
    """Return the labels that got worse, where values of labels or failed rules name them."""
    labels = [each.label for each in VerdictView(verdict).worse[:_NAMED]] or [
        rule.label
        for rule in verdict.outcomes
        if rule.outcome is Outcome.FAIL and rule.label is not None
    ]
    if not labels:
        return ""
    return f", most of all on {', '.join(shown(repr(label), 60) for label in labels)}"


_BY_HAND = (
    "If the challenger should be live: `flywheel promote {batch} {flywheel} --env {environment} "
    "--reason TEXT`. Otherwise, there is nothing to do."
)


@dataclass(frozen=True, slots=True)
class NotCarriedOutWords:
    """The words of one case; ``{batch}``, ``{flywheel}`` and ``{environment}`` are filled in."""

    headline: str
    reason: str
    todo: str = _BY_HAND


# The reasons are stored with verdicts and in the audit, so their words stay.
NOT_CARRIED_OUT: Mapping[NotCarriedOutReason, NotCarriedOutWords] = {
    NotCarriedOutReason.CHAMPION_CHANGED: NotCarriedOutWords(
        "HELD, CHAMPION_CHANGED",
        "The active model was changed by somebody else while this verdict was made; nothing was "
        "written.",
    ),
    NotCarriedOutReason.SHADOW: NotCarriedOutWords(
        "SHADOW, would be PROMOTED",
        'The policy\'s mode is "shadow": the verdict is written down, and nothing is done.',
    ),
    NotCarriedOutReason.PROMOTION_PAUSED: NotCarriedOutWords(
        "HELD, promotion is paused",
        "No verdict is carried out since somebody rolled back",
        _BY_HAND + " `flywheel resume {flywheel} --env {environment} --reason TEXT` lets verdicts "
        "promote again.",
    ),
    NotCarriedOutReason.BARRED: NotCarriedOutWords(
        "HELD, the challenger is barred",
        "Somebody rolled back from this model before, so no verdict makes it active again.",
    ),
    NotCarriedOutReason.UNANSWERED: NotCarriedOutWords(
        "HELD, nobody answered",
        "The policy asks a person, and nobody answered in time; the champion stays.",
    ),
    NotCarriedOutReason.REJECTED_BY_PERSON: NotCarriedOutWords(
        "REJECTED by a person", "The policy asks a person, who said no", "Nothing to do."
    ),
}


def not_carried_out_reason(kept: NotCarriedOutReason, detail: str | None = None) -> str:
    """Return why a verdict was not carried out, as one sentence.

    Parameters
    ----------
    detail : str, optional
        Who did what, and why; it completes the case's own words.
    """
    words = NOT_CARRIED_OUT[kept].reason
    return words if detail is None else f"{words}: {detail}"


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
    words, todo = f"{outcome.value}{change}", "Nothing to do."
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
        likely, todo = _rejection(facts, verdict, trained_by)
        why = [*why[:1], likely, *why[1:]]
    challenger = verdict.evidence.challenger_arn
    if outcome is not BatchOutcome.PROMOTED and challenger and challenger == facts.live_model:
        why, todo = [_LIVE_ANYWAY, *why], _AFTER_LIVE_ANYWAY
    return batch_notice(facts, "verdict", words, why=why, todo=todo, table=metric_table(view))


def f1_change(f1: AverageChange) -> str:
    """Return the part of a subject about F1; empty where the challenger has none."""
    return f", F1 {f1.summary}" if f1.summary else ""
