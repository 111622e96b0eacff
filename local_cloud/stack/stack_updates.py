"""Adapter of moto.cloudformation: updates of a stack, and its failures.

The gap: moto replaces resources that CloudFormation updates in place, loses others, and skips types
that it does not know. It reports failures in a form that no SDK can parse, and leaves the status of
the stack unchanged. Decides the order of an update. A change that is not served is refused by name
before anything changes. Must not know any type. Read next: resource_updates.py.

Notes
-----
*Source*: CloudFormation User Guide, "Update behaviors of stack resources", "DeletionPolicy
attribute", "UpdateReplacePolicy attribute". Unlike there, a failed update is not rolled back: the
stack is UPDATE_FAILED, as with rollback disabled, and the next update continues from there.
"""

import graphlib
import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from local_cloud.patches import Patches, adapted_attribute
from local_cloud.stack.resource_updates import CHANGES, REMOVABLE
from local_cloud.template_audit import RULES, TypeRules

_STATUS_OF_FAILURE = {
    "create_resources": "CREATE_FAILED",
    "update": "UPDATE_FAILED",
    "delete": "DELETE_FAILED",
}
_SUBSTITUTED = re.compile(r"\$\{(\w+)")
_RETAINED = ("Retain", "RetainExceptOnCreate")


def install(patches: Patches) -> None:
    """Update stacks as CloudFormation does, and name what failed."""

    def load(resources: Any) -> None:
        _check_types(resources._template.get("Resources", {}))
        original_load(resources)

    original_load = patches.replace("moto.cloudformation.parsing:ResourceMap.load", load)
    patches.replace("moto.cloudformation.parsing:ResourceMap.update", _update)
    for method, status in _STATUS_OF_FAILURE.items():
        _set_status_of_failure(patches, f"moto.cloudformation.models:Stack.{method}", status)


def failure(logical_id: str, resource_type: str, error: Exception) -> ValidationError:
    """Return the error of a stack that fails at one resource.

    The innermost resource is named once, however many depend on it.
    """
    if isinstance(error, ValidationError):
        return error
    return ValidationError(
        message=f"{logical_id} ({resource_type}): {type(error).__name__}: {error}"
    )


def _set_status_of_failure(patches: Patches, address: str, status: str) -> None:
    def change(stack: Any, *args: Any, **kwargs: Any) -> None:
        before = stack.template, stack.template_dict
        stack.stack_status_reason = None
        try:
            original(stack, *args, **kwargs)
        except Exception as error:  # any service can refuse a resource, each in its own class
            named = failure(stack.name, "AWS::CloudFormation::Stack", error)
            stack.template, stack.template_dict = before
            stack.status, stack.stack_status_reason = status, named.message
            stack._add_stack_event(status, resource_status_reason=named.message)
            raise named from error

    original = patches.replace(address, change)


def _check_types(resources: Mapping[str, Any]) -> None:
    """Refuse a template with a type that would be skipped."""
    model_for = adapted_attribute("moto.cloudformation.parsing:resource_class_from_type")
    types = {resource["Type"] for resource in resources.values()}
    unknown = sorted(name for name in types if name not in RULES and model_for(name) is None)
    if unknown:
        message = f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]"
        raise ValidationError(message=message)


def _update(
    resources: Any, template: dict[str, Any], parameters: Mapping[str, Any] | None = None
) -> None:
    """Change, in the order of their dependencies, the resources of a moto ResourceMap."""
    old, new = resources._resource_json_map, template["Resources"]
    _check_types(new)
    stale = {
        name
        for name, value in (parameters or {}).items()
        if resources.input_parameters.get(name) != value
    }
    for logical_id in old.keys() & new.keys():
        _check_change(logical_id, old[logical_id], new[logical_id], stale)
    _load(resources, template, parameters)
    present = {name for name in old if resources._parsed_resources.get(name) is not None}
    wanted = [name for name in _in_order(new) if _is_wanted(resources, new[name])]
    # Each entry changes with its resource, so a failed update can be continued.
    resources._resource_json_map = {
        **{name: old[name] for name in present},
        **{name: new[name] for name in wanted if name not in present},
    }
    replaced = {}
    for name in wanted:
        before = resources[name]
        if name in present and _changed_properties(old[name], new[name], stale):
            _check_change(name, old[name], new[name], stale)
            after = _updated(resources, name, before, new[name])
            resources._parsed_resources[name] = after
            if after.physical_resource_id != before.physical_resource_id:
                stale.add(name)
                replaced[name] = before
        resources._resource_json_map[name] = new[name]
    for name, before in replaced.items():
        if new[name].get("UpdateReplacePolicy") not in _RETAINED:
            _delete(resources, name, before, new[name])
    gone = present.difference(wanted)
    _remove(resources, {name: old[name] for name in reversed(_in_order(old)) if name in gone})


