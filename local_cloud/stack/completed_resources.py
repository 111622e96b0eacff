"""Adapter of moto.cloudformation: properties that it drops from the types that it has.

The gap: GetAtt lacks attributes. moto only applies encryption and tags to an S3 bucket. It drops
point-in-time recovery and time to live of a table, logging, tracing and dead-letter queue of a
function, and tracing of a state machine. Decides what is added after moto created the resource.
Must not know our stack. Read next: template_audit.py, which refuses the remaining properties.
"""

from collections.abc import Callable
from typing import Any

import moto.cloudformation.parsing as moto_parsing

from local_cloud.functions.lambda_invoke import AsyncRules
from local_cloud.patches import Patches
from local_cloud.sessions import Sessions
from local_cloud.stack.resource_updates import CHANGES, change_tags
from local_cloud.stack.stack_resources import StackTypes, with_booleans
from local_cloud.stack.stack_updates import failure
from local_cloud.template_audit import RULES

Completion = Callable[[Sessions, Any, dict[str, Any]], None]


class CompletedModel:
    """A model of moto that adds the dropped properties once a resource is created.

    Parameters
    ----------
    model : class
        moto's own.
    resource_type : str
    types : StackTypes
        Has the clients to complete it with, account and region.
    """

    def __init__(self, model: Any, resource_type: str, types: StackTypes) -> None:
        self._model = model
        self._type = resource_type
        self._settings = types.settings
        self._sessions = types.sessions
        self._complete = _COMPLETIONS.get(resource_type, _nothing_to_complete)
        self._attributes = _ATTRIBUTES.get(resource_type, {})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def has_cfn_attr(self, attribute_name: str) -> bool:
        """Return whether GetAtt supports an attribute."""
        return attribute_name in self._attributes or self._model.has_cfn_attr(attribute_name)

    def create_from_cloudformation_json(
        self, resource_name: str, cloudformation_json: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Create the resource as moto does, and complete it."""
        resource = self._model.create_from_cloudformation_json(
            resource_name, cloudformation_json, *args, **kwargs
        )
        return self._completed(resource, cloudformation_json.get("Properties", {}))

    def update(self, resource: Any, properties: dict[str, Any]) -> Any:
        """Apply the template's properties to a resource, in place."""
        earlier = resource.template_properties
        if change := CHANGES.get(self._type):
            change(self._sessions, resource, properties)
            change_tags(self._sessions, self._type, resource, properties, earlier)
            updated = resource
        else:
            updated = self._model.update_from_cloudformation_json(
                original_resource=resource,
                new_resource_name=resource.physical_resource_id,
                cloudformation_json={"Type": self._type, "Properties": properties},
                account_id=self._settings.account_id,
                region_name=self._settings.region,
            )
        return self._completed(updated, properties)

    def _completed(self, resource: Any, properties: dict[str, Any]) -> Any:
        self._complete(self._sessions, resource, properties)
        resource.template_properties = properties
        if not self._attributes:
            return resource
        moto_attribute = type(resource).get_cfn_attribute

        def get_cfn_attribute(attribute_name: str) -> Any:
            if attribute_name in self._attributes:
                return getattr(resource, self._attributes[attribute_name])
            return moto_attribute(resource, attribute_name)

        resource.get_cfn_attribute = get_cfn_attribute
        return resource


def install(patches: Patches, types: StackTypes, failures: list[tuple[str, str]]) -> None:
    """Let CloudFormation create our types and complete moto's.

    Parameters
    ----------
    patches : Patches
        Replaces attributes of moto.
    types : StackTypes
        The types that moto lacks.
    failures : list of (str, str)
        Receives the resource and the reason when one cannot be created.
    """
    models: dict[str, Any] = dict(types.models())
    moto_models = moto_parsing.get_model_map()
    updatable = {name for name, rules in RULES.items() if rules.updatable}
    for resource_type in (updatable | _ATTRIBUTES.keys()) - models.keys():
        models[resource_type] = CompletedModel(moto_models[resource_type], resource_type, types)

    def model_for(resource_type: str) -> Any:
        return models.get(resource_type) or original_model_for(resource_type)

    def create(logical_id: str, resource_json: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return original_create(logical_id, resource_json, *args, **kwargs)
        except Exception as error:  # any service can refuse a resource, each in its own class
            resource_type = resource_json["Type"]
            reason = f"{type(error).__name__}: {error}"
            failures.append((f"{logical_id} ({resource_type})", reason))
            raise failure(logical_id, resource_type, error) from error

    original_model_for = patches.replace(
        "moto.cloudformation.parsing:resource_class_from_type", model_for
    )
    original_create = patches.replace(
        "moto.cloudformation.parsing:parse_and_create_resource", create
    )


def _complete_bucket(sessions: Sessions, bucket: Any, properties: dict[str, Any]) -> None:
    s3 = sessions.client("s3")
    versioning = properties.get("VersioningConfiguration")
    if versioning:
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration=versioning)
    public_access = properties.get("PublicAccessBlockConfiguration")
    if public_access:
        s3.put_public_access_block(
            Bucket=bucket.name, PublicAccessBlockConfiguration=with_booleans(public_access)
        )
    if "EventBridgeConfiguration" in properties.get("NotificationConfiguration", {}):
        s3.put_bucket_notification_configuration(
            Bucket=bucket.name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    rules = properties.get("LifecycleConfiguration", {}).get("Rules")
    if rules:
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket.name,
            LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in rules]},
        )
    ownership = properties.get("OwnershipControls")
    if ownership:
        s3.put_bucket_ownership_controls(Bucket=bucket.name, OwnershipControls=ownership)
    if with_booleans(properties).get("ObjectLockEnabled") is True:
        s3.put_object_lock_configuration(
            Bucket=bucket.name, ObjectLockConfiguration=_lock_configuration(properties)
        )


