"""Updates in place of resources that moto created.

Decides, per type, through which calls properties are updated; template_audit.py lists which these
are. Must not know our stack. Read next: stack_updates.py, which refuses all other changes.

Notes
-----
*Source*: CloudFormation User Guide, "AWS resource and property types reference": properties whose
"Update requires" is "No interruption"; of Lambda functions and queues also the service's API.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.sessions import Sessions

Properties = Mapping[str, Any]
Change = Callable[[Sessions, Any, Properties], object]
Tags = list[dict[str, str]]

_QUEUE_ATTRIBUTES = (
    *("DelaySeconds", "VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy"),
    *("ReceiveMessageWaitTimeSeconds", "MaximumMessageSize"),
)


def _change_bucket(sessions: Sessions, bucket: Any, properties: Properties) -> None:
    encryption = properties.get("BucketEncryption")
    if encryption:
        rules = [
            # The template's name of the member lacks the first word of the API's.
            {name if name.startswith("Bucket") else f"Apply{name}": rule[name] for name in rule}
            for rule in encryption["ServerSideEncryptionConfiguration"]
        ]
        sessions.client("s3").put_bucket_encryption(
            Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": rules}
        )


def _change_queue(sessions: Sessions, queue: Any, properties: Properties) -> None:
    attributes = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in properties.items()
        if name in _QUEUE_ATTRIBUTES
    }
    sessions.client("sqs").set_queue_attributes(
        QueueUrl=sessions.queue_url(queue.queue_arn), Attributes=attributes
    )


def _change_topic(sessions: Sessions, topic: Any, properties: Properties) -> None:
    sessions.client("sns").set_topic_attributes(
        TopicArn=topic.arn,
        AttributeName="DisplayName",
        AttributeValue=properties.get("DisplayName", ""),
    )


def _change_function(sessions: Sessions, function: Any, properties: Properties) -> None:
    # The layers are not moto's: the interpreter's installed packages stand for them.
    function.update_configuration({k: v for k, v in properties.items() if k != "Layers"})
    function.update_function_code(properties["Code"])


def _change_role(sessions: Sessions, role: Any, properties: Properties) -> None:
    iam = sessions.client("iam")
    iam.update_assume_role_policy(
        RoleName=role.name, PolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"])
    )
    iam.update_role_description(RoleName=role.name, Description=properties.get("Description", ""))


def _change_log_group(sessions: Sessions, group: Any, properties: Properties) -> None:
    if "RetentionInDays" in properties:
        sessions.client("logs").put_retention_policy(
            logGroupName=group.name, retentionInDays=int(properties["RetentionInDays"])
        )


def _change_key(sessions: Sessions, key: Any, properties: Properties) -> None:
    kms = sessions.client("kms")
    kms.put_key_policy(
        KeyId=key.id, PolicyName="default", Policy=json.dumps(properties["KeyPolicy"])
    )
    kms.update_key_description(KeyId=key.id, Description=properties.get("Description", ""))


def _change_nothing(sessions: Sessions, resource: Any, properties: Properties) -> None:
    """Change nothing: tags and completed_resources.py suffice."""


CHANGES: dict[str, Change] = {
    "AWS::S3::Bucket": _change_bucket,
    "AWS::SQS::Queue": _change_queue,
    "AWS::SNS::Topic": _change_topic,
    "AWS::DynamoDB::Table": _change_nothing,
    "AWS::Lambda::Function": _change_function,
    "AWS::IAM::Role": _change_role,
    "AWS::Logs::LogGroup": _change_log_group,
    "AWS::KMS::Key": _change_key,
}
"""Changes of resources that moto itself would replace or lose."""

REMOVABLE = frozenset({"Tags", "Description", "DisplayName"})
"""Properties that can be removed from a template; the removal of others is refused."""


def _tag_bucket(sessions: Sessions, bucket: Any, tags: Tags, gone: list[str]) -> None:
    s3 = sessions.client("s3")
    if tags:
        s3.put_bucket_tagging(Bucket=bucket.name, Tagging={"TagSet": tags})
    else:
        s3.delete_bucket_tagging(Bucket=bucket.name)


def _tag_queue(sessions: Sessions, queue: Any, tags: Tags, gone: list[str]) -> None:
    sqs, url = sessions.client("sqs"), sessions.queue_url(queue.queue_arn)
    if gone:
        sqs.untag_queue(QueueUrl=url, TagKeys=gone)
    if tags:
        sqs.tag_queue(QueueUrl=url, Tags=_as_map(tags))


def _tag_role(sessions: Sessions, role: Any, tags: Tags, gone: list[str]) -> None:
    iam = sessions.client("iam")
    if gone:
        iam.untag_role(RoleName=role.name, TagKeys=gone)
    if tags:
        iam.tag_role(RoleName=role.name, Tags=tags)


def _tag_log_group(sessions: Sessions, group: Any, tags: Tags, gone: list[str]) -> None:
    logs = sessions.client("logs")
    if gone:
        logs.untag_resource(resourceArn=group.arn, tagKeys=gone)
    if tags:
        logs.tag_resource(resourceArn=group.arn, tags=_as_map(tags))


def _tag_key(sessions: Sessions, key: Any, tags: Tags, gone: list[str]) -> None:
    kms = sessions.client("kms")
    if gone:
        kms.untag_resource(KeyId=key.id, TagKeys=gone)
    if tags:
        named = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]
        kms.tag_resource(KeyId=key.id, Tags=named)


def _tag_resource(
    service: str, member: str, attribute: str
) -> Callable[[Sessions, Any, Tags, list[str]], None]:
    """Return the tagging of a service with TagResource and UntagResource."""

    def tag(sessions: Sessions, resource: Any, tags: Tags, gone: list[str]) -> None:
        client, named = sessions.client(service), {member: getattr(resource, attribute)}
        if gone:
            client.untag_resource(**named, TagKeys=gone)
        if tags:
            client.tag_resource(**named, Tags=tags)

    return tag


def _as_map(tags: Tags) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


_TAGGING = {
    "AWS::S3::Bucket": _tag_bucket,
    "AWS::SQS::Queue": _tag_queue,
    "AWS::SNS::Topic": _tag_resource("sns", "ResourceArn", "arn"),
    "AWS::DynamoDB::Table": _tag_resource("dynamodb", "ResourceArn", "table_arn"),
    "AWS::IAM::Role": _tag_role,
    "AWS::Logs::LogGroup": _tag_log_group,
    "AWS::KMS::Key": _tag_key,
}


def change_tags(
    sessions: Sessions,
    resource_type: str,
    resource: Any,
    properties: Properties,
    earlier: Properties,
) -> None:
    """Give a resource the tags of the template."""
    new, before = properties.get("Tags", []), earlier.get("Tags", [])
    if new != before and resource_type in _TAGGING:
        keys = {tag["Key"] for tag in new}
        gone = [tag["Key"] for tag in before if tag["Key"] not in keys]
        _TAGGING[resource_type](sessions, resource, new, gone)
