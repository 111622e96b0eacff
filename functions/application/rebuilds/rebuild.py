"""RebuildFlywheel: the next generation of a flywheel, from all accepted, not withdrawn rows.

A person asks for it (`application.commands.rebuild_commands`); this function carries it on, one
step a call, from whatever step the ledger has it in: REQUESTED -> CREATING -> SWITCHED, and when a
verdict of the new generation promoted, endpoints follow and it is done. `reconcile` calls it until
then. Where the service refuses the new flywheel the rebuild ends with a notice. Until a
model is promoted people may give it up. Both ends are RETURNING until uploads are as the earlier
flywheel has them, which then goes on. Nothing of that one is changed or deleted.
"""

import hashlib
from typing import Any

from application.configuration import KnownFlywheel
from application.ledger.flywheel_rows import FlywheelRow, RebuildState
from application.ports import Generations
from application.rebuilds.provenance import was_promoted
from application.services import Services
from flywheel.batches.batches import of_kind
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ConcurrentChangeError, ServiceRefusedError
from flywheel.notices.rebuilds import rebuild_failed, rebuilt, without_rows
from flywheel.settings.data_format import described_labels

_ACTIVE = "ACTIVE"

_DEAD = frozenset({"FAILED", "DELETING"})

_MAKING = frozenset({"REQUESTED", "CREATING"})


def rebuild(services: Services, flywheel: str) -> dict[str, Any]:
    """Carry a rebuild on, from whatever step it is in.

    Returns
    -------
    dict
        ``step`` that it is in now, or None where there is none.
    """
    known = services.flywheel(flywheel)
    row = services.ledger.flywheels.ensure(flywheel, known.arn)
    if row.rebuild is None:
        return {"step": None}
    generations = services.ports.generations
    if row.rebuild.step == "RETURNING":
        return {"step": _go_back(services, known, row, row.rebuild)}
    try:
        if row.rebuild.step == "REQUESTED":
            _create(services, generations, row, row.rebuild)
            row = services.ledger.flywheels.ensure(flywheel, known.arn)
        creating = row.rebuild if row.rebuild and row.rebuild.step == "CREATING" else None
        if creating is not None:
            if not _is_active(generations, creating):
                return {"step": "CREATING"}
            services.ledger.batch_uploads.restage(row)
            # Of the generation that ends, late datasets may have been counted meanwhile.
            row = services.ledger.flywheels.ensure(flywheel, known.arn)
            _begin_with_live_model(services, row)
    except ServiceRefusedError as error:
        step = _abandon(services, known, str(error))
        return {"step": step, "failed": str(error)}
    if creating is not None:
        _switch(services, row)
        row = services.ledger.flywheels.ensure(flywheel, known.arn)
    if row.rebuild is not None and row.rebuild.step == "SWITCHED":
        if row.last_batch == row.rebuild.last_batch:
            # Its first batch is asked for until it opens, not only by whoever switched.
            services.workflow.open_when_ready(known, services.now(), is_requested=True)
        else:
            _finish(services, generations, row, row.rebuild)
    row = services.ledger.flywheels.ensure(flywheel, known.arn)
    return {"step": row.rebuild.step if row.rebuild else None}


def _create(
    services: Services, generations: Generations, row: FlywheelRow, asked: RebuildState
) -> None:
    """Create the flywheel of the next generation; its name is the same for every try."""
    name = f"{services.configuration.environment}-{row.name}-g{row.next_generation}"
    before = generations.definition(row.arn)
    token = hashlib.sha256(f"{row.arn}\0{name}".encode()).hexdigest()
    labels = None
    if asked.add_labels or asked.drop_labels:
        before_labels = described_labels(before["TaskConfig"])
        labels = [label for label in before_labels if label not in asked.drop_labels]
        labels += [label for label in asked.add_labels if label not in labels]
    # The lake of an earlier generation stays where it is; the service adds a suffix of its own.
    lake = before["DataLakeS3Uri"].split("/schemaVersion=", 1)[0].rsplit("/", 1)[0]
    arn = generations.create(name, before, lake, labels, token)
    services.ledger.rebuilds.note_created(row, arn)


