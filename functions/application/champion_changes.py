"""ChangeChampion: a person's rollback or promotion, from intent to notice.

The intent is in the ledger before anything is done; then the active model is read, changed, and
read again; then history, notice and audit are one transaction. A call that finds an intent carries
it on from where it is. Who asks for it needs no permission but to invoke it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from application.commands.payloads import reason_problem
from application.ledger.flywheel_rows import ChampionChange, FlywheelRow
from application.notices import followers
from application.ports import FlywheelService
from application.services import Services
from flywheel.errors import (
    ActRefusedError,
    BatchNotFoundError,
    ConcurrentChangeError,
    ServiceRefusedError,
)
from flywheel.evaluation.champions import (
    TRAINED_STATUSES,
    Champion,
    ChampionSource,
    rollback_target,
)
from flywheel.notices.champions import NewChampion, champion_made

_PEOPLES_SOURCES = {
    source.value: source for source in (ChampionSource.ROLLBACK, ChampionSource.PROMOTE)
}
"""What a person may ask for: the history's other sources are for functions."""


def change(services: Services, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Make another model the champion.

    Parameters
    ----------
    asked : mapping
        ``flywheel``; for a new change also ``act`` (rollback or promote), ``model`` (of a
        promotion: an ARN, or a verdict's number), ``reason``, ``actor`` and ``request``, which is
        the same for the same request.

    Returns
    -------
    dict
        ``model`` that is live now and ``before``, or ``refused``: why nothing was changed; neither
        where there was nothing to carry on.
    """
    name = str(asked["flywheel"])
    known = services.flywheel(name)
    row = services.ledger.flywheels.ensure(name, known.arn)
    if "act" not in asked:
        return {} if row.change is None else _carried_on(services, row, row.change)
    person = replace(services, actor=str(asked["actor"]))
    try:
        return _changed(person, row, asked)
    except ActRefusedError as error:
        request = {item: asked.get(item) for item in ("act", "model", "reason")}
        person.ledger.champions.note_refusal(name, request, str(error), services.now())
        return {"refused": str(error)}


def _changed(person: Services, row: FlywheelRow, asked: Mapping[str, Any]) -> dict[str, Any]:
    history = person.ledger.champions.history(row.name)
    request = str(asked["request"])
    if history and history[-1].request == request:
        return {"model": history[-1].model, "is_repeated": True}
    begun = row.change
    if begun is None or begun.request != request:
        begun = _begun(person, row, asked)
        row = person.ledger.flywheels.ensure(row.name, row.arn)
    return _carried_on(person, row, begun)


def _begun(person: Services, row: FlywheelRow, asked: Mapping[str, Any]) -> ChampionChange:
    """Write down what a person wants, where that can be."""
    if row.change is not None:
        raise ActRefusedError(
            f"a {row.change.how} of {row.name} by {row.change.by} is under way: try again"
        )
    if row.promoting is not None:
        raise ActRefusedError(f"batch {row.promoting} of {row.name} is being promoted: try again")
    if row.rebuild is not None and row.rebuild.step == "RETURNING":
        raise ActRefusedError(f"{row.rebuild.block_reason}: try again once it has")
    how = _PEOPLES_SOURCES.get(str(asked["act"]))
    if how is None:
        raise ActRefusedError("act: a person may ask for rollback or promote")
    problem = reason_problem(asked.get("reason"))
    if problem is not None:
        raise ActRefusedError(f"reason: {problem}")
    comprehend = person.comprehend(row.arn)
    active = comprehend.describe().active_model
    model = (
        rollback_model(person, row, active)
        if how is ChampionSource.ROLLBACK
        else promoted_model(person, row, str(asked["model"]))
    )
    if model == active:
        raise ActRefusedError(f"{model} is active already")
    checked(comprehend, model)
    begun = ChampionChange(
        how=how,
        model=model,
        by=person.actor,
        reason=str(asked["reason"]),
        at=person.now().isoformat(),
        request=str(asked["request"]),
        before=active,
    )
    try:
        person.ledger.champions.begin(row, begun, person.now())
    except ConcurrentChangeError as error:
        message = f"the champion of {row.name} is being changed right now: try again"
        raise ActRefusedError(message) from error
    return begun


def _carried_on(services: Services, row: FlywheelRow, begun: ChampionChange) -> dict[str, Any]:
    """Bring a change that was written down to its end, from wherever it is."""
    comprehend, ledger = services.comprehend(row.arn), services.ledger
    active = comprehend.describe().active_model
    why = None
    if active == begun.before:
        try:
            comprehend.make_active(begun.model)
        except ServiceRefusedError as error:
            why = f"Comprehend refused it: {error}"
        active = comprehend.describe().active_model
    if why is None and active == begun.before:
        raise ConcurrentChangeError("UpdateFlywheel was accepted, but the active model is another")
    if active != begun.model:
        why = why or "somebody else changed the champion meanwhile; nothing was overwritten"
        ledger.champions.abandon(row, begun, why, services.now())
        return {"refused": why}
    new = NewChampion(
        ChampionSource(begun.how),
        begun.before,
        begun.model,
        begun.by,
        begun.reason,
        followers(services, row, begun.before, begun.model),
    )
    notice = champion_made(services.configuration.environment, row.name, new, services.now())
    ledger.champions.complete(row, begun, notice, services.now())
    services.notices.publish(row.name, notice)
    return {"model": begun.model, "before": begun.before}


def rollback_model(services: Services, row: FlywheelRow, active: str | None) -> str:
    """Return the model that was live before the present champion.

    Raises
    ------
    ActRefusedError
        There is none.
    """
    history = services.ledger.champions.history(row.name)
    model = rollback_target(history, active, row.barred)
    if model is None:
        raise ActRefusedError(_no_earlier(row, history, active))
    return model


def _no_earlier(row: FlywheelRow, history: Sequence[Champion], active: str | None) -> str:
    """Say why there is nothing to go back to, and what can be done instead."""
    problem = f"{row.name} has no earlier champion to go back to"
    left = next(
        (champion.model for champion in reversed(history) if champion.model != active), None
    )
    if left is None:
        return (
            f"{problem}: {active or 'no model'} is the first one. To make another trained model "
            f"live: flywheel promote MODEL {row.name} --reason TEXT (flywheel history {row.name} "
            "lists verdicts, whose numbers stand for their models)"
        )
    return (
        f"{problem}: all others were rolled back from. To make the one that was live before this "
        f"one live again: flywheel promote {left} {row.name} --reason TEXT"
    )


def promoted_model(services: Services, row: FlywheelRow, asked: str) -> str:
    """Return the model that a person names, by ARN or by its verdict's number.

    Raises
    ------
    ActRefusedError
        It is none of this flywheel's.
    """
    if asked.isdigit():
        return _challenger(services, row, int(asked))
    if not asked.startswith("arn:"):
        raise ActRefusedError(f"{asked!r} is neither a model's ARN nor a verdict's number")
    history = services.ledger.champions.history(row.name)
    if any(champion.model == asked for champion in history):
        return asked
    facts = services.comprehend(row.arn).model(asked)
    if facts is None:
        raise ActRefusedError(f"there is no model {asked}")
    own = {row.arn, *services.ledger.flywheels.earlier_arns(row)}
    if facts.flywheel_arn not in own:
        raise ActRefusedError(f"{asked} is no version that {row.name} trained")
    return asked


def checked(comprehend: FlywheelService, model: str) -> None:
    """Refuse a model that cannot be live.

    Raises
    ------
    ActRefusedError
        It was deleted, or is not trained.
    """
    facts = comprehend.model(model)
    if facts is None:
        raise ActRefusedError(f"{model} does not exist any more")
    if facts.status not in TRAINED_STATUSES:
        raise ActRefusedError(f"{model} is {facts.status}: only a trained model can be active")


def _challenger(services: Services, row: FlywheelRow, number: int) -> str:
    try:
        stored = services.ledger.verdicts.get(services.ledger.batches.get(row.name, number))
    except BatchNotFoundError as error:
        raise ActRefusedError(str(error)) from error
    model = stored.verdict.evidence.challenger_arn if stored else None
    if model is None:
        raise ActRefusedError(f"batch {number} of {row.name} has no verdict that names a model")
    return model
