"""Read notices as a subscriber does: a queue of one's own, subscribed to the topic.

Decides nothing about notices. What arrives is the SNS envelope, as any subscriber gets it.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from adapters.service_errors import translate_aws_errors
from console.environment.target import Target

_MOST_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice as it arrived.

    Parameters
    ----------
    id : str
        The notice's id, which a repeat carries too.
    subject, body : str
    """

    id: str
    subject: str
    body: str


class Mailbox:
    """A queue that is subscribed to an environment's topic.

    Parameters
    ----------
    target : Target
    """

    def __init__(self, target: Target) -> None:
        self._sqs = target.client("sqs")
        with translate_aws_errors("sqs:CreateQueue"):
            name = f"mailbox-{uuid.uuid4().hex[:12]}"
            self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
            answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
            arn, topic_arn = answer["Attributes"]["QueueArn"], target.outputs["TopicArn"]
            self._sqs.set_queue_attributes(
                QueueUrl=self._url, Attributes={"Policy": _open_to(topic_arn, arn)}
            )
        with translate_aws_errors("sns:Subscribe"):
            target.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
        self.letters: list[Letter] = []

    def collect(self, wait_seconds: int = 0) -> list[Letter]:
        """Return the letters that are new, after waiting a moment for some; each comes once."""
        with translate_aws_errors("sqs:ReceiveMessage"):
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_MOST_AT_ONCE,
                WaitTimeSeconds=wait_seconds,
            )
        known = {letter.id for letter in self.letters}
        new = []
        for message in answer.get("Messages", []):
            letter = _letter(message["Body"])
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            if letter.id not in known:
                known.add(letter.id)
                new.append(letter)
        self.letters += new
        return new

    def has(self, is_meant: Callable[[Letter], bool]) -> bool:
        """Say whether a letter has come already."""
        return any(map(is_meant, self.letters))


def _open_to(topic_arn: str, queue_arn: str) -> str:
    """Return the queue's policy that lets this one topic deliver."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _letter(envelope: str) -> Letter:
    told = json.loads(envelope)
    notice_id = told.get("MessageAttributes", {}).get("notice_id", {}).get("Value", "")
    return Letter(notice_id, told.get("Subject", ""), told["Message"])
