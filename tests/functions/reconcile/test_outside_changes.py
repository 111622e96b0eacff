"""What people do in the console is found, said once, and never undone."""

from adapters.clients import client
from reconcile.handler import reconcile
from tests.functions.conftest import Models
from tests.functions.world import NAME, World, documents


def test_an_iteration_is_told_once_when_somebody_else_started_it(live_world: World) -> None:
    """Fault 56: it is nobody's batch, and no batch of ours waits for it for ever."""
    world = live_world
    world.upload("monday.csv", documents(4))
    world.sealed()
    world.close(error="Stopped")
    world.cloud.told()
    client("comprehend").start_flywheel_iteration(FlywheelArn=world.flywheel_arn)
    world.settle()
    assert reconcile(world.services)["outside"] >= 1
    assert reconcile(world.services)["outside"] == 0
    subjects = " ".join(notice.subject for notice in world.cloud.told())
    assert "iteration" in subjects.lower()
    events = [entry["event"] for entry in world.services.ledger.audit.entries(NAME)]
    assert events.count("outside iteration") == 1


def test_another_champion_is_told_once_when_somebody_made_it_active(
    live_world: World, models: Models
) -> None:
    """Fault 58: both models are named; it is the champion from now on, and stays live."""
    world = live_world
    world.upload("monday.csv", documents(4))
    world.sealed()
    world.close(error="Stopped")
    reconcile(world.services)
    world.cloud.told()
    client("comprehend").update_flywheel(
        FlywheelArn=world.flywheel_arn, ActiveModelArn=models.other
    )
    assert reconcile(world.services)["outside"] == 1
    assert reconcile(world.services)["outside"] == 0
    (told,) = world.cloud.told()
    assert models.champion in told.body
    assert models.other in told.body
    assert world.row.expected_champion == world.active_model == models.other
