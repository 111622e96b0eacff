"""What is there once the small stack is deployed."""

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.conftest import Deployed


def test_the_bucket_is_as_declared_when_it_is_deployed(deployed: Deployed) -> None:
    """Versioning, public access, life cycle, encryption and policy are all applied."""
    s3, bucket = deployed.cloud.client("s3"), deployed.outputs["Inbox"]

    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(block.values())
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rules[0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 9}
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    assert encryption["Rules"]


def test_an_object_is_locked_when_its_bucket_is_declared_so(deployed: Deployed) -> None:
    """It is written as any other, and then no version of it can be deleted."""
    s3, bucket = deployed.cloud.client("s3"), deployed.outputs["Record"]

    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    retention = lock["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == ("COMPLIANCE", 7)
    version = s3.put_object(Bucket=bucket, Key="a.json", Body=b"{}", IfNoneMatch="*")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="a.json", VersionId=version)


def test_the_table_is_as_declared_when_it_is_deployed(deployed: Deployed) -> None:
    """Point-in-time recovery and the index are there."""
    dynamodb, table = deployed.cloud.client("dynamodb"), deployed.outputs["Table"]

    backups = dynamodb.describe_continuous_backups(TableName=table)
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    indexes = dynamodb.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"]
    assert [index["IndexName"] for index in indexes] == ["by-state"]


def test_the_rest_is_as_declared_when_it_is_deployed(deployed: Deployed) -> None:
    """Subscriptions, queue policy, alarm and parameter exist."""
    cloud, outputs = deployed.cloud, deployed.outputs

    listed = cloud.client("sns").list_subscriptions_by_topic(TopicArn=outputs["Topic"])
    assert {entry["Protocol"] for entry in listed["Subscriptions"]} == {"sqs", "email"}
    attributes = cloud.client("sqs").get_queue_attributes(
        QueueUrl=outputs["Uploads"], AttributeNames=["Policy"]
    )
    assert "events.amazonaws.com" in attributes["Attributes"]["Policy"]
    assert len(cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]) == 1
    parameter = cloud.client("ssm").get_parameter(Name="/small/policy")["Parameter"]
    assert parameter["Value"] == "{}"


def test_the_flywheel_is_active_when_the_stack_is_deployed(deployed: Deployed) -> None:
    """The flywheel is made at Comprehend's endpoint and waited for."""
    operations = [operation for operation, _ in deployed.endpoint.calls]
    assert operations[:3] == ["CreateFlywheel", "DescribeFlywheel", "DescribeFlywheel"]
    created = deployed.endpoint.calls[0][1]
    assert created["FlywheelName"] == "small"
    assert created["TaskConfig"]["DocumentClassificationConfig"]["Labels"] == ["a", "b"]
    assert deployed.outputs["Flywheel"].endswith(":flywheel/small")
