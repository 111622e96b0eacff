"""Cut a stream of bytes into CSV rows, each with its physical line and byte offset.

Decides where a row ends and which bytes cannot be a row at all. Knows nothing of labels. Python's
``csv`` module parses each row; this module adds what it lacks: positions, a bound on a row's
length, strict UTF-8 with the offending offset, and going on after a quote that is never closed.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from flywheel.settings.data_format import MAX_ROW_BYTES

_UTF_16 = "is UTF-16. Fix: flywheel convert FILE --encoding utf-16 --label 1 --text 2 -o OUT"
_MAGIC = {
    b"\x1f\x8b": "is gzip-compressed: unpack it first, or let its name end in .gz",
    b"PK\x03\x04": "is a zip archive or a spreadsheet: save it as CSV first",
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b"%PDF": "is a PDF: only CSV is accepted",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_BREAKS = re.compile(r"[ \t]*[\r\n]+[ \t]*")


@dataclass(frozen=True, slots=True)
class PhysicalRow:
    """The fields of one row and where it begins.

    Parameters
    ----------
    number : int
        The row's number among rows, from 1 (blank lines are not rows).
    line : int
        The physical line it begins on, from 1.
    offset : int
        The byte it begins at, from 0.
    fields : list of str
    repairs : tuple of str
        What was changed so that it can be used.
    """

    number: int
    line: int
    offset: int
    fields: list[str]
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """Bytes that are no row; ``reason`` is a name of `flywheel.intake.reports.UploadFault`."""

    line: int
    offset: int
    reason: Literal["NOT_TEXT", "INVALID_UTF8", "NUL", "QUOTE", "ROW_TOO_LONG"]
    message: str


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    offset: int
    data: bytes
    is_cut: bool = False


@dataclass(slots=True)
class _State:
    separator: str = ","
    rows: int = 0
    waiting: deque[_Line] = field(default_factory=deque)


def no_text(beginning: bytes) -> str | None:
    """Return why a file that begins so is no CSV file, or None."""
    word = next((word for mark, word in _MAGIC.items() if beginning.startswith(mark)), None)
    return None if word is None else f"the file {word}"


def physical_rows(
    chunks: Iterable[bytes], separator: str = ","
) -> Iterator[PhysicalRow | BrokenRow]:
    r"""Yield the rows of a CSV file, and in their place whatever is not one.

    Parameters
    ----------
    chunks : iterable of bytes
    separator : str of length 1

    Examples
    --------
    >>> [row.fields for row in physical_rows([b'A,"one', b', two"\r\nB,three'])]
    [['A', 'one, two'], ['B', 'three']]
    """
    lines = _lines(chunks)
    first = next(lines, None)
    if first is None:
        return
    message = no_text(first.data)
    if message is not None:
        yield BrokenRow(0, 0, "NOT_TEXT", message)
        return
    state = _State(separator)
    repairs: tuple[str, ...] = ()
    if first.data.startswith(BYTE_ORDER_MARK):
        repairs = ("byte order mark removed",)
        text = first.data.removeprefix(BYTE_ORDER_MARK)
        first = _Line(1, len(BYTE_ORDER_MARK), text, first.is_cut)
    state.waiting.append(first)
    for row in _rows(lines, state):
        if repairs and isinstance(row, PhysicalRow) and row.line == 1:
            row = replace(row, repairs=(*repairs, *row.repairs))  # noqa: PLW2901 - the same row
        yield row


def rows_of_lines(
    lines: Sequence[bytes], line: int, offset: int, separator: str
) -> Iterator[PhysicalRow | BrokenRow]:
    """Yield the rows of some lines within a file.

    Parameters
    ----------
    lines : sequence of bytes
        Without their line feeds.
    line, offset : int
        Where the first one is in the file.
    separator : str of length 1
    """
    state = _State(separator)
    for number, data in enumerate(lines, line):
        is_cut = len(data) > MAX_ROW_BYTES
        state.waiting.append(_Line(number, offset, data[:MAX_ROW_BYTES], is_cut))
        offset += len(data) + 1
    yield from _rows(iter(()), state)


def broken_line(data: bytes, line: int, offset: int) -> BrokenRow | None:
    """Return what is wrong with a line's bytes, whatever the format; None where nothing is."""
    return _broken(_Line(line, offset, data))


def _rows(lines: Iterator[_Line], state: _State) -> Iterator[PhysicalRow | BrokenRow]:
    while (line := state.waiting.popleft() if state.waiting else next(lines, None)) is not None:
        broken = _broken(line)
        if broken is not None:
            yield broken
        elif line.data.strip():
            yield _row(line, lines, state)


