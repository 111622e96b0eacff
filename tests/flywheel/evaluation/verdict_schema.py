"""The schema of a verdict's document, made from the dataclasses that it is made of."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from flywheel.evaluation.verdict import Verdict
from flywheel.evaluation.verdict_document import VerdictFacts
from flywheel.settings.policy import Policy

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_LEFT_OUT = {"labels": "Evidence", "bound_kind": "RuleOutcome"}
"""Members that a document may lack, each with whose it is."""
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def verdict_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of what `verdict_document` makes."""
    defs: dict[str, Any] = {}
    decided = _object(Verdict, defs)["properties"]
    decided["rules"] = decided.pop("outcomes")
    facts = _object(VerdictFacts, defs)["properties"]
    twice = decided.keys() & facts.keys()
    if twice:
        raise ValueError(f"a verdict and the facts around it share a name: {sorted(twice)}")
    policy = Policy.model_json_schema(mode="serialization", ref_template="#/$defs/{model}")
    defs |= policy.pop("$defs", {})
    defs["Policy"] = policy
    facts["policy"] = {"$ref": "#/$defs/Policy"}
    properties = {name: _closer(name, value) for name, value in {**facts, **decided}.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A verdict of comprehend-flywheel-loop",
        "type": "object",
        "properties": dict(sorted(properties.items())),
        "required": sorted(properties),
        "additionalProperties": False,
        "$defs": dict(sorted(defs.items())),
    }


def _closer(name: str, value: dict[str, Any]) -> dict[str, Any]:
    if name.endswith("_sha256"):
        return _SHA256
    if name == "decided_at":
        return {**value, "format": "date-time"}
    return value


def _object(kind: Any, defs: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    properties = {field.name: _schema(hints[field.name], defs) for field in fields(kind)}
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(name for name in properties if _LEFT_OUT.get(name) != kind.__name__),
        "additionalProperties": False,
    }


def _schema(hint: Any, defs: dict[str, Any]) -> dict[str, Any]:
    if hint is Any:
        return {}
    if hint in _PLAIN:
        # A number that is none is null in a document.
        return {"type": ["number", "null"]} if hint is float else {"type": _PLAIN[hint]}
    if is_dataclass(hint):
        name = getattr(hint, "__name__", str(hint))
        if name not in defs:
            defs[name] = {}
            defs[name] = _object(hint, defs)
        return {"$ref": f"#/$defs/{name}"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return _composed(get_origin(hint), get_args(hint), defs)


def _composed(origin: Any, arguments: tuple[Any, ...], defs: dict[str, Any]) -> dict[str, Any]:
    if origin in {Union, types.UnionType}:
        return _any_of([_schema(part, defs) for part in arguments])
    if origin in {Mapping, dict}:
        return {"type": "object", "additionalProperties": _schema(arguments[1], defs)}
    if origin in {Sequence, list} or arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], defs)}
    if origin is tuple:
        items = [_schema(part, defs) for part in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    return {"enum": list(arguments)}  # what is left is a Literal


def _any_of(parts: list[dict[str, Any]]) -> dict[str, Any]:
    if all(set(part) == {"type"} for part in parts):
        named = [part["type"] for part in parts]
        flat = [name for part in named for name in (part if isinstance(part, list) else [part])]
        return {"type": sorted(set(flat))}
    return {"anyOf": parts}
