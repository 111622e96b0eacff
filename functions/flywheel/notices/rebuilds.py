"""Notices of a flywheel's generations: requested, failed, abandoned, live.

Decides the words only. Read next: `flywheel.notices.acts`.
"""

from collections.abc import Sequence
from datetime import datetime

from flywheel.notices.acts import act_notice, at_moment, attributed, named_keys
from flywheel.notices.notice import Notice, shown


def rebuilding(
    environment: str, flywheel: str, generation: int, reason: str, *, actor: str, now: datetime
) -> Notice:
    """Report that somebody requested the next generation."""
    return act_notice(
        environment,
        flywheel,
        at_moment("rebuilding", now),
        f"REBUILD to generation {generation} requested",
        why=[
            attributed(actor, f"requested generation {generation}", reason),
            "A new flywheel is created and gets all accepted rows that were not withdrawn, in as "
            "few datasets as the quotas allow. The live model stays live until a model of the new "
            "generation is promoted.",
        ],
        todo="Nothing to do: its first iteration starts by itself.",
    )


def rebuild_failed(
    environment: str, flywheel: str, generation: int, why: str, now: datetime
) -> Notice:
    """Report that the next generation could not be created."""
    return act_notice(
        environment,
        flywheel,
        at_moment("rebuild-failed", now),
        f"REBUILD to generation {generation} FAILED",
        why=[
            f"Comprehend refused the new flywheel, or the live model in it: {shown(why, 1000)}",
            "Nothing was changed: uploads go to the present flywheel as before.",
        ],
        todo="Repair the cause. If there is a flywheel in status FAILED of the name "
        f"{environment}-{flywheel}-g{generation}, delete it. Then: "
        f"flywheel rebuild {flywheel} --env {environment} --reason TEXT",
    )


def rebuild_given_up(
    environment: str,
    flywheel: str,
    generation: int,
    *,
    arn: str | None,
    before_arn: str,
    is_return: bool,
    taint: Sequence[str],
    reason: str,
    actor: str,
    now: datetime,
) -> Notice:
    """Report that somebody abandoned a generation.

    Parameters
    ----------
    arn : str or None
        Its flywheel; None where it was not created yet, or is not known.
    before_arn : str
        The flywheel that is used from now on.
    is_return : bool
        Whether batches went to the generation already.
    taint : sequence of str
        Inbox keys that were withdrawn and are in the datasets of the flywheel that is used.
    """
    why = [attributed(actor, f"abandoned generation {generation}", reason)]
    if is_return:
        why.append(
            f"Uploads and batches go to {before_arn} again, with the datasets and the test set "
            "that it had. Accepted rows that it does not hold wait for its next batch."
        )
    else:
        why.append(f"Uploads and batches go to {before_arn} as before.")
    words, todo = f"REBUILD abandoned: generation {generation}", "Nothing to do."
    if taint:
        why.append(
            f"That flywheel is TAINTED: its datasets hold rows that were withdrawn "
            f"({named_keys(taint)}), and every later iteration trains on them too."
        )
        words += ", TAINTED"
        todo = (
            f"`flywheel rebuild {flywheel} --env {environment} --reason TEXT` makes another "
            "generation without these rows."
        )
    unused = f"The flywheel {arn}"
    if arn is None:
        # Its creation may be under way.
        unused = f"A flywheel of the name {environment}-{flywheel}-g{generation}, if there is one,"
    todo += f" {unused} is no longer used; you may delete it."
    return act_notice(
        environment, flywheel, at_moment("rebuild-given-up", now), words, why=why, todo=todo
    )


def without_rows(
    environment: str, flywheel: str, generation: int, arn: str, now: datetime
) -> Notice:
    """Report that a new generation has nothing to train on."""
    place = f"{flywheel} --env {environment}"
    return act_notice(
        environment,
        flywheel,
        at_moment("without-rows", now),
        f"REBUILD to generation {generation}, ACTION NEEDED: no rows are left to train on",
        why=[
            f"{arn} was created, and uploads and batches go to it. All training rows that were "
            "accepted before have been withdrawn.",
            "The live model stays live until a model of the new generation is promoted.",
        ],
        todo=f"Upload training rows: `flywheel upload FILE {place} --kind train`; the first batch "
        f"starts by itself. Or go back: `flywheel rebuild {place} --abandon --reason TEXT`.",
    )


def rebuilt(
    environment: str,
    flywheel: str,
    *,
    before_arns: Sequence[str],
    arn: str,
    endpoints: Sequence[str],
    now: datetime,
) -> Notice:
    """Report that a model of the new generation was promoted, and what follows it now.

    Parameters
    ----------
    before_arns : sequence of str
        The flywheels that endpoints followed until now: the last generation with a live model, and
        those since of which none was promoted.
    """
    why = [
        f"A model of {arn} was promoted. Flywheels of earlier generations and their data lakes "
        f"are untouched: {', '.join(before_arns)}.",
        *(f"This endpoint follows the new flywheel now: {endpoint}." for endpoint in endpoints),
    ]
    if not endpoints:
        why.append("No endpoint followed an earlier generation.")
    return act_notice(
        environment,
        flywheel,
        at_moment("rebuilt", now),
        "REBUILT, the new generation is live",
        why=why,
        todo="Nothing to do here. Whoever runs jobs and programs that name the ARN of an earlier "
        "flywheel must point them at the new one.",
        live=f"the active model of {arn}",
    )
