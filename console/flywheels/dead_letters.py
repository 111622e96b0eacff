"""Messages that no function could handle: what they were, and how they are sent again.

Decides how dead-letter queues are read (nothing is removed, nothing stays hidden) and how their
messages are redriven. Each is sent to the source first and deleted only then: a failure in between
doubles a message and never loses one, and the ledger makes a double harmless. The look is
`console.views.dead_letters`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adapters.service_errors import translate_aws_errors
from console.errors import CommandError, ExitCode
from flywheel.notices.notice import shown
from flywheel.notices.slack import alarm_words

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_OUTPUTS = {"uploads": "Uploads", "notices-due": "NoticesDue", "slack": "Slack"}
"""A queue's name for people, and how the names of its stack outputs begin."""

_MOST_RECEIVED = 10
"""*Source*: ReceiveMessage, MaxNumberOfMessages."""

_MOST_LOOKED_AT = 100
_LOOK_SECONDS = 2
_MOVE_SECONDS = 60
_TEXT_SHOWN = 120
_EVENT_ATTRIBUTES = (
    "ERROR_CODE",
    "ERROR_MESSAGE",
    "EXHAUSTED_RETRY_CONDITION",
    "RULE_ARN",
)
"""EventBridge's reasons why it could not deliver an event.

*Source*: EventBridge User Guide, "Using dead-letter queues to process undelivered events".
"""


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """A dead-letter queue and the queue whose messages it gets.

    Parameters
    ----------
    name : str
        Its name for people.
    url, source_url : str
    """

    name: str
    url: str
    source_url: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message of a dead-letter queue.

    Parameters
    ----------
    id : str
        SQS's own.
    content : mapping of str to str
        What it was: ``key`` and ``version_id`` of an upload, ``flywheel`` of a digest, or
        ``notice_id`` and ``subject`` for Slack (the latter alone of an alarm); else its ``text``,
        cut.
    times_received : int
        Deliveries and looks, by SQS's count.
    sent_at : datetime
        When it first came into a queue.
    undelivered : mapping of str to str
        EventBridge's reasons why it could not deliver an event; else empty.
    """

    id: str
    content: Mapping[str, str]
    times_received: int
    sent_at: datetime
    undelivered: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """What a dead-letter queue holds.

    Parameters
    ----------
    queue : DeadLetterQueue
    count : int
        Messages in it, by SQS's count.
    letters : sequence of DeadLetter
        The first of them, oldest first.
    """

    queue: DeadLetterQueue
    count: int
    letters: Sequence[DeadLetter]


def dead_letter_queues(
    outputs: Mapping[str, str], name: str | None = None
) -> list[DeadLetterQueue]:
    """Return the stack's dead-letter queues, or the one of a name.

    Raises
    ------
    CommandError
        There is none of that name.
    """
    queues = [
        DeadLetterQueue(queue, outputs[f"{start}DeadLettersUrl"], outputs[f"{start}QueueUrl"])
        for queue, start in _OUTPUTS.items()
        if f"{start}DeadLettersUrl" in outputs
    ]
    chosen = [queue for queue in queues if name in {None, queue.name}]
    if name is not None and not chosen:
        known = ", ".join(queue.name for queue in queues) or "none; deploy the stack again"
        raise CommandError(ExitCode.USAGE, name, "there is no such queue", f"Use one of: {known}")
    return chosen


def look(sqs: "SQSClient", queue: DeadLetterQueue) -> Look:
    """Look at a queue's first messages; they can be received again at once."""
    count = _count(sqs, queue)
    pages = _pages(sqs, queue, min(count, _MOST_LOOKED_AT), _LOOK_SECONDS)
    messages = [message for page in pages for message in page]
    _release(sqs, queue, messages)
    letters = sorted(map(_letter, messages), key=lambda letter: letter.sent_at)
    return Look(queue, max(count, len(letters)), letters)


def redrive(
    sqs: "SQSClient",
    queue: DeadLetterQueue,
    message_id: str | None = None,
    *,
    is_dry: bool = False,
) -> Iterator[DeadLetter]:
    """Move a queue's messages back to where they came from, and yield each one that was moved.

    Parameters
    ----------
    message_id : str, optional
        Move this one alone.
    is_dry : bool
        Move nothing, but yield what would be moved.
    """
    hidden: list[Any] = []
    try:
        for page in _pages(sqs, queue, _count(sqs, queue), _MOVE_SECONDS):
            hidden += page
            chosen = [item for item in page if message_id in {None, item["MessageId"]}]
            for message in chosen:
                if not is_dry:
                    _move(sqs, queue, message)
                    hidden.remove(message)
                yield _letter(message)
            if message_id is not None and chosen:
                return
    finally:
        _release(sqs, queue, hidden)


