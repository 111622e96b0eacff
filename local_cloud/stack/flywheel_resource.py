"""AWS::Comprehend::Flywheel as CloudFormation handles it: created, updated in place, deleted.

Decides which properties are updated with no interruption, and waits for creation and deletion. Must
not know moto. Read next: stack_resources.py.

Notes
-----
*Source*: CloudFormation Template Reference, AWS::Comprehend::Flywheel: ActiveModelArn,
DataAccessRoleArn, DataSecurityConfig and Tags update with no interruption, all others replace. The
public handler of the type (aws-cloudformation-resource-providers-comprehend) sends the first three
where the template has them, never DataLakeKmsKeyId, which UpdateFlywheel does not take.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.background import Background

_REPLACING = ("FlywheelName", "ModelType", "DataLakeS3Uri", "TaskConfig")
_UPDATED = ("ActiveModelArn", "DataAccessRoleArn")
_POLLS = 600
_POLL_SECONDS = 0.1


def create_flywheel(comprehend: Any, background: Background, properties: Mapping[str, Any]) -> str:
    """Create a flywheel and return its ARN once it is ACTIVE.

    Raises
    ------
    RuntimeError
        It is FAILED, or not ACTIVE after a minute.
    """
    arn: str = comprehend.create_flywheel(ClientRequestToken=str(uuid.uuid4()), **properties)[
        "FlywheelArn"
    ]

    def is_active() -> bool:
        described = comprehend.describe_flywheel(FlywheelArn=arn)["FlywheelProperties"]
        if described["Status"] == "FAILED":
            raise RuntimeError(f"flywheel {arn}: {described.get('Message', 'FAILED')}")
        return bool(described["Status"] == "ACTIVE")

    _wait(background, is_active, f"flywheel {arn} is not ACTIVE")
    return arn


def is_replaced(properties: Mapping[str, Any], earlier: Mapping[str, Any]) -> bool:
    """Return whether a change of properties needs another flywheel."""
    return any(properties.get(name) != earlier.get(name) for name in _REPLACING)


def update_flywheel(
    comprehend: Any, arn: str, properties: Mapping[str, Any], earlier: Mapping[str, Any]
) -> None:
    """Update a flywheel in place."""
    changes = {name: properties[name] for name in _UPDATED if name in properties}
    if "DataSecurityConfig" in properties:
        changes["DataSecurityConfig"] = {
            name: value
            for name, value in properties["DataSecurityConfig"].items()
            if name != "DataLakeKmsKeyId"
        }
    comprehend.update_flywheel(FlywheelArn=arn, **changes)
    tags = list(properties.get("Tags", []))
    keys = {tag["Key"] for tag in tags}
    gone = [tag["Key"] for tag in earlier.get("Tags", []) if tag["Key"] not in keys]
    if gone:
        comprehend.untag_resource(ResourceArn=arn, TagKeys=gone)
    if tags:
        comprehend.tag_resource(ResourceArn=arn, Tags=tags)


def delete_flywheel(comprehend: Any, background: Background, arn: str) -> None:
    """Delete a flywheel and wait until its name is free; one that is gone is no error.

    Raises
    ------
    RuntimeError
        It still exists after a minute.
    """

    def is_gone() -> bool:
        try:
            comprehend.describe_flywheel(FlywheelArn=arn)
        except comprehend.exceptions.ResourceNotFoundException:
            return True
        return False

    try:
        comprehend.delete_flywheel(FlywheelArn=arn)
    except comprehend.exceptions.ResourceNotFoundException:
        return
    _wait(background, is_gone, f"flywheel {arn} is not deleted")


def _wait(background: Background, is_done: Callable[[], bool], problem: str) -> None:
    for _ in range(_POLLS):
        if is_done():
            return
        if background.wait(_POLL_SECONDS):
            raise RuntimeError(f"{problem}, and the cloud stops")
    raise RuntimeError(f"{problem} after {_POLLS * _POLL_SECONDS:.0f} seconds")
