"""CloseBatch on real clients: how a batch ends, and when its flywheel goes on."""

import json

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from close_batch.handler import handler
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.errors import BatchNotFoundError, ConcurrentChangeError
from tests.functions.cloud import answering, before
from tests.functions.world import NAME, World, documents


@pytest.fixture
def opened(world: World) -> World:
    """Have an open batch."""
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("monday.csv", documents(4))
    return world


def test_the_next_batch_opens_when_a_judged_batch_is_closed(world: World) -> None:
    """What came while the iteration ran does not wait for the schedule."""
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained()
    world.upload("tuesday.csv", documents(4, first=50))
    assert world.compare() == {"outcome": BatchOutcome.PROMOTED}
    told = len(world.cloud.told())
    answer = world.close()
    assert answer == {"outcome": BatchOutcome.PROMOTED, "is_freed": True, "opened": 2}
    assert world.row.open_batch == 2
    assert world.cloud.executions() == [f"{NAME}-batch-1-1", f"{NAME}-batch-2-1"]
    assert (told, world.cloud.told()) == (2, [])
    assert world.close() == {"outcome": BatchOutcome.PROMOTED, "is_freed": False, "opened": None}
    assert world.row.open_batch == 2


def test_the_verdict_stands_when_something_failed_after_it(world: World) -> None:
    """A judged batch does not become FAILED."""
    world.upload("monday.csv", documents(8))
    world.trained()
    outcome = world.compare()["outcome"]
    assert world.close(error="States.Timeout")["outcome"] == outcome
    assert world.batch().error is None


def test_people_are_told_once_when_a_batch_failed(opened: World, context: LambdaContext) -> None:
    """The cause is what the function said, without its stack trace; the next batch waits."""
    said = {
        "errorMessage": "no row is left to train on",
        "errorType": "BatchEmptyError",
        "requestId": "8b2b1d45",
        "stackTrace": ['  File "/var/task/seal_batch/handler.py", line 72, in seal'],
    }
    failure = {"error": "BatchEmptyError", "cause": json.dumps(said)}
    event = {
        "execution": {"flywheel": NAME, "batch": 1, "failure": failure},
        "state_machine_arn": opened.cloud.configuration.state_machine_arn,
    }
    answer = handler(event, context)
    assert answer == {"outcome": BatchOutcome.FAILED, "is_freed": True, "opened": None}
    (told,) = opened.cloud.told()
    assert told.subject == f"[test] {NAME}: FAILED batch 1, ACTION NEEDED: BatchEmptyError"
    assert "no row is left to train on" in told.body
    assert "/var/task" not in told.body
    batch = opened.batch()
    assert (batch.state, batch.cause) == (BatchState.CLOSED, "no row is left to train on")
    assert handler(event, context) == {**answer, "is_freed": False}
    assert opened.cloud.told() == []
    assert sorted(opened.staged()) == [f"{NAME}/test/test.csv", f"{NAME}/train/monday.csv"]


@pytest.mark.parametrize("cause", ["plain words", '["a", "list"]', '{"other": "document"}', ""])
def test_the_cause_is_told_as_it_is_when_no_function_said_it(
    opened: World, context: LambdaContext, cause: str
) -> None:
    """States fail too, and they say what they like."""
    failure = {"error": "States.Runtime", "cause": cause}
    event = {
        "execution": {"flywheel": NAME, "batch": 1, "failure": failure},
        "state_machine_arn": opened.cloud.configuration.state_machine_arn,
    }
    handler(event, context)
    assert opened.batch().cause == (cause or "The workflow ended before the batch was judged.")


def test_the_flywheel_is_freed_later_when_its_iteration_still_runs(opened: World) -> None:
    """A second iteration would be refused; and people are told that this one costs on."""
    opened.sealed()
    opened.start()
    opened.cloud.told()
    answer = opened.close(error="IterationDeadline", cause="24 hours have passed")
    assert answer == {"outcome": BatchOutcome.FAILED, "is_freed": False, "opened": None}
    assert opened.row.open_batch == 1
    (told,) = opened.cloud.told()
    assert "still runs" in " ".join(told.body.split())
    opened.await_iteration()
    assert opened.close()["is_freed"]
    assert opened.row.is_idle
    assert opened.cloud.told() == []


def test_the_error_names_the_batch_when_there_is_none(world: World) -> None:
    """An execution that was started by hand with a wrong input."""
    with pytest.raises(BatchNotFoundError, match="no batch 7 of flywheel tickets"):
        world.close(7)


@pytest.mark.parametrize(
    ("code", "is_freed"), [("ResourceNotFoundException", True), ("AccessDeniedException", False)]
)
def test_people_are_told_when_the_service_itself_is_the_trouble(
    opened: World, code: str, *, is_freed: bool
) -> None:
    """A flywheel that is gone or may not be read must not keep its failure from people."""
    opened.sealed()
    opened.start()
    opened.cloud.told()
    with (
        answering("comprehend", "DescribeFlywheel", code=code),
        answering("comprehend", "DescribeFlywheelIteration", code=code),
    ):
        answer = opened.close(error="Comprehend.Trouble", cause="as asked for")
    assert answer == {"outcome": BatchOutcome.FAILED, "is_freed": is_freed, "opened": None}
    (told,) = opened.cloud.told()
    assert f"cannot be read ({code})" in " ".join(told.body.split())


def failed_once(world: World) -> None:
    """Have a batch that failed, and another one that is sealed."""
    for number in (1, 2):
        world.upload(f"{number}.csv", documents(2, first=20 * number))
        world.sealed(number)
        if number == 1:
            world.close(number, error="Stopped")
    world.cloud.told()


def test_a_persons_pause_stays_when_the_batch_under_way_fails(world: World) -> None:
    """Their reason is not replaced by ours, and nobody is told of a second pause."""
    failed_once(world)
    world.acts().pause("labels are being checked", world.now())
    paused = world.row.pause
    world.close(2, error="Stopped")
    assert (world.row.pause, world.row.failures_in_row) == (paused, 2)
    assert [notice.subject for notice in world.cloud.told() if "2 batches" in notice.subject] == []


def test_a_persons_pause_stays_when_it_comes_while_a_batch_is_closed(world: World) -> None:
    """The closing gives way, and its repeat sees the pause."""
    failed_once(world)

    def pause() -> None:
        world.acts().pause("labels are being checked", world.now())

    with before("dynamodb", "TransactWriteItems", pause), pytest.raises(ConcurrentChangeError):
        world.close(2, error="Stopped")
    assert world.batch(2).state is BatchState.SEALED
    world.close(2, error="Stopped")
    assert (world.batch(2).outcome, world.row.is_idle) == (BatchOutcome.FAILED, True)
    assert world.row.pause is not None
    assert world.row.pause.reason == "labels are being checked"
