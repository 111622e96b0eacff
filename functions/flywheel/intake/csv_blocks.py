"""Read the rows of a CSV file block by block: in bulk where rows are plain, else one by one.

Decides which rows of a block are plain: no carriage return, no NUL, valid UTF-8, the right number
of separators. Of these the whole block is cut at once, since a Python statement a row is what
costs. Rows with quotes of the usual form are taken out, read, and put back at their place; whatever
is left goes to `flywheel.intake.physical_rows`, which takes its time and names what is wrong.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from flywheel.intake.candidates import Candidates
from flywheel.intake.csv_messages import column_message, columns_message, no_column_message
from flywheel.intake.line_blocks import Block, LineBlocks
from flywheel.intake.physical_rows import BrokenRow, rows_of_lines, too_long_message
from flywheel.intake.quoted_texts import QUOTE, put_back, taken_out
from flywheel.intake.reports import Message, UploadFault
from flywheel.intake.unpacking import UnreadableFileError
from flywheel.settings.data_format import MAX_ROW_BYTES, CsvLayout

CRLF_REPAIR = "Windows line ends (CR LF) became LF"
BYTE_ORDER_MARK_REPAIR = "byte order mark removed"
_OWN_COLUMNS = 2
_TEXT_BLANKS = b"\x1c\x1d\x1e\x1f\xc2\xe1\xe2\xe3"
"""What the characters begin with that are blanks to Python's text and not to its bytes."""


@dataclass(slots=True)
class _Work:
    """One block on its way to candidates.

    Parameters
    ----------
    first : int
        Index of the first line in the block that is read; a header comes before it.
    filled : dict of int to (bytes, bytes)
        Label and text of lines that were read one by one, by index from ``first``.
    dropped : set of int
        Indexes of lines that give no row.
    has_text_blanks : bool
        Whether there may be blanks that only Python's text knows.
    """

    block: Block
    first: int
    found: Candidates
    filled: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    is_canonical: bool = True
    inner_crlf: int = 0
    end: int | None = None
    has_text_blanks: bool = True


