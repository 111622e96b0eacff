"""Cut a file into blocks of whole lines, always at the same bytes however these arrive.

Decides whether a file is text at all, removes a byte order mark, and cuts off lines that are too
long to be a row. Knows no columns. Read next: `flywheel.intake.csv_blocks`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from flywheel.intake.physical_rows import BYTE_ORDER_MARK, no_text
from flywheel.intake.reports import UploadFault
from flywheel.intake.unpacking import UnreadableFileError
from flywheel.settings.data_format import MAX_ROW_BYTES

BLOCK_BYTES = 1 << 18


@dataclass(slots=True)
class Block:
    """Whole lines of a file.

    Parameters
    ----------
    line : int
        Physical line of the first one, from 1.
    offset : int
        The byte it begins at.
    data : bytes
        With the line ends; the file's last line may have none.
    is_last : bool
        Nothing follows.
    is_cut : bool
        It is the beginning of one line that is too long.
    line_count : int, optional
        How many lines it has, where the reader found out; else they are counted.
    """

    line: int
    offset: int
    data: bytes
    is_last: bool = False
    is_cut: bool = False
    line_count: int | None = None
    _lines: list[bytes] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)

    @property
    def lines(self) -> list[bytes]:
        """The lines as they are in the file, without their line feeds."""
        if not self._lines:
            self._lines = self.data.removesuffix(b"\n").split(b"\n")
        return self._lines

    def offset_of(self, index: int) -> int:
        """Return the byte in the file at which a line of the block begins."""
        if not self._starts:
            self._starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0))
        return self.offset + self._starts[index]

    @property
    def has_long_line(self) -> bool:
        """Whether a line has more bytes than a row may have."""
        start, size = 0, len(self.data)
        while size - start > MAX_ROW_BYTES:
            end = self.data.rfind(b"\n", start, start + MAX_ROW_BYTES + 1)
            if end < 0:
                return True
            start = end + 1
        return False


class LineBlocks:
    """The blocks of one file.

    Parameters
    ----------
    chunks : iterable of bytes

    Raises
    ------
    UnreadableFileError
        From the iterator: the file is no text. Whoever uploaded repairs it.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.has_byte_order_mark = False
        self._chunks = _pieces(chunks)
        self._rest = b""
        self._line, self._offset = 1, 0
        self._is_ended = False

    def __iter__(self) -> Iterator[Block]:
        """Yield the blocks in order."""
        self._begin()
        while not self._is_ended or self._rest:
            self._fill()
            is_rest = self._is_ended and len(self._rest) <= BLOCK_BYTES
            end = len(self._rest) if is_rest else self._rest.rfind(b"\n", 0, BLOCK_BYTES) + 1
            if end:
                block = self._cut(end)
                yield block
                counted = block.line_count
                self._line += block.data.count(b"\n") if counted is None else counted
            elif self._rest:
                yield self._long_line()

    def unread(self, data: bytes, lines: int) -> None:
        """Take back the end of the last block, so that it begins the next one."""
        self._rest = data + self._rest
        self._line -= lines
        self._offset -= len(data)

    def _begin(self) -> None:
        self._fill()
        message = no_text(self._rest)
        if message is not None:
            raise UnreadableFileError(UploadFault.NOT_TEXT, message)
        if self._rest.startswith(BYTE_ORDER_MARK):
            self.has_byte_order_mark = True
            self._rest = self._rest.removeprefix(BYTE_ORDER_MARK)
            self._offset = len(BYTE_ORDER_MARK)

    def _fill(self) -> None:
        pieces, size = [self._rest], len(self._rest)
        while size < BLOCK_BYTES and not self._is_ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._is_ended = True
            else:
                pieces.append(chunk)
                size += len(chunk)
        self._rest = b"".join(pieces)

    def _cut(self, end: int) -> Block:
        data, self._rest = self._rest[:end], self._rest[end:]
        block = Block(self._line, self._offset, data, is_last=self._is_ended and not self._rest)
        self._offset += end
        return block

    def _long_line(self) -> Block:
        """Give the beginning of a line that no block holds, and skip the rest of it."""
        block = Block(self._line, self._offset, self._rest[:MAX_ROW_BYTES], is_cut=True)
        while True:
            end = self._rest.find(b"\n") + 1
            self._offset += end or len(self._rest)
            self._rest = self._rest[end:] if end else b""
            if end or self._is_ended:
                break
            self._fill()
        self._line += 1
        block.is_last = self._is_ended and not self._rest
        return block


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for at in range(0, len(chunk), BLOCK_BYTES):
            yield chunk[at : at + BLOCK_BYTES]
