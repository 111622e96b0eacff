"""Calls of Comprehend that reach the cloud's own endpoint."""

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.conftest import Deployed


@pytest.mark.slow
def test_the_engine_answers_when_the_call_reaches_the_cloud(deployed: Deployed) -> None:
    """A client that knows one endpoint for all services meets the same flywheel."""
    variables = deployed.cloud.environment()
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    client = session.client("comprehend", endpoint_url=deployed.cloud.url)
    arn = deployed.outputs["Flywheel"]

    answer = client.describe_flywheel(FlywheelArn=arn)

    assert answer["FlywheelProperties"]["FlywheelArn"] == arn
    assert deployed.endpoint.calls[-1] == ("DescribeFlywheel", {"FlywheelArn": arn})
    with pytest.raises(ClientError, match="slow down") as refused:
        client.describe_flywheel(FlywheelArn=arn.replace("small", "other"))
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
