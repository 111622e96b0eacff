"""Reconcile on real clients: what was left behind is found, and nothing else is touched."""

import contextlib
import io
import json
import zipfile
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from close_batch.handler import handler as close_batch
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from reconcile.handler import handler
from tests.functions.cloud import NOTICE_WINDOW_SECONDS, altering, answering, crash, seeing
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, World, documents

NOTHING = dict.fromkeys(
    (
        "batches",
        "opened",
        "notices",
        "uploads",
        "undelivered",
        "acts",
        "outside",
        "pairs",
        "datasets",
        "unready",
    ),
    0,
)


@pytest.fixture(autouse=True)
def _close_batch_function(world: World) -> None:
    """Have the function that reconcile invokes."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = boto3.client("iam").create_role(RoleName="close", AssumeRolePolicyDocument=policy)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("close_batch/handler.py", "")
    client("lambda").create_function(
        FunctionName=world.cloud.configuration.close_batch_function,
        Runtime="python3.14",
        Role=role["Role"]["Arn"],
        Handler="close_batch.handler.handler",
        Code={"ZipFile": code.getvalue()},
    )


def stop_execution(world: World, number: int = 1) -> None:
    """End a batch's execution as a person does."""
    machine = world.cloud.configuration.state_machine_arn
    executions = machine.replace(":stateMachine:", ":execution:")
    client("stepfunctions").stop_execution(executionArn=f"{executions}:{NAME}-batch-{number}-1")


def test_nothing_is_done_when_all_is_as_it_should_be(
    world: World, context: LambdaContext, capsys: pytest.CaptureFixture[str]
) -> None:
    """An idle flywheel, and later one whose execution runs; the counts are metrics."""
    assert handler({"source": "aws.events"}, context) == NOTHING
    world.upload("monday.csv", documents(2))
    capsys.readouterr()
    assert handler({"source": "aws.events"}, context) == NOTHING
    assert '"reconciled_batches":[0.0]' in capsys.readouterr().out
    assert world.cloud.told() == []


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        ({}, {"error": "ExecutionAborted", "cause": ""}),
        (
            {"error": "OperatorStopped", "cause": "wrong file"},
            {"error": "OperatorStopped", "cause": "wrong file"},
        ),
    ],
)
def test_the_batch_is_closed_when_its_execution_ended_without_it(
    world: World, context: LambdaContext, told: dict[str, str], failure: dict[str, str]
) -> None:
    """The same function closes it, with the same event as from the state machine."""
    world.upload("monday.csv", documents(2))
    stop_execution(world)
    described = altering("stepfunctions", "DescribeExecution", lambda answer: answer.update(told))
    with described, seeing("lambda", "Invoke") as invoked:
        assert reconciled(world.services) == {**NOTHING, "batches": 1}
    (call,) = invoked
    assert (call["FunctionName"], call["InvocationType"]) == ("CloseBatch", "Event")
    event: dict[str, Any] = json.loads(call["Payload"])
    assert event["execution"] == {
        "flywheel": NAME,
        "batch": 1,
        "attempt": 1,
        "failure": failure,
    }
    assert close_batch(event, context)["is_freed"]
    assert world.batch().outcome is BatchOutcome.FAILED
    assert reconciled(world.services) == {**NOTHING, "opened": 1}


def test_the_flywheel_is_freed_when_its_late_iteration_has_ended(
    world: World, context: LambdaContext
) -> None:
    """The batch failed before its iteration ended: it is closed again, and told only once."""
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("monday.csv", documents(4))
    world.sealed()
    world.start()
    world.close(error="IterationDeadline")
    stop_execution(world)
    world.cloud.told()
    world.await_iteration()
    with seeing("lambda", "Invoke") as invoked:
        assert reconciled(world.services)["batches"] == 1
    event: dict[str, Any] = json.loads(invoked[0]["Payload"])
    assert event["execution"]["failure"] is None
    assert close_batch(event, context)["is_freed"]
    assert world.cloud.told() == []
    assert reconciled(world.services) == NOTHING


@pytest.mark.parametrize("when", ["before-call", "after-call"])
def test_the_execution_begins_when_a_crash_kept_it_from_it(world: World, when: str) -> None:
    """The batch is open, so the upload's redelivery does not start it: this does, once."""
    upload = world.put(f"{NAME}/train/monday.csv", b"billing,one\nbilling,two\n")
    world.configure(min_documents=2)
    with crash("stepfunctions", "StartExecution", when=when):
        world.register(upload)
    world.register(upload)
    found = reconciled(world.services)
    assert found == {**NOTHING, "batches": 1 if when == "before-call" else 0}
    assert world.cloud.executions() == [f"{NAME}-batch-1-1"]
    assert reconciled(world.services) == NOTHING


def test_a_batch_opens_when_only_time_made_it_ready(world: World) -> None:
    """Fewer documents than our minimum wait at most max_age_hours."""
    world.upload("monday.csv", documents(1) + documents(1, first=5)[:1])
    assert reconciled(world.services) == NOTHING
    world.clock.advance(3600)
    assert reconciled(world.services) == {**NOTHING, "opened": 1}
    assert world.cloud.executions() == [f"{NAME}-batch-1-1"]


