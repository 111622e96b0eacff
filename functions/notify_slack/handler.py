"""NotifySlack: pass a notice on to a Slack channel.

Read next: `flywheel.notices.slack` (the message) and `adapters.slack` (the webhook).
"""

import os
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from adapters.messages import deliver_later
from adapters.slack import send
from flywheel.errors import ServiceBusyError
from flywheel.notices.slack import alarm_words, message

logger = Logger()
tracer = Tracer()

processor = BatchProcessor(event_type=EventType.SQS)


_LONGEST_WAIT_SECONDS = 3600


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Send the notices of one delivery; those that fail are delivered again."""
    return process_partial_response(
        event=event, record_handler=_send_record, processor=processor, context=context
    )


def _send_record(record: SQSRecord) -> None:
    envelope = record.json_body
    body = envelope["Message"]
    try:
        send(message(envelope.get("Subject") or "Notice", alarm_words(body) or body))
    except ServiceBusyError as busy:
        if busy.wait_seconds is not None:
            seconds = min(busy.wait_seconds, _LONGEST_WAIT_SECONDS)
            deliver_later(client("sqs"), os.environ["SLACK_QUEUE"], record.receipt_handle, seconds)
        raise
