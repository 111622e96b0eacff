"""Turn what spreadsheets and labeling tools write into the service's multi-class CSV.

Decides how such a file is read (encoding, separator, header, columns) and which of its rows become
documents. It must not know a flywheel's labels: whether a row is welcome there is the validator's
business. Every failure leaves the output as it was.
Read next: `flywheel.labeled_documents`, which checks what is written here.
"""

import csv
import io
import itertools
import json
import os
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from flywheel.labeled_documents import Fault, LabeledDocuments, Row, csv_line
from flywheel.physical_rows import MAX_ROW_BYTES

SHOWN_LEFT_OUT = 20
"""How many left out rows are told one by one; beyond it they are counted."""

_SEPARATORS = ",;\t|"
_SEPARATOR_WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_NOT_TEXT = {b"PK\x03\x04": "a spreadsheet or zip archive", b"\x1f\x8b": "gzip-compressed"}
_SNIFFED_CHARACTERS = 65_536
_SNIFFED_ROWS = 200
_LINE_BREAKS = re.compile(r"[ \t]*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
_ANY_LINE_END = re.compile(r"\r\n|\r|\n")
_UNUSABLE = re.compile("[\0\ud800-\udfff]")
_JSON_BETWEEN = re.compile(r"[\s,]*")
_EXCEL_HINT = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


class ConversionError(Exception):
    """A file cannot be converted; whoever asked for it can change the file or the options.

    Parameters
    ----------
    file : str
        The file that is meant.
    problem : str
        What is wrong with it, and where.
    remedy : str
        What to do about it.
    """

    def __init__(self, file: str, problem: str, remedy: str) -> None:
        self.file = file
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{file}: {problem}. {remedy}.")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that did not become a document; ``line`` is where it begins, from 1."""

    line: int
    reason: str


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


@dataclass(slots=True)
class _Found:
    """What has been found so far in a file that is being read."""

    left_out: list[LeftOut] = field(default_factory=list)
    left_out_count: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    header: tuple[str, ...] | None = None

    def leave_out(self, line: int, reason: str) -> None:
        self.left_out_count += 1
        if len(self.left_out) < SHOWN_LEFT_OUT:
            self.left_out.append(LeftOut(line, reason))


@dataclass(frozen=True, slots=True)
class _Request:
    source: Path
    label: str
    text: str
    separator: str | None


_Pair = tuple[int, object, object]
"""The line a row begins on, its label and its text, both as the file gives them."""


def convert(
    source: Path,
    output: Path,
    *,
    label: str,
    text: str,
    separator: str | None = None,
    encoding: str | None = None,
) -> Conversion:
    """Write the rows of a file as the service's multi-class CSV.

    Parameters
    ----------
    source : Path
        ``.jsonl`` and ``.ndjson`` are read as JSON Lines, ``.json`` as an array of objects or as
        JSON Lines, everything else as a table.
    output : Path
        Replaced when the whole file was converted, and only then.
    label, text : str
        The columns: a name, or a number from 1. Where both are numbers the first row of a table is
        taken for a header only if it reads like one.
    separator : str, optional
        One character, or ``tab``; None finds it in the file.
    encoding : str, optional
        None takes the byte order mark's, else UTF-8.

    Returns
    -------
    Conversion

    Raises
    ------
    ConversionError
        When a column is not there, bytes cannot be decoded, a quote is never closed, nothing is
        left to write, or the output is the source.
    """
    _check_output(source, output)
    request = _Request(source, label, text, _one_character(separator, source))
    found = _Found()
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        used = _encoding(source, encoding, found)
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
    return Conversion(
        rows_written=found.labels.total(),
        left_out=tuple(found.left_out),
        left_out_count=found.left_out_count,
        label_counts=dict(found.labels.most_common()),
        repairs=dict(found.repairs),
        header=found.header,
        encoding=used,
    )


def _check_output(source: Path, output: Path) -> None:
    problem = None
    if output.exists() and source.exists() and output.samefile(source):
        problem = "the output is the file that is read"
    elif output.is_dir():
        problem = "the output is a folder"
    elif not output.parent.is_dir():
        problem = f"there is no folder {output.parent}"
    if problem is not None:
        raise ConversionError(str(output), problem, "Give another name with -o")


def _write(request: _Request, encoding: str, found: _Found, sink: TextIO) -> None:
    with request.source.open("rb") as binary:
        lines = _Lines(binary, request.source, encoding)
        for line, label, text in _pairs(request, lines, found):
            row = _row(line, label, text, found)
            if row is not None:
                sink.write(csv_line(row))
                found.labels[row.label] += 1
    if not found.labels:
        shown = "; ".join(f"line {row.line}: {row.reason}" for row in found.left_out[:3])
        problem = f"no row has a label and a text ({shown or 'the file holds no rows'})"
        raise ConversionError(str(request.source), problem, "Check --label, --text and --sep")


def _row(line: int, label: object, text: object, found: _Found) -> Row | None:
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
            found.leave_out(line, f"the {name} holds a NUL or half a character")
            return None
        values.append(joined)
    row = Row(*values)
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


# --- bytes to lines -----------------------------------------------------------------------------


def _one_character(separator: str | None, source: Path) -> str | None:
    if separator is None:
        return None
    mark = _SEPARATOR_WORDS.get(separator.casefold(), separator)
    if len(mark) != 1 or mark in '"\r\n':
        problem = f"{separator!r} cannot separate columns"
        raise ConversionError(str(source), problem, "Give --sep one character, or: tab")
    return mark


def _encoding(source: Path, asked: str | None, found: _Found) -> str:
    with source.open("rb") as stream:
        start = stream.read(4)
    for mark, what in _NOT_TEXT.items():
        if start.startswith(mark):
            problem = f"is {what}"
            raise ConversionError(str(source), problem, "Save or unpack it as CSV first")
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark)), None)
    if marked is not None:
        found.repairs["byte order mark removed"] = 1
        if marked != "utf-8":
            found.repairs[f"decoded from {marked.upper()}"] = 1
        return marked
    try:
        "a".encode(asked or "utf-8")
    except LookupError as error:
        problem = f"there is no text encoding {asked!r}"
        remedy = "Give --encoding one of utf-8, utf-16, windows-1252, iso-8859-1, ..."
        raise ConversionError(str(source), problem, remedy) from error
    return asked or "utf-8"


