"""Adapter of moto.cloudformation: the resource types that it has no model for.

The gap: moto warns and leaves these types out, and crashes when an output refers to one. Each is
created here through the service's public API, as CloudFormation does. Decides the values of each
type's Ref and GetAtt. Must not know our stack. Read next: completed_resources.py, for types that
moto has but whose properties it drops.

Notes
-----
*Source*: CloudFormation User Guide, "AWS resource and property types reference", the pages of the
types, sections "Return values".
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.utils import get_backend

from local_cloud.background import Background
from local_cloud.functions.lambda_invoke import AsyncRules
from local_cloud.sessions import Sessions
from local_cloud.settings import CloudSettings
from local_cloud.stack.flywheel_resource import (
    create_flywheel,
    delete_flywheel,
    is_replaced,
    update_flywheel,
)


@dataclass(slots=True)
class StackResource:
    """A created resource, in the form that moto's CloudFormation expects.

    Parameters
    ----------
    physical_resource_id : str
        The value of Ref.
    attributes : dict
        The values of GetAtt, by name.
    remove : callable
        Deletes it.
    template_properties : dict
        Its properties in the latest template, resolved.
    """

    physical_resource_id: str
    attributes: dict[str, str] = field(default_factory=dict)
    remove: Callable[[], object] = lambda: None
    template_properties: dict[str, Any] = field(default_factory=dict)
    cf_resource_type: str = ""
    logical_resource_id: str = ""

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Return the value of GetAtt."""
        return self.attributes[attribute_name]

    def is_created(self) -> bool:
        """Return True: the creation has ended."""
        return True

    def delete(self, account_id: str, region_name: str) -> None:
        """Delete the resource; the parameters are moto's convention."""
        self.remove()


Maker = Callable[["StackTypes", str, dict[str, Any]], StackResource]


@dataclass(frozen=True, slots=True)
class StackTypes:
    """Creates resources of the types that moto lacks.

    Parameters
    ----------
    settings : CloudSettings
        Account and region.
    sessions : Sessions
        Clients to create resources with.
    background : Background
        Ends waits when the cloud stops.
    """

    settings: CloudSettings
    sessions: Sessions
    background: Background

    def models(self) -> dict[str, "StackModel"]:
        """Return the model of each type, for moto's CloudFormation."""
        return {
            name: StackModel(self, maker, attributes)
            for name, (maker, attributes) in _TYPES.items()
        }