def letter_document(letter: DeadLetter, now: datetime) -> dict[str, Any]:
    """Return a message as JSON values."""
    return {
        "id": letter.id,
        **letter.content,
        "times_received": letter.times_received,
        "sent_at": letter.sent_at.isoformat(timespec="seconds"),
        "age_seconds": int((now - letter.sent_at).total_seconds()),
        "undelivered": dict(letter.undelivered) or None,
    }


def _count(sqs: "SQSClient", queue: DeadLetterQueue) -> int:
    with translate_aws_errors("sqs:GetQueueAttributes"):
        answer = sqs.get_queue_attributes(
            QueueUrl=queue.url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )
    return sum(map(int, answer["Attributes"].values()))


def _pages(
    sqs: "SQSClient", queue: DeadLetterQueue, most: int, hidden_seconds: int
) -> Iterator[list[Any]]:
    """Receive messages, each once; end where a call brings no new one."""
    seen: set[str] = set()
    while len(seen) < most:
        with translate_aws_errors("sqs:ReceiveMessage"):
            answer = sqs.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=min(most - len(seen), _MOST_RECEIVED),
                VisibilityTimeout=hidden_seconds,
                WaitTimeSeconds=1,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        new = [item for item in answer.get("Messages", []) if item["MessageId"] not in seen]
        if not new:
            return
        seen.update(item["MessageId"] for item in new)
        yield new


def _move(sqs: "SQSClient", queue: DeadLetterQueue, message: Any) -> None:
    with translate_aws_errors("sqs:SendMessage"):
        sqs.send_message(
            QueueUrl=queue.source_url,
            MessageBody=message["Body"],
            MessageAttributes=message.get("MessageAttributes", {}),
        )
    with translate_aws_errors("sqs:DeleteMessage"):
        sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])


def _release(sqs: "SQSClient", queue: DeadLetterQueue, messages: Sequence[Any]) -> None:
    """Let others receive the messages at once; one that is visible already stays so."""
    for first in range(0, len(messages), _MOST_RECEIVED):
        with translate_aws_errors("sqs:ChangeMessageVisibility"):
            sqs.change_message_visibility_batch(
                QueueUrl=queue.url,
                Entries=[
                    {
                        "Id": str(number),
                        "ReceiptHandle": message["ReceiptHandle"],
                        "VisibilityTimeout": 0,
                    }
                    for number, message in enumerate(messages[first : first + _MOST_RECEIVED])
                ],
            )


def _letter(message: Any) -> DeadLetter:
    attributes = message["Attributes"]
    texts = {
        name: value.get("StringValue", "")
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return DeadLetter(
        id=message["MessageId"],
        content=_content(message["Body"]),
        times_received=int(attributes["ApproximateReceiveCount"]),
        sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
        undelivered={name: texts[name] for name in _EVENT_ATTRIBUTES if name in texts},
    )


def _content(body: str) -> dict[str, str]:
    """Describe a message by the members that its kind has."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {"text": shown(body, _TEXT_SHOWN)}
    for read in (_upload, _notice, _alarm, _digest):
        try:
            return read(document)
        except (KeyError, TypeError):
            continue
    return {"text": shown(body, _TEXT_SHOWN)}


def _upload(document: Any) -> dict[str, str]:
    version = document["detail"]["object"]
    return {"key": str(version["key"]), "version_id": str(version.get("version-id") or "")}


def _notice(document: Any) -> dict[str, str]:
    notice_id = document["MessageAttributes"]["notice_id"]["Value"]
    return {"notice_id": str(notice_id), "subject": str(document.get("Subject") or "")}


def _alarm(document: Any) -> dict[str, str]:
    words = alarm_words(document["Message"])
    if words is None:
        raise KeyError("AlarmName")
    return {"subject": words.splitlines()[0]}


def _digest(document: Any) -> dict[str, str]:
    return {"flywheel": str(document["flywheel"])}
