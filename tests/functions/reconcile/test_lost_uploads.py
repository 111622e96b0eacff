"""Uploads whose event never came: the bucket is the truth, and the schedule looks at it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from application.error_handling import Failures, logger
from application.reconciliation.reconcile import reconcile
from application.registration.register import register
from application.services import Services, task_config
from flywheel.batches.uploads import MOST_DELIVERIES, ObjectVersion, UploadState
from flywheel.errors import ServiceRefusedError
from register_upload.handler import handler
from tests.functions.cloud import answering, crash
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, World, csv, documents


def after(world: World, **passed: float) -> Services:
    """Return services whose clock is ahead of the bucket's, which is the machine's."""
    return replace(world.services, now=lambda: datetime.now(UTC) + timedelta(**passed))


def event(upload: ObjectVersion) -> str:
    """Return what EventBridge sends of an upload, as far as it is read."""
    found = {"key": upload.key, "size": 60, "version-id": upload.version_id}
    return json.dumps({"detail": {"bucket": {"name": upload.bucket}, "object": found}})


def injected(world: World) -> list[dict[str, Any]]:
    """Take the messages of the uploads queue."""
    url = world.cloud.configuration.uploads_queue_url
    answer = client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]
    )
    for message in answer.get("Messages", []):
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "eventSource": "aws:sqs",
        }
        for message in answer.get("Messages", [])
    ]


def test_an_upload_is_registered_when_its_event_never_came(
    world: World, context: LambdaContext
) -> None:
    """A rule that is off, say. Found within a run, registered once, counted."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    assert reconciled(after(world, minutes=5))["uploads"] == 0
    assert reconciled(after(world, minutes=11))["uploads"] == 1
    (record,) = injected(world)
    assert json.loads(record["body"])["detail"]["object"]["version-id"] == upload.version_id
    assert handler({"Records": [record]}, context) == {"batchItemFailures": []}
    assert world.known(upload).state is UploadState.STAGED
    assert reconciled(after(world, minutes=11))["uploads"] == 0
    assert handler({"Records": [record]}, context) == {"batchItemFailures": []}
    assert world.staged() == [upload.key]


def delivered(upload: ObjectVersion, delivery: int) -> dict[str, Any]:
    """Return one delivery of an upload's event."""
    record = {
        "messageId": "1",
        "receiptHandle": "1",
        "body": event(upload),
        "attributes": {"ApproximateReceiveCount": str(delivery)},
        "eventSource": "aws:sqs",
    }
    return {"Records": [record]}


def fail(upload: ObjectVersion, delivery: int, context: LambdaContext) -> None:
    """Have one delivery of an upload fail."""
    task_config.cache_clear()
    with (
        answering("comprehend", "DescribeFlywheel", code="AccessDeniedException"),
        pytest.raises(BatchProcessingError),
    ):
        handler(delivered(upload, delivery), context)


def another_waits(world: World) -> None:
    """Have the uploads queue hold the event of another upload."""
    other = world.put(f"{NAME}/train/other.csv", csv(documents(1, first=50)))
    world.services.ports.messages.inject(other, 1)


@pytest.mark.slow
def test_an_upload_is_refused_once_when_all_its_deliveries_failed(
    world: World, context: LambdaContext
) -> None:
    """One notice says why; it is not injected again, and a redrive registers it."""
    stuck = world.put(f"{NAME}/train/stuck.csv", csv(documents(1)))
    world.upload("staged.csv", documents(1, first=10))
    for delivery in range(1, MOST_DELIVERIES + 1):
        fail(stuck, delivery, context)
    assert world.known(stuck).state is UploadState.RECEIVED
    found = reconciled(after(world, hours=1))
    assert (found["uploads"], found["undelivered"]) == (0, 0)
    another_waits(world)
    found = reconciled(after(world, hours=2))
    assert found["undelivered"] == 1
    assert world.known(stuck).state is UploadState.REFUSED
    task_config.cache_clear()
    assert handler({"Records": injected(world)}, context) == {"batchItemFailures": []}
    for hours in (10, 40, 24 * 15, 24 * 30):
        found = reconciled(after(world, hours=hours))
        assert found["undelivered"] == 0
        assert world.known(stuck).state is UploadState.REFUSED
    assert injected(world) == []
    told = [notice for notice in world.cloud.told() if "stuck.csv" in notice.subject]
    (notice,) = told
    body = " ".join(notice.body.split())
    assert "AccessDeniedException" in body
    assert "flywheel dlq redrive uploads" in body

    assert handler(delivered(stuck, 1), context) == {"batchItemFailures": []}
    assert world.known(stuck).state is UploadState.STAGED
    assert (world.known(stuck).reasons, world.known(stuck).deliveries) == ((), 1)


