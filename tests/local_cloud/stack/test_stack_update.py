"""The project's own stack, deployed on this machine, is updated as `cdk deploy` would update it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.environment import LocalEnvironment, LocalSettings

pytestmark = pytest.mark.slow

Template = dict[str, Any]
FLYWHEEL, TOPIC, TABLE = "AWS::Comprehend::Flywheel", "AWS::SNS::Topic", "AWS::DynamoDB::Table"
UNTAGGED = ("Policy", "Permission", "EventSourceMapping", "TopicPolicy")
"""Ends of the names of types that have no tags."""


class Stack:
    """The stack, and its update."""

    def __init__(self, environment: LocalEnvironment) -> None:
        self.environment = environment
        self._cloudformation = environment.client("cloudformation")
        self.name = self._cloudformation.describe_stacks()["Stacks"][0]["StackName"]

    @property
    def description(self) -> dict[str, Any]:
        """The description of the stack."""
        described: dict[str, Any] = self._cloudformation.describe_stacks(StackName=self.name)[
            "Stacks"
        ][0]
        return described

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs, by key."""
        return {entry["OutputKey"]: entry["OutputValue"] for entry in self.description["Outputs"]}

    def template(self) -> Template:
        """Return a copy of the template, to change."""
        body = self._cloudformation.get_template(StackName=self.name)["TemplateBody"]
        return copy.deepcopy(body if isinstance(body, dict) else json.loads(body))

    def physical_ids(self) -> dict[str, str]:
        """Return the physical id of every resource, by logical id."""
        listed = self._cloudformation.list_stack_resources(StackName=self.name)
        return {
            entry["LogicalResourceId"]: entry["PhysicalResourceId"]
            for entry in listed["StackResourceSummaries"]
        }

    def update(self, template: Template) -> None:
        """Update the stack; the template goes through S3, since it is large."""
        s3 = self.environment.client("s3")
        bucket = next(
            entry["Name"]
            for entry in s3.list_buckets()["Buckets"]
            if entry["Name"].startswith("cdk-")
        )
        s3.put_object(Bucket=bucket, Key="update.json", Body=json.dumps(template))
        port = self.environment.cloud.url.rpartition(":")[2]
        self._cloudformation.update_stack(
            StackName=self.name,
            TemplateURL=f"http://localhost:{port}/{bucket}/update.json",
            Capabilities=["CAPABILITY_IAM"],
        )

    def flywheels(self) -> list[dict[str, Any]]:
        """List Comprehend's flywheels."""
        listed: list[dict[str, Any]] = self.environment.client("comprehend").list_flywheels()[
            "FlywheelSummaryList"
        ]
        return listed


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Return the local environment's stack."""
    with LocalEnvironment(LocalSettings()) as environment:
        yield Stack(environment)


def of_type(template: Template, resource_type: str) -> dict[str, Any]:
    """Return the properties of the one resource of a type that comes first."""
    properties: dict[str, Any] = next(
        entry["Properties"]
        for entry in template["Resources"].values()
        if entry["Type"] == resource_type
    )
    return properties


def tag_all(template: Template, tags: list[dict[str, str]]) -> None:
    """Tag every resource that can have tags."""
    for entry in template["Resources"].values():
        if not entry["Type"].endswith(UNTAGGED):
            entry.setdefault("Properties", {})["Tags"] = tags


def test_everything_stays_when_every_resource_is_tagged(stack: Stack) -> None:
    """The flywheel gets tags and a security configuration in place; so does all else, its tags."""
    before, made, outputs = stack.physical_ids(), stack.flywheels(), stack.outputs
    template = stack.template()
    tag_all(template, [{"Key": "team", "Value": "search"}, {"Key": "cost", "Value": "7"}])
    key = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001"
    of_type(template, FLYWHEEL)["DataSecurityConfig"] = {"ModelKmsKeyId": key}
    stack.update(template)
    tag_all(template, [{"Key": "team", "Value": "mail"}])
    stack.update(template)

    assert stack.description["StackStatus"] == "UPDATE_COMPLETE"
    assert (stack.physical_ids(), stack.outputs) == (before, outputs)
    (flywheel,) = stack.flywheels()
    assert (flywheel["CreationTime"], flywheel["Status"]) == (made[0]["CreationTime"], "ACTIVE")
    comprehend, arn = stack.environment.client("comprehend"), flywheel["FlywheelArn"]
    described = comprehend.describe_flywheel(FlywheelArn=arn)["FlywheelProperties"]
    assert described["DataSecurityConfig"] == {"ModelKmsKeyId": key}
    tags = [
        comprehend.list_tags_for_resource(ResourceArn=arn)["Tags"],
        stack.environment.client("sns").list_tags_for_resource(ResourceArn=outputs["TopicArn"])[
            "Tags"
        ],
        stack.environment.client("s3").get_bucket_tagging(Bucket=outputs["InboxBucket"])["TagSet"],
    ]
    assert tags == [[{"Key": "team", "Value": "mail"}]] * 3


def test_the_old_flywheel_stays_when_its_name_is_taken(stack: Stack) -> None:
    """Other labels replace the flywheel, which its own name forbids; the stack says so."""
    template = stack.template()
    task = of_type(template, FLYWHEEL)["TaskConfig"]
    task["DocumentClassificationConfig"]["Labels"] = ["a", "b"]
    (before,) = stack.flywheels()
    with pytest.raises(ClientError) as refusal:
        stack.update(template)

    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    assert "(AWS::Comprehend::Flywheel)" in str(refusal.value)
    assert "is in use" in str(refusal.value)
    assert stack.description["StackStatus"] == "UPDATE_FAILED"
    assert "is in use" in stack.description["StackStatusReason"]
    assert stack.flywheels() == [before]


def test_what_refers_to_a_flywheel_follows_when_it_is_replaced(stack: Stack) -> None:
    """A new name makes a new flywheel; the functions' parameter names it; the old one is gone."""
    template = stack.template()
    parameter = of_type(template, "AWS::SSM::Parameter")["Name"]
    of_type(template, FLYWHEEL)["FlywheelName"] = "local-renamed"
    stack.update(template)

    (flywheel,) = stack.flywheels()
    assert flywheel["FlywheelArn"].endswith(":flywheel/local-renamed")
    value = stack.environment.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
    assert json.loads(value)["arn"] == flywheel["FlywheelArn"]


def test_nothing_changes_when_one_change_is_not_served(stack: Stack) -> None:
    """A key of a table and a type that is not served are refused by name, before all else."""
    keys, types = stack.template(), stack.template()
    of_type(keys, TOPIC)["DisplayName"] = of_type(types, TOPIC)["DisplayName"] = "changed"
    of_type(keys, TABLE)["KeySchema"][0]["AttributeName"] = "other"
    types["Resources"]["Machine"] = {
        "Type": "AWS::Comprehend::EntityRecognizerEndpoint",
        "Properties": {},
    }
    with pytest.raises(ClientError, match=r"AWS::DynamoDB::Table\).* does not update KeySchema"):
        stack.update(keys)
    with pytest.raises(
        ClientError,
        match=r"Unrecognized resource types: \[AWS::Comprehend::EntityRecognizerEndpoint\]",
    ):
        stack.update(types)

    topic = stack.environment.client("sns").get_topic_attributes(TopicArn=stack.outputs["TopicArn"])
    assert topic["Attributes"]["DisplayName"] != "changed"
