"""Read files of separated values: bytes become decoded lines, and lines become rows.

Decides the encoding, the separator, and whether the first row is a header. It must not know what
makes a row a document. The lines of JSON files are decoded here too, and only decoded.
Read next: `console.convert.request`, which says which columns are meant.
"""

import csv
import io
import itertools
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from console.convert.request import (
    ConversionError,
    ConversionUsageError,
    Found,
    Pair,
    Request,
    column_positions,
    find_columns,
)
from flywheel.intake.labeled_documents import LabeledDocuments, UploadFault
from flywheel.intake.labeled_rows import LabeledRow, csv_line

_SEPARATORS = ",;\t|"
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
_ANY_LINE_END = re.compile(r"\r\n|\r|\n")
_EXCEL_HINT = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


def find_encoding(source: Path, asked: str | None, found: Found) -> str:
    """Return the encoding that a file is read in: its byte order mark's, else what was asked for.

    Parameters
    ----------
    source : Path
    asked : str or None
        None is UTF-8.
    found : Found
        Learns that there was a byte order mark.

    Raises
    ------
    ConversionError
        When the file is no text.
    ConversionUsageError
        When there is no such encoding.
    """
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
        raise ConversionUsageError(str(source), problem, remedy) from error
    return asked or "utf-8"


class Lines:
    """The decoded lines of a file, their ends kept; ``number`` is the last one given, from 1.

    Parameters
    ----------
    binary : BinaryIO
        The file, at its beginning.
    source : Path
        What errors call it.
    encoding : str

    Raises
    ------
    ConversionError
        While it is read: when bytes cannot be decoded, or a line holds a NUL.
    """

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
            remedy = "If the file is UTF-16, give --encoding utf-16-le; otherwise remove the byte"
            raise ConversionError(self._source, f"line {number} contains a NUL byte", remedy)
        return line.removeprefix("\ufeff") if number == 1 else line

    def _undecodable(self, error: UnicodeDecodeError, number: int) -> ConversionError:
        at = self._binary.tell() - len(error.object) + error.start
        before = error.object[: error.start].decode(error.encoding, errors="replace")
        line = number + len(_ANY_LINE_END.findall(before))
        byte = error.object[error.start]
        problem = f"line {line}, byte {at}: 0x{byte:02x} is not {self._encoding.upper()}"
        remedy = "Give the file's encoding with --encoding"
        if self._encoding.casefold().replace("-", "") == "utf8":
            remedy = "If a Windows program wrote it, give --encoding windows-1252"
        return ConversionError(self._source, problem, remedy)


def table_pairs(request: Request, lines: Lines, found: Found) -> Iterator[Pair]:
    """Give label and text of each row of a table; rows of another width are left out.

    Raises
    ------
    ConversionError
        When a column is not there, or the quotes of a row do not match.
    """
    sample = lines.peek()
    hint = _EXCEL_HINT.fullmatch(sample[0]) if sample else None
    if hint is not None:
        next(lines)
    separator = request.separator or (hint[1] if hint else _sniffed_separator(request, sample))
    records = _records(lines, separator, request.source)
    line, first = next(records, (0, []))
    if not first:
        return
    label_at, text_at = find_columns(request, first)
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


def _records(lines: Lines, separator: str, source: Path) -> Iterator[tuple[int, list[str]]]:
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
            remedy = "Double each quote inside a text, and quote the whole text"
            raise ConversionError(str(source), problem, remedy) from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _sniffed_separator(request: Request, sample: Sequence[str]) -> str:
    """Return the separator under which the columns are there and rows are of equal width."""

    def score(mark: str) -> tuple[bool, float, int]:
        rows = csv.reader(sample, delimiter=mark, skipinitialspace=True)
        cut = [row for row in itertools.islice(rows, _SNIFFED_ROWS) if row]
        if not cut or len(cut[0]) == 1:
            return False, 0, 0
        equal = sum(len(row) == len(cut[0]) for row in cut) / len(cut)
        wanted = (request.label, request.text)
        return all(column_positions(name, cut[0]) for name in wanted), equal, len(cut[0])

    try:
        return max(_SEPARATORS, key=score)
    except csv.Error as error:
        remedy = "Name the separator with --sep; if it is right, look for an unclosed quote"
        raise ConversionError(str(request.source), f"not a table ({error})", remedy) from error


def _is_header(request: Request, label: str, text: str) -> bool:
    """Say whether a first row is a header: it is where a name found a column in it."""
    if not (request.label.isdecimal() and request.text.isdecimal()):
        return True
    documents = LabeledDocuments([csv_line(LabeledRow(label.strip(), text.strip())).encode()])
    list(documents)
    return UploadFault.HEADER in documents.report.problem_counts
