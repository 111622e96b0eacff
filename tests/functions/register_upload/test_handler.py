"""RegisterUpload on real clients: every way in, every state it can be resumed from."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from application.ledger.outbox import NO_FLYWHEEL
from flywheel.batches.uploads import ObjectVersion, UploadState
from flywheel.errors import ConcurrentChangeError, ServiceBusyError
from register_upload.handler import handler
from tests.functions.cloud import INBOX, NOTICE_WINDOW_SECONDS, altering, answering, seeing
from tests.functions.world import NAME, World, csv, documents


def delivery(upload: ObjectVersion, size: int) -> dict[str, Any]:
    """Return an SQS delivery of an EventBridge event, as Amazon S3 sends it."""
    event = {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{upload.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": upload.bucket},
            "object": {
                "key": upload.key,
                "size": size,
                "etag": "b1946ac92492d2347c6235b4d2611184",
                "version-id": upload.version_id,
                "sequencer": "00617F08299329D189",
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "198.51.100.1",
            "reason": "PutObject",
        },
    }
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(event),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:uploads",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


def test_an_upload_is_staged_when_its_event_is_delivered(
    world: World, context: LambdaContext
) -> None:
    """The event as it travels: S3 to EventBridge to SQS to the function."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    assert handler(delivery(upload, 60), context) == {"batchItemFailures": []}
    assert world.known(upload).state is UploadState.STAGED
    assert world.known(upload).documents == 2


@pytest.mark.parametrize(
    "name", ["week+1 100%25.csv", "a%2Bb.csv", "größe & maß.csv", "日本語.csv", "a..b//c.csv"]
)
def test_a_key_is_taken_as_it_is_when_its_event_is_delivered(
    world: World, context: LambdaContext, name: str
) -> None:
    """EventBridge passes keys unencoded; decoding one would look for another object."""
    upload = world.put(f"{NAME}/train/{name}", csv(documents(1)))
    assert handler(delivery(upload, 60), context) == {"batchItemFailures": []}
    assert world.known(upload).state is UploadState.STAGED


def test_the_delivery_fails_when_the_event_names_no_version(
    world: World, context: LambdaContext
) -> None:
    """Without a version nobody knows what was read; SQS keeps the message."""
    upload = ObjectVersion(INBOX, f"{NAME}/train/monday.csv", "null")
    with pytest.raises(BatchProcessingError, match="names no version"):
        handler(delivery(upload, 60), context)


def test_no_row_is_made_when_the_event_names_another_bucket(
    world: World, context: LambdaContext
) -> None:
    """What is in another bucket is nobody's upload; SQS keeps the message."""
    upload = ObjectVersion("another-bucket", f"{NAME}/train/monday.csv", "1")
    with pytest.raises(BatchProcessingError, match="'another-bucket', which is not the inbox"):
        handler(delivery(upload, 60), context)
    assert world.services.ledger.uploads.get(upload.uid) is None


def test_the_named_version_is_staged_when_it_was_overwritten_since(world: World) -> None:
    """Two uploads of one key are two uploads, each with its own content."""
    key = f"{NAME}/train/weekly.csv"
    first, second = world.put(key, b"billing,one\n"), world.put(key, b"delivery,two\n")
    world.register(first)
    assert world.lines(f"uploads/{NAME}/{first.uid}.csv") == ["billing,one"]
    world.register(second)
    assert world.lines(f"uploads/{NAME}/{second.uid}.csv") == ["delivery,two"]
    assert world.staged() == [key, key]


@pytest.mark.parametrize(
    "name",
    ["two words.csv", "a+b.csv", "grüße-日本.csv", "../../escape.csv", "deep/er/x.csv", "%2F.csv"],
)
def test_the_key_is_taken_as_it_is_when_it_has_unusual_characters(world: World, name: str) -> None:
    """A key is a name and never a path; it is not decoded either."""
    upload = world.upload(name, documents(1))
    assert world.known(upload).key == f"{NAME}/train/{name}"
    assert world.keys("") == [f"uploads/{NAME}/{upload.uid}.csv"]


def test_nothing_is_spent_when_a_file_is_refused(world: World) -> None:
    """The row says why, the news waits, the service is not asked, the object is untouched."""
    body = csv([("biling", f"text {number}") for number in range(6)])
    upload = world.upload("weekly.csv", body)
    known = world.known(upload)
    assert known.state is UploadState.REFUSED
    assert any("did you mean 'billing'" in reason for reason in known.reasons)
    assert world.waiting() == ["REFUSED weekly.csv: 6 bad rows"]
    assert world.cloud.digests_asked_for() == 1
    assert set(world.comprehend_calls) <= {"DescribeFlywheel"}
    assert world.keys("") == []
    assert world.cloud.executions() == []
    stored = client("s3").get_object(Bucket=INBOX, Key=upload.key)
    assert (stored["Body"].read(), stored["VersionId"]) == (body, upload.version_id)


def test_nothing_is_told_twice_when_a_refused_upload_is_delivered_again(world: World) -> None:
    """A refusal is final for this version."""
    upload = world.upload("weekly.csv", b"no columns\n")
    reasons = world.known(upload).reasons
    world.register(upload)
    assert world.known(upload).reasons == reasons
    assert len(world.waiting()) == 1
    assert world.cloud.digests_asked_for() == 1


