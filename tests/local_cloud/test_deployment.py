"""What a deployment creates, and what it says when it cannot."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import Cloud, CloudSettings
from local_cloud.errors import CloudBusyError, DeploymentError, TemplateRefusedError


def _assembly(folder: Path, resources: dict[str, Any], outputs: dict[str, Any]) -> Path:
    folder.mkdir()
    template = {"Resources": resources, "Outputs": outputs}
    (folder / "Tiny.template.json").write_text(json.dumps(template))
    artifact = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "Tiny.template.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"Tiny": artifact}}))
    return folder


def test_the_resource_is_named_when_it_cannot_be_created(cloud: Cloud, tmp_path: Path) -> None:
    """The message of a failure names the resource and has the service's reason."""
    subscription = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {"TopicArn": "arn:aws:sns:us-east-1:1:none", "Protocol": "sqs"},
    }
    assembly = _assembly(tmp_path / "out", {"Nobody": subscription}, {})

    with pytest.raises(DeploymentError) as caught:
        cloud.deploy(assembly)

    assert caught.value.resource == "Nobody (AWS::SNS::Subscription)"
    assert "NotFound" in caught.value.reason


def test_nothing_is_created_when_the_template_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    """The audit comes before the first resource."""
    resources = {
        "Good": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "Bad": {"Type": "AWS::EC2::Instance", "Properties": {}},
    }
    assembly = _assembly(tmp_path / "out", resources, {})

    with pytest.raises(TemplateRefusedError, match="Bad: type AWS::EC2::Instance"):
        cloud.deploy(assembly)

    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_the_template_goes_through_s3_when_it_is_large(cloud: Cloud, tmp_path: Path) -> None:
    """A template beyond CloudFormation's limit for a request body is deployed all the same."""
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x" * 90}}
    resources = {f"Topic{number}": topic for number in range(400)}
    outputs = {"First": {"Value": {"Fn::GetAtt": ["Topic0", "TopicName"]}}}
    assembly = _assembly(tmp_path / "out", resources, outputs)

    assert cloud.deploy(assembly)["First"].startswith("Tiny-Topic0-")


def test_nothing_is_left_when_another_cloud_starts(tmp_path: Path) -> None:
    """Two clouds, one after the other in one process, share nothing."""
    with Cloud(CloudSettings(data_directory=tmp_path / "a")) as first:
        first.client("s3").create_bucket(Bucket="left-behind")
    with Cloud(CloudSettings(data_directory=tmp_path / "b")) as second:
        assert second.client("s3").list_buckets()["Buckets"] == []


def test_a_second_cloud_is_refused_when_one_runs(cloud: Cloud, tmp_path: Path) -> None:
    """Two clouds at once cannot be, because moto keeps one state for the process."""
    with pytest.raises(CloudBusyError):
        Cloud(CloudSettings(data_directory=tmp_path)).start()
    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_an_sdk_finds_the_cloud_when_it_has_the_environment(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables alone make boto3 use this cloud."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    identity = session.client("sts").get_caller_identity()

    assert identity["Account"] == "123456789012"


def test_no_stack_is_made_when_a_type_is_not_served(cloud: Cloud) -> None:
    """The type is named, in an error that an SDK can read; nothing is skipped."""
    resources = {
        "Good": {"Type": "AWS::S3::Bucket"},
        "Odd": {"Type": "AWS::Comprehend::EntityRecognizerEndpoint", "Properties": {}},
    }
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Odd", "Arn"]}}}
    template = json.dumps({"Resources": resources, "Outputs": outputs})
    cloudformation = cloud.client("cloudformation")

    with pytest.raises(ClientError) as refusal:
        cloudformation.create_stack(StackName="s", TemplateBody=template)

    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    assert "Unrecognized resource types: [AWS::Comprehend::EntityRecognizerEndpoint]" in str(
        refusal.value
    )
    assert cloudformation.describe_stacks()["Stacks"] == []
    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_the_stack_has_failed_when_a_resource_cannot_be_created(cloud: Cloud) -> None:
    """Its status and reason say so afterwards, too."""
    topic = "arn:aws:sns:us-east-1:123456789012:none"
    subscription = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {"TopicArn": topic, "Protocol": "sqs"},
    }
    template = json.dumps({"Resources": {"Nobody": subscription}})
    cloudformation = cloud.client("cloudformation")

    with pytest.raises(ClientError, match="ValidationError"):
        cloudformation.create_stack(StackName="s", TemplateBody=template)

    (stack,) = cloudformation.describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_FAILED"
    assert stack["StackStatusReason"].startswith("Nobody (AWS::SNS::Subscription): ")


def test_what_is_retained_stays_when_its_template_entry_goes(cloud: Cloud) -> None:
    """An update deletes the resource that is not retained alone."""
    retained = {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": {}}
    gone = {"Type": "AWS::SQS::Queue", "Properties": {}}
    last = {"Type": "AWS::SNS::Topic", "Properties": {}}
    cloudformation = cloud.client("cloudformation")
    first = {"Retained": retained, "Gone": gone, "Last": last}
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": first}))

    second = json.dumps({"Resources": {"Last": last}})
    cloudformation.update_stack(StackName="s", TemplateBody=second)

    (url,) = cloud.client("sqs").list_queues()["QueueUrls"]
    assert "-Retained-" in url
