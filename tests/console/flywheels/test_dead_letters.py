"""The verbs of `flywheel dlq`, on queues that moto holds and a stack that has them as outputs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from adapters.clients import client
from console.commands import options as verb_options
from console.environment.target import Target
from console.errors import CommandError
from console.flywheels.dead_letters import Look, dead_letter_queues, look, redrive
from console.terminal import Terminal
from console.views.dead_letters import looks_view
from flywheel.errors import ServiceRefusedError
from tests.console.command_line import Run
from tests.functions.cloud import REGION, answering, crash, empty_cloud

QUEUES = {"Uploads": "uploads", "NoticesDue": "notices-due", "Slack": "slack"}
EVENT = {"detail": {"object": {"key": "tickets/train/a.csv", "version-id": "v1"}}}


@pytest.fixture
def outputs() -> Iterator[dict[str, str]]:
    """Have the queues of a stack, as its outputs name them."""
    with empty_cloud():
        made: dict[str, str] = {}
        for start, name in QUEUES.items():
            dead = client("sqs").create_queue(QueueName=f"{name}-dead")["QueueUrl"]
            arn = f"arn:aws:sqs:{REGION}:123456789012:{name}-dead"
            policy = {"deadLetterTargetArn": arn, "maxReceiveCount": "5"}
            source = client("sqs").create_queue(
                QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)}
            )
            made |= {f"{start}QueueUrl": source["QueueUrl"], f"{start}DeadLettersUrl": dead}
        yield made


@pytest.fixture
def run(run: Run, outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command in the account that has the queues."""

    def opened(environment: str, _: object) -> Target:
        target = Target(environment, boto3.Session(region_name=REGION))
        target.__dict__["outputs"] = outputs
        return target

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setattr(verb_options, "open_target", opened)
    return run


def send(url: str, body: object, **attributes: str) -> str:
    """Send a message and return its id."""
    text = body if isinstance(body, str) else json.dumps(body)
    given: Any = {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
    }
    return client("sqs").send_message(QueueUrl=url, MessageBody=text, MessageAttributes=given)[
        "MessageId"
    ]


def bodies(url: str) -> list[str]:
    """Return the bodies of a queue's messages, which stay in it."""
    answer = client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return [message["Body"] for message in answer.get("Messages", [])]


def shown_looks(looks: list[Look]) -> str:
    """Return what people see of looks."""
    terminal = Terminal(is_json=False)
    with terminal.people.capture() as printed:
        terminal.show(looks_view(looks, datetime.now(UTC) + timedelta(days=3)))
    return printed.get()


def test_each_message_is_named_when_it_is_listed(outputs: dict[str, str], run: Run) -> None:
    """An upload by key and version, a digest by flywheel, a Slack message by its notice."""
    send(outputs["UploadsDeadLettersUrl"], EVENT)
    send(outputs["NoticesDueDeadLettersUrl"], {"flywheel": "tickets"})
    envelope = {
        "Subject": "[dev] tickets: HELD",
        "MessageAttributes": {"notice_id": {"Type": "String", "Value": "verdict-tickets-3"}},
    }
    send(outputs["SlackDeadLettersUrl"], envelope)
    result = run("dlq", "list", "--env", "dev", "--json")
    assert result.exit_code == 0, result.stderr
    uploads, due, slack = json.loads(result.stdout)
    assert (uploads["queue"], uploads["count"]) == ("uploads", 1)
    (message,) = uploads["messages"]
    assert (message["key"], message["version_id"]) == ("tickets/train/a.csv", "v1")
    assert message["times_received"] == 1
    assert 0 <= message["age_seconds"] < 60
    assert message["undelivered"] is None
    assert due["messages"][0]["flywheel"] == "tickets"
    assert slack["messages"][0]["notice_id"] == "verdict-tickets-3"
    told = run("dlq", "list", "--env", "dev").stdout
    assert "upload tickets/train/a.csv, version v1" in told
    assert "digest of upload notices of tickets" in told
    assert "notice verdict-tickets-3: [dev] tickets: HELD" in told


def test_an_alarm_is_named_when_slack_did_not_take_it(outputs: dict[str, str], run: Run) -> None:
    """It has no notice's id, but it is ours all the same."""
    alarm = json.dumps({"AlarmName": "dev-UploadsWait", "NewStateValue": "ALARM"})
    send(outputs["SlackDeadLettersUrl"], {"Subject": "ALARM: dev", "Message": alarm})
    assert "alarm: ALARM: dev-UploadsWait" in run("dlq", "list", "--env", "dev").stdout


def test_nothing_is_removed_or_hidden_when_it_is_listed(outputs: dict[str, str]) -> None:
    """A second look, at once, finds the same messages, more than one call brings."""
    (queue,) = dead_letter_queues(outputs, "uploads")
    ids = {send(queue.url, {"flywheel": str(number)}) for number in range(25)}
    for _ in range(2):
        seen = look(client("sqs"), queue)
        assert seen.count == 25
        assert {letter.id for letter in seen.letters} == ids


def test_events_own_words_are_shown_when_it_could_not_deliver(outputs: dict[str, str]) -> None:
    """The error, why it gave up, and the rule."""
    (queue,) = dead_letter_queues(outputs, "uploads")
    attributes = {
        "ERROR_CODE": "NO_PERMISSIONS",
        "EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds",
        "RULE_ARN": "arn:aws:events:us-east-1:123456789012:rule/created",
    }
    send(queue.url, EVENT, **attributes)
    seen = look(client("sqs"), queue)
    assert seen.letters[0].undelivered == attributes
    told = shown_looks([seen])
    assert "3 days old, received 1 time" in told
    assert all(f"{name} {value}" in told for name, value in attributes.items())


