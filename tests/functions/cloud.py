"""A cloud in this process, laid out as the stack lays it out, and faults to put into it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any, NamedTuple

import boto3
import pytest
from moto import mock_aws

from adapters.clients import client
from adapters.parameters import configuration
from application.configuration import FunctionConfiguration
from tests.stack_template import resources

REGION = "us-east-1"
ACCOUNT = "123456789012"
INBOX = "inbox-bucket"
STAGING = "staging-bucket"
VERDICTS = "verdicts-bucket"
LAKE = "lake-bucket"
TABLE = "ledger"
SETTINGS_PATH = "/loop/flywheels"
NOTICE_WINDOW_SECONDS = 60

_SESSION = boto3.Session()
"""One session for all tests: it keeps the service models, which are slow to read."""

_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "FlywheelLoop",
}


class Told(NamedTuple):
    """A notice as a subscriber of the topic gets it."""

    subject: str
    body: str
    notice_id: str


class Crash(BaseException):
    """Stands for the end of a process in the middle of its work: nothing handles it."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """What the stack would have made.

    Parameters
    ----------
    configuration : FunctionConfiguration
        As a function gets it.
    subscriber_url : str
        A queue that is subscribed to the topic.
    """

    configuration: FunctionConfiguration
    subscriber_url: str

    def told(self) -> list[Told]:
        """Return the notices that were published since the last look."""
        found: list[Told] = []
        while True:
            answer = client("sqs").receive_message(
                QueueUrl=self.subscriber_url, MaxNumberOfMessages=10, WaitTimeSeconds=0
            )
            messages = answer.get("Messages", [])
            if not messages:
                return found
            for message in messages:
                client("sqs").delete_message(
                    QueueUrl=self.subscriber_url, ReceiptHandle=message["ReceiptHandle"]
                )
                envelope = json.loads(message["Body"])
                notice_id = envelope["MessageAttributes"]["notice_id"]["Value"]
                found.append(Told(envelope["Subject"], envelope["Message"], notice_id))

    def digests_asked_for(self) -> int:
        """Return how many messages wait for the notice window to end."""
        answer = client("sqs").get_queue_attributes(
            QueueUrl=self.configuration.notices_due_queue_url,
            AttributeNames=["ApproximateNumberOfMessagesDelayed"],
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessagesDelayed"])

    def executions(self) -> list[str]:
        """Return the names of the executions that were started, sorted."""
        answer = client("stepfunctions").list_executions(
            stateMachineArn=self.configuration.state_machine_arn
        )
        return sorted(execution["name"] for execution in answer["executions"])


@contextmanager
def empty_cloud(comprehend_url: str = "") -> Iterator[pytest.MonkeyPatch]:
    """Have an account with nothing in it and clients that talk to it; gives the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**_VARIABLES, "AWS_ENDPOINT_URL_COMPREHEND": comprehend_url}.items():
            patch.setenv(name, value)
        with mock_aws(config={"lambda": {"use_docker": False}}):
            patch.setattr(boto3, "DEFAULT_SESSION", _SESSION)
            _forget()
            try:
                yield patch
            finally:
                client("comprehend").close()
                _forget()


@contextmanager
def running_cloud(comprehend_url: str = "") -> Iterator[Cloud]:
    """Have an account as the stack lays it out."""
    with empty_cloud(comprehend_url) as patch:
        yield _laid_out(patch)


def _forget() -> None:
    """Let the next test make clients and read the environment anew."""
    made: Any = client
    made.cache_clear()
    configuration.cache_clear()