def test_a_notice_goes_out_when_publishing_it_had_failed(world: World) -> None:
    """It is the same notice, by its id."""
    world.upload("monday.csv", documents(2))
    with answering("sns", "Publish", code="Throttling"):
        world.close(error="Stopped")
        assert reconciled(world.services)["notices"] == 0
    assert world.cloud.told() == []
    assert reconciled(world.services)["notices"] == 1
    (told,) = world.cloud.told()
    assert told.notice_id == f"{NAME}-batch-1-failed"
    assert world.waiting() == []


def test_upload_news_go_out_as_one_when_the_window_is_over(world: World) -> None:
    """Not before the oldest of them has waited for it; misplaced ones are a digest of their own."""
    world.upload("a.csv", b"only one column\n")
    world.clock.advance(NOTICE_WINDOW_SECONDS - 1)
    world.upload("b.csv", b"")
    world.register(world.put("nowhere.csv", b"billing,one\n"))
    assert reconciled(world.services) == NOTHING
    world.clock.advance(1)
    assert reconciled(world.services) == {**NOTHING, "notices": 1}
    (digest,) = world.cloud.told()
    assert digest.subject == f"[test] {NAME}: 2 uploads need a look: a.csv, b.csv"
    assert "only one column" not in digest.body
    world.clock.advance(NOTICE_WINDOW_SECONDS)
    assert reconciled(world.services) == {**NOTHING, "notices": 1}
    (digest,) = world.cloud.told()
    assert digest.subject == "[test] REFUSED nowhere.csv: not under a flywheel's folder"
    assert world.waiting() == []


def test_one_digest_is_sent_when_several_messages_say_that_it_is_due(
    world: World, context: LambdaContext
) -> None:
    """Each upload leaves a message; the first one sends the news of all."""
    world.upload("a.csv", b"only one column\n")
    world.upload("b.csv", b"")
    records = [{"body": json.dumps({"flywheel": NAME})} for _ in range(2)]
    assert handler({"Records": records}, context) == {"notices": 1}
    assert handler({"Records": records[:1]}, context) == {"notices": 0}
    assert len(world.cloud.told()) == 1


def test_the_schedule_tries_again_when_a_service_is_busy(world: World) -> None:
    """The error has a name; nothing is half done."""
    world.upload("monday.csv", documents(2))
    busy = answering("stepfunctions", "DescribeExecution", code="ThrottlingException")
    with busy, pytest.raises(ServiceBusyError):
        reconciled(world.services)
    assert reconciled(world.services) == NOTHING


def test_it_is_told_when_the_service_keeps_a_flywheel_from_working(world: World) -> None:
    """Not ACTIVE, or an iteration in a status that nobody has heard of."""
    world.upload("monday.csv", documents(6))
    world.sealed(1)
    with altering(
        "comprehend",
        "DescribeFlywheel",
        lambda answer: answer["FlywheelProperties"].update(Status="UPDATING"),
    ):
        assert reconciled(world.services)["unready"] == 1
    world.start(1)
    assert reconciled(world.services)["unready"] == 0
    with altering(
        "comprehend",
        "DescribeFlywheelIteration",
        lambda answer: answer["FlywheelIterationProperties"].update(Status="PAUSED_BY_AWS"),
    ):
        assert reconciled(world.services)["unready"] == 1
    assert world.batch(1).state is BatchState.STARTED


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "ListObjectVersions"),
        ("sns", "Publish"),
        ("comprehend", "ListFlywheelIterationHistory"),
    ],
)
def test_a_batch_is_closed_when_something_else_fails(
    world: World, service: str, operation: str
) -> None:
    """A bucket that cannot be listed, say, keeps no flywheel waiting."""
    world.upload("monday.csv", documents(2))
    stop_execution(world)
    with (
        answering(service, operation, code="AccessDenied", status=403),
        seeing("lambda", "Invoke") as invoked,
        contextlib.suppress(ServiceRefusedError),
    ):
        reconciled(world.services)
    assert [call["FunctionName"] for call in invoked] == ["CloseBatch"]


def test_the_run_fails_when_one_look_failed(world: World) -> None:
    """After all else was looked at: an alarm watches the function's failures."""
    listing = answering("s3", "ListObjectVersions", code="InternalError", status=500)
    with (
        listing,
        seeing("comprehend", "ListFlywheelIterationHistory") as looked_at,
        pytest.raises(ServiceBusyError, match="ListObjectVersions"),
    ):
        reconciled(world.services)
    assert looked_at
    assert reconciled(world.services) == NOTHING


def test_metrics_are_written_when_one_look_failed(
    world: World, context: LambdaContext, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alarms on them must not say that nothing was looked at."""
    listing = answering("s3", "ListObjectVersions", code="InternalError", status=500)
    with listing, pytest.raises(ServiceBusyError, match="ListObjectVersions"):
        handler({"source": "aws.events"}, context)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert any(line.get("reconciled_runs") == [1.0] for line in written)