@pytest.mark.parametrize(
    "body", ["no JSON \x1b[31m http://evil.example/", "[1]", '"x"', "[" * 9999]
)
def test_its_text_is_shown_when_a_message_is_not_ours(outputs: dict[str, str], body: str) -> None:
    """It is no crash, and what it holds does nothing to the terminal."""
    (queue,) = dead_letter_queues(outputs, "slack")
    send(queue.url, body)
    seen = look(client("sqs"), queue)
    assert len(seen.letters[0].content["text"]) <= 120
    told = shown_looks([seen])
    assert "not a message of ours: " in told
    assert "\x1b" not in told
    assert "http:" not in told


def test_a_poison_message_gets_another_try_when_it_is_redriven(
    outputs: dict[str, str], run: Run
) -> None:
    """After its five deliveries it is a dead letter; then it is back, whole, in its queue."""
    url = outputs["UploadsQueueUrl"]
    send(url, EVENT, trace="abc")
    for _ in range(5):
        assert bodies(url) == [json.dumps(EVENT)]
    assert bodies(url) == []
    dry = run("dlq", "redrive", "uploads", "--dry-run", "--env", "dev")
    assert "Would send back to uploads: upload tickets/train/a.csv" in dry.stdout
    assert bodies(url) == []
    result = run("dlq", "redrive", "--env", "dev", "--json")
    assert result.exit_code == 0, result.stderr
    (moved,) = json.loads(result.stdout)["moved"]
    assert (moved["queue"], moved["key"]) == ("uploads", "tickets/train/a.csv")
    assert bodies(outputs["UploadsDeadLettersUrl"]) == []
    answer = client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])
    (message,) = answer["Messages"]
    assert json.loads(message["Body"]) == EVENT
    assert message["MessageAttributes"]["trace"]["StringValue"] == "abc"


def test_one_message_is_moved_when_it_is_named(outputs: dict[str, str], run: Run) -> None:
    """The others stay, and can be received at once."""
    dead = outputs["NoticesDueDeadLettersUrl"]
    ids = [send(dead, {"flywheel": name}) for name in ("one", "two", "three")]
    result = run("dlq", "redrive", "--message", ids[1], "--env", "dev", "--json")
    assert result.exit_code == 0, result.stderr
    assert [item["flywheel"] for item in json.loads(result.stdout)["moved"]] == ["two"]
    assert bodies(outputs["NoticesDueQueueUrl"]) == ['{"flywheel": "two"}']
    assert len(bodies(dead)) == 2


def test_it_says_so_when_there_is_nothing_to_send_back(run: Run) -> None:
    """An empty queue is no failure."""
    result = run("dlq", "redrive", "slack", "--env", "dev")
    assert result.exit_code == 0
    assert "slack is empty: nothing to send back." in result.stdout
    assert run("dlq", "list", "--env", "dev").stdout.count("empty") == 3


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("upload",), "Use one of: uploads, notices-due, slack"),
        (("--message", "unknown"), "See flywheel dlq list"),
    ],
)
def test_it_ends_with_2_when_what_is_named_is_not_there(
    run: Run, arguments: tuple[str, ...], remedy: str
) -> None:
    """The queues that there are, or the verb that shows the messages, are named."""
    result = run("dlq", "redrive", *arguments, "--env", "dev")
    assert result.exit_code == 2
    assert remedy in result.stderr


def test_the_environment_must_be_named_when_messages_are_moved(run: Run) -> None:
    """Moving changes something, so there is no default."""
    assert run("dlq", "redrive").exit_code == 2


def test_the_message_stays_when_sending_it_back_fails(outputs: dict[str, str]) -> None:
    """It is deleted only after the send succeeded."""
    send(outputs["UploadsDeadLettersUrl"], EVENT)
    (queue,) = dead_letter_queues(outputs, "uploads")
    with (
        answering("sqs", "SendMessage", code="AccessDenied"),
        pytest.raises(ServiceRefusedError, match="AccessDenied"),
    ):
        list(redrive(client("sqs"), queue))
    assert look(client("sqs"), queue).count == 1


def test_the_message_is_doubled_and_not_lost_when_the_command_dies(
    outputs: dict[str, str],
) -> None:
    """Between sending and deleting it is in both queues."""
    send(outputs["UploadsDeadLettersUrl"], EVENT)
    (queue,) = dead_letter_queues(outputs, "uploads")
    with crash("sqs", "DeleteMessage", when="before-call"):
        list(redrive(client("sqs"), queue))
    assert look(client("sqs"), queue).count == 1
    assert bodies(queue.source_url) == [json.dumps(EVENT)]


def test_a_queue_is_left_out_when_the_stack_has_none() -> None:
    """Without Slack there is no such queue, and an older stack names none at all."""
    outputs = {"UploadsQueueUrl": "u", "UploadsDeadLettersUrl": "d"}
    assert [queue.name for queue in dead_letter_queues(outputs)] == ["uploads"]
    with pytest.raises(CommandError, match="deploy the stack again"):
        dead_letter_queues({}, "slack")
