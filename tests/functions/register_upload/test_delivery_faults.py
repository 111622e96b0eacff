"""What events and the world around them can do to an upload, on real clients."""

import copy
import unicodedata
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from flywheel.batches.uploads import MOST_DELIVERIES, UploadState
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from register_upload.handler import handler
from tests.functions.cloud import INBOX, altering, answering, seeing
from tests.functions.register_upload.test_handler import delivery
from tests.functions.world import NAME, World, csv, documents

_MOST_KEY_BYTES = 1024


def as_another_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return a delivery of the same version by an event of other identity."""
    other = copy.deepcopy(event)
    record = other["Records"][0]
    record["messageId"] = "c1d2e3f4-87a3-44ab-83d2-661975830a7d"
    record["body"] = record["body"].replace("17793124", "27793124").replace("0061", "0062")
    return other


def test_one_upload_is_staged_when_its_event_comes_twice(
    world: World, context: LambdaContext
) -> None:
    """By the same event, or by another one about the same version."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(2)))
    event = delivery(upload, 60)
    for repeat in (event, event, as_another_event(event)):
        assert handler(repeat, context) == {"batchItemFailures": []}
    assert world.staged() == [upload.key]
    assert world.services.ledger.flywheels.registrations(NAME) == 1
    assert world.cloud.executions() == [f"{NAME}-batch-1-1"]
    world.seal()
    assert len(world.sent()) == 4


def test_both_versions_are_uploads_when_the_newer_event_comes_first(world: World) -> None:
    """Each event names its version, so their order means nothing."""
    key = f"{NAME}/train/weekly.csv"
    older, newer = world.put(key, csv(documents(1))), world.put(key, csv(documents(1, first=10)))
    world.register(newer)
    world.register(older)
    assert {world.known(upload).state for upload in (older, newer)} == {UploadState.STAGED}
    world.seal()
    assert sorted(world.sent()) == sorted(
        csv([*documents(1), *documents(1, first=10)]).decode().splitlines()
    )


@pytest.mark.parametrize("days", [25 / 24, 13])
def test_no_second_dataset_is_made_when_an_event_comes_late(
    world: World, context: LambdaContext, days: float
) -> None:
    """A day late, or redriven on its thirteenth day; the ledger forgets no upload."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(2)))
    handler(delivery(upload, 60), context)
    world.sealed()
    world.close(error="Stopped")
    world.clock.advance(days * 86_400)
    assert handler(delivery(upload, 60), context) == {"batchItemFailures": []}
    assert world.known(upload).state is UploadState.SEALED
    assert world.staged() == []
    assert (world.row.open_batch, world.row.last_batch) == (None, 1)


def test_the_upload_waits_for_more_than_an_hour_when_a_service_stays_busy(
    world: World, context: LambdaContext
) -> None:
    """Each delivery that is refused puts the next one off; the file is not to blame."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    throttled = answering(
        "comprehend", "DescribeFlywheel", code="TooManyRequestsException", status=429
    )
    put_off = answering("sqs", "ChangeMessageVisibility", code="", status=200)
    with throttled, put_off, seeing("sqs", "ChangeMessageVisibility") as seen:
        for _ in range(MOST_DELIVERIES - 1):
            with pytest.raises(BatchProcessingError):
                handler(delivery(upload, 60), context)
    assert sum(call["VisibilityTimeout"] for call in seen) >= 3600
    assert world.known(upload).state is UploadState.RECEIVED
    assert world.waiting() == []
    assert handler(delivery(upload, 60), context) == {"batchItemFailures": []}
    assert world.known(upload).state is UploadState.STAGED


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException", "KMS.AccessDenied"])
def test_the_file_is_not_to_blame_when_it_may_not_be_read(
    world: World, context: LambdaContext, code: str
) -> None:
    """A missing permission refuses no file; the message goes back."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    with answering("s3", "GetObject", code=code, status=403):
        with pytest.raises(ServiceRefusedError, match=code):
            world.register(upload)
        with pytest.raises(BatchProcessingError):
            handler(delivery(upload, 60), context)
    assert world.known(upload).state is UploadState.RECEIVED
    assert (world.waiting(), world.cloud.digests_asked_for()) == ([], 0)
    world.register(upload)
    assert world.known(upload).state is UploadState.STAGED


def test_the_version_is_read_when_only_a_delete_marker_hides_it(world: World) -> None:
    """What the event names is still there, and was meant to be used."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    client("s3").delete_object(Bucket=INBOX, Key=upload.key)
    world.register(upload)
    assert world.known(upload).state is UploadState.STAGED