def _lines(chunks: Iterable[bytes]) -> Iterator[_Line]:
    """Yield physical lines without their ends; of a line that is too long, only its beginning."""
    number, offset, rest, dropped = 1, 0, b"", 0
    for chunk in chunks:
        *whole, last = (rest + chunk).split(b"\n")
        for data in whole:
            is_cut = len(data) + dropped > MAX_ROW_BYTES
            yield _Line(number, offset, data[:MAX_ROW_BYTES], is_cut)
            offset += len(data) + dropped + 1
            number, dropped = number + 1, 0
        rest = last
        if len(rest) > MAX_ROW_BYTES:
            dropped += len(rest) - MAX_ROW_BYTES
            rest = rest[:MAX_ROW_BYTES]
    if rest:
        yield _Line(number, offset, rest, is_cut=bool(dropped))


def _broken(line: _Line) -> BrokenRow | None:
    if line.is_cut:
        return _too_long(line)
    if b"\0" in line.data:
        at = line.offset + line.data.index(b"\0")
        return BrokenRow(line.number, line.offset, "NUL", f"a NUL byte (at byte {at})")
    try:
        line.data.decode()
    except UnicodeDecodeError as error:
        at = line.offset + error.start
        message = (
            f"not UTF-8 (byte 0x{line.data[error.start]:02x} at byte {at}). "
            "Fix: flywheel convert FILE --encoding windows-1252 --label 1 --text 2 -o OUT"
        )
        return BrokenRow(line.number, line.offset, "INVALID_UTF8", message)
    return None


def _row(first: _Line, lines: Iterator[_Line], state: _State) -> PhysicalRow | BrokenRow:
    """Parse the row that begins at a line; a quote may carry it over following lines."""
    if b'"' not in first.data and b"\r" not in first.data:
        state.rows += 1
        fields = first.data.decode().split(state.separator)
        return PhysicalRow(state.rows, first.number, first.offset, fields)
    taken = [first]
    while True:
        record = b"\n".join(line.data.rstrip(b"\r") for line in taken).decode()
        try:
            # A carriage return alone ends no row; within a text it becomes a space like any break.
            row = record.replace("\r", "\n") if '"' in record else record.replace("\r", " ")
            # A blank before a quote is the vendor's own habit; where blanks separate, it is not.
            skips = not state.separator.isspace()
            reader = csv.reader(
                [row], delimiter=state.separator, strict=True, skipinitialspace=skips
            )
            fields = next(reader)
        except csv.Error as error:
            is_open = "unexpected end of data" in str(error)
            if is_open and _take_until_quote(taken, lines, state):
                continue
            state.waiting.extendleft(reversed(taken[1:]))
            return _unparsed(first, str(error), is_open=is_open or len(taken) > 1)
        # The csv module's own limit may be higher: it is one for the whole process.
        if len(taken) > 1 and len(record.encode()) > MAX_ROW_BYTES:
            state.waiting.extendleft(reversed(taken[1:]))
            return _too_long(first)
        return _parsed(first, fields, state)


def too_long_message() -> str:
    """Return the message that a row is too long to be one."""
    return f"the row is longer than {MAX_ROW_BYTES:,} bytes"


def _too_long(line: _Line) -> BrokenRow:
    return BrokenRow(line.number, line.offset, "ROW_TOO_LONG", too_long_message())


def _unparsed(first: _Line, error: str, *, is_open: bool) -> BrokenRow:
    """Return in the uploader's words why the csv module did not take the row."""
    if "field larger than" in error:
        return _too_long(first)
    if "new-line character" in error:
        message = "a carriage return follows a closing quote, and it alone ends no row"
    else:
        where = (
            "a quote opens here and is never closed" if is_open else "text follows a closing quote"
        )
        message = f"{where}; a quote within a text is written twice"
    return BrokenRow(first.number, first.offset, "QUOTE", message)


def _take_until_quote(taken: list[_Line], lines: Iterator[_Line], state: _State) -> bool:
    """Take further lines up to one whose quotes may end the row; False where it cannot go on.

    Within quotes only an odd number of quotes ends a text. At each doubling the row is tried as
    well, so that one that is wrong is not carried on for long.
    """
    size = sum(len(line.data) for line in taken)
    tried_at = 2 * size
    while size < MAX_ROW_BYTES:
        line = state.waiting.popleft() if state.waiting else next(lines, None)
        if line is None:
            return False
        taken.append(line)
        if _broken(line) is not None:
            return False
        size += len(line.data) + 1
        quotes = line.data.count(b'"')
        if quotes % 2 or (quotes and size >= tried_at):
            return True
    return False


def _parsed(first: _Line, fields: list[str], state: _State) -> PhysicalRow:
    cleaned = [_LINE_BREAKS.sub(" ", value) for value in fields]
    repairs = ("line breaks within texts became spaces",) if cleaned != fields else ()
    state.rows += 1
    return PhysicalRow(state.rows, first.number, first.offset, cleaned, repairs)
