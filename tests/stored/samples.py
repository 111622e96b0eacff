"""Which samples are kept, and how files hold them.

Of each kind the first sample is kept, and every later one that shows something new: an attribute,
another type of one, another state. Nothing is left out of a sample but words for people, which may
be improved at any time. Read next: `tests.stored.record`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.stored.recorder import Sample

FOLDER = Path(__file__).parent / "values"
ACCOUNT = FOLDER / "account.json"
"""All rows and objects that one story leaves."""

Samples = dict[str, dict[str, list[Any]]]
"""By group and kind."""

_FOR_PEOPLE = frozenset({"subject", "body", "headline", "lines", "todo", "Subject", "Message"})
_NAMES = frozenset(
    {"actor", "answer", "half", "how", "id", "kind", "metric", "object_key", "StringValue"}
)
"""Members whose values are among a fixed few, once numbers and hashes are taken out."""

_STATE = re.compile(r"[A-Z][A-Z_]+")
_COUNTED = re.compile(r"[0-9a-f]{16,}|\d+")
_JSON, _LINES = "(json)", "(lines)"


def kept(samples: Iterable[Sample]) -> Samples:
    """Return the samples that are kept, in the form of files."""
    found: Samples = defaultdict(lambda: defaultdict(list))
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for sample in samples:
        value = readable(sample.value)
        traits = {*_traits(value)} - seen[sample.group, sample.kind]
        if traits:
            seen[sample.group, sample.kind] |= traits
            found[sample.group][sample.kind].append(value)
    return found


def _traits(value: Any, path: str = "") -> Iterator[str]:
    """Give what a sample shows."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _traits(inner, f"{path}.{_COUNTED.sub('#', name)}")
    elif isinstance(value, list):
        yield f"{path} list"
        for inner in value:
            yield from _traits(inner, f"{path}[]")
    elif isinstance(value, str) and (_STATE.fullmatch(value) or path.rpartition(".")[2] in _NAMES):
        yield f"{path} {_COUNTED.sub('#', value)}"
    else:
        yield f"{path} {type(value).__name__}"


def readable(value: Any, name: str = "") -> Any:
    """Return a value as files hold it: texts that are JSON or have lines are spread out."""
    if name in _FOR_PEOPLE and not str(value).startswith("{"):
        return "(words)" if isinstance(value, str) else ["(words)"]
    if isinstance(value, dict):
        return {inner: readable(value[inner], inner) for inner in value}
    if isinstance(value, list):
        return [readable(inner) for inner in value]
    if isinstance(value, str) and value[:1] in {"{", "["} and "\n" not in value:
        read = json.loads(value)
        if _written(read) == value:
            return {_JSON: read}
    if isinstance(value, str) and "\n" in value:
        return {_LINES: value.splitlines(keepends=True)}
    return value


def as_stored(value: Any) -> Any:
    """Return a value as it was stored, from what files hold."""
    if isinstance(value, list):
        return [as_stored(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if _JSON in value:
        return _written(value[_JSON])
    if _LINES in value:
        return "".join(value[_LINES])
    return {name: as_stored(inner) for name, inner in value.items()}


def _written(read: Any) -> str:
    return json.dumps(read, sort_keys=True, separators=(",", ":"))


def write(samples: Samples) -> None:
    """Replace the files."""
    for group, kinds in samples.items():
        folder = FOLDER / group
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.glob("*.json"):
            file.unlink()
        for kind, values in kinds.items():
            _file(group, kind).write_text(pretty(values), "utf-8")


def pretty(values: Any) -> str:
    """Return values as text for a file."""
    return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def recorded(group: str) -> dict[str, list[Any]]:
    """Return what the files of a group hold, by kind."""
    return {
        file.stem.replace("_", " ") if group == "audit" else file.stem: json.loads(
            file.read_text("utf-8")
        )
        for file in sorted((FOLDER / group).glob("*.json"))
    }


def _file(group: str, kind: str) -> Path:
    return FOLDER / group / f"{kind.replace(' ', '_') if group == 'audit' else kind}.json"
