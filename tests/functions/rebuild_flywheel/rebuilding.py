"""Steps of a rebuild's story, as people and functions take them."""

from application.commands.operator_commands import OperatorCommands
from application.rebuilds.rebuild import rebuild
from flywheel.batches.batches import BatchOutcome
from flywheel.batches.uploads import ObjectVersion
from tests.functions.world import NAME, World, documents


def acts(world: World) -> OperatorCommands:
    """Open the acts as a person."""
    services = world.services
    comprehend = services.comprehend(world.row.arn)
    return OperatorCommands(
        "test", services.flywheel(NAME), services.ledger, comprehend, services.workflow
    )


def closed(world: World, number: int) -> BatchOutcome | None:
    """Bring a batch to its end and return what came of it."""
    world.trained(number)
    world.compare(number)
    world.close(number)
    return world.batch(number).outcome


def live_on_wrong_rows(world: World) -> ObjectVersion:
    """Have a live model that was trained on a right and on a wrong file; return the wrong one."""
    world.upload("monday.csv", documents(10))
    wrong = world.upload("wrong.csv", documents(12, first=100))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    return wrong


def switched(world: World) -> None:
    """Carry a rebuild on until the new generation is there."""
    world.until(lambda: rebuild(world.services, NAME)["step"], lambda step: step == "SWITCHED")
    world.flywheel_arn = world.row.arn