class _Lines:
    """The decoded lines of a file, their ends kept; ``number`` is the last one given, from 1."""

    def __init__(self, binary: BinaryIO, source: Path, encoding: str) -> None:
        self.number = 0
        self._binary = binary
        self._stream = io.TextIOWrapper(binary, encoding=encoding, newline="")
        self._source = str(source)
        self._encoding = encoding
        self._waiting: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        return line

    def peek(self) -> list[str]:
        """Return the lines at the beginning without taking them."""
        size = 0
        while size < _SNIFFED_CHARACTERS and (line := self._read()):
            self._waiting.append(line)
            size += len(line)
        return list(self._waiting)

    def _read(self) -> str:
        number = self.number + len(self._waiting) + 1
        try:
            line = self._stream.readline()
        except UnicodeDecodeError as error:
            raise self._undecodable(error, number) from error
        except UnicodeError as error:
            remedy = "Give --encoding utf-16-le or utf-16-be"
            raise ConversionError(self._source, str(error), remedy) from error
        if "\0" in line:
            remedy = "If the file is UTF-16, give --encoding utf-16-le; else remove the byte"
            raise ConversionError(self._source, f"line {number} holds a NUL byte", remedy)
        return line.removeprefix("\ufeff") if number == 1 else line

    def _undecodable(self, error: UnicodeDecodeError, number: int) -> ConversionError:
        at = self._binary.tell() - len(error.object) + error.start
        before = error.object[: error.start].decode(error.encoding, errors="replace")
        line = number + len(_ANY_LINE_END.findall(before))
        byte = error.object[error.start]
        problem = f"line {line}, byte {at}: 0x{byte:02x} is not {self._encoding.upper()}"
        remedy = "Give the encoding in which the file was written with --encoding"
        if self._encoding.casefold().replace("-", "") == "utf8":
            remedy = "If a Windows program wrote it, give --encoding windows-1252"
        return ConversionError(self._source, problem, remedy)


# --- lines to labels and texts ------------------------------------------------------------------


def _pairs(request: _Request, lines: _Lines, found: _Found) -> Iterator[_Pair]:
    suffix = request.source.suffix.casefold()
    if suffix in {".jsonl", ".ndjson"}:
        return _object_pairs(request, _json_lines(lines, request.source), found)
    if suffix == ".json":
        content = "".join(lines)
        if content.lstrip().startswith("["):
            return _object_pairs(request, _json_array(content, request.source), found)
        rows = _json_lines(content.split("\n"), request.source)
        return _object_pairs(request, rows, found)
    return _table_pairs(request, lines, found)


