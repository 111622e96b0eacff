"""NotifySlack: pass a notice on to a Slack channel.

The webhook is a credential: it is read from Secrets Manager at each start of a process, never
logged, and only Slack's own host is called. Text is sent as plain text, escaped as Slack asks for,
without control characters and without what becomes a link.
"""

import json
import os
import re
from functools import cache
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

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
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from flywheel.notices.alarms import alarm_words
from flywheel.untrusted_text import unlinked, visible

logger = Logger()
tracer = Tracer()
processor = BatchProcessor(event_type=EventType.SQS)

_HOST = "hooks.slack.com"
_TIMEOUT_SECONDS = 5
_LONGEST_WAIT_SECONDS = 3600
_MAX_BLOCK_CHARACTERS = 2900
"""Below Slack's limit of 3,000 characters a text block."""

_MAX_HEADER_CHARACTERS = 150
_HALF_ENTITY = re.compile(r"&[a-z]*$")


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
            _deliver_later(record.receipt_handle, busy.wait_seconds)
        raise


def _deliver_later(receipt_handle: str, seconds: int) -> None:
    """Have the notice delivered again when Slack takes it, and not before."""
    client("sqs").change_message_visibility(
        QueueUrl=os.environ["SLACK_QUEUE"],
        ReceiptHandle=receipt_handle,
        VisibilityTimeout=min(seconds, _LONGEST_WAIT_SECONDS),
    )


def message(subject: str, body: str) -> dict[str, Any]:
    """Return a Slack message of a notice: a header and the body, both as plain text.

    Notes
    -----
    *Source*: Slack, "Formatting message text" (escaping) and "Blocks" (limits of a block's text).
    """
    return {
        "text": _escaped(subject, _MAX_HEADER_CHARACTERS),
        "blocks": [
            {"type": "header", "text": _plain(subject, _MAX_HEADER_CHARACTERS)},
            {"type": "section", "text": _plain(body, _MAX_BLOCK_CHARACTERS)},
        ],
    }


def send(document: dict[str, Any]) -> None:
    """Post a message to the webhook.

    Raises
    ------
    ServiceBusyError
        Slack was busy: the notice is delivered again, after the time that Slack asks for.
    ServiceRefusedError
        The webhook is wrong or Slack refuses it.
    """
    path = _webhook_path()
    connection = HTTPSConnection(_HOST, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        status, wait = answer.status, answer.getheader("Retry-After", "")
    except OSError as error:
        raise ServiceBusyError("slack:webhook", type(error).__name__) from None
    finally:
        connection.close()
    if status in {429} or status >= 500:  # noqa: PLR2004 - HTTP's own classes
        raise ServiceBusyError("slack:webhook", str(status), int(wait) if wait.isdigit() else None)
    if status >= 400:  # noqa: PLR2004 - HTTP's own classes
        raise ServiceRefusedError("slack:webhook", str(status), "check the webhook's secret")


@cache
def _webhook_path() -> str:
    secret = client("secretsmanager").get_secret_value(SecretId=os.environ["SLACK_SECRET"])
    url = urlsplit(secret["SecretString"].strip())
    if url.scheme != "https" or url.hostname != _HOST:
        raise ServiceRefusedError(
            "slack:webhook", "WrongHost", f"the secret must hold an https://{_HOST}/ address"
        )
    return url.path


def _plain(text: str, most_characters: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text, most_characters), "emoji": False}


def _escaped(text: str, most_characters: int) -> str:
    harmless = unlinked(visible(text))
    escaped = harmless.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= most_characters:
        return escaped
    return _HALF_ENTITY.sub("", escaped[: most_characters - 3]) + "..."
