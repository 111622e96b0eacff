"""The small stack, synthesized once, and clouds to deploy it on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_cloud.cloud import Cloud, CloudSettings
from tests.local_cloud.flywheel_endpoint import FlywheelEndpoint
from tests.local_cloud.small_stack import synthesize
from tests.local_cloud.waiting import eventually


@dataclass(frozen=True, slots=True)
class Deployed:
    """A running cloud with the small stack on it."""

    cloud: Cloud
    outputs: dict[str, str]
    endpoint: FlywheelEndpoint

    def put(self, key: str, body: bytes = b"text") -> dict[str, Any]:
        """Put an object into the inbox."""
        answer: dict[str, Any] = self.cloud.client("s3").put_object(
            Bucket=self.outputs["Inbox"], Key=key, Body=body
        )
        return answer

    def next_notice(self) -> str:
        """Return the next message of the topic, and remove it."""
        return str(self.take("Notices")["Body"])

    def take(self, queue: str) -> dict[str, Any]:
        """Take one message from a queue, waiting for it."""
        sqs = self.cloud.client("sqs")
        message: dict[str, Any] = eventually(
            lambda: sqs.receive_message(QueueUrl=self.outputs[queue], WaitTimeSeconds=1).get(
                "Messages"
            )
        )[0]
        sqs.delete_message(QueueUrl=self.outputs[queue], ReceiptHandle=message["ReceiptHandle"])
        return message

    def row(self, key: str) -> dict[str, Any] | None:
        """Return a row of the table."""
        dynamodb = self.cloud.client("dynamodb")
        item: dict[str, Any] | None = dynamodb.get_item(
            TableName=self.outputs["Table"], Key={"id": {"S": key}}
        ).get("Item")
        return item

    def probe(self, **event: object) -> tuple[dict[str, Any], bool]:
        """Invoke the probe function and return its answer and whether it failed."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.outputs["Probe"], Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read()), "FunctionError" in answer


@pytest.fixture(scope="session")
def cdk_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the cloud assembly of the small stack."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        patch.setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
        return synthesize(tmp_path_factory.mktemp("cdk"))


@pytest.fixture(scope="module")
def deployed(cdk_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Return a cloud with the small stack, shared by the tests of one module."""
    endpoint = FlywheelEndpoint()
    settings = CloudSettings(
        comprehend_url=endpoint.url, data_directory=tmp_path_factory.mktemp("cloud")
    )
    with Cloud(settings) as cloud:
        yield Deployed(cloud, cloud.deploy(cdk_out), endpoint)
    endpoint.close()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Return an empty cloud."""
    with Cloud(CloudSettings(data_directory=tmp_path)) as started:
        yield started
