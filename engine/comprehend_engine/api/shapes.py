"""Validate a value against a shape of botocore's service model, and describe each violation.

Decides what is valid: required and unknown members, types, lengths, ranges, enums, patterns. Knows
no operation by name. botocore's own validator checks neither patterns nor enums nor requests that
arrive over HTTP, hence this one. Read next: `comprehend_engine.api.protocol`.

Notes
-----
*Source*: botocore comprehend/2017-11-27; the wording follows the service's own ("failed to satisfy
constraint: Member must ...").
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, Shape, StringShape, StructureShape


def problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Give every problem of a value that does not fit a shape.

    Parameters
    ----------
    value : object
        A JSON value.
    shape : Shape
        The shape that it must fit.
    path : str
        The path of the value, such as ``InputDataConfig.DataFormat``.

    Yields
    ------
    str
        One sentence per problem, with the member, its value and the constraint.
    """
    if isinstance(shape, StructureShape):
        yield from _structure_problems(value, shape, path)
    elif isinstance(shape, ListShape):
        yield from _list_problems(value, shape, path)
    elif shape.type_name in _PYTHON_TYPES:
        yield from _scalar_problems(value, shape, path)
    else:
        yield problem(value, path, f"Member must have a type that is served, not {shape.type_name}")


def problem(value: Any, path: str, constraint: str) -> str:
    """Describe a problem: the value, truncated where it is long, its member and the constraint."""
    shown = str(value)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = f"{shown[:_SHOWN_CHARACTERS]}..."
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _structure_problems(value: Any, shape: StructureShape, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield problem(value, path, "Member must be an object")
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield problem("null", _inside(path, name), "Member must not be null")
    for name, member in value.items():
        if name not in shape.members:
            known = ", ".join(shape.members)
            yield problem(member, _inside(path, name), f"Member must be one of: {known}")
        elif member is not None:
            yield from problems(member, shape.members[name], _inside(path, name))


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _list_problems(value: Any, shape: ListShape, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield problem(value, path, "Member must be a list")
        return
    yield from _size_problems(len(value), shape, path, value)
    for position, member in enumerate(value, start=1):
        yield from problems(member, shape.member, f"{path}.{position}.member")


def _scalar_problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    allowed = _PYTHON_TYPES[shape.type_name]
    is_flag_for_number = isinstance(value, bool) and bool not in allowed
    has_type = isinstance(value, allowed) and not is_flag_for_number
    if not has_type:
        yield problem(value, path, f"Member must be a {shape.type_name}")
    elif isinstance(value, str) and not isinstance(shape, StringShape):
        # A blob: its length limits apply to the decoded bytes, and no operation here has any.
        return
    elif isinstance(shape, StringShape):
        yield from _text_problems(value, shape, path)
    else:
        yield from _range_problems(value, shape, path)


def _text_problems(value: str, shape: StringShape, path: str) -> Iterator[str]:
    yield from _size_problems(len(value), shape, path, value)
    if shape.enum and value not in shape.enum and shape.name not in _OPEN_ENUMS:
        allowed = ", ".join(shape.enum)
        yield problem(value, path, f"Member must satisfy enum value set: [{allowed}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not matcher(pattern)(value):
        yield problem(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _size_problems(size: int, shape: Shape, path: str, value: Any) -> Iterator[str]:
    if size < shape.metadata.get("min", 0):
        least = shape.metadata["min"]
        yield problem(value, path, f"Member must have length greater than or equal to {least}")
    if size > shape.metadata.get("max", size):
        most = shape.metadata["max"]
        yield problem(value, path, f"Member must have length less than or equal to {most}")


def _range_problems(value: float, shape: Shape, path: str) -> Iterator[str]:
    if value < shape.metadata.get("min", value):
        least = shape.metadata["min"]
        yield problem(value, path, f"Member must have value greater than or equal to {least}")
    if value > shape.metadata.get("max", value):
        most = shape.metadata["max"]
        yield problem(value, path, f"Member must have value less than or equal to {most}")


@cache
def matcher(pattern: str) -> Callable[[str], bool]:
    r"""Return a function that checks whether a whole text matches a pattern of the model.

    Parameters
    ----------
    pattern : str
        A regular expression in the model's dialect, which is Java's.

    Raises
    ------
    re.error
        The pattern uses an unsupported part of that dialect.

    Examples
    --------
    >>> matcher(r"^\p{ASCII}+$")("key")
    True
    """
    if pattern in _CLASS_PATTERNS:
        return _CLASS_PATTERNS[pattern]
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _is_printable(text: str) -> bool:
    return not any(unicodedata.category(character).startswith("C") for character in text)


_SHOWN_CHARACTERS = 200
# The enum lists the built-in model's types; a custom model has its own, as botocore's text says.
_OPEN_ENUMS = frozenset({"EntityType"})
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
}
_CLASS_PATTERNS: dict[str, Callable[[str], bool]] = {
    # Python's re has no Unicode classes.
    r"^\p{ASCII}+$": lambda text: text.isascii() and text != "",
    r"^\P{C}*$": _is_printable,
    r"^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$": lambda text: all(
        character in "_.:/=+-%@" or unicodedata.category(character)[0] in "LZN"
        for character in text
    ),
}
