"""StartIteration on real clients: one notice, one iteration, whoever else is at work."""

from dataclasses import replace

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from application.batches.start import _require_training_data
from flywheel.batches.batches import BatchState
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from start_iteration.handler import handler
from tests.functions.cloud import answering, crash
from tests.functions.world import NAME, World, documents


@pytest.fixture
def sealed(world: World) -> World:
    """Have a batch whose datasets are complete."""
    world.upload("test.csv", documents(2, first=90), kind="test")
    world.upload("monday.csv", documents(4))
    world.sealed()
    return world


def begin_outside(world: World) -> str:
    """Start an iteration as somebody else does."""
    answer = client("comprehend").start_flywheel_iteration(FlywheelArn=world.flywheel_arn)
    return answer["FlywheelIterationId"]


def test_the_iteration_is_booked_when_it_starts(sealed: World, context: LambdaContext) -> None:
    """The answer is what the state machine polls with; the ledger knows the iteration."""
    answer = handler({"flywheel": NAME, "batch": 1}, context)
    batch = sealed.batch()
    assert (batch.state, batch.iteration_id) == (BatchState.STARTED, answer["iteration_id"])
    assert answer == {
        "is_started": True,
        "iteration_id": batch.iteration_id,
        "wait_seconds": 5,
        "looks_left": 24 * 3600 // 5 - 1,
    }
    assert handler({"flywheel": NAME, "batch": 1}, context) == answer
    assert sealed.comprehend_calls.count("StartFlywheelIteration") == 1
    assert sealed.services.ledger.audit.entries(NAME)[-1]["event"] == "iteration started"


def test_the_looks_go_on_when_the_flywheel_was_waited_for(
    sealed: World, context: LambdaContext
) -> None:
    """What waiting for a foreign iteration used of the deadline is not given back."""
    answer = handler({"flywheel": NAME, "batch": 1, "looks_left": 7}, context)
    assert (answer["wait_seconds"], answer["looks_left"]) == (5, 6)


def test_people_are_told_once_when_the_start_is_tried_again(sealed: World) -> None:
    """The notice goes out before the call that costs money, and only then."""
    with crash("comprehend", "StartFlywheelIteration"):
        sealed.start()
    (told,) = sealed.cloud.told()
    assert told.subject == f"[test] {NAME}: STARTED batch 1, 8 documents"
    assert "monday.csv" in told.body
    assert sealed.start()["is_started"]
    assert sealed.cloud.told() == []
    assert sealed.waiting() == []


def test_our_iteration_is_adopted_when_the_service_forgot_the_token(sealed: World) -> None:
    """It runs, it began after our datasets were complete, and no batch has booked it."""
    with crash("comprehend", "StartFlywheelIteration", when="after-call"):
        sealed.start()
    (running,) = sealed.services.comprehend(sealed.flywheel_arn).iterations()
    with answering("comprehend", "StartFlywheelIteration", code="ResourceInUseException"):
        answer = sealed.start()
    assert answer["iteration_id"] == running.id


def test_an_older_iteration_is_waited_for_when_somebody_else_started_it(world: World) -> None:
    """It began before our datasets were complete, so it is never taken for ours."""
    world.upload("monday.csv", documents(4))
    world.sealed(1)
    world.close(1, error="Stopped")
    foreign = begin_outside(world)
    world.clock.advance(0.5)
    world.upload("tuesday.csv", documents(4, first=50))
    world.seal(2)
    assert world.start(2) == {"is_started": False}
    assert world.batch(2).state is BatchState.SEALED
    world.settle()
    world.clock.advance(1)
    answer = world.start(2)
    assert answer["is_started"]
    assert answer["iteration_id"] != foreign
    assert len(world.cloud.told()) == 2, "one that batch 1 failed, one that batch 2 started"


def test_people_are_warned_when_there_is_no_test_set(world: World) -> None:
    """Before any money is spent they learn that only a first model can go live."""
    world.upload("monday.csv", documents(4))
    world.sealed()
    world.start()
    (told,) = world.cloud.told()
    assert told.subject.endswith("WARNING: no test set")
    assert f"{NAME}/test/" in told.body


def test_the_first_look_is_planned_when_earlier_iterations_are_known(sealed: World) -> None:
    """Four fifths of an average iteration pass before the first look."""
    table_row = {"past_seconds": {"L": [{"N": "3000"}, {"N": "1000"}]}}
    client("dynamodb").update_item(
        TableName=sealed.cloud.configuration.ledger_table,
        Key={"pk": {"S": f"FLYWHEEL#{NAME}"}, "sk": {"S": "FLYWHEEL"}},
        UpdateExpression="SET past_seconds = :p",
        ExpressionAttributeValues={":p": table_row["past_seconds"]},
    )
    assert sealed.start()["wait_seconds"] == 1600


def test_nothing_is_started_when_the_flywheel_has_no_training_data(world: World) -> None:
    """A batch of test rows alone, whose training rows never became a dataset."""
    world.upload("test.csv", documents(2, first=90), kind="test")
    world.upload("monday.csv", documents(4))
    world.seal()
    batch = replace(world.batch(), documents=0)
    with pytest.raises(ServiceRefusedError, match="no complete TRAIN dataset"):
        _require_training_data(world.services.comprehend(world.flywheel_arn), batch)


def test_it_is_tried_again_when_the_service_is_busy(sealed: World) -> None:
    """A throttle has the name that the state machine retries."""
    throttled = answering(
        "comprehend", "StartFlywheelIteration", code="TooManyRequestsException", status=429
    )
    with throttled, pytest.raises(ServiceBusyError):
        sealed.start()
    assert sealed.batch().state is BatchState.SEALED
