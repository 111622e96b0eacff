"""Find what people did in the console, and say it once: iterations, and another active model.

Nothing is reverted. A model that was made active outside is the champion from now on. An iteration
that has completed is judged by the function that judges, where the policy wants it.
"""

import json
from datetime import timedelta

from adapters.comprehend import Iteration
from adapters.configuration import KnownFlywheel
from adapters.ledger.flywheel_rows import FlywheelRow
from adapters.services import Services
from flywheel.act_notices import champion_changed, outside_iteration
from flywheel.batches import BatchState
from reconcile.failures import Failures

_COMPLETED = "COMPLETED"
_LOOKED_BACK = timedelta(days=3)


def report_outside_changes(services: Services, known: KnownFlywheel) -> int:
    """Report iterations and a champion that the ledger does not know; returns how many."""
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None:
        return 0
    failures, reported = Failures(), 0
    with failures.held_back("iterations", flywheel=row.name):
        reported += _iterations(services, known, row)
    with failures.held_back("champion", flywheel=row.name):
        reported += _champion(services, row)
    failures.raise_first()
    return reported


def _iterations(services: Services, known: KnownFlywheel, row: FlywheelRow) -> int:
    """Report iterations that no batch booked, unless one of ours may just have begun."""
    if row.open_batch is not None:
        batch = services.ledger.batches.get(row.name, row.open_batch)
        if batch.state in {BatchState.OPEN, BatchState.SEALED}:
            return 0
    is_judging = known.settings.policy.outside_iterations == "judge"
    reported = 0
    for iteration in services.comprehend(row.arn).iterations():
        if services.now() - iteration.created_at > _LOOKED_BACK:
            continue
        is_over = iteration.status == _COMPLETED
        if not services.ledger.flywheels.knows_iteration(row.name, iteration.id):
            # What is judged at once needs no word before its verdict.
            is_told = is_judging and not is_over
            _note(services, row, iteration, is_told=is_told)
            reported += 1
        if is_judging and is_over and services.ledger.flywheels.is_unjudged(row.name, iteration.id):
            asked = {"flywheel": row.name, "iteration": iteration.id}
            services.ports.functions.compare_models(json.dumps(asked))
    return reported


def _note(services: Services, row: FlywheelRow, iteration: Iteration, *, is_told: bool) -> None:
    """Write down an iteration of somebody else's."""
    notice = outside_iteration(
        services.configuration.environment, row.name, iteration.id, iteration.status
    )
    told = notice if is_told else None
    services.ledger.flywheels.note_outside_iteration(row.name, iteration.id, told, services.now())
    if told is not None:
        services.notices.publish(row.name, told)


def _champion(services: Services, row: FlywheelRow) -> int:
    """Take over a model that was made active outside; while a batch is open, its verdict looks."""
    if row.open_batch is not None or row.change is not None:
        return 0
    active = services.comprehend(row.arn).describe().active_model
    if active == row.expected_champion:
        return 0
    now = services.now()
    notice = champion_changed(
        services.configuration.environment, row.name, row.expected_champion, active, now
    )
    # The first look at a flywheel that had a model before us is no change.
    told = notice if row.last_batch else None
    services.ledger.flywheels.note_champion(row, active, told, now)
    if told is not None:
        services.notices.publish(row.name, told)
    return 1 if told else 0