def _laid_out(patch: pytest.MonkeyPatch) -> Cloud:
    for bucket in (INBOX, STAGING, VERDICTS, LAKE):
        client("s3").create_bucket(Bucket=bucket)
    client("s3").put_bucket_versioning(Bucket=INBOX, VersioningConfiguration={"Status": "Enabled"})
    create_ledger()
    sqs, sns = client("sqs"), client("sns")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    subscriber = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:subscriber"
    )
    machine = client("stepfunctions").create_state_machine(
        name="IterationWorkflow",
        definition='{"StartAt": "Gather", "States": {"Gather": {"Type": "Succeed"}}}',
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/workflow",
    )
    found = FunctionConfiguration(
        environment="test",
        inbox_bucket=INBOX,
        staging_bucket=STAGING,
        verdicts_bucket=VERDICTS,
        ledger_table=TABLE,
        topic_arn=topic,
        state_machine_arn=machine["stateMachineArn"],
        settings_path=SETTINGS_PATH,
        uploads_queue_url=sqs.create_queue(QueueName="uploads")["QueueUrl"],
        notices_due_queue_url=sqs.create_queue(QueueName="notices-due")["QueueUrl"],
        notice_window_seconds=NOTICE_WINDOW_SECONDS,
        close_batch_function="CloseBatch",
        rebuild_flywheel_function="RebuildFlywheel",
        compare_models_function="CompareModels",
        change_champion_function="ChangeChampion",
        answer_approval_function="AnswerApproval",
    )
    for name in FunctionConfiguration.__dataclass_fields__:
        patch.setenv(name.upper(), str(getattr(found, name)))
    return Cloud(found, subscriber)


def create_ledger(name: str = TABLE) -> None:
    """Make the ledger's table, empty."""
    table = resources("AWS::DynamoDB::Table")["LedgerTable"]
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=table["KeySchema"],
        AttributeDefinitions=table["AttributeDefinitions"],
        GlobalSecondaryIndexes=table["GlobalSecondaryIndexes"],
        BillingMode=table["BillingMode"],
    )


@contextmanager
def crash(
    service: Any, operation: str, *, when: str = "before-call", at: int = 1
) -> Iterator[None]:
    """Cut what runs inside off at one call of an operation, and see that it was.

    Parameters
    ----------
    service : str
        As `adapters.clients.client` takes it.
    operation : str
        As in the API.
    when : {"before-call", "after-call"}
        Before the call is sent, or after the service has carried it out.
    at : int
        Which call of the operation, from 1.
    """
    calls = count(1)

    def cut(**_: Any) -> None:
        if next(calls) == at:
            raise Crash

    with hooked(service, f"{when}.{{}}.{operation}", cut), pytest.raises(Crash):
        yield


@contextmanager
def before(
    service: Any, operation: str, act: Callable[[], object], *, at: int | None = 1
) -> Iterator[None]:
    """Do something just before one call of an operation is sent, counted from 1; None: each."""
    calls = count(1)

    def interpose(**_: Any) -> None:
        if at is None or next(calls) == at:
            act()

    with hooked(service, f"before-call.{{}}.{operation}", interpose):
        yield


@contextmanager
def answering(
    service: Any, operation: str, *, code: str, status: int = 400, **members: Any
) -> Iterator[None]:
    """Have a service answer an operation with an error, without the client's own retries."""
    error = {
        "Error": {"Code": code, "Message": "as asked for"},
        "ResponseMetadata": {},
        **members,
    }

    def answer(**_: Any) -> tuple[Any, Mapping[str, Any]]:
        return SimpleNamespace(status_code=status), {
            **error,
            "ResponseMetadata": {"HTTPStatusCode": status},
        }

    with hooked(service, f"before-call.{{}}.{operation}", answer):
        yield


@contextmanager
def seeing(service: Any, operation: str) -> Iterator[list[dict[str, Any]]]:
    """Note the parameters of every call of an operation."""
    seen: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        seen.append(dict(params))

    with hooked(service, f"provide-client-params.{{}}.{operation}", note):
        yield seen


@contextmanager
def altering(
    service: Any, operation: str, change: Callable[[dict[str, Any]], object]
) -> Iterator[None]:
    """Change the answers to an operation before their reader gets them."""

    def alter(parsed: dict[str, Any], **_: Any) -> None:
        change(parsed)

    with hooked(service, f"after-call.{{}}.{operation}", alter):
        yield


def datasets_being(status: str) -> AbstractContextManager[None]:
    """Have the service say that every dataset is in some status."""
    return altering(
        "comprehend",
        "DescribeDataset",
        lambda answer: answer["DatasetProperties"].update(Status=status),
    )


@contextmanager
def hooked(service: Any, event: str, hook: Any) -> Iterator[None]:
    """Have a hook called at an event of a service's client; ``{}`` stands for the service."""
    made: Any = client(service)
    name = event.format(made.meta.service_model.service_id.hyphenize())
    made.meta.events.register(name, hook)
    try:
        yield
    finally:
        made.meta.events.unregister(name, hook)
