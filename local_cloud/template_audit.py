"""Refuses a template that the local cloud would deploy only in part.

moto creates what it supports and leaves the rest out with a warning. Here every resource type and
property is served, or listed with the reason why its absence changes nothing locally, or refused.
Decides these lists, and which properties an update of a stack may change. Must not know how a type
is served. Read next: stack_resources.py and completed_resources.py.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.errors import TemplateRefusedError

_NO_ENCRYPTION = "data at rest is not encrypted on one machine"
_NO_TRACES = "no X-Ray service runs locally"
_NO_COST = "billing and capacity are not simulated"
_ONE_MACHINE = "the function runs on this machine's processor and memory"
_STATE_HISTORY = "an execution's history is read with GetExecutionHistory instead"


@dataclass(frozen=True, slots=True)
class TypeRules:
    """The properties of a resource type that are served, and those ignored, with reasons.

    An update of a stack may only change those that are updatable.
    """

    fixed: frozenset[str]
    updatable: frozenset[str]
    ignored: dict[str, str] = field(default_factory=dict)

    @property
    def served(self) -> frozenset[str]:
        """All properties that a deployment applies."""
        return self.fixed | self.updatable


def _rules(*, fixed: str = "", updatable: str = "", **ignored: str) -> TypeRules:
    return TypeRules(frozenset(fixed.split()), frozenset(updatable.split()), ignored)


# CloudFormation's adapters can update some properties in place. The others are fixed: moto would
# replace or lose the resource.
RULES: dict[str, TypeRules] = {
    "AWS::S3::Bucket": _rules(
        fixed="BucketName ObjectLockEnabled",
        updatable="BucketEncryption VersioningConfiguration "
        "PublicAccessBlockConfiguration NotificationConfiguration "
        "LifecycleConfiguration OwnershipControls ObjectLockConfiguration Tags",
    ),
    "AWS::S3::BucketPolicy": _rules(fixed="Bucket", updatable="PolicyDocument"),
    "AWS::SQS::Queue": _rules(
        fixed="QueueName FifoQueue ContentBasedDeduplication SqsManagedSseEnabled",
        updatable="DelaySeconds VisibilityTimeout MessageRetentionPeriod RedrivePolicy "
        "ReceiveMessageWaitTimeSeconds MaximumMessageSize Tags",
        KmsMasterKeyId=_NO_ENCRYPTION,
        KmsDataKeyReusePeriodSeconds=_NO_ENCRYPTION,
        RedriveAllowPolicy="only limits which queues may name this one",
    ),
    "AWS::SQS::QueuePolicy": _rules(fixed="Queues", updatable="PolicyDocument"),
    "AWS::SNS::Topic": _rules(
        fixed="TopicName Subscription FifoTopic",
        updatable="DisplayName Tags",
        KmsMasterKeyId=_NO_ENCRYPTION,
        TracingConfig=_NO_TRACES,
    ),
    "AWS::SNS::TopicPolicy": _rules(fixed="Topics", updatable="PolicyDocument"),
    "AWS::SNS::Subscription": _rules(
        updatable="TopicArn Protocol Endpoint RawMessageDelivery FilterPolicy "
        "FilterPolicyScope RedrivePolicy",
    ),
    "AWS::Events::Rule": _rules(
        fixed="Name EventBusName",
        updatable="Description EventPattern ScheduleExpression State Targets RoleArn Tags",
    ),
    "AWS::Lambda::Function": _rules(
        fixed="FunctionName ReservedConcurrentExecutions",
        updatable="Code Handler Role Runtime Timeout Environment Description "
        "LoggingConfig DeadLetterConfig MemorySize Architectures TracingConfig",
        Layers="the interpreter's installed packages stand for the layers",
        EphemeralStorage=_ONE_MACHINE,
        RecursiveLoop="no run-away loop is billed locally",
        Tags=_NO_COST,
    ),
    "AWS::Lambda::EventSourceMapping": _rules(
        fixed="EventSourceArn FunctionName",
        updatable="BatchSize MaximumBatchingWindowInSeconds Enabled "
        "FunctionResponseTypes ScalingConfig",
        Tags=_NO_COST,
    ),
    "AWS::Lambda::Permission": _rules(
        fixed="Action FunctionName Principal SourceArn SourceAccount",
    ),
    "AWS::Lambda::EventInvokeConfig": _rules(
        fixed="FunctionName Qualifier",
        updatable="MaximumRetryAttempts DestinationConfig",
        MaximumEventAgeInSeconds="events are handed over at once",
    ),
    "AWS::DynamoDB::Table": _rules(
        fixed="TableName KeySchema AttributeDefinitions GlobalSecondaryIndexes "
        "LocalSecondaryIndexes BillingMode ProvisionedThroughput "
        "DeletionProtectionEnabled SSESpecification StreamSpecification",
        updatable="PointInTimeRecoverySpecification TimeToLiveSpecification Tags",
        OnDemandThroughput=_NO_COST,
        TableClass=_NO_COST,
        ContributorInsightsSpecification=_NO_COST,
    ),
    "AWS::StepFunctions::StateMachine": _rules(
        fixed="StateMachineName",
        updatable="DefinitionString RoleArn TracingConfiguration Tags",
        StateMachineType="every machine runs as a Standard one",
        LoggingConfiguration=_STATE_HISTORY,
    ),
    "AWS::SSM::Parameter": _rules(
        fixed="Name",
        updatable="Type Value Description Tier AllowedPattern DataType Tags",
    ),
    "AWS::IAM::Role": _rules(
        fixed="RoleName Policies ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary",
        updatable="AssumeRolePolicyDocument Description Tags",
    ),
    "AWS::IAM::Policy": _rules(fixed="PolicyName Roles Users Groups", updatable="PolicyDocument"),
    "AWS::IAM::ManagedPolicy": _rules(
        fixed="ManagedPolicyName PolicyDocument Roles Users Groups Description Path",
    ),
    "AWS::Logs::LogGroup": _rules(
        fixed="LogGroupName KmsKeyId LogGroupClass",
        updatable="RetentionInDays Tags",
    ),
    "AWS::CloudWatch::Alarm": _rules(
        fixed="AlarmName",
        updatable="AlarmDescription AlarmActions OKActions InsufficientDataActions "
        "ActionsEnabled MetricName Namespace Dimensions Statistic "
        "ExtendedStatistic Period EvaluationPeriods DatapointsToAlarm "
        "Threshold ComparisonOperator TreatMissingData Unit Metrics Tags "
        "EvaluateLowSampleCountPercentile ThresholdMetricId",
    ),
    "AWS::CloudWatch::Dashboard": _rules(fixed="DashboardName", updatable="DashboardBody"),
    "AWS::KMS::Key": _rules(
        fixed="EnableKeyRotation KeySpec KeyUsage Enabled MultiRegion",
        updatable="KeyPolicy Description Tags",
        PendingWindowInDays="a local cloud does not last that long",
    ),
    "AWS::Comprehend::Flywheel": _rules(
        updatable="FlywheelName DataAccessRoleArn DataLakeS3Uri ModelType TaskConfig "
        "DataSecurityConfig ActiveModelArn Tags",
    ),
    "AWS::CDK::Metadata": _rules(Analytics="only counts uses of constructs"),
}
# S3's notifications to functions, queues and topics are not served; EventBridge is.
_NESTED: dict[tuple[str, str], frozenset[str]] = {
    ("AWS::S3::Bucket", "NotificationConfiguration"): frozenset({"EventBridgeConfiguration"}),
    ("AWS::S3::Bucket", "VersioningConfiguration"): frozenset({"Status"}),
}


def audit_template(template: Path) -> None:
    """Check every resource of a template.

    Parameters
    ----------
    template : Path
        A synthesized template, JSON.

    Raises
    ------
    TemplateRefusedError
        A type or property is neither served nor ignored; the message names all of them.
    """
    resources = json.loads(template.read_text()).get("Resources", {})
    findings = [
        finding
        for logical_id, resource in resources.items()
        for finding in _findings(logical_id, resource)
    ]
    if findings:
        raise TemplateRefusedError(template.name, findings)


def _findings(logical_id: str, resource: dict[str, Any]) -> list[str]:
    resource_type = resource["Type"]
    rules = RULES.get(resource_type)
    if rules is None:
        return [f"{logical_id}: type {resource_type}"]
    properties = resource.get("Properties", {})
    unknown = [name for name in properties if name not in rules.served | rules.ignored.keys()]
    for name, value in properties.items():
        allowed = _NESTED.get((resource_type, name))
        if allowed is not None and isinstance(value, dict):
            unknown += [f"{name}.{part}" for part in value if part not in allowed]
    return [f"{logical_id}: property {name} of {resource_type}" for name in unknown]
