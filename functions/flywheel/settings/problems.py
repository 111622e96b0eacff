"""What is wrong with a document of settings: one line per problem, with its key and a cure.

Decides the words and how a key is named. Knows sections by their fields, none by its name. Read
next: `flywheel.settings.environment` (the sections) and `flywheel.errors` (who gets the lines).
"""

import math
from collections.abc import Mapping, Set
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from flywheel.settings.policy import WRONG_WAY

FileKeys = Mapping[type[BaseModel], Set[str]]
"""Keys that a file may have in a section's table beside the section's fields."""


def problems(
    error: ValidationError,
    section: type[BaseModel],
    *,
    otherwise: FileKeys,
    flywheels: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Return one line per problem.

    Parameters
    ----------
    error : ValidationError
        Of a document that should have been a `section`.
    section : type of BaseModel
    otherwise : mapping
    flywheels : tuple of str, optional
        The names of the document's flywheels, which stand in a key instead of their places.
    """
    return tuple(
        f"{_key(problem['loc'], flywheels)}: {_explained(problem, section, otherwise)}"
        for problem in error.errors()
    )


def known_only(section: type[BaseModel], value: Any) -> Any:
    """Return a table, or a list of tables, without the keys that its section does not have."""
    if isinstance(value, list | tuple):
        return [known_only(section, item) for item in value]
    if not isinstance(value, Mapping):
        return value
    known = {}
    for key, field in section.model_fields.items():
        if key in value:
            inner = _section_in(field.annotation)
            known[key] = known_only(inner, value[key]) if inner else value[key]
    return known


def _key(location: tuple[int | str, ...], flywheels: tuple[str, ...]) -> str:
    parts = [str(part) for part in location]
    if len(parts) > 1 and parts[0] == "flywheels" and parts[1].isdigit():
        parts[1] = flywheels[int(parts[1])]
    return ".".join(parts)


def _explained(problem: Mapping[str, Any], section: type[BaseModel], otherwise: FileKeys) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        *above, key = problem["loc"]
        around = _section_at(section, above)
        # A file's and a table's name say what is named; no key does.
        keys = {*around.model_fields, *otherwise.get(around, ())} - {"name"}
        allowed = f"unknown key; allowed: {', '.join(sorted(keys))}"
        meant = WRONG_WAY.get(str(key))
        more = f"; more is better for every metric, so its bound is `{meant}`" if meant else ""
        return allowed + more
    value = problem.get("input")
    given = isinstance(value, str | int | float | bool) and not (
        isinstance(value, float) and math.isnan(value)
    )
    return f"{message} (given: {value!r})" if given else message


def _section_at(section: type[BaseModel], location: list[int | str]) -> type[BaseModel]:
    for part in location:
        if isinstance(part, str):
            section = _section_in(section.model_fields[part].annotation) or section
    return section


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """Return the section that a field holds, be it alone, in a tuple or optional."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)
