"""Read the objects of JSON and JSON Lines files as labels and texts.

Decides which of the two a file is and on which line each object begins. It must not know how bytes
became lines, nor what makes a label or a text usable.
Read next: `console.convert.request`, which says which members of an object are meant.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from console.convert.request import (
    ConversionError,
    Found,
    Pair,
    Request,
    column_positions,
    find_columns,
)

JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
"""The ends of file names that are read here, in lower case."""

_JSON_BETWEEN = re.compile(r"[\s,]*")


def object_pairs(request: Request, lines: Iterable[str], found: Found) -> Iterator[Pair]:
    """Give label and text of each object of a file.

    Parameters
    ----------
    request : Request
        The source's suffix decides: ``.json`` may hold one array, all others hold JSON Lines.
    lines : Iterable of str
        The decoded lines of the file, their ends kept.
    found : Found
        Learns the names that the objects have.

    Returns
    -------
    Iterator of Pair

    Raises
    ------
    ConversionError
        While it is read: when a value is no JSON object, or no object has the columns.
    """
    if request.source.suffix.casefold() != ".json":
        return _pairs(request, _json_lines(lines, request.source), found)
    content = "".join(lines)
    if content.lstrip().startswith("["):
        return _pairs(request, _json_array(content, request.source), found)
    return _pairs(request, _json_lines(content.split("\n"), request.source), found)


def _pairs(
    request: Request, objects: Iterable[tuple[int, dict[str, object]]], found: Found
) -> Iterator[Pair]:
    seen: dict[str, None] = {}
    for line, document in objects:
        seen.update(dict.fromkeys(document))
        yield line, _value(document, request.label), _value(document, request.text)
    if seen:
        find_columns(request, list(seen))
        found.header = tuple(seen)


def _value(document: Mapping[str, object], wanted: str) -> object:
    names = list(document)
    positions = column_positions(wanted, names)
    return document[names[positions[0]]] if len(positions) == 1 else None


def _json_lines(lines: Iterable[str], source: Path) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                value = json.loads(line)
            except ValueError as error:
                raise _not_json(source, number, str(error)) from error
            yield number, _as_object(value, number, source)


def _json_array(content: str, source: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Give the objects of an array one by one, each with the line it begins on."""
    decoder = json.JSONDecoder()
    at, line, mark = content.index("[") + 1, 1, 0
    while True:
        at = _JSON_BETWEEN.match(content, at).end()  # type: ignore[union-attr]  # matches nothing too
        line, mark = line + content.count("\n", mark, at), at
        if content[at : at + 1] == "]":
            return
        try:
            value, at = decoder.raw_decode(content, at)
        except ValueError as error:
            raise _not_json(source, line, str(error)) from error
        yield line, _as_object(value, line, source)


def _as_object(value: object, line: int, source: Path) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _not_json(source, line, "not an object")
    return value


def _not_json(source: Path, line: int, reason: str) -> ConversionError:
    problem = f"line {line} is not a JSON object ({reason})"
    remedy = "Expected: one object per line (.jsonl, .ndjson), or one array of objects (.json)"
    return ConversionError(str(source), problem, remedy)
