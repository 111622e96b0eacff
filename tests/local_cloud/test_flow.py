"""From the put of an object to the notice, through every service of the small stack."""

import json
from typing import Any

import pytest

from tests.local_cloud.conftest import Deployed
from tests.local_cloud.waiting import eventually


def _executions(deployed: Deployed) -> list[dict[str, Any]]:
    states = deployed.cloud.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=deployed.outputs["Machine"])["executions"]
    return [
        states.describe_execution(executionArn=execution["executionArn"]) for execution in listed
    ]


@pytest.mark.slow
def test_people_are_told_when_an_object_is_put(deployed: Deployed) -> None:
    """A put goes through rule, queue, function, workflow and topic to the subscriber."""
    deployed.put("letters.csv")

    assert deployed.next_notice() == "ACCEPTED letters.csv"


def test_the_exact_version_is_named_when_a_key_is_put_twice(deployed: Deployed) -> None:
    """Each put is an event of its own that names its version, which can be read back."""
    first = deployed.put("twice.csv", b"one")
    second = deployed.put("twice.csv", b"two")
    assert {deployed.next_notice(), deployed.next_notice()} == {"ACCEPTED twice.csv"}

    inputs = [json.loads(execution["input"]) for execution in _executions(deployed)]
    versions = {document["version"] for document in inputs if document["key"] == "twice.csv"}
    assert versions == {first["VersionId"], second["VersionId"]}
    s3 = deployed.cloud.client("s3")
    read = s3.get_object(
        Bucket=deployed.outputs["Inbox"], Key="twice.csv", VersionId=first["VersionId"]
    )
    assert read["Body"].read() == b"one"


def test_the_catch_matches_the_class_name_when_a_handler_raises(deployed: Deployed) -> None:
    """An exception of a handler reaches Retry and Catch by its class's name alone."""
    deployed.put("refused.csv")

    assert deployed.next_notice() == "RefusedByHandler refused.csv"
    states = deployed.cloud.client("stepfunctions")
    refused = next(
        execution for execution in _executions(deployed) if "refused.csv" in execution["input"]
    )
    history = states.get_execution_history(executionArn=refused["executionArn"])["events"]
    failed = [event for event in history if event["type"] == "TaskFailed"]
    assert [event["taskFailedEventDetails"]["error"] for event in failed] == [
        "RefusedByHandler",
        "RefusedByHandler",
    ]


def test_a_wait_is_entered_and_left_when_time_is_scaled(deployed: Deployed) -> None:
    """A wait of ten seconds is in the history, and the execution ends long before ten seconds."""
    deployed.put("waits.csv")
    assert deployed.next_notice() == "ACCEPTED waits.csv"

    execution = next(each for each in _executions(deployed) if "waits.csv" in each["input"])
    states = deployed.cloud.client("stepfunctions")
    history = states.get_execution_history(executionArn=execution["executionArn"])["events"]
    kinds = [event["type"] for event in history]
    assert kinds.count("WaitStateEntered") == kinds.count("WaitStateExited") == 1


def test_the_context_holds_text_when_a_state_reads_the_start_time(deployed: Deployed) -> None:
    """The execution's start time is text in the documented form wherever a state puts it."""
    deployed.put("timed.csv")
    assert deployed.next_notice() == "ACCEPTED timed.csv"

    states = deployed.cloud.client("stepfunctions")
    execution = next(each for each in _executions(deployed) if "timed.csv" in each["input"])
    history = states.get_execution_history(executionArn=execution["executionArn"])["events"]
    plan = next(event for event in history if event["type"] == "PassStateExited")
    document = json.loads(plan["stateExitedEventDetails"]["output"])
    assert document["plan"]["at"].endswith("Z")
    assert document["plan"]["title"] == "about timed.csv"


@pytest.mark.slow
def test_only_the_failed_message_returns_when_a_batch_fails_in_part(deployed: Deployed) -> None:
    """A message that fails twice reaches the dead-letter queue; its neighbour is handled once."""
    deployed.put("poison.csv")
    deployed.put("fine.csv")

    dead = deployed.take("Dead")
    assert json.loads(dead["Body"])["detail"]["object"]["key"] == "poison.csv"
    assert deployed.next_notice() == "ACCEPTED fine.csv"
    poison, fine = deployed.row("poison.csv"), deployed.row("fine.csv")
    assert poison is not None
    assert fine is not None
    assert poison["deliveries"]["N"] == "2"
    assert fine["deliveries"]["N"] == "1"


@pytest.mark.slow
def test_the_envelope_is_as_documented_when_an_object_is_put(deployed: Deployed) -> None:
    """The event carries every field that AWS documents, under its documented name."""
    put = deployed.put("poison-envelope.csv", b"12345")

    event = json.loads(deployed.take("Dead")["Body"])
    assert event.keys() == {
        *("version", "id", "detail-type", "source", "account", "time", "region", "resources"),
        "detail",
    }
    assert event["detail-type"] == "Object Created"
    assert event["resources"] == [f"arn:aws:s3:::{deployed.outputs['Inbox']}"]
    detail = event["detail"]
    assert detail["reason"] == "PutObject"
    assert detail["bucket"] == {"name": deployed.outputs["Inbox"]}
    sequencer = detail["object"].pop("sequencer")
    assert int(sequencer, 16) > 0
    assert detail["object"] == {
        "key": "poison-envelope.csv",
        "size": 5,
        "etag": put["ETag"].strip('"'),
        "version-id": put["VersionId"],
    }


@pytest.mark.slow
def test_many_objects_are_all_handled_when_they_are_put_at_once(deployed: Deployed) -> None:
    """No event, message or execution is lost in a burst."""
    keys = [f"burst-{number}.csv" for number in range(25)]
    for key in keys:
        deployed.put(key)

    assert {deployed.next_notice() for _ in keys} == {f"ACCEPTED {key}" for key in keys}
    assert eventually(
        lambda: all(execution["status"] == "SUCCEEDED" for execution in _executions(deployed))
    )
