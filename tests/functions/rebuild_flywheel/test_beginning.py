"""A new generation begins with the live model, whoever changes that one or refuses it meanwhile."""

import pytest

from adapters.clients import client
from application.rebuilds.rebuild import rebuild
from flywheel.batches.batches import BatchOutcome
from flywheel.errors import ConcurrentChangeError
from tests.functions.champions import changed
from tests.functions.cloud import answering, before
from tests.functions.rebuild_flywheel.rebuilding import acts, closed, live_on_wrong_rows, switched
from tests.functions.world import NAME, World, documents


def two_models(world: World) -> tuple[str, str]:
    """Have a model and a later one that is live; return both."""
    world.upload("monday.csv", documents(10, words=["early"]))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    first = world.active_model
    world.upload("tuesday.csv", documents(10, first=300, words=["late"]))
    closed(world, 2)
    if world.active_model == first:
        changed(world, "promote", "2")
    assert first is not None
    assert world.active_model not in {None, first}
    return first, str(world.active_model)


def active_model(arn: str) -> str | None:
    """Return the active model of a flywheel."""
    found = client("comprehend").describe_flywheel(FlywheelArn=arn)["FlywheelProperties"]
    return found.get("ActiveModelArn")


@pytest.mark.slow
def test_a_rollback_counts_when_it_comes_before_the_switch(named_world: World) -> None:
    """The generation does not begin with the model that somebody rolled back from."""
    world = named_world
    first, _ = two_models(world)
    acts(world).rebuild("fewer datasets", [], [], world.now())
    conflicts: list[str] = []

    def step() -> str | None:
        try:
            return str(rebuild(world.services, NAME)["step"])
        except ConcurrentChangeError as error:
            conflicts.append(str(error))
            return None

    with before("comprehend", "UpdateFlywheel", lambda: changed(world, "rollback")):
        world.until(step, lambda step: step == "SWITCHED")
    assert len(conflicts) == 1
    assert active_model(world.row.arn) == world.row.expected_champion == first


@pytest.mark.slow
def test_the_rebuild_is_over_when_the_service_refuses_the_live_model(named_world: World) -> None:
    """People are told, uploads go to the present flywheel, and a batch opens there."""
    world = named_world
    world.upload("monday.csv", documents(10))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    arn = world.row.arn
    acts(world).rebuild("fewer datasets", [], [], world.now())
    world.cloud.told()
    with answering("comprehend", "UpdateFlywheel", code="InvalidRequestException"):
        world.until(lambda: rebuild(world.services, NAME)["step"], lambda step: step is None)
    assert (world.row.arn, world.row.rebuild) == (arn, None)
    (told,) = world.cloud.told()
    assert told.subject.endswith("REBUILD to generation 2 FAILED")
    assert "Comprehend refused the new flywheel, or the live model in it" in told.body
    world.upload("late.csv", documents(4, first=500))
    world.sealed(2)
    assert set(world.sent(2)).isdisjoint(world.sent(1))


@pytest.mark.slow
def test_the_rejection_names_the_way_out_when_the_live_model_was_trained_on_withdrawn_rows(
    named_world: World,
) -> None:
    """Nobody is told that they need not do anything."""
    world = named_world
    wrong = live_on_wrong_rows(world)
    acts(world).withdraw([world.known(wrong)], "mislabeled", world.now())
    acts(world).rebuild("without them", [], [], world.now())
    switched(world)
    world.cloud.told()
    assert closed(world, 2) is BatchOutcome.REJECTED
    (told,) = [each for each in world.cloud.told() if "REJECTED" in each.subject]
    words = " ".join(told.body.split())
    assert "trained on rows that were withdrawn (tickets/train/wrong.csv), and stays live" in words
    assert f"`flywheel promote 2 {NAME} --env" in words
    assert "You need not do anything" not in words