@dataclass(frozen=True, slots=True)
class StackModel:
    """Stands for a model class of moto's CloudFormation."""

    types: StackTypes
    maker: Maker
    attribute_names: tuple[str, ...]

    def has_cfn_attr(self, attribute_name: str) -> bool:
        """Return whether GetAtt supports an attribute."""
        return attribute_name in self.attribute_names

    def create_from_cloudformation_json(
        self,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> StackResource:
        """Create a resource."""
        properties = cloudformation_json.get("Properties", {})
        resource = self.maker(self.types, resource_name, properties)
        resource.template_properties = properties
        return resource

    def update(self, resource: StackResource, properties: dict[str, Any]) -> StackResource:
        """Apply the template's properties; a resource with another id replaces the old one."""
        if self.maker is _flywheel:
            updated = _updated_flywheel(self.types, resource, properties)
        else:
            # The calls of all other makers also update.
            updated = self.maker(self.types, resource.physical_resource_id, properties)
        updated.template_properties = properties
        return updated

    def delete_from_cloudformation_json(
        self,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> None:
        """Do nothing: a created resource deletes itself."""


def _subscription(types: StackTypes, name: str, properties: dict[str, Any]) -> StackResource:
    sns = types.sessions.client("sns")
    names = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
    attributes = {key: _as_text(properties[key]) for key in names if properties.get(key)}
    arn = sns.subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties.get("Endpoint", ""),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    for key, value in attributes.items():
        sns.set_subscription_attributes(
            SubscriptionArn=arn, AttributeName=key, AttributeValue=value
        )
    return StackResource(arn, {"Arn": arn}, lambda: sns.unsubscribe(SubscriptionArn=arn))


def _topic_policy(types: StackTypes, name: str, properties: dict[str, Any]) -> StackResource:
    for arn in properties["Topics"]:
        types.sessions.client("sns").set_topic_attributes(
            TopicArn=arn,
            AttributeName="Policy",
            AttributeValue=_as_text(properties["PolicyDocument"]),
        )
    return StackResource(name, {"Id": name})


def _queue_policy(types: StackTypes, name: str, properties: dict[str, Any]) -> StackResource:
    for url in properties["Queues"]:
        account, queue_name = url.split("/")[-2:]
        types.sessions.client("sqs").set_queue_attributes(
            QueueUrl=f"{types.sessions.endpoint('sqs')}/{account}/{queue_name}",
            Attributes={"Policy": _as_text(properties["PolicyDocument"])},
        )
    return StackResource(name, {"Id": name})


def _bucket_policy(types: StackTypes, name: str, properties: dict[str, Any]) -> StackResource:
    s3 = types.sessions.client("s3")
    bucket = properties["Bucket"]
    s3.put_bucket_policy(Bucket=bucket, Policy=_as_text(properties["PolicyDocument"]))
    return StackResource(bucket, {}, lambda: s3.delete_bucket_policy(Bucket=bucket))


def _alarm(types: StackTypes, name: str, properties: dict[str, Any]) -> StackResource:
    cloudwatch = types.sessions.client("cloudwatch")
    alarm_name = properties.get("AlarmName", name)
    given = {key: value for key, value in properties.items() if key != "AlarmName"}
    cloudwatch.put_metric_alarm(AlarmName=alarm_name, **with_booleans(given))
    region, account = types.settings.region, types.settings.account_id
    arn = f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm_name}"
    return StackResource(
        alarm_name, {"Arn": arn}, lambda: cloudwatch.delete_alarms(AlarmNames=[alarm_name])
    )


def _flywheel(types: StackTypes, name: str, properties: dict[str, Any]) -> StackResource:
    comprehend = types.sessions.client("comprehend")
    arn = create_flywheel(comprehend, types.background, properties)
    return StackResource(
        arn, {"Arn": arn}, lambda: delete_flywheel(comprehend, types.background, arn)
    )


def _updated_flywheel(
    types: StackTypes, flywheel: StackResource, properties: dict[str, Any]
) -> StackResource:
    earlier = flywheel.template_properties
    if is_replaced(properties, earlier):
        return _flywheel(types, "", properties)
    comprehend = types.sessions.client("comprehend")
    update_flywheel(comprehend, flywheel.physical_resource_id, properties, earlier)
    return flywheel


def _event_invoke_config(types: StackTypes, name: str, properties: dict[str, Any]) -> StackResource:
    backend = get_backend(types.settings.account_id, types.settings.region)
    function = backend.get_function(properties["FunctionName"].split(":")[-1])
    destination = (properties.get("DestinationConfig") or {}).get("OnFailure") or {}
    function.async_rules = AsyncRules(
        retries=int(properties.get("MaximumRetryAttempts", AsyncRules().retries)),
        failure_target_arn=destination.get("Destination", ""),
    )
    return StackResource(name)


_TYPES: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "AWS::SNS::Subscription": (_subscription, ("Arn",)),
    "AWS::SNS::TopicPolicy": (_topic_policy, ("Id",)),
    "AWS::SQS::QueuePolicy": (_queue_policy, ("Id",)),
    "AWS::S3::BucketPolicy": (_bucket_policy, ()),
    "AWS::CloudWatch::Alarm": (_alarm, ("Arn",)),
    "AWS::Comprehend::Flywheel": (_flywheel, ("Arn",)),
    "AWS::Lambda::EventInvokeConfig": (_event_invoke_config, ()),
}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def with_booleans(properties: dict[str, Any]) -> dict[str, Any]:
    """Return properties for an API, with booleans where a template has the text "true"."""
    return {
        name: value == "true" if value in ("true", "false") else value
        for name, value in properties.items()
    }
