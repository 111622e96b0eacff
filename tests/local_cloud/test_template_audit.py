import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_comprehend

from local_cloud.cloud import Cloud
from local_cloud.errors import TemplateRefusedError
from local_cloud.patches import adapted_attribute
from local_cloud.stack.resource_updates import CHANGES
from local_cloud.template_audit import RULES, audit_template


def _template(tmp_path: Path, resource_type: str, **properties: Any) -> Path:
    path = tmp_path / "A.template.json"
    resource = {"Type": resource_type, "Properties": properties}
    path.write_text(json.dumps({"Resources": {"Thing": resource}}))
    return path


def test_the_type_is_named_when_it_is_not_served(tmp_path: Path) -> None:
    """A resource type that moto would leave out is refused."""
    with pytest.raises(TemplateRefusedError, match="Thing: type AWS::Scheduler::Schedule"):
        audit_template(_template(tmp_path, "AWS::Scheduler::Schedule"))


def test_the_property_is_named_when_it_is_not_served(tmp_path: Path) -> None:
    """A property that moto would drop is refused."""
    path = _template(tmp_path, "AWS::S3::Bucket", ReplicationConfiguration={})
    with pytest.raises(TemplateRefusedError, match="property ReplicationConfiguration of AWS::S3"):
        audit_template(path)


def test_the_nested_property_is_named_when_only_its_parent_is_served(tmp_path: Path) -> None:
    """Notifications of a bucket are served for EventBridge alone."""
    path = _template(
        tmp_path, "AWS::S3::Bucket", NotificationConfiguration={"QueueConfigurations": []}
    )
    with pytest.raises(TemplateRefusedError, match=r"NotificationConfiguration\.QueueConfig"):
        audit_template(path)


def test_an_ignored_property_passes_when_it_is_listed_with_a_reason(tmp_path: Path) -> None:
    """What changes nothing locally does not stop a deployment."""
    audit_template(_template(tmp_path, "AWS::SNS::Topic", KmsMasterKeyId="alias/aws/sns"))


def test_every_ignored_property_has_a_reason_when_it_is_listed() -> None:
    """The list of ignored properties says why for each of them."""
    reasons = [reason for rules in RULES.values() for reason in rules.ignored.values()]
    assert reasons
    assert all(len(reason) > 15 for reason in reasons)


def test_every_type_has_what_makes_it_when_the_audit_calls_it_served(cloud: Cloud) -> None:
    """None is let through that moto would skip; metadata alone has nothing to make."""
    model_for = adapted_attribute("moto.cloudformation.parsing:resource_class_from_type")
    assert {name for name in RULES if model_for(name) is None} == {"AWS::CDK::Metadata"}


def test_only_served_properties_can_be_updated_when_a_stack_is() -> None:
    """A property is fixed or updatable, not both; each type with calls of its own has some."""
    for name, rules in RULES.items():
        assert not rules.fixed & rules.updatable, name
    assert all(RULES[name].updatable for name in CHANGES)


def test_every_property_of_a_flywheel_is_served_when_cdk_has_it() -> None:
    """None of them is refused, and none is left out."""
    parameters = inspect.signature(aws_comprehend.CfnFlywheelProps.__init__).parameters
    names = {xform.title().replace("_", "") for xform in parameters if xform != "self"}
    served = {name.upper() for name in RULES["AWS::Comprehend::Flywheel"].served}
    assert {name.upper() for name in names} == served


def test_only_flywheels_are_served_when_cdk_has_other_comprehend_types(tmp_path: Path) -> None:
    """A template with one of the others is refused by name."""
    types = {
        kind.CFN_RESOURCE_TYPE_NAME
        for kind in vars(aws_comprehend).values()
        if hasattr(kind, "CFN_RESOURCE_TYPE_NAME")
    }
    others = types - {"AWS::Comprehend::Flywheel"}
    assert len(others) >= 1
    for other in others:
        with pytest.raises(TemplateRefusedError, match=f"type {other}"):
            audit_template(_template(tmp_path, other))