def test_both_deliveries_end_in_one_upload_when_they_overlap(world: World) -> None:
    """The one that comes second finds the state changed, and is delivered again."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    others = iter([upload])

    def overtake(_: object) -> None:
        for other in others:
            world.register(other)

    with altering("s3", "GetObject", overtake), pytest.raises(ConcurrentChangeError):
        world.register(upload)
    world.register(upload)
    assert len(world.staged()) == 1
    assert world.services.ledger.flywheels.registrations(NAME) == 1


def test_the_rows_left_out_are_told_when_a_file_is_taken_in_part(world: World) -> None:
    """One bad row of a hundred is left out; the rest is staged, and the news comes in time."""
    rows = [*documents(50), ("billing", "")]
    with seeing("sqs", "SendMessage") as sent:
        upload = world.upload("weekly.csv", rows)
    known = world.known(upload)
    assert (known.state, known.documents, known.left_out) == (UploadState.STAGED, 100, 1)
    assert world.waiting() == ["ACCEPTED weekly.csv: 1 of 101 rows left out"]
    assert [message["DelaySeconds"] for message in sent] == [NOTICE_WINDOW_SECONDS]


def test_one_bad_row_refuses_the_file_when_the_settings_say_so(world: World) -> None:
    """bad_rows = "refuse" leaves nothing out."""
    world.configure(bad_rows="refuse")
    upload = world.upload("weekly.csv", [*documents(50), ("billing", "")])
    assert world.known(upload).state is UploadState.REFUSED


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("ticket/train/a.csv", ["no flywheel 'ticket'", "known: tickets", "tickets/train/"]),
        ("a.csv", ["known: tickets", "<flywheel>/train/"]),
        (f"{NAME}/training/a.csv", ["tickets/train/ or tickets/test/"]),
        (f"{NAME}/train/", ["tickets/train/ or tickets/test/"]),
    ],
)
def test_the_places_that_work_are_told_when_a_key_is_misplaced(
    world: World, key: str, told: list[str]
) -> None:
    """The uploader learns where the file belongs; the row belongs to no flywheel."""
    upload = world.put(key, csv(documents(1)))
    world.register(upload)
    known = world.known(upload)
    assert (known.state, known.flywheel) == (UploadState.REFUSED, NO_FLYWHEEL)
    assert all(part in " ".join(known.reasons) for part in told), known.reasons
    assert len(world.waiting()) == 1
    world.register(upload)
    assert len(world.waiting()) == 1


def test_the_upload_is_gone_when_its_version_was_deleted(world: World) -> None:
    """Nobody can read it any more, so nobody tries again."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    client("s3").delete_object(Bucket=INBOX, Key=upload.key, VersionId=upload.version_id)
    world.register(upload)
    world.register(upload)
    assert world.known(upload).state is UploadState.GONE
    assert world.waiting() == ["GONE monday.csv: deleted before it was read"]


def test_nothing_is_recorded_when_the_object_is_a_folder_marker(world: World) -> None:
    """Consoles create such objects; they are no uploads."""
    upload = world.put(f"{NAME}/train/", b"")
    world.register(upload, size_bytes=0)
    assert world.services.ledger.uploads.get(upload.uid) is None


def test_one_batch_opens_when_several_uploads_meet_the_rules(world: World) -> None:
    """The second upload joins the open batch; no other execution begins."""
    world.upload("a.csv", documents(1))
    assert world.cloud.executions() == []
    world.upload("b.csv", documents(1, first=10))
    assert world.cloud.executions() == [f"{NAME}-batch-1-1"]
    world.upload("c.csv", documents(2, first=20))
    assert world.cloud.executions() == [f"{NAME}-batch-1-1"]
    assert world.row.open_batch == 1
    assert world.services.ledger.flywheels.registrations(NAME) == 3


def test_nothing_starts_when_only_a_test_set_is_uploaded(world: World) -> None:
    """Test documents collect as a draft."""
    world.upload("test.csv", documents(10), kind="test")
    assert world.cloud.executions() == []
    assert world.staged() == [f"{NAME}/test/test.csv"]


def test_the_delivery_comes_again_when_the_service_is_busy(world: World) -> None:
    """A throttle is no verdict about the file."""
    upload = world.put(f"{NAME}/train/monday.csv", csv(documents(1)))
    throttled = answering("comprehend", "DescribeFlywheel", code="ThrottlingException")
    with throttled, pytest.raises(ServiceBusyError):
        world.register(upload)
    assert world.known(upload).state is UploadState.RECEIVED


def test_documents_have_several_labels_when_the_service_says_so(world: World) -> None:
    """Of an adopted flywheel the service alone knows the mode."""

    def multi_label(answer: dict[str, Any]) -> None:
        task = answer["FlywheelProperties"]["TaskConfig"]
        task["DocumentClassificationConfig"]["Mode"] = "MULTI_LABEL"

    world.configure(min_documents=10)
    with altering("comprehend", "DescribeFlywheel", multi_label):
        world.upload("monday.csv", b"billing|delivery,both of them\nbilling,one\n")
    (staged,) = world.services.ledger.uploads.staged(NAME)
    assert staged.label_counts == {"billing": 2, "delivery": 1}
    assert staged.documents == 2
