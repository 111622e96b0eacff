"""Start the local environment for a command, show how it comes up, and read its notices.

Decides the words for what can keep it from starting; what it is made of is
`local_cloud.environment`. A mailbox reads notices as any subscriber does: a queue of its own,
subscribed to the topic.
"""

import json
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from adapters.service_errors import translate_aws_errors
from console.environment.target import Target
from console.errors import CommandError, ExitCode
from console.progress import Progress
from console.terminal import Terminal
from local_cloud.environment import LocalEnvironment, LocalSettings, SynthesisError
from local_cloud.errors import CloudError

_ERROR_LINES = 6


@contextmanager
def started_environment(settings: LocalSettings, terminal: Terminal) -> Iterator[LocalEnvironment]:
    """Yield a running local environment; it is gone at the end.

    Raises
    ------
    CommandError
        It cannot start: Node is missing, the port is taken, or a settings file is wrong.
    """
    _check(settings)
    progress = Progress(terminal)
    environment = LocalEnvironment(settings, report=lambda line: progress.print("STARTING", line))
    with ExitStack() as stack:
        try:
            with terminal.people.status("STARTING"):
                stack.enter_context(environment)
        except SynthesisError as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            problem = "the stack cannot be synthesized: " + " ".join(lines[-_ERROR_LINES:])
            remedy = "Repair the environment's file, or run: make synth"
            raise CommandError(ExitCode.USAGE, settings.name, problem, remedy) from error
        except CloudError as error:
            problem = str(error).rstrip(".")
            remedy = "Run make setup again; if the problem remains, report it"
            raise CommandError(ExitCode.CLOUD, "local environment", problem, remedy) from error
        progress.print("READY", "the stack is deployed")
        yield environment


def _check(settings: LocalSettings) -> None:
    if shutil.which("node") is None:
        raise CommandError(
            ExitCode.CLOUD,
            "node",
            "it is not installed, and the CDK needs it to synthesize the stack",
            "Install Node.js 20 or later",
        )
    if settings.port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", settings.port))
            except OSError as error:
                raise CommandError(
                    ExitCode.USAGE,
                    f"--port {settings.port}",
                    error.strerror or str(error),
                    "Choose another port, or omit it to get a free one",
                ) from error


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
        """Return the new letters, after waiting up to this time for some; each comes once."""
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
        """Return whether a letter has come already."""
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
    message = json.loads(envelope)
    notice_id = message.get("MessageAttributes", {}).get("notice_id", {}).get("Value", "")
    return Letter(notice_id, message.get("Subject", ""), message["Message"])
