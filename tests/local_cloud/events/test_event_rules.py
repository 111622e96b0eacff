import datetime
import json

import pytest

from local_cloud.cloud import Cloud
from local_cloud.events.event_targets import target_input
from local_cloud.events.schedules import next_time
from tests.local_cloud.waiting import eventually

EVENT = {"source": "aws.s3", "detail": {"key": 'a "quoted" name', "size": 3, "tags": ["x", "y"]}}


def _queue_with_rule(cloud: Cloud, target: dict[str, object], **rule: str) -> str:
    sqs, events = cloud.client("sqs"), cloud.client("events")
    url: str = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="rule", **rule)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn["QueueArn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule="rule", Targets=[{"Id": "queue", "Arn": arn["QueueArn"], **target}])
    return url


def _next_body(cloud: Cloud, url: str) -> str:
    messages = eventually(
        lambda: cloud.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")
    )
    return str(messages[0]["Body"])


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"key": <k>, "size": <s>}', {"key": 'a "quoted" name', "size": 3}),
        ('{"text": "file <k> of <s>"}', {"text": 'file a "quoted" name of 3'}),
        ('{"tags": <t>}', {"tags": ["x", "y"]}),
        ('{"one": <one>, "event": <aws.events.event.json>}', {"one": "y", "event": EVENT}),
    ],
)
def test_the_template_is_filled_when_the_target_has_a_transformer(
    template: str, expected: dict[str, object]
) -> None:
    """Placeholders bring their own quotes unless they stand inside a quoted text."""
    paths = {"k": "$.detail.key", "s": "$.detail.size", "t": "$.detail.tags"}
    transformer = {
        "InputPathsMap": {**paths, "one": "$.detail.tags[1]"},
        "InputTemplate": template,
    }

    assert json.loads(target_input({"InputTransformer": transformer}, EVENT)) == expected


def test_a_part_is_sent_when_the_target_has_an_input_path() -> None:
    """InputPath selects a part, Input replaces the whole."""
    assert json.loads(target_input({"InputPath": "$.detail.size"}, EVENT)) == 3
    assert target_input({"Input": '{"a": 1}'}, EVENT) == '{"a": 1}'


def test_an_event_is_delivered_when_its_sender_is_an_application(cloud: Cloud) -> None:
    """PutEvents goes the same way as an event of S3, with a time in text."""
    url = _queue_with_rule(cloud, {}, EventPattern='{"source": ["mine"]}')
    entry = {"Source": "mine", "DetailType": "Done", "Detail": '{"n": 1}'}
    cloud.client("events").put_events(Entries=[entry])

    event = json.loads(_next_body(cloud, url))
    assert event["detail"] == {"n": 1}
    assert datetime.datetime.fromisoformat(event["time"])


def test_the_event_goes_to_the_dead_letter_queue_when_the_target_fails(cloud: Cloud) -> None:
    """After the last attempt the dead-letter queue has the event, with the error."""
    url = _queue_with_rule(cloud, {}, EventPattern='{"source": ["mine"]}')
    arn = f"arn:aws:sqs:us-east-1:123456789012:{url.rsplit('/', 1)[1]}"
    target = {
        "Id": "queue",
        "Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:none",
        "RoleArn": "arn:aws:iam::123456789012:role/none",
        "DeadLetterConfig": {"Arn": arn},
        "RetryPolicy": {"MaximumRetryAttempts": 1},
    }
    cloud.client("events").put_targets(Rule="rule", Targets=[target])
    entry = {"Source": "mine", "DetailType": "Done", "Detail": '{"n": 1}'}
    cloud.client("events").put_events(Entries=[entry])

    assert json.loads(_next_body(cloud, url))["detail"] == {"n": 1}


@pytest.mark.slow
def test_a_scheduled_rule_fires_when_its_time_has_come(cloud: Cloud) -> None:
    """A schedule of a minute fires within seconds, and sends a scheduled event."""
    url = _queue_with_rule(cloud, {}, ScheduleExpression="rate(1 minute)")

    event = json.loads(_next_body(cloud, url))

    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/rule"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(15 minutes)", "2026-01-02T10:22:30"),
        ("rate(1 day)", "2026-01-03T10:07:30"),
        ("cron(0 8 * * ? *)", "2026-01-03T08:00:00"),
        ("cron(0/10 * * * ? *)", "2026-01-02T10:10:00"),
        ("cron(15 10 ? * MON-FRI *)", "2026-01-02T10:15:00"),
        ("cron(0 0 1 FEB ? *)", "2026-02-01T00:00:00"),
    ],
)
def test_the_next_time_is_returned_when_the_schedule_is_valid(
    expression: str, expected: str
) -> None:
    """Rates count from now, cron expressions look for the next minute that matches."""
    now = datetime.datetime(2026, 1, 2, 10, 7, 30, tzinfo=datetime.UTC).timestamp()

    due = datetime.datetime.fromtimestamp(next_time(expression, now), datetime.UTC)

    assert due.isoformat() == f"{expected}+00:00"


def test_the_expression_is_refused_when_it_is_neither_rate_nor_cron() -> None:
    """A schedule that cannot be read is an error, not silence."""
    with pytest.raises(ValueError, match="not a schedule"):
        next_time("every(day)", 0.0)