def test_an_upload_waits_when_its_deliveries_are_not_used_up(
    world: World, context: LambdaContext
) -> None:
    """The queue was paused, or the function throttled: nobody refuses what nobody tried."""
    upload = world.put(f"{NAME}/train/waits.csv", csv(documents(1)))
    fail(upload, 1, context)
    world.services.ports.messages.inject(upload, 1)
    for hours in (9, 60, 13 * 24):
        found = reconciled(after(world, hours=hours))
        assert (found["uploads"], found["undelivered"]) == (0, 0)
    assert world.known(upload).state is UploadState.RECEIVED
    (record,) = injected(world)
    assert handler({"Records": [record]}, context) == {"batchItemFailures": []}
    assert world.known(upload).state is UploadState.STAGED


def test_an_upload_is_injected_again_when_the_queue_keeps_its_event_no_longer(
    world: World, context: LambdaContext
) -> None:
    """Once: the new event has the time that the first one had."""
    upload = world.put(f"{NAME}/train/waits.csv", csv(documents(1)))
    fail(upload, 1, context)
    another_waits(world)
    reconciled(after(world, days=13))
    assert reconciled(after(world, days=14, hours=1))["uploads"] == 1
    assert reconciled(after(world, days=15, hours=2))["uploads"] == 0
    keys = [json.loads(record["body"])["detail"]["object"]["key"] for record in injected(world)]
    assert keys.count(upload.key) == 1


def test_an_upload_is_injected_once_when_it_has_no_row(world: World) -> None:
    """Where its deliveries end before a function works on them, the queue is empty in the end."""
    upload = world.put(f"{NAME}/train/early.csv", csv(documents(1)))
    assert reconciled(after(world, minutes=11))["uploads"] == 1
    assert world.known(upload).state is UploadState.RECEIVED
    assert reconciled(after(world, minutes=26))["uploads"] == 0
    assert reconciled(after(world, hours=9))["undelivered"] == 0
    assert len(injected(world)) == 1
    assert reconciled(after(world, hours=7))["undelivered"] == 0
    assert reconciled(after(world, hours=9))["undelivered"] == 1
    assert reconciled(after(world, hours=10))["undelivered"] == 0
    assert world.known(upload).state is UploadState.REFUSED


def test_a_delivery_is_counted_when_its_function_dies(world: World) -> None:
    """It says nothing at its end, so the delivery is noted when it begins."""
    upload = world.put(f"{NAME}/train/large.csv", csv(documents(1)))
    for delivery in range(1, MOST_DELIVERIES + 1):
        with crash("s3", "GetObject", when="before-call"):
            register(world.services, upload, 1, delivery=delivery)
    assert world.known(upload).deliveries == MOST_DELIVERIES
    another_waits(world)
    assert reconciled(after(world, hours=2))["undelivered"] == 1
    assert reconciled(after(world, hours=3))["notices"] == 1
    (notice,) = [notice for notice in world.cloud.told() if "large.csv" in notice.subject]
    assert "ran out of time or memory" in " ".join(notice.body.split())


def test_old_uploads_are_looked_at_once_a_day_when_they_have_no_row(world: World) -> None:
    """The first run looks at everything; after it three days are enough until the next day."""
    reconciled(after(world, days=10))
    world.put(f"{NAME}/train/old.csv", csv(documents(1)))
    assert reconciled(after(world, days=10, hours=1))["uploads"] == 0
    assert reconciled(after(world, days=11, hours=1))["uploads"] == 1


def test_the_others_are_injected_when_one_cannot_be(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message that the queue refuses holds up no other upload, and is logged once."""
    logged: list[str] = []
    monkeypatch.setattr(
        logger, "exception", lambda *_, extra: logged.append(str(extra["looked_at"]))
    )
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
        failures = Failures()
        reconcile(after(world, minutes=11), failures)
        with pytest.raises(ServiceRefusedError, match="InvalidMessageContents"):
            failures.raise_first()
    finally:
        events.unregister("before-call.sqs.SendMessage", refuse_the_first)
    assert (len(injected(world)), logged) == (2, ["upload"])
