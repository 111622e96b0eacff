"""Turn what spreadsheets and labeling tools write into the service's multi-class CSV.

Decides which reader a file gets, which of its rows become documents, and when the output is
replaced: every failure leaves it as it was. It must not know how a file is laid out, nor a
flywheel's labels: whether a row is welcome there is the validator's business. Read next:
`console.convert.table_files` and `console.convert.json_files`, which read what is converted here.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from console.convert.json_files import JSON_SUFFIXES, object_pairs
from console.convert.request import (
    SHOWN_LEFT_OUT,
    ConversionError,
    ConversionUsageError,
    Found,
    LeftOut,
    Pair,
    Request,
    one_character,
)
from console.convert.table_files import Lines, find_encoding, table_pairs
from flywheel.intake.labeled_rows import LabeledRow, csv_line
from flywheel.settings.data_format import MAX_ROW_BYTES

__all__ = [
    "SHOWN_LEFT_OUT",
    "Conversion",
    "ConversionError",
    "ConversionUsageError",
    "LeftOut",
    "convert",
]

_LINE_BREAKS = re.compile(r"[ \t]*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
_UNUSABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did.

    Parameters
    ----------
    rows_written : int
    left_out : tuple of LeftOut
        The first 20 rows that were left out.
    left_out_count : int
        All rows that were left out.
    label_counts : Mapping of str to int
        Documents written, by label, the most frequent first.
    repairs : Mapping of str to int
        What was changed, and in how many rows.
    header : tuple of str or None
        The names of the columns; None where the file has no header row.
    encoding : str
        The encoding that the file was read in.
    """

    rows_written: int
    left_out: tuple[LeftOut, ...]
    left_out_count: int
    label_counts: Mapping[str, int]
    repairs: Mapping[str, int]
    header: tuple[str, ...] | None
    encoding: str


def convert(
    source: Path,
    output: Path,
    *,
    label: str,
    text: str,
    separator: str | None = None,
    encoding: str | None = None,
    is_replacing: bool = False,
) -> Conversion:
    """Write the rows of a file as the service's multi-class CSV.

    Parameters
    ----------
    source : Path
        ``.jsonl`` and ``.ndjson`` are read as JSON Lines, ``.json`` as an array of objects or as
        JSON Lines, everything else as a table.
    output : Path
        Written when the whole file was converted, and only then.
    label, text : str
        The columns: a name, or a number from 1. Where both are numbers the first row of a table is
        taken for a header only if it reads like one.
    separator : str, optional
        One character, or ``tab``; None finds it in the file.
    encoding : str, optional
        None takes the byte order mark's, else UTF-8.
    is_replacing : bool
        Whether the output may exist already.

    Returns
    -------
    Conversion

    Raises
    ------
    ConversionUsageError
        When a column or an encoding is not there, or the output is the source, a folder or a file
        that was there before.
    ConversionError
        When bytes cannot be decoded, a quote is never closed, or nothing is left to write.
    """
    _check_output(source, output, is_replacing=is_replacing)
    request = Request(source, label, text, one_character(separator, source))
    found = Found()
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        used = find_encoding(source, encoding, found)
        with partial.open("w", encoding="utf-8", newline="") as sink:
            _write(request, used, found, sink)
        partial.replace(output)
    except OSError as error:
        problem = error.strerror or str(error)
        raise ConversionError(
            str(error.filename or source), problem, "Check the path and its permissions"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return _conversion(found, used)


def _conversion(found: Found, encoding: str) -> Conversion:
    return Conversion(
        rows_written=found.labels.total(),
        left_out=tuple(found.left_out),
        left_out_count=found.left_out_count,
        label_counts=dict(found.labels.most_common()),
        repairs=dict(found.repairs),
        header=found.header,
        encoding=encoding,
    )


def _check_output(source: Path, output: Path, *, is_replacing: bool) -> None:
    problem, remedy = None, "Give another name with -o"
    if output.exists() and source.exists() and output.samefile(source):
        problem = "the output is the input file"
    elif output.is_dir():
        problem = "the output is a folder"
    elif not output.parent.is_dir():
        problem = f"there is no folder {output.parent}"
    elif output.exists() and not is_replacing:
        problem, remedy = "it exists already", f"{remedy}, or replace it with --force"
    if problem is not None:
        raise ConversionUsageError(str(output), problem, remedy)


def _write(request: Request, encoding: str, found: Found, sink: TextIO) -> None:
    with request.source.open("rb") as binary:
        lines = Lines(binary, request.source, encoding)
        for line, label, text in _pairs(request, lines, found):
            row = _row(line, label, text, found)
            if row is not None:
                sink.write(csv_line(row))
                found.labels[row.label] += 1
    if not found.labels:
        shown = "; ".join(f"line {row.line}: {row.reason}" for row in found.left_out[:3])
        problem = f"no row has a label and a text ({shown or 'the file holds no rows'})"
        raise ConversionError(str(request.source), problem, "Check --label, --text and --sep")


def _pairs(request: Request, lines: Lines, found: Found) -> Iterator[Pair]:
    if request.source.suffix.casefold() in JSON_SUFFIXES:
        return object_pairs(request, lines, found)
    return table_pairs(request, lines, found)


def _row(line: int, label: object, text: object, found: Found) -> LabeledRow | None:
    """Return the document, or None where the row is left out."""
    values = []
    for name, value in (("label", label), ("text", text)):
        said = _said(value)
        if said is None:
            found.leave_out(line, f"the {name} is a list or an object, not one text")
            return None
        joined = _LINE_BREAKS.sub(" ", said.strip())
        if joined != said.strip():
            found.repairs["line breaks became spaces"] += 1
        if not joined:
            found.leave_out(line, f"empty {name}")
            return None
        if _UNUSABLE.search(joined):
            found.leave_out(line, f"the {name} contains a NUL or half a character")
            return None
        values.append(joined)
    row = LabeledRow(*values)
    if len(csv_line(row).encode()) > MAX_ROW_BYTES:
        found.leave_out(line, f"the row is longer than {MAX_ROW_BYTES:,} bytes")
        return None
    return row


def _said(value: object) -> str | None:
    """Return a JSON or table value as text; a list of one is its element, as tools write labels."""
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str):
        return value or ""
    return str(value) if isinstance(value, int | float) else None
