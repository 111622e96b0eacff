"""What people do in the console is found, said once, and never undone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from adapters.clients import client
from application.comparison.compare import judge_outside
from application.error_handling import logger
from flywheel.errors import ServiceRefusedError
from tests.functions.champions import changed
from tests.functions.cloud import answering, seeing
from tests.functions.conftest import Models
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, World, documents


@contextmanager
def invoked_functions() -> Iterator[list[dict[str, Any]]]:
    """Have functions that can be invoked; gives the calls."""
    taken = answering("lambda", "Invoke", code="", status=202)
    with seeing("lambda", "Invoke") as calls, taken:
        yield calls


def started_outside(world: World, *, is_over: bool = True, **policy: Any) -> World:
    """Have somebody start an iteration in the console."""
    world.configure(policy=policy)
    world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    world.sealed()
    world.close(error="Stopped")
    reconciled(world.services)
    world.cloud.told()
    client("comprehend").start_flywheel_iteration(FlywheelArn=world.flywheel_arn)
    if is_over:
        world.settle()
    return world


def judged_outside(world: World) -> dict[str, Any]:
    """Let the schedule run, and what it invokes."""
    with invoked_functions() as calls:
        reconciled(world.services)
    (call,) = calls
    assert call["FunctionName"] == "CompareModels"
    asked = json.loads(call["Payload"])
    return judge_outside(world.services, asked["flywheel"], asked["iteration"])


@pytest.mark.slow
def test_an_iteration_is_told_once_when_somebody_else_started_it(live_world: World) -> None:
    """It is nobody's batch, and no batch of ours waits for it for ever."""
    world = started_outside(live_world, is_over=False)
    assert reconciled(world.services)["outside"] == 1
    assert reconciled(world.services)["outside"] == 0
    (told,) = world.cloud.told()
    assert "OUTSIDE iteration" in told.subject
    events = [entry["event"] for entry in world.services.ledger.audit.entries(NAME)]
    assert events.count("outside iteration") == 1


@pytest.mark.slow
def test_an_outside_iteration_is_judged_and_not_promoted_when_it_has_completed(
    live_world: World, models: Models
) -> None:
    """Told once: what would have been done, and the command by which a person does it."""
    world = started_outside(live_world)
    assert judged_outside(world) == {"decision": "PROMOTE"}
    assert world.active_model == models.champion
    (told,) = world.cloud.told()
    assert "OUTSIDE iteration would be PROMOTED, F1 0." in told.subject
    (iteration,) = world.services.comprehend(world.flywheel_arn).iterations()
    command = f"flywheel promote {iteration.trained_model} {NAME} --env test --reason TEXT"
    assert command in " ".join(told.body.split())
    with invoked_functions() as calls:
        assert reconciled(world.services)["outside"] == 0
    assert calls == []
    again = judge_outside(world.services, NAME, iteration.id)
    assert again == {"decision": None}
    assert changed(world, "promote", str(iteration.trained_model))["model"] == world.active_model


def test_it_is_said_to_be_held_when_the_champion_changed_since(
    live_world: World, models: Models
) -> None:
    """It was judged against a model that is not live any more."""
    world = started_outside(live_world)
    client("comprehend").update_flywheel(
        FlywheelArn=world.flywheel_arn, ActiveModelArn=models.other
    )
    judged_outside(world)
    subjects = [told.subject for told in world.cloud.told()]
    assert any("would be HELD, CHAMPION_CHANGED" in subject for subject in subjects)


@pytest.mark.slow
def test_nobody_hears_of_it_when_outside_iterations_are_ignored(live_world: World) -> None:
    """It is written down, so that it is never taken for ours; there is no verdict."""
    world = started_outside(live_world, outside_iterations="ignore")
    with invoked_functions() as calls:
        assert reconciled(world.services)["outside"] == 1
        assert reconciled(world.services)["outside"] == 0
    assert calls == []
    assert world.cloud.told() == []


def test_another_champion_is_told_once_when_somebody_made_it_active(
    live_world: World, models: Models
) -> None:
    """Both models are named; it is the champion from now on, and stays live."""
    world = live_world
    world.upload("monday.csv", documents(4))
    world.sealed()
    world.close(error="Stopped")
    reconciled(world.services)
    world.cloud.told()
    client("comprehend").update_flywheel(
        FlywheelArn=world.flywheel_arn, ActiveModelArn=models.other
    )
    assert reconciled(world.services)["outside"] == 1
    assert reconciled(world.services)["outside"] == 0
    (told,) = world.cloud.told()
    assert models.champion in told.body
    assert models.other in told.body
    assert world.row.expected_champion == world.active_model == models.other


def test_a_failure_is_logged_once_when_iterations_cannot_be_listed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The champion is looked at all the same, and the run counts as failed."""
    world.upload("monday.csv", documents(1))
    logged: list[str] = []
    monkeypatch.setattr(
        logger, "exception", lambda *_, extra: logged.append(str(extra["looked_at"]))
    )
    refused = answering("comprehend", "ListFlywheelIterationHistory", code="AccessDeniedException")
    with refused, pytest.raises(ServiceRefusedError, match="AccessDeniedException"):
        reconciled(world.services)
    assert logged.count("outside") == 1
    assert "iterations" not in logged