def _table_pairs(request: _Request, lines: _Lines, found: _Found) -> Iterator[_Pair]:
    sample = lines.peek()
    hint = _EXCEL_HINT.fullmatch(sample[0]) if sample else None
    if hint is not None:
        next(lines)
    separator = request.separator or (hint[1] if hint else _sniffed_separator(request, sample))
    records = _records(lines, separator, request.source)
    line, first = next(records, (0, []))
    if not first:
        return
    label_at, text_at = _columns(request, first)
    if _is_header(request, first[label_at], first[text_at]):
        found.header = tuple(cell.strip() for cell in first)
    else:
        records = itertools.chain([(line, first)], records)
    for line, cells in records:
        width = len(cells)
        if width <= max(label_at, text_at) or any(cell.strip() for cell in cells[len(first) :]):
            found.leave_out(line, f"{width} columns instead of {len(first)}")
            continue
        yield line, cells[label_at], cells[text_at]


def _records(lines: _Lines, separator: str, source: Path) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that are not blank, each with the line it begins on."""
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=separator != " ")
    while True:
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"line {line}: text follows a closing quote"
            if "expected after" not in str(error):
                problem = f"line {line}: a quote opens in this row and is never closed ({error})"
            remedy = "Write a quote within a text twice, in a text that is quoted as a whole"
            raise ConversionError(str(source), problem, remedy) from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _sniffed_separator(request: _Request, sample: Sequence[str]) -> str:
    """Return the separator under which the columns are there and rows are of equal width."""

    def score(mark: str) -> tuple[bool, float, int]:
        rows = csv.reader(sample, delimiter=mark, skipinitialspace=True)
        cut = [row for row in itertools.islice(rows, _SNIFFED_ROWS) if row]
        if not cut or len(cut[0]) == 1:
            return False, 0, 0
        equal = sum(len(row) == len(cut[0]) for row in cut) / len(cut)
        wanted = (request.label, request.text)
        return all(_positions(name, cut[0]) for name in wanted), equal, len(cut[0])

    try:
        return max(_SEPARATORS, key=score)
    except csv.Error as error:
        remedy = "Name the separator with --sep; if it is right, look for a quote never closed"
        raise ConversionError(str(request.source), f"no table ({error})", remedy) from error


def _is_header(request: _Request, label: str, text: str) -> bool:
    """Say whether a first row is a header: it is where a name found a column in it."""
    if not (request.label.isdecimal() and request.text.isdecimal()):
        return True
    documents = LabeledDocuments([csv_line(Row(label.strip(), text.strip())).encode()])
    list(documents)
    return Fault.HEADER in documents.report.problem_counts


def _columns(request: _Request, names: Sequence[str]) -> tuple[int, int]:
    """Return where label and text stand among the columns."""
    at = []
    shown = ", ".join(f"{number} {name.strip()!r}" for number, name in enumerate(names, 1))
    for wanted in (request.label, request.text):
        positions = _positions(wanted, names)
        if len(positions) != 1:
            how = f"has {len(positions)} columns" if positions else "has no column"
            remedy = f"The columns that are there: {shown}. Name one as written, or by its number"
            raise ConversionError(str(request.source), f"{how} {wanted!r}", remedy)
        at.append(positions[0])
    if at[0] == at[1]:
        problem = f"--label and --text both name the column {names[at[0]].strip()!r}"
        raise ConversionError(str(request.source), problem, f"The columns: {shown}")
    return at[0], at[1]


def _positions(wanted: str, names: Sequence[str]) -> list[int]:
    """Return the columns that are meant: by number, else by name, else ignoring case."""
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return [int(wanted) - 1]
    exact = [at for at, name in enumerate(names) if name.strip() == wanted.strip()]
    folded = wanted.strip().casefold()
    return exact or [at for at, name in enumerate(names) if name.strip().casefold() == folded]


def _object_pairs(
    request: _Request, objects: Iterable[tuple[int, dict[str, object]]], found: _Found
) -> Iterator[_Pair]:
    seen: dict[str, None] = {}
    for line, document in objects:
        seen.update(dict.fromkeys(document))
        yield line, _value(document, request.label), _value(document, request.text)
    if seen:
        _columns(request, list(seen))
        found.header = tuple(seen)


def _value(document: Mapping[str, object], wanted: str) -> object:
    names = list(document)
    positions = _positions(wanted, names)
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
    problem = f"line {line} is no JSON object ({reason})"
    remedy = "Expected: one object a line (.jsonl, .ndjson), or one array of objects (.json)"
    return ConversionError(str(source), problem, remedy)
