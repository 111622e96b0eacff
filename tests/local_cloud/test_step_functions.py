"""What a state of a workflow does on the local cloud."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.cloud import Cloud, CloudSettings
from tests.local_cloud.flywheel_endpoint import FlywheelEndpoint
from tests.local_cloud.one_state_machine import end_of, start_machine
from tests.local_cloud.probe_function import create_probe_function, create_probe_role

DESCRIBE = "arn:aws:states:::aws-sdk:comprehend:describeFlywheel"


@pytest.fixture
def endpoint() -> Iterator[FlywheelEndpoint]:
    """Return a Comprehend endpoint."""
    opened = FlywheelEndpoint()
    yield opened
    opened.close()


@pytest.fixture
def states_cloud(endpoint: FlywheelEndpoint, tmp_path: Path) -> Iterator[Cloud]:
    """Return a cloud with a role for state machines, whose Comprehend is the endpoint."""
    settings = CloudSettings(comprehend_url=endpoint.url, data_directory=tmp_path)
    with Cloud(settings) as cloud:
        create_probe_role(cloud)
        yield cloud


def _describe(arn: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": DESCRIBE, "Parameters": {"FlywheelArn": arn}, **more}


def test_times_are_text_when_an_sdk_call_returns_them(
    states_cloud: Cloud, endpoint: FlywheelEndpoint
) -> None:
    """A result with a time can be an execution's output, in the documented form."""
    arn = endpoint.answer("CreateFlywheel", {"FlywheelName": "small"})[1]["FlywheelArn"]

    ended = end_of(states_cloud, start_machine(states_cloud, "reads", _describe(arn)))

    properties = json.loads(ended["output"])["FlywheelProperties"]
    assert properties["CreationTime"] == "1970-01-01T00:00:01.500Z"


def test_the_error_has_the_services_name_when_an_sdk_call_is_refused(
    states_cloud: Cloud, endpoint: FlywheelEndpoint
) -> None:
    """Retry and Catch match an error of Comprehend under its documented name."""
    name = "Comprehend.TooManyRequestsException"
    retry = [{"ErrorEquals": [name], "IntervalSeconds": 3, "MaxAttempts": 2}]
    catch = [{"ErrorEquals": [name], "Next": "Done"}]
    state = _describe("arn:none", Retry=retry, Catch=catch)

    ended = end_of(states_cloud, start_machine(states_cloud, "retries", state))

    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["Error"] == name
    assert [operation for operation, _ in endpoint.calls] == ["DescribeFlywheel"] * 3


def test_the_state_times_out_when_nobody_answers(states_cloud: Cloud) -> None:
    """A task's own time limit is real time and ends the wait for a token."""
    queue = states_cloud.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}},
        "TimeoutSeconds": 1,
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Done"}],
    }

    ended = end_of(states_cloud, start_machine(states_cloud, "asks", state))

    assert json.loads(ended["output"])["Error"] == "States.Timeout"


def test_each_execution_has_its_own_name_when_none_is_given(states_cloud: Cloud) -> None:
    """Two starts without a name are two executions."""
    first = start_machine(states_cloud, "twice", {"Type": "Pass"})
    machine = first.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    second = states_cloud.client("stepfunctions").start_execution(stateMachineArn=machine)

    assert second["executionArn"] != first


def test_the_execution_goes_on_when_a_task_token_is_answered(cloud: Cloud) -> None:
    """A state that waits for a person continues with the person's answer."""
    create_probe_role(cloud)
    queue = cloud.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    body = {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}}
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    execution = start_machine(
        cloud, "asks", {"Type": "Task", "Resource": resource, "Parameters": body}
    )
    messages = cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    states = cloud.client("stepfunctions")

    token = json.loads(messages[0]["Body"])["token"]
    states.send_task_success(taskToken=token, output='{"answer": "yes"}')

    assert json.loads(end_of(cloud, execution)["output"]) == {"answer": "yes"}


_ASKS = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "TimeoutSecondsPath": "$.seconds",
    "Parameters": {
        "FunctionName": "probe",
        "Payload": {
            "call": {
                "service": "sqs",
                "method": "send_message",
                "arguments": {"QueueUrl.$": "$.queue", "MessageBody.$": "$$.Task.Token"},
            }
        },
    },
    "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Done", "ResultPath": "$.late"}],
}
"""A function that is given a token, which somebody else must answer."""


@pytest.mark.slow
@pytest.mark.parametrize("is_answered", [True, False])
def test_a_functions_token_is_waited_for_when_the_input_says_how_long(
    cloud: Cloud, is_answered: bool
) -> None:
    """The function's own answer ends nothing; a person's does, or the time that is over."""
    create_probe_function(cloud)
    queue = cloud.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    document = {"queue": queue, "seconds": 60 if is_answered else 3}
    execution = start_machine(cloud, "asks", _ASKS, document)
    states = cloud.client("stepfunctions")
    (message,) = cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    if is_answered:
        states.send_task_success(taskToken=message["Body"], output='{"answer": "yes"}')
    output = json.loads(end_of(cloud, execution)["output"])
    assert output.get("answer") == ("yes" if is_answered else None)
    assert output.get("late", {}).get("Error") == (None if is_answered else "States.Timeout")
    with pytest.raises(states.exceptions.ClientError, match="Task"):
        states.send_task_success(taskToken=message["Body"], output="{}")
