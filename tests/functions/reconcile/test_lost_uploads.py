"""Uploads whose event never came: the bucket is the truth, and the schedule looks at it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from adapters.services import Services
from flywheel.errors import ServiceRefusedError
from flywheel.uploads import UploadState
from reconcile.handler import reconcile
from register_upload.handler import handler
from tests.functions.world import NAME, World, csv, documents


def after(world: World, **passed: float) -> Services:
    """Return services whose clock is ahead of the bucket's, which is the machine's."""
    return replace(world.services, now=lambda: datetime.now(UTC) + timedelta(**passed))


def injected(world: World) -> list[dict[str, Any]]:
    """Take the messages of the uploads queue."""
    url = world.cloud.configuration.uploads_queue_url
    answer = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    for message in answer.get("Messages", []):
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "eventSource": "aws:sqs",
        }
        for message in answer.get("Messages", [])
    ]


def test_an_upload_is_registered_when_its_event_never_came(
    world: World, context: LambdaContext
) -> None:
    """Faults 5 and 28: a rule that is off, say. Found within a run, registered once, counted."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    assert reconcile(after(world, minutes=5))["uploads"] == 0
    assert reconcile(after(world, minutes=11))["uploads"] == 1
    (record,) = injected(world)
    assert json.loads(record["body"])["detail"]["object"]["version-id"] == upload.version_id
    assert handler({"Records": [record]}, context) == {"batchItemFailures": []}
    assert world.known(upload).state is UploadState.STAGED
    assert reconcile(after(world, minutes=11))["uploads"] == 0
    assert handler({"Records": [record]}, context) == {"batchItemFailures": []}
    assert world.staged() == [upload.key]


def test_an_upload_is_looked_at_again_when_it_was_stuck_at_its_beginning(world: World) -> None:
    """Fault 27: all its deliveries failed; what was staged or refused is left alone."""
    stuck = world.put(f"{NAME}/train/stuck.csv", csv(documents(1)))
    now = datetime.now(UTC)
    world.services.ledger.uploads.receive(stuck, flywheel=NAME, kind="train", size_bytes=1, now=now)
    world.upload("staged.csv", documents(1, first=10))
    world.upload("refused.csv", b"only one column\n")
    assert reconcile(after(world, hours=5))["uploads"] == 0
    assert reconcile(after(world, hours=7))["uploads"] == 1
    (record,) = injected(world)
    assert json.loads(record["body"])["detail"]["object"]["key"] == stuck.key


def test_old_uploads_are_looked_at_once_a_day_when_they_have_no_row(world: World) -> None:
    """The first run looks at everything; after it three days are enough until the next day."""
    reconcile(after(world, days=10))
    world.put(f"{NAME}/train/old.csv", csv(documents(1)))
    assert reconcile(after(world, days=10, hours=1))["uploads"] == 0
    assert reconcile(after(world, days=11, hours=1))["uploads"] == 1


def test_the_others_are_injected_when_one_cannot_be(world: World) -> None:
    """One message that the queue refuses holds up no other upload, and the run fails."""
    for number in range(3):
        world.put(f"{NAME}/train/{number}.csv", csv(documents(1, first=number)))
    sent = count()

    def refuse_the_first(**_: Any) -> Any:
        if next(sent) == 0:
            error = {"Code": "InvalidMessageContents", "Message": "as asked for"}
            return SimpleNamespace(status_code=400), {
                "Error": error,
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
        return None

    events = client("sqs").meta.events
    events.register("before-call.sqs.SendMessage", refuse_the_first)
    try:
        with pytest.raises(ServiceRefusedError, match="InvalidMessageContents"):
            reconcile(after(world, minutes=11))
    finally:
        events.unregister("before-call.sqs.SendMessage", refuse_the_first)
    assert len(injected(world)) == 2