def _complete_table(sessions: Sessions, table: Any, properties: dict[str, Any]) -> None:
    dynamodb = sessions.client("dynamodb")
    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery:
        dynamodb.update_continuous_backups(
            TableName=table.name, PointInTimeRecoverySpecification=with_booleans(recovery)
        )
    time_to_live = properties.get("TimeToLiveSpecification")
    if time_to_live:
        dynamodb.update_time_to_live(
            TableName=table.name, TimeToLiveSpecification=with_booleans(time_to_live)
        )


def _complete_function(sessions: Sessions, function: Any, properties: dict[str, Any]) -> None:
    logging = properties.get("LoggingConfig", {})
    function.logs_group_name = logging.get("LogGroup", function.logs_group_name)
    function.log_format = logging.get("LogFormat", "Text")
    function.tracing_config = properties.get("TracingConfig", function.tracing_config)
    function.architectures = properties.get("Architectures", function.architectures)
    dead_letter = properties.get("DeadLetterConfig", {}).get("TargetArn")
    if dead_letter:
        function.async_rules = AsyncRules(failure_target_arn=dead_letter, is_dead_letter_queue=True)


def _complete_state_machine(sessions: Sessions, machine: Any, properties: dict[str, Any]) -> None:
    tracing = properties.get("TracingConfiguration", {})
    machine.tracingConfiguration = {"enabled": tracing.get("Enabled") in (True, "true")}


def _nothing_to_complete(sessions: Sessions, resource: Any, properties: dict[str, Any]) -> None:
    """Leave a resource as moto created it."""


_COMPLETIONS: dict[str, Completion] = {
    "AWS::S3::Bucket": _complete_bucket,
    "AWS::DynamoDB::Table": _complete_table,
    "AWS::Lambda::Function": _complete_function,
    "AWS::StepFunctions::StateMachine": _complete_state_machine,
}
_ATTRIBUTES = {
    "AWS::StepFunctions::StateMachine": {"Arn": "arn"},
    "AWS::SNS::Topic": {"TopicArn": "arn"},
    "AWS::SQS::Queue": {"QueueUrl": "physical_resource_id"},
}


def _lock_configuration(properties: dict[str, Any]) -> Any:
    rule = properties.get("ObjectLockConfiguration", {}).get("Rule")
    if rule is None:
        return {"ObjectLockEnabled": "Enabled"}
    default = rule["DefaultRetention"]
    length = {unit: int(default[unit]) for unit in ("Days", "Years") if unit in default}
    retention = {"Mode": default["Mode"], **length}
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    api_rule: dict[str, Any] = {
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    if "Id" in rule:
        api_rule["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        api_rule["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    noncurrent = rule.get("NoncurrentVersionExpiration")
    if noncurrent:
        api_rule["NoncurrentVersionExpiration"] = {
            name: int(value) for name, value in noncurrent.items()
        }
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort:
        api_rule["AbortIncompleteMultipartUpload"] = {
            "DaysAfterInitiation": int(abort["DaysAfterInitiation"])
        }
    return api_rule
