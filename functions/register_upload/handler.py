"""RegisterUpload: one S3 event in, one upload registered, staged or refused.

Read next: `application.registration.register`.
"""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes import S3EventBridgeNotificationEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.wiring import services
from application.error_handling import quoting_no_document
from application.registration.register import register
from flywheel.batches.uploads import (
    ObjectVersion,
)
from flywheel.errors import (
    ConcurrentChangeError,
    ServiceBusyError,
    failure_words,
)

logger = Logger()
tracer = Tracer()

_BUSY_SECONDS = 15 * 60
"""After a passing trouble; the queue's five deliveries then last more than an hour."""

processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Register the uploads of one delivery; those that fail are delivered again."""
    return process_partial_response(
        event=event, record_handler=_register_record, processor=processor, context=context
    )


def _register_record(record: SQSRecord) -> None:
    event = S3EventBridgeNotificationEvent(record.json_body)
    s3_object = event.detail.object
    # Not `s3_object.key`, which is URL-decoded: EventBridge passes keys as they are.
    key = s3_object["key"]
    if not s3_object.version_id or s3_object.version_id == "null":
        raise ValueError(f"{key}: the event names no version; is versioning on?")
    upload = ObjectVersion(event.detail.bucket.name, key, s3_object.version_id)
    logger.set_correlation_id(upload.uid)
    delivery = int(record.attributes.approximate_receive_count)
    own_services = services("register_upload")
    if upload.bucket != own_services.configuration.inbox_bucket:
        raise ValueError(f"the event names the bucket {upload.bucket!r}, which is not the inbox")
    try:
        with quoting_no_document():
            register(own_services, upload, int(s3_object.size or 0), delivery=delivery)
    except Exception as error:
        if isinstance(error, (ServiceBusyError, ConcurrentChangeError)):
            # Its visibility time-out is for the longest file, not for this.
            own_services.ports.messages.deliver_later(record.receipt_handle, _BUSY_SECONDS)
        words = failure_words(error)
        own_services.ledger.uploads.note_delivery(upload.uid, delivery, own_services.now(), words)
        raise
