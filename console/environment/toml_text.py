"""Write values as TOML, which Python's library only reads.

Decides the form alone; an environment's file has nothing that it could not write: tables, lists,
strings, numbers, booleans. Knows no setting.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_DELETE = "\x7f"


def toml_text(document: Mapping[str, Any]) -> str:
    """Return a document as TOML.

    Parameters
    ----------
    document : mapping
        Of JSON values without None.

    Examples
    --------
    >>> print(toml_text({"min": 0.5, "flywheels": {"mine": {"labels": ["A", "B"]}}}), end="")
    min = 0.5
    <BLANKLINE>
    [flywheels.mine]
    labels = ["A", "B"]
    """
    return "\n".join(_lines(document, "")).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield a table's own keys and then the tables within it, as TOML wants them."""
    below = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    own = {key: value for key, value in table.items() if key not in below}
    if path and (own or not below):
        yield from ("", f"[{path}]")
    for key, value in own.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, value in below.items():
        yield from _lines(value, f"{path}.{_key(key)}" if path else _key(key))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }"
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_value, value)) + "]"
    # JSON's strings, numbers and booleans are TOML's too, but for one character.
    return json.dumps(value, ensure_ascii=False).replace(_DELETE, "\\u007f")