def _begin_with_live_model(services: Services, row: FlywheelRow) -> None:
    """Make the live model the new flywheel's, so that its first challenger is judged against it.

    Just before the switch, which expects that nobody changed the champion since the row was read:
    where somebody did, the next call makes the new champion its model.
    A model of other labels does not fit the new flywheel, which then begins without one.
    """
    asked = row.rebuild
    if asked is None or asked.step != "CREATING" or asked.add_labels or asked.drop_labels:
        return
    live = services.comprehend(row.arn).describe().active_model
    new = services.comprehend(asked.arn or "")
    if live is not None and new.describe().active_model != live:
        new.make_active(live)


def _switch(services: Services, row: FlywheelRow) -> None:
    """Let batches go to the new generation; a notice says where it has nothing to train on."""
    ledger, now, asked = services.ledger, services.now(), row.rebuild
    if asked is None or asked.step != "CREATING":
        return
    notice = None
    if asked.arn and not of_kind(ledger.uploads.staged(row.name), DatasetKind.TRAIN):
        environment = services.configuration.environment
        notice = without_rows(environment, row.name, row.next_generation, asked.arn, now)
    ledger.rebuilds.switch(row, notice, now)
    if notice is not None:
        services.notices.publish(row.name, notice)


def _go_back(
    services: Services, known: KnownFlywheel, row: FlywheelRow, asked: RebuildState
) -> str | None:
    """Let the earlier generation go on, with the uploads that it holds."""
    ledger = services.ledger
    past = None
    if row.arn != asked.before_arn:
        past = ledger.rebuilds.past(row, asked.before_arn)
        if past is None:
            raise ConcurrentChangeError(f"{row.name} went back to {asked.before_arn} meanwhile")
    taint = ledger.batch_uploads.go_back(row, past.generation if past else row.generation)
    if past is None:
        ledger.rebuilds.stay(row, taint, services.now())
    else:
        ledger.rebuilds.go_back(row, past, taint, services.now())
    services.workflow.open_when_ready(known, services.now())
    return asked.earlier.step if asked.earlier else None


def _abandon(services: Services, known: KnownFlywheel, why: str) -> str | None:
    """Let batches go to the present generation again: the next one cannot be made."""
    row = services.ledger.flywheels.ensure(known.settings.name, known.arn)
    if row.rebuild is None or row.rebuild.step not in _MAKING:
        # Another call, or a person, was first.
        return row.rebuild.step if row.rebuild else None
    notice = rebuild_failed(
        services.configuration.environment, row.name, row.next_generation, why, services.now()
    )
    services.ledger.rebuilds.abandon(row, why, notice, services.now())
    services.notices.publish(row.name, notice)
    row = services.ledger.flywheels.ensure(row.name, known.arn)
    return _go_back(services, known, row, row.rebuild) if row.rebuild else None


def _is_active(generations: Generations, asked: RebuildState) -> bool:
    """Say whether the new flywheel can be used.

    Raises
    ------
    ServiceRefusedError
        It ended FAILED; the service's message says why.
    """
    flywheel = generations.definition(asked.arn or "")
    if flywheel["Status"] in _DEAD:
        raise ServiceRefusedError(
            "comprehend:CreateFlywheel",
            flywheel["Status"],
            flywheel.get("Message", "no reason given"),
        )
    return bool(flywheel["Status"] == _ACTIVE)


def _finish(
    services: Services, generations: Generations, row: FlywheelRow, asked: RebuildState
) -> None:
    """Move endpoints when a model of the new generation was promoted."""
    if not was_promoted(services.ledger, row, asked):
        return
    endpoints = services.comprehend(row.arn).endpoints()
    moved = [item.arn for item in endpoints if item.flywheel_arn in asked.followed_arns]
    for endpoint_arn in moved:
        generations.move_endpoint(endpoint_arn, row.arn)
    notice = rebuilt(
        services.configuration.environment,
        row.name,
        before_arns=asked.followed_arns,
        arn=row.arn,
        endpoints=moved,
        now=services.now(),
    )
    services.ledger.rebuilds.end(row, moved, notice, services.now())
    services.notices.publish(row.name, notice)