def test_what_was_staged_is_sent_when_its_key_is_overwritten(world: World) -> None:
    """Nothing that is dropped later changes a file that the service reads."""
    upload = world.upload("weekly.csv", documents(2))
    world.put(upload.key, csv(documents(2, first=50)))
    world.seal()
    world.put(upload.key, csv(documents(2, first=90)))
    world.seal()
    assert sorted(world.sent()) == sorted(csv(documents(2)).decode().splitlines())


def test_keys_are_apart_when_they_look_alike(world: World, context: LambdaContext) -> None:
    """Composed and decomposed letters, encoded and plain ones are different keys."""
    name = "größe.csv"
    names = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    names += ["a+b.csv", "a%2Bb.csv", "a b.csv", "a%20b.csv", "a//b.csv", "a/b.csv", "a/../b.csv"]
    uploads = [
        world.put(f"{NAME}/train/{name}", csv(documents(1, first=10 * number)))
        for number, name in enumerate(names)
    ]
    for upload in uploads:
        assert handler(delivery(upload, 60), context) == {"batchItemFailures": []}
    assert len({upload.uid for upload in uploads}) == len(names)
    assert sorted(world.staged()) == sorted(upload.key for upload in uploads)
    assert world.keys("") == sorted(f"uploads/{NAME}/{upload.uid}.csv" for upload in uploads)


def test_a_key_is_taken_when_it_is_as_long_as_a_key_can_be(world: World) -> None:
    """Our own names come from a hash, so they stay short."""
    room = _MOST_KEY_BYTES - len(f"{NAME}/train/")
    upload = world.upload("ü" * (room // 2 - 2) + ".csv", documents(2))
    assert len(upload.key.encode()) in {_MOST_KEY_BYTES, _MOST_KEY_BYTES - 1}
    assert world.known(upload).state is UploadState.STAGED
    world.seal()
    assert len(world.sent()) == 4


def test_each_upload_is_sent_once_when_a_key_begins_with_another(world: World) -> None:
    """The service reads a prefix, so a batch has one of its own."""
    world.upload("a.csv", documents(1))
    world.upload("a.csv2", documents(1, first=10))
    world.sealed()
    rows = csv([*documents(1), *documents(1, first=10)]).decode().splitlines()
    assert sorted(world.sent()) == sorted(rows)


@pytest.mark.parametrize("key", ["batches/tickets/1/train/a.csv", "uploads/tickets/0.csv"])
def test_nothing_is_staged_when_the_key_is_one_of_our_own(world: World, key: str) -> None:
    """A name that staging uses is no flywheel's folder, so nothing can go round."""
    world.register(world.put(key, csv(documents(2))))
    assert (world.keys(""), world.cloud.executions()) == ([], [])


@pytest.mark.parametrize("status", ["CREATING", "UPDATING"])
def test_the_delivery_comes_again_when_the_flywheel_is_not_ready(world: World, status: str) -> None:
    """Labels are told only by an ACTIVE flywheel, and without them nothing is judged."""

    def not_ready(answer: dict[str, Any]) -> None:
        answer["FlywheelProperties"]["Status"] = status
        del answer["FlywheelProperties"]["TaskConfig"]

    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    with altering("comprehend", "DescribeFlywheel", not_ready), pytest.raises(ServiceBusyError):
        world.register(upload)
    assert world.known(upload).state is UploadState.RECEIVED
    world.register(upload)
    assert world.known(upload).state is UploadState.STAGED
