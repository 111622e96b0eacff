"""Notices of champions: approval requested, changed by a person, judged but never carried out.

Decides the words only. Read next: `flywheel.notices.batches` and
`flywheel.notices.verdicts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flywheel.evaluation.champions import ChampionSource
from flywheel.evaluation.verdict import Decision, Verdict
from flywheel.evaluation.verdict_view import VerdictView
from flywheel.notices.acts import act_notice, at_moment, attributed
from flywheel.notices.batches import BatchFacts, batch_notice
from flywheel.notices.notice import Notice, body, shown, subject
from flywheel.notices.verdicts import f1_change
from flywheel.notices.what_changed import metric_table

_AFTER_PROMOTE = (
    "Nothing to do. To take it back: `flywheel rollback {flywheel} --env {env} --reason TEXT`."
)
_AFTER_ROLLBACK = (
    "Batches and verdicts go on, but no verdict is carried out until `flywheel resume {flywheel} "
    "--env {env} --reason TEXT`. Only a person can promote the model that was rolled back: "
    "`flywheel promote {before} {flywheel} --env {env} --reason TEXT`."
)


@dataclass(frozen=True, slots=True)
class NewChampion:
    """A change of the champion by a person.

    Parameters
    ----------
    source : ChampionSource
    before : str or None
    model : str
    by, reason : str
    followers : sequence of str
        Sentences about endpoints.
    """

    source: ChampionSource
    before: str | None
    model: str
    by: str
    reason: str
    followers: Sequence[str]


def approval_asked(facts: BatchFacts, verdict: Verdict, until: datetime, on_timeout: str) -> Notice:
    """Request a person's approval of a challenger."""
    place = f"{facts.batch} {facts.flywheel} --env {facts.environment} --reason TEXT"
    silence = "is promoted" if on_timeout == "promote" else "is not promoted; the champion stays"
    todo = (
        f"ACTION NEEDED until {until:%Y-%m-%d %H:%M} UTC: `flywheel approve {place}` makes the "
        f"challenger active, `flywheel reject {place}` keeps it out. If nobody answers, it "
        f"{silence}."
    )
    view = VerdictView(verdict)
    return batch_notice(
        facts,
        "approval",
        f"ACTION NEEDED: approve batch {facts.batch}{f1_change(view.f1)}",
        why=[
            "The verdict is PROMOTE, and the policy asks for the approval of a person.",
            f"The challenger is {verdict.evidence.challenger_arn}.",
            *verdict.reasons,
        ],
        todo=todo,
        table=metric_table(view),
    )


def champion_made(environment: str, flywheel: str, change: NewChampion, now: datetime) -> Notice:
    """Report that a person changed the active model, after that was verified."""
    is_rollback = change.source is ChampionSource.ROLLBACK
    after = _AFTER_ROLLBACK if is_rollback else _AFTER_PROMOTE
    act = "rolled back" if is_rollback else "promoted this model"
    return act_notice(
        environment,
        flywheel,
        at_moment(change.source, now),
        "ROLLED BACK" if is_rollback else "PROMOTED by a person",
        why=[
            attributed(change.by, act, change.reason),
            f"Before, {change.before or 'no model'} was active.",
            *change.followers,
        ],
        todo=after.format(flywheel=flywheel, env=environment, before=change.before or "MODEL_ARN"),
        live=change.model,
    )


def outside_judged(
    environment: str, flywheel: str, iteration_id: str, verdict: Verdict, live: str | None
) -> Notice:
    """Report the verdict on an iteration that was started outside; it is never carried out."""
    view = VerdictView(verdict)
    would = {
        Decision.PROMOTE: "would be PROMOTED",
        Decision.REJECT: "would be REJECTED",
        Decision.HOLD: "would be HELD",
    }[verdict.decision]
    challenger, champion = verdict.evidence.challenger_arn, verdict.evidence.champion_arn
    why, todo = [*verdict.reasons], "Nothing to do."
    if challenger and live == challenger:
        why = ["Its model is active already: the service or a person made it active.", *why]
    elif challenger:
        todo = (
            f"Nothing to do. To make it active: `flywheel promote {challenger} {flywheel} --env "
            f"{environment} --reason TEXT`."
        )
        if live != champion:
            would = "would be HELD, CHAMPION_CHANGED"
            why = [f"It was compared with {champion}, which is no longer active.", *why]
    text = body(
        live=live or "no model yet",
        why=[
            f"Iteration {shown(iteration_id)} was started outside this system, for example in "
            "the console. It is judged like every iteration, and only a person can promote its "
            "model.",
            *why,
        ],
        todo=todo,
        table=metric_table(view),
        command=f"flywheel status {flywheel} --env {environment}",
        ids=[f"Flywheel:  {flywheel}", f"Iteration: {shown(iteration_id)}"],
    )
    words = f"OUTSIDE iteration {would}{f1_change(view.f1)}"
    notice_id = f"{flywheel}-outside-{iteration_id}-verdict"
    return Notice(notice_id, subject(environment, flywheel, words), text)