def _remove(resources: Any, old: Mapping[str, Any]) -> None:
    """Remove what the template no longer has, and delete it unless it is retained."""
    for name in old:
        if old[name].get("DeletionPolicy") not in _RETAINED:
            _delete(resources, name, resources._parsed_resources[name], old[name])
        del resources._parsed_resources[name], resources._resource_json_map[name]


def _load(resources: Any, template: dict[str, Any], parameters: Mapping[str, Any] | None) -> None:
    resources._template = template
    if parameters:
        resources.input_parameters = parameters
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()


def _is_wanted(resources: Any, entry: Mapping[str, Any]) -> bool:
    condition = entry.get("Condition")
    return condition is None or bool(resources.lazy_condition_map[condition])


def _updated(resources: Any, name: str, before: Any, entry: dict[str, Any]) -> Any:
    resolve = adapted_attribute("moto.cloudformation.parsing:clean_json")
    model = adapted_attribute("moto.cloudformation.parsing:resource_class_from_type")(entry["Type"])
    try:
        after = model.update(before, resolve(entry.get("Properties", {}), resources))
    except Exception as error:  # any service can refuse a resource, each in its own class
        raise failure(name, entry["Type"], error) from error
    after.cf_resource_type, after.logical_resource_id = entry["Type"], name
    return after


def _delete(resources: Any, name: str, resource: Any, entry: Mapping[str, Any]) -> None:
    try:
        resources._delete_resource(resource, entry)
    except Exception as error:  # any service can refuse to delete, each in its own class
        raise failure(name, entry["Type"], error) from error


def _check_change(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], stale: Set[str]
) -> None:
    """Refuse a change that moto and the adapters would drop."""
    resource_type = new["Type"]
    if old["Type"] != resource_type:
        message = f"{name}: its type {old['Type']} cannot become {resource_type} in an update."
        raise ValidationError(message=message)
    changed = _changed_properties(old, new, stale)
    rules = RULES.get(resource_type, TypeRules(frozenset(), frozenset()))
    changed -= rules.ignored.keys()
    served = rules.updatable
    if resource_type in CHANGES:
        removed = old.get("Properties", {}).keys() - new.get("Properties", {}).keys()
        served -= removed - REMOVABLE
    refused = sorted(changed - served)
    if refused:
        message = (
            f"{name} ({resource_type}): the local cloud does not update {', '.join(refused)}. "
            "Start the cloud again and deploy the template there."
        )
        raise ValidationError(message=message)


def _changed_properties(
    old: Mapping[str, Any], new: Mapping[str, Any], stale: Set[str]
) -> set[str]:
    before, after = old.get("Properties", {}), new.get("Properties", {})
    return {
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name) or stale & set(_references(after.get(name)))
    }


def _in_order(entries: Mapping[str, Any]) -> list[str]:
    graph = {
        name: {other for other in _references(entry) if other in entries and other != name}
        for name, entry in entries.items()
    }
    return list(graphlib.TopologicalSorter(graph).static_order())


def _references(value: Any) -> Iterator[str]:
    """Yield the logical ids and parameters that a part of a template refers to."""
    if isinstance(value, list):
        for part in value:
            yield from _references(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key in ("Ref", "DependsOn", "Fn::GetAtt", "Fn::Sub"):
                yield from _named(part)
            yield from _references(part)


def _named(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part.partition(".")[0]
        yield from _SUBSTITUTED.findall(part)
    elif isinstance(part, list):
        for item in part:
            yield from _named(item)