class CsvBlocks:
    """The candidates of a CSV file.

    Parameters
    ----------
    blocks : LineBlocks
    layout : CsvLayout
    header_message : callable
        Says of the first row's fields why they are a header that should not be there, or None.
    """

    def __init__(
        self,
        blocks: LineBlocks,
        layout: CsvLayout,
        header_message: Callable[[Sequence[str]], Message | None],
    ) -> None:
        self._blocks = blocks
        self._layout = layout
        self._header_message = header_message
        self._is_begun = False
        self._set_columns(_OWN_COLUMNS, 0, 1)

    def _set_columns(self, columns: int, label: int, text: int) -> None:
        separator = self._layout.sep.encode()
        self._columns, self._label, self._text = columns, label, text
        self._separators = separator * (columns - 1)
        self._opening = separator + b'"'
        self._ordinary = bytes(set(range(256)) - set(separator + b'"\n\r\0' + _TEXT_BLANKS))
        plain = b'[^"\r\0' + re.escape(separator) + b"]*"
        self._plain = re.compile(re.escape(separator).join([plain] * columns))
        self._is_own_order = (columns, label, text) == (_OWN_COLUMNS, 0, 1)

    def __iter__(self) -> Iterator[Candidates]:
        """Yield the candidates, a block at a time."""
        for block in self._blocks:
            work = _Work(block, 0, Candidates())
            if self._blocks.has_byte_order_mark and block.line == 1:
                work.found.repairs[BYTE_ORDER_MARK_REPAIR] += 1
            if block.is_cut:
                work.found.add_problem(
                    UploadFault.ROW_TOO_LONG, block.line, block.offset, too_long_message(), alike=""
                )
            else:
                if not self._is_begun:
                    self._begin(work)
                self._read(work)
            yield work.found

    def _begin(self, work: _Work) -> None:
        """Find the first row: it names the columns, or is counted for how many there are."""
        lines = work.block.lines
        at = next((index for index, line in enumerate(lines) if line.strip()), None)
        if at is None:
            return
        self._is_begun = True
        end = _region_end(lines, at)
        found = rows_of_lines(
            lines[at:end], work.block.line + at, work.block.offset_of(at), self._layout.sep
        )
        row = next(found, None)
        if row is None:
            return
        if isinstance(row, BrokenRow):
            if self._layout.header:
                raise UnreadableFileError(
                    UploadFault.HEADER, f"the header cannot be read: {row.message}"
                )
            return
        if self._layout.header:
            names = [name.strip() for name in row.fields]
            label, text = (
                self._column(wanted, names) for wanted in (self._layout.label, self._layout.text)
            )
            self._set_columns(len(names), label, text)
            work.first, work.is_canonical = end, False
            return
        if self._layout.label != 1 or self._layout.text != _OWN_COLUMNS:
            label, text = int(self._layout.label), int(self._layout.text)
            if len(row.fields) < max(label, text):
                message = no_column_message(max(label, text), len(row.fields))
                raise UnreadableFileError(UploadFault.COLUMN_COUNT, message)
            self._set_columns(len(row.fields), label - 1, text - 1)
        unwanted = self._header_message(row.fields)
        if unwanted is not None:
            work.found.add_problem(UploadFault.HEADER, row.line, row.offset, unwanted)
            work.found.rows_read += 1
            work.first, work.is_canonical = end, False

    def _column(self, wanted: int | str, names: Sequence[str]) -> int:
        if isinstance(wanted, int):
            if wanted > len(names):
                message = no_column_message(wanted, len(names))
                raise UnreadableFileError(UploadFault.COLUMN_COUNT, message)
            return wanted - 1
        if wanted not in names:
            raise UnreadableFileError(UploadFault.HEADER, column_message(wanted, names))
        return names.index(wanted)

    def _read(self, work: _Work) -> None:
        block = work.block
        start = block.offset_of(work.first) - block.offset if work.first else 0
        if start >= len(block.data):
            return
        body = block.data[start:].removesuffix(b"\n")
        has_returns = b"\r" in body
        if has_returns:
            body = body.replace(b"\r\n", b"\n").removesuffix(b"\r")
        columns = None if block.has_long_line else self._columns_at_once(work, body)
        if columns is None:
            if b'"' in body:
                body = self._without_quoted(work, body)
            columns = self._columns_of(self._cut(work, body))
        if has_returns:
            self._count_returns(work, start)
        self._take(work, *columns)
        if work.is_canonical and not has_returns:
            whole = block.data.endswith(b"\n")
            work.found.canonical = block.data if whole else block.data + b"\n"

    def _columns_at_once(self, work: _Work, body: bytes) -> tuple[list[bytes], list[bytes]] | None:
        """Return labels and texts of a block that is plain but for quotes of the usual form."""
        quoted: list[bytes] = []
        all_need_quotes = True
        try:
            if b'"' in body:
                taken = taken_out(body, self._separators) if self._is_own_order else None
                if taken is None:
                    return None
                body, quoted, all_need_quotes = taken.plain, taken.texts, taken.all_need_quotes
            body.decode()
        except UnicodeDecodeError:
            return None
        remaining = body.translate(None, self._ordinary)
        structure = remaining.translate(None, _TEXT_BLANKS + QUOTE if quoted else _TEXT_BLANKS)
        work.has_text_blanks = bool(quoted) or len(structure) < len(remaining)
        rows = len(structure) // self._columns + 1
        if structure + b"\n" != (self._separators + b"\n") * rows:
            return None
        labels, texts = self._columns_of(body)
        if quoted and not put_back(texts, quoted):
            return None
        work.is_canonical &= all_need_quotes
        work.block.line_count = work.first + rows
        return labels, texts

    def _columns_of(self, body: bytes) -> tuple[list[bytes], list[bytes]]:
        cells = body.replace(self._layout.sep.encode(), b"\n").split(b"\n")
        return cells[self._label :: self._columns], cells[self._text :: self._columns]

    def _count_returns(self, work: _Work, start: int) -> None:
        count = work.block.data[start : work.end].count(b"\r\n") - work.inner_crlf
        if count:
            work.found.repairs[CRLF_REPAIR] += count

    def _take(self, work: _Work, labels: list[bytes], texts: list[bytes]) -> None:
        """Make candidates of a block's columns and of what was read one by one."""
        found, block, rows = work.found, work.block, len(labels)
        for index, (label, value) in work.filled.items():
            labels[index], texts[index] = label, value
        begin = block.line + work.first
        found.lines = range(begin, begin + rows)
        if work.dropped:
            kept = [index for index in range(rows) if index not in work.dropped]
            labels, texts = [labels[index] for index in kept], [texts[index] for index in kept]
            found.lines = [begin + index for index in kept]
            work.is_canonical = False
        found.texts = _stripped(texts, block.data if work.has_text_blanks else b"")
        found.labels = labels
        work.is_canonical &= self._layout.is_services_own and found.texts == texts
        found.rows_read += len(texts) + len(found.wrong_rows)
        found.offset_of = lambda line: block.offset_of(line - block.line)
        found.size_bytes = len(block.data)

    def _cut(self, work: _Work, body: bytes) -> bytes:
        """Return a block in which all lines that are not plain became placeholders."""
        lines = body.split(b"\n")
        for index, line in enumerate(lines):
            if index in work.filled or index in work.dropped or self._is_plain(line):
                continue
            lines[index] = self._separators
            self._read_lines(work, index, 1)
        return b"\n".join(lines)

    def _is_plain(self, line: bytes) -> bool:
        if len(line) > MAX_ROW_BYTES or not self._plain.fullmatch(line):
            return False
        try:
            line.decode()
        except UnicodeDecodeError:
            return False
        return True

    def _without_quoted(self, work: _Work, body: bytes) -> bytes:
        """Read the rows that hold quotes and return the block with placeholders for them."""
        placeholder = self._separators + b"\n"
        pieces: list[bytes] = []
        at = index = 0
        while (quote := body.find(b'"', at)) >= 0:
            start = body.rfind(b"\n", at, quote) + 1 or at
            end = body.find(b"\n", quote)
            end = len(body) if end < 0 else end
            index += body.count(b"\n", at, start)
            pieces.append(body[at:start])
            row = self._simple_row(work, body[start:end])
            lines = 1
            if row is not None:
                work.filled[index] = row
            else:
                end, is_closed = _closing(body, start, end)
                if not is_closed and start and self._carry(work, index):
                    break
                lines = body.count(b"\n", start, end) + 1
                self._read_lines(work, index, lines)
            pieces.append(placeholder * lines)
            index += lines
            at = end + 1
        else:
            pieces.append(body[at:])
            joined = b"".join(pieces)
            return joined if at <= len(body) else joined.removesuffix(b"\n")
        return b"".join(pieces).removesuffix(b"\n")

    def _carry(self, work: _Work, index: int) -> bool:
        """Give a row that ends in the next block back, unless it is too long for any."""
        block = work.block
        start = block.offset_of(work.first + index) - block.offset
        if block.is_last or len(block.data) - start > MAX_ROW_BYTES:
            return False
        rest = block.data[start:]
        self._blocks.unread(rest, rest.count(b"\n"))
        work.end, work.is_canonical = start, False
        return True

    def _simple_row(self, work: _Work, line: bytes) -> tuple[bytes, bytes] | None:
        """Return label and text where the text alone is quoted, or both are; else None."""
        label, opening, rest = line.partition(self._opening)
        if not self._is_own_order or not opening or rest[-1:] != b'"' or len(line) > MAX_ROW_BYTES:
            return None
        text = rest[:-1]
        needs_quotes = self._separators in text
        if b'"' in text:
            if b'"' in text.replace(b'""', b""):
                return None
            text, needs_quotes = text.replace(b'""', b'"'), True
        if label[:1] == b'"' == label[-1:] and len(label) > 1:
            label, needs_quotes = label[1:-1], False
        if any(mark in label for mark in (b'"', self._separators)) or _has_oddities(line):
            return None
        try:
            line.decode()
        except UnicodeDecodeError:
            return None
        work.is_canonical &= needs_quotes
        return label, text

    def _read_lines(self, work: _Work, index: int, count: int) -> None:
        """Read lines one by one; those that begin no row give none."""
        block, first = work.block, work.first + index
        lines = block.lines[first : first + count]
        work.dropped.update(range(index, index + count))
        work.is_canonical = False
        work.inner_crlf += sum(line.endswith(b"\r") for line in lines[:-1])
        rows = rows_of_lines(lines, block.line + first, block.offset_of(first), self._layout.sep)
        for row in rows:
            if isinstance(row, BrokenRow):
                work.found.add_problem(
                    UploadFault[row.reason], row.line, row.offset, row.message, alike=""
                )
                continue
            work.found.repairs.update(row.repairs)
            if len(row.fields) != self._columns:
                message = columns_message(row.fields, self._columns, self._layout.sep)
                work.found.add_problem(UploadFault.COLUMN_COUNT, row.line, row.offset, message)
                work.found.wrong_rows.append(row.fields[0])
                continue
            at = row.line - block.line - work.first
            label, text = row.fields[self._label], row.fields[self._text]
            work.filled[at] = label.encode(), text.encode()
            work.dropped.discard(at)


def _stripped(texts: list[bytes], data: bytes) -> list[bytes]:
    """Return texts without blanks at their ends, as Python strips text."""
    if any(mark in data for mark in _TEXT_BLANKS):
        return [
            text
            if b" " < text[:1] < b"\x7f" and b" " < text[-1:] < b"\x7f"
            else text.decode().strip().encode()
            for text in texts
        ]
    return list(map(bytes.strip, texts))


def _has_oddities(line: bytes) -> bool:
    return b"\r" in line or b"\0" in line


def _closing(body: bytes, start: int, end: int) -> tuple[int, bool]:
    """Return where lines end whose quotes come in pairs, and whether there is such an end."""
    quotes = body.count(b'"', start, end)
    while quotes % 2:
        quote = body.find(b'"', end)
        if quote < 0:
            return len(body), False
        line_end = body.find(b"\n", quote)
        line_end = len(body) if line_end < 0 else line_end
        quotes += body.count(b'"', end, line_end)
        end = line_end
    return end, True


def _region_end(lines: Sequence[bytes], at: int) -> int:
    quotes = 0
    for index in range(at, len(lines)):
        quotes += lines[index].count(b'"')
        if quotes % 2 == 0:
            return index + 1
    return at + 1
