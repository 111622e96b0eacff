"""Notices of acts on a flywheel: paused, resumed, data withdrawn, a champion changed outside.

Decides the words only. Whoever acted stands first in the sentence, since a person's reason may hold
words that look like a signature. Read next: `flywheel.notices.notice` (how text from data is
shown).
"""

from collections.abc import Sequence
from datetime import datetime

from flywheel.actors import name_and_mark
from flywheel.notices.notice import Notice, body, shown, subject
from flywheel.number_words import number_of

_FILES_NAMED = 20
_AFTER_PAUSE = (
    "Nothing to do. To let batches open by themselves again: `flywheel resume {flywheel} --env "
    "{environment} --reason TEXT`."
)
_AFTER_FAILURES = (
    "ACTION NEEDED: repair what the notices of the failed batches name. Then `flywheel retry "
    "{flywheel} --env {environment}` opens the last one again with the same uploads, and "
    "`flywheel resume {flywheel} --env {environment} --reason TEXT` lets batches open by "
    "themselves."
)
_TAINTED = (
    "The flywheel is TAINTED: Comprehend has no call that takes a dataset back, so every later "
    "iteration trains on these rows too, until `flywheel rebuild` makes the next generation."
)
_AFTER_TAINT = (
    "`flywheel rebuild {flywheel} --env {environment} --reason TEXT` makes the next generation "
    "without these rows; upload corrected ones, if there are any."
)
_STAYS_LIVE = "It stays live, after a rebuild too, until another model is promoted."
_OTHER_MODEL = (
    " To have an earlier model live at once: `flywheel promote MODEL {flywheel} --env "
    "{environment} --reason TEXT`."
)
_UNCHANGED = "nothing changed; the active model stays as it is."


def shown_actor(actor: str, most_characters: int = 200) -> str:
    """Return who acted as it may be shown: a long name is cut, whether it is verified is not.

    Examples
    --------
    >>> shown_actor("a-very-long-name (claimed)", 10)
    'a-very-... (claimed)'
    """
    name, mark = name_and_mark(actor)
    return shown(name, most_characters) + mark


def attributed(actor: str, act: str, reason: str) -> str:
    """Return who did what, and the reason that was given, as one sentence.

    Examples
    --------
    >>> attributed("alice (verified)", "paused it", "bad rows in monday.csv")
    'alice (verified) paused it: bad rows in monday.csv.'
    """
    sentence = f"{shown_actor(actor)} {act}: {shown(reason, 500)}"
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def paused(
    environment: str,
    flywheel: str,
    reason: str,
    actor: str,
    now: datetime,
    *,
    is_after_failures: bool = False,
) -> Notice:
    """Report that a flywheel opens no batch until somebody resumes it."""
    todo = _AFTER_FAILURES if is_after_failures else _AFTER_PAUSE
    return act_notice(
        environment,
        flywheel,
        at_moment("paused", now),
        f"PAUSED: {reason}",
        why=[
            attributed(actor, "paused the flywheel", reason),
            "No batch opens; uploads are accepted and stay staged. What is under way goes on.",
        ],
        todo=todo.format(flywheel=flywheel, environment=environment),
    )


def resumed(
    environment: str, flywheel: str, reason: str, actor: str, *, paused_for: str, now: datetime
) -> Notice:
    """Report that batches open again.

    Parameters
    ----------
    paused_for : str
        The reason that was given when it was paused.
    """
    return act_notice(
        environment,
        flywheel,
        at_moment("resumed", now),
        "RESUMED",
        why=[
            attributed(actor, "resumed the flywheel", reason),
            f"It was paused for: {shown(paused_for, 500)}.",
        ],
        todo="Nothing to do: the next batch opens when the batch rules are met.",
    )


def withdrawn(
    environment: str,
    flywheel: str,
    left: Sequence[str],
    kept: Sequence[str],
    *,
    live_trained_on: Sequence[str],
    reason: str,
    actor: str,
    now: datetime,
) -> Notice:
    """Report that data was withdrawn, and whether the flywheel's datasets hold it.

    Parameters
    ----------
    left, kept : sequence of str
        Inbox keys: rows that were not sent, and rows that datasets hold.
    live_trained_on : sequence of str
        Those of them that the live model was trained on.
    """
    act = f"withdrew {number_of(len(left) + len(kept), 'upload')}"
    why = [attributed(actor, act, reason)]
    if left:
        why.append(f"Not sent, and no longer staged: {named_keys(left)}.")
    if kept:
        why += [f"In datasets of the flywheel already: {named_keys(kept)}.", _TAINTED]
    if live_trained_on:
        why.append(f"The live model was trained on {named_keys(live_trained_on)}. {_STAYS_LIVE}")
    words = f"WITHDRAWN {number_of(len(left) + len(kept), 'upload')}" + (
        ", TAINTED" if kept else ""
    )
    todo = _AFTER_TAINT if kept else "Upload corrected rows, if there are any."
    if live_trained_on:
        todo += _OTHER_MODEL
    todo = todo.format(flywheel=flywheel, environment=environment)
    return act_notice(environment, flywheel, at_moment("withdrawn", now), words, why=why, todo=todo)


def champion_changed(
    environment: str, flywheel: str, before: str | None, active: str | None, now: datetime
) -> Notice:
    """Report that the active model was changed outside, for example in the console."""
    return act_notice(
        environment,
        flywheel,
        at_moment("champion", now),
        "CHAMPION_CHANGED outside",
        why=[
            f"The active model was {before or 'none'} at the last check, and no verdict changed "
            "it. The new one is the champion from now on; nothing was reverted.",
        ],
        todo="Nothing to do if this was intended. Otherwise make the other model active by hand.",
        live=active or "no model",
    )


def outside_iteration(environment: str, flywheel: str, iteration_id: str, status: str) -> Notice:
    """Report an iteration that no batch started."""
    return act_notice(
        environment,
        flywheel,
        f"outside-{iteration_id}",
        f"OUTSIDE iteration {iteration_id}",
        why=[
            f"Iteration {shown(iteration_id)} ({shown(status)}) was started outside this system, "
            "for example in the console. Batches wait while it runs. When it has completed, it is "
            "judged like every iteration, and only a person can promote its model.",
        ],
        todo="Nothing to do.",
    )


def act_notice(
    environment: str,
    flywheel: str,
    event: str,
    words: str,
    *,
    why: Sequence[str],
    todo: str,
    live: str = _UNCHANGED,
) -> Notice:
    """Return a notice about an act on a flywheel.

    Parameters
    ----------
    event : str
        Makes its id differ from those of other acts (`at_moment`).
    words : str
        The subject's.
    """
    text = body(
        live=live,
        why=why,
        todo=todo,
        command=f"flywheel status {flywheel} --env {environment}",
        ids=[f"Flywheel: {flywheel}"],
    )
    return Notice(f"{flywheel}-{event}", subject(environment, flywheel, words), text)


def at_moment(event: str, now: datetime) -> str:
    """Return an event's name with the moment, to the microsecond."""
    return f"{event}-{now:%Y%m%dT%H%M%S%fZ}"


def named_keys(keys: Sequence[str]) -> str:
    """Return the first inbox keys of many, fit to be shown."""
    named = ", ".join(shown(key, 120) for key in keys[:_FILES_NAMED])
    more = len(keys) - _FILES_NAMED
    return f"{named} and {more} more" if more > 0 else named
