"""Refuses a template that the local cloud would deploy only in part.

moto creates what it supports and leaves the rest out with a warning. Here every resource type and
property is served, or listed with the reason why its absence changes nothing locally, or refused.
Decides these lists. Must not know how a type is served. Read next: stack_resources.py and
completed_resources.py.
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
    """The properties of a resource type that are served, and those ignored, with reasons."""

    served: frozenset[str]
    ignored: dict[str, str] = field(default_factory=dict)


def _rules(served: str, **ignored: str) -> TypeRules:
    return TypeRules(frozenset(served.split()), ignored)


# Each ignored property has the reason why the local cloud may leave it out.
RULES: dict[str, TypeRules] = {
    "AWS::S3::Bucket": _rules(
        "BucketName BucketEncryption VersioningConfiguration PublicAccessBlockConfiguration "
        "NotificationConfiguration LifecycleConfiguration OwnershipControls ObjectLockEnabled "
        "ObjectLockConfiguration Tags"
    ),
    "AWS::S3::BucketPolicy": _rules("Bucket PolicyDocument"),
    "AWS::SQS::Queue": _rules(
        "QueueName DelaySeconds VisibilityTimeout MessageRetentionPeriod RedrivePolicy FifoQueue "
        "ReceiveMessageWaitTimeSeconds ContentBasedDeduplication SqsManagedSseEnabled "
        "MaximumMessageSize Tags",
        KmsMasterKeyId=_NO_ENCRYPTION,
        KmsDataKeyReusePeriodSeconds=_NO_ENCRYPTION,
        RedriveAllowPolicy="only limits which queues may name this one",
    ),
    "AWS::SQS::QueuePolicy": _rules("Queues PolicyDocument"),
    "AWS::SNS::Topic": _rules(
        "TopicName DisplayName Subscription FifoTopic Tags",
        KmsMasterKeyId=_NO_ENCRYPTION,
        TracingConfig=_NO_TRACES,
    ),
    "AWS::SNS::TopicPolicy": _rules("Topics PolicyDocument"),
    "AWS::SNS::Subscription": _rules(
        "TopicArn Protocol Endpoint RawMessageDelivery FilterPolicy FilterPolicyScope RedrivePolicy"
    ),
    "AWS::Events::Rule": _rules(
        "Name Description EventPattern ScheduleExpression State Targets EventBusName RoleArn Tags"
    ),
    "AWS::Lambda::Function": _rules(
        "FunctionName Code Handler Role Runtime Timeout Environment Description "
        "LoggingConfig DeadLetterConfig ReservedConcurrentExecutions MemorySize Architectures "
        "TracingConfig",
        Layers="the interpreter's installed packages stand for the layers",
        EphemeralStorage=_ONE_MACHINE,
        RecursiveLoop="no run-away loop is billed locally",
        Tags=_NO_COST,
    ),
    "AWS::Lambda::EventSourceMapping": _rules(
        "EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds Enabled "
        "FunctionResponseTypes ScalingConfig",
        Tags=_NO_COST,
    ),
    "AWS::Lambda::Permission": _rules(
        "Action FunctionName Principal SourceArn SourceAccount",
    ),
    "AWS::Lambda::EventInvokeConfig": _rules(
        "FunctionName Qualifier MaximumRetryAttempts DestinationConfig",
        MaximumEventAgeInSeconds="events are handed over at once",
    ),
    "AWS::DynamoDB::Table": _rules(
        "TableName KeySchema AttributeDefinitions GlobalSecondaryIndexes LocalSecondaryIndexes "
        "BillingMode ProvisionedThroughput PointInTimeRecoverySpecification "
        "TimeToLiveSpecification DeletionProtectionEnabled SSESpecification StreamSpecification "
        "Tags",
        OnDemandThroughput=_NO_COST,
        TableClass=_NO_COST,
        ContributorInsightsSpecification=_NO_COST,
    ),
    "AWS::StepFunctions::StateMachine": _rules(
        "StateMachineName DefinitionString RoleArn TracingConfiguration Tags",
        StateMachineType="every machine runs as a Standard one",
        LoggingConfiguration=_STATE_HISTORY,
    ),
    "AWS::SSM::Parameter": _rules("Name Type Value Description Tier AllowedPattern DataType Tags"),
    "AWS::IAM::Role": _rules(
        "RoleName AssumeRolePolicyDocument Policies ManagedPolicyArns Description "
        "MaxSessionDuration Path PermissionsBoundary Tags"
    ),
    "AWS::IAM::Policy": _rules("PolicyName PolicyDocument Roles Users Groups"),
    "AWS::IAM::ManagedPolicy": _rules(
        "ManagedPolicyName PolicyDocument Roles Users Groups Description Path"
    ),
    "AWS::Logs::LogGroup": _rules("LogGroupName RetentionInDays KmsKeyId Tags LogGroupClass"),
    "AWS::CloudWatch::Alarm": _rules(
        "AlarmName AlarmDescription AlarmActions OKActions InsufficientDataActions ActionsEnabled "
        "MetricName Namespace Dimensions Statistic ExtendedStatistic Period EvaluationPeriods "
        "DatapointsToAlarm Threshold ComparisonOperator TreatMissingData Unit Metrics Tags "
        "EvaluateLowSampleCountPercentile ThresholdMetricId"
    ),
    "AWS::CloudWatch::Dashboard": _rules("DashboardName DashboardBody"),
    "AWS::KMS::Key": _rules(
        "KeyPolicy Description EnableKeyRotation KeySpec KeyUsage Enabled MultiRegion Tags",
        PendingWindowInDays="a local cloud does not last that long",
    ),
    "AWS::Comprehend::Flywheel": _rules(
        "FlywheelName DataAccessRoleArn DataLakeS3Uri ModelType TaskConfig DataSecurityConfig "
        "ActiveModelArn Tags"
    ),
    "AWS::CDK::Metadata": _rules("", Analytics="only counts uses of constructs"),
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
