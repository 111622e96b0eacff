"""NotifySlack: what is posted and where; the connection to Slack is the only part replaced."""

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters import slack as module
from adapters.clients import client
from adapters.slack import send
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from flywheel.notices.slack import message
from notify_slack.handler import handler
from tests.functions.cloud import empty_cloud, seeing

PATH = "/services/T000/B000/averysecretpart"


class Slack:
    """Slack's end of the connection: notes what is posted and answers as it is told to."""

    posted: ClassVar[list[tuple[str, str, dict[str, Any]]]] = []
    answers: ClassVar[list[int | OSError]] = []

    def __init__(self, host: str, timeout: float) -> None:
        assert 0 < timeout <= 10
        self._host = host

    def request(self, method: str, path: str, body: str, headers: dict[str, str]) -> None:
        """Take a post."""
        assert (method, headers["Content-Type"]) == ("POST", "application/json")
        self.posted.append((self._host, path, json.loads(body)))

    def getresponse(self) -> SimpleNamespace:
        """Answer it."""
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, OSError):
            raise answer
        wait = "40" if answer == 429 else ""
        return SimpleNamespace(status=answer, getheader=lambda _, default: wait or default)

    def close(self) -> None:
        """Hang up."""


@pytest.fixture(autouse=True)
def slack() -> Iterator[type[Slack]]:
    """Have a webhook and Slack behind it."""
    Slack.posted.clear()
    Slack.answers.clear()
    with empty_cloud() as patch:
        patch.setattr(module, "HTTPSConnection", Slack)
        patch.setenv("SLACK_SECRET", "slack-webhook")
        client("secretsmanager").create_secret(
            Name="slack-webhook", SecretString=f"https://hooks.slack.com{PATH}\n"
        )
        module._webhook_path.cache_clear()
        yield Slack


def delivery(subject: str, body: str) -> dict[str, Any]:
    """Return an SQS delivery of an SNS notification."""
    envelope = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:notices",
        "Subject": subject,
        "Message": body,
        "Timestamp": "2026-01-01T00:00:00.000Z",
    }
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(envelope),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:slack",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


def test_a_notice_is_posted_when_it_is_delivered(
    slack: type[Slack], context: LambdaContext
) -> None:
    """Subject and body arrive as plain text at the webhook's path."""
    answer = handler(delivery("[test] tickets: PROMOTED", "Live now: a model\n"), context)
    assert answer == {"batchItemFailures": []}
    ((host, path, document),) = slack.posted
    assert (host, path) == ("hooks.slack.com", PATH)
    assert document["text"] == "[test] tickets: PROMOTED"
    texts = [block["text"] for block in document["blocks"]]
    assert [text["type"] for text in texts] == ["plain_text", "plain_text"]
    assert texts[1]["text"] == "Live now: a model\n"


def test_nothing_is_interpreted_when_a_notice_holds_markup() -> None:
    """Slack's own characters are escaped wherever they stand, and no link is made."""
    document = message("<!channel> & <https://evil.example|click>", "<!here> *bold*")
    escaped = "&lt;!channel&gt; &amp; &lt;https[:]//evil[.]example|click&gt;"
    header, section = (block["text"] for block in document["blocks"])
    assert document["text"] == header["text"] == escaped
    assert section["text"] == "&lt;!here&gt; *bold*"
    assert header["type"] == section["type"] == "plain_text"


@pytest.mark.parametrize("text", ["x", "&", "<x", "日本"])
def test_a_text_is_cut_when_slack_would_refuse_it(text: str) -> None:
    """A block takes at most 3,000 characters and a header 150, once they are escaped."""
    header, section = message(text * 99, text * 10_000)["blocks"]
    assert len(header["text"]["text"]) <= 150
    shown = section["text"]["text"]
    assert len(shown) < 3000
    assert shown.endswith("...")
    assert not re.search("&(?!(amp|lt|gt);)", shown)


@pytest.mark.parametrize("answer", [429, 500, 503, TimeoutError("slow"), ConnectionResetError()])
def test_the_notice_is_delivered_again_when_slack_is_busy(
    slack: type[Slack], answer: int | OSError
) -> None:
    """A passing trouble has the error that is retried."""
    slack.answers.append(answer)
    with pytest.raises(ServiceBusyError):
        send(message("subject", "body"))


def test_slack_is_left_alone_as_long_as_it_asks_when_it_is_busy(
    slack: type[Slack], context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message stays hidden for the seconds of Retry-After."""
    queue = client("sqs").create_queue(QueueName="slack")["QueueUrl"]
    monkeypatch.setenv("SLACK_QUEUE", queue)
    given = delivery("subject", "body")
    client("sqs").send_message(QueueUrl=queue, MessageBody=given["Records"][0]["body"])
    (received,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    given["Records"][0]["receiptHandle"] = received["ReceiptHandle"]
    slack.answers.append(429)
    with seeing("sqs", "ChangeMessageVisibility") as calls, pytest.raises(BatchProcessingError):
        handler(given, context)
    assert [call["VisibilityTimeout"] for call in calls] == [40]


def test_an_alarm_is_posted_in_words_when_cloudwatch_sends_one(
    slack: type[Slack], context: LambdaContext
) -> None:
    """What happened, what to do and why; not the document that CloudWatch sends."""
    alarm = {
        "AlarmName": "dev-UploadsWait",
        "AlarmDescription": "An upload has waited.",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed",
        "Trigger": {"MetricName": "ApproximateAgeOfOldestMessage"},
    }
    handler(delivery("ALARM: dev-UploadsWait", json.dumps(alarm)), context)
    ((_, _, document),) = slack.posted
    words = "ALARM: dev-UploadsWait\n\nAn upload has waited.\n\nThreshold Crossed\n"
    assert document["blocks"][1]["text"]["text"] == words


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_the_operator_must_act_when_slack_refuses(slack: type[Slack], status: int) -> None:
    """The message names the secret, not its content."""
    slack.answers.append(status)
    with pytest.raises(ServiceRefusedError, match="check the webhook's secret") as refusal:
        send(message("subject", "body"))
    assert "averysecretpart" not in str(refusal.value)


@pytest.mark.parametrize(
    "secret",
    [
        "https://evil.example/services/T/B/averysecretpart",
        "http://hooks.slack.com/services/T/B/averysecretpart",
        "https://hooks.slack.com@evil.example/averysecretpart",
        "https://hooks.slack.com.evil.example/averysecretpart",
        "averysecretpart",
    ],
)
def test_nothing_is_posted_when_the_webhook_is_not_slacks(slack: type[Slack], secret: str) -> None:
    """Notices go to Slack's own host over TLS, or nowhere."""
    client("secretsmanager").put_secret_value(SecretId="slack-webhook", SecretString=secret)
    with pytest.raises(ServiceRefusedError, match=r"https://hooks\.slack\.com/") as refusal:
        send(message("subject", "body"))
    assert slack.posted == []
    assert "averysecretpart" not in str(refusal.value)


@pytest.mark.parametrize("answer", [200, 404, 503, OSError("broken")])
def test_the_webhook_is_never_logged_when_a_notice_is_sent(
    slack: type[Slack],
    context: LambdaContext,
    answer: int | OSError,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not when it works and not when it fails."""
    slack.answers.append(answer)
    if answer == 200:
        handler(delivery("subject", "body"), context)
    else:
        with pytest.raises(BatchProcessingError) as failure:
            handler(delivery("subject", "body"), context)
        assert "averysecretpart" not in str(failure.value)
    written = capfd.readouterr()
    assert "averysecretpart" not in written.out + written.err + caplog.text
