"""Report what people did in the console, once: iterations, and another active model.

Nothing is reverted. A model that was made active outside is the champion from now on. An iteration
that has completed is judged by the function that judges, where the policy wants it.
"""

from datetime import timedelta

from application.configuration import KnownFlywheel
from application.ledger.flywheel_rows import FlywheelRow
from application.port_values import Iteration
from application.services import Services
from flywheel.batches.batches import BatchState
from flywheel.notices.acts import champion_changed, outside_iteration

_COMPLETED = "COMPLETED"
_LOOKED_BACK = timedelta(days=3)


def report_iterations(services: Services, known: KnownFlywheel) -> int:
    """Report iterations that no batch booked; returns how many.

    None while one of ours may just have begun.
    """
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None:
        return 0
    if row.open_batch is not None:
        batch = services.ledger.batches.get(row.name, row.open_batch)
        if batch.state in {BatchState.OPEN, BatchState.SEALED}:
            return 0
    return sum(
        _report(services, known, row, iteration)
        for iteration in services.comprehend(row.arn).iterations()
        if services.now() - iteration.created_at <= _LOOKED_BACK
    )


def _report(
    services: Services, known: KnownFlywheel, row: FlywheelRow, iteration: Iteration
) -> bool:
    """Report one iteration, once, and have it judged where the policy wants that."""
    is_judging = known.settings.policy.outside_iterations == "judge"
    is_over = iteration.status == _COMPLETED
    is_new = not services.ledger.flywheels.knows_iteration(row.name, iteration.id)
    if is_new:
        # What is judged at once needs no word before its verdict.
        _note(services, row, iteration, is_reported=is_judging and not is_over)
    if is_judging and is_over and services.ledger.flywheels.is_unjudged(row.name, iteration.id):
        asked = {"flywheel": row.name, "iteration": iteration.id}
        services.ports.functions.invoke("compare_models", asked)
    return is_new


def _note(services: Services, row: FlywheelRow, iteration: Iteration, *, is_reported: bool) -> None:
    """Write down an iteration of somebody else's."""
    notice = outside_iteration(
        services.configuration.environment, row.name, iteration.id, iteration.status
    )
    report = notice if is_reported else None
    services.ledger.flywheels.note_outside_iteration(row.name, iteration.id, report, services.now())
    if report is not None:
        services.notices.publish(row.name, report)


def report_champion(services: Services, known: KnownFlywheel) -> bool:
    """Take over a model that was made active outside; while a batch is open, its verdict looks."""
    row = services.ledger.flywheels.get(known.settings.name)
    if row is None or row.open_batch is not None or row.change is not None:
        return False
    active = services.comprehend(row.arn).describe().active_model
    if active == row.expected_champion:
        return False
    now = services.now()
    notice = champion_changed(
        services.configuration.environment, row.name, row.expected_champion, active, now
    )
    # The first look at a flywheel that had a model before us is no change.
    report = notice if row.last_batch else None
    services.ledger.champions.note_outside(row, active, report, now)
    if report is not None:
        services.notices.publish(row.name, report)
    return report is not None
