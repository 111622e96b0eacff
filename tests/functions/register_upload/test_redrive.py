"""An upload whose message died: redriven, it is registered, once."""

import json

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from console.flywheels.dead_letters import DeadLetterQueue, look, redrive
from flywheel.batches.uploads import MOST_DELIVERIES, ObjectVersion, UploadState
from register_upload.handler import handler
from tests.functions.cloud import ACCOUNT, REGION, answering
from tests.functions.world import NAME, World, csv, documents
from tests.stack_template import resources


@pytest.fixture
def queue(world: World) -> DeadLetterQueue:
    """Give the uploads queue its dead letters, as the stack does."""
    url = world.cloud.configuration.uploads_queue_url
    dead = client("sqs").create_queue(QueueName="uploads-dead")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:uploads-dead"
    policy = {**resources("AWS::SQS::Queue")["InboxUploadsQueue"]["RedrivePolicy"]}
    policy["deadLetterTargetArn"] = arn
    client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)}
    )
    return DeadLetterQueue("uploads", dead, url)


def event(upload: ObjectVersion) -> str:
    """Return what EventBridge sends of an upload, as far as it is read."""
    found = {"key": upload.key, "size": 60, "version-id": upload.version_id}
    return json.dumps({"detail": {"bucket": {"name": upload.bucket}, "object": found}})


def deliver(queue: DeadLetterQueue, context: LambdaContext) -> bool:
    """Have the function handle the next message as Lambda does; False where there is none."""
    answer = client("sqs").receive_message(
        QueueUrl=queue.source_url, VisibilityTimeout=0, AttributeNames=["All"]
    )
    for message in answer.get("Messages", []):
        record = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "eventSource": "aws:sqs",
        }
        try:
            handler({"Records": [record]}, context)
        except BatchProcessingError:
            return True
        client("sqs").delete_message(
            QueueUrl=queue.source_url, ReceiptHandle=message["ReceiptHandle"]
        )
        return True
    return False


def test_an_upload_is_registered_once_when_its_dead_letter_is_redriven(
    world: World, context: LambdaContext, queue: DeadLetterQueue
) -> None:
    """Five failures make it a dead letter; a redrive registers it, and a second changes nothing."""
    upload = world.put(f"{NAME}/train/a.csv", csv(documents(1)))
    message = event(upload)
    client("sqs").send_message(QueueUrl=queue.source_url, MessageBody=message)
    with answering("comprehend", "DescribeFlywheel", code="AccessDeniedException"):
        while deliver(queue, context):
            pass
    (letter,) = look(client("sqs"), queue).letters
    assert letter.content == {"key": upload.key, "version_id": upload.version_id}
    known = world.known(upload)
    assert (known.state, known.deliveries) == (UploadState.RECEIVED, MOST_DELIVERIES)

    assert len(list(redrive(client("sqs"), queue))) == 1
    client("sqs").send_message(QueueUrl=queue.url, MessageBody=message)
    assert len(list(redrive(client("sqs"), queue))) == 1
    while deliver(queue, context):
        pass
    assert world.known(upload).state is UploadState.STAGED
    assert len(world.services.ledger.uploads.staged(NAME)) == 1
    assert look(client("sqs"), queue).count == 0
