"""Rows as a format's reader found them, before their labels and texts are judged.

What every reader gives and `flywheel.intake.labeled_documents` takes: columns of a block, not one
object a row, since files have millions of them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import overload

from flywheel.intake.reports import Message, Problem, UploadFault, as_message

_FEW = 50
"""Up to so many rows are removed one by one, which moves the rows behind them."""

_NEAR = 8
"""So many lines are passed one by one; more are counted at once."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A file as it arrives: its name, which says whether it is compressed, and its bytes."""

    name: str
    chunks: Iterable[bytes]


@dataclass(slots=True)
class Candidates:
    """The rows of one block of a file.

    Parameters
    ----------
    labels, texts : list of bytes of shape (n_rows,)
        Label cells as they stand, and texts without blanks at their ends; valid UTF-8. Bytes,
        since most rows are never looked at as text.
    lines : sequence of int of shape (n_rows,)
        The physical line of each.
    offset_of : callable
        Gives the byte at which a physical line begins.
    size_bytes : int
        What the characters take in memory, at most.
    canonical : bytes, optional
        The block's own bytes, where they are canonical already; else None.
    rows_read : int
        Rows with those that have a problem already.
    problems : list of (Problem, str or None, callable or None)
        What the reader found, each with what makes it alike others, and what makes its message
        (`Report.add`).
    wrong_rows : list of str
        The first cells of rows with another number of columns than the file.
    repairs : Counter
        What was changed so that rows can be used.
    """

    labels: list[bytes] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    lines: Sequence[int] = ()
    offset_of: Callable[[int], int] = lambda _: 0
    size_bytes: int = 0
    canonical: bytes | None = None
    rows_read: int = 0
    problems: list[tuple[Problem, str | None, Callable[[], Message] | None]] = field(
        default_factory=list
    )
    wrong_rows: list[str] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)
    _gone: list[Sequence[int]] = field(default_factory=list)

    def add_problem(
        self,
        fault: UploadFault,
        line: int,
        offset: int,
        message: Message | str = "",
        *,
        alike: str | None = None,
        explain: Callable[[], Message] | None = None,
        file: str = "",
    ) -> None:
        """Note a problem with a row; `Report.add` says what the rest is."""
        problem = Problem(fault, line, offset, as_message(message), file)
        self.problems.append((problem, alike, explain))

    def leave_out(self, gone: Sequence[int]) -> None:
        """Remove rows by their positions, which rise."""
        if not gone:
            return
        _remove(self.labels, gone)
        _remove(self.texts, gone)
        self.lines = _Without(self.lines, gone)
        self._gone.append(gone)

    def canonical_bytes(self) -> bytes | None:
        """Return the bytes of the rows that remain, where the block was canonical."""
        if self.canonical is None or not self._gone:
            return self.canonical
        left, rows = self.canonical, len(self.texts) + sum(map(len, self._gone))
        for gone in self._gone:
            left, rows = _without_lines(left, rows, gone), rows - len(gone)
        return left


class _Without(Sequence[int]):
    """A sequence without some of its items; asked seldom, so it is not made anew."""

    def __init__(self, items: Sequence[int], gone: Sequence[int]) -> None:
        self._items = items
        self._gone = gone

    def __len__(self) -> int:
        return len(self._items) - len(self._gone)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        """Return the item at a position among those that remain."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        # Before the item lie as many removed ones as have no more remaining ones before them.
        before = bisect_right(range(len(self._gone)), index, key=lambda at: self._gone[at] - at)
        return self._items[index + before]


def _remove(column: list[bytes], gone: Sequence[int]) -> None:
    if len(gone) <= _FEW:
        for index in reversed(gone):
            del column[index]
        return
    left_out = set(gone)
    column[:] = [value for index, value in enumerate(column) if index not in left_out]


def _without_lines(data: bytes, rows: int, gone: Sequence[int]) -> bytes:
    """Return a block of so many lines without some of them, whose positions rise."""
    if len(gone) > _FEW:
        lines = data.split(b"\n")
        _remove(lines, gone)
        return b"\n".join(lines)
    pieces = []
    at = passed = 0
    for index in gone:
        start = _after_lines(data, at, index - passed, len(data) // rows)
        pieces.append(data[at:start])
        at, passed = data.index(b"\n", start) + 1, index + 1
    pieces.append(data[at:])
    return b"".join(pieces)


def _after_lines(data: bytes, at: int, lines: int, usual_bytes: int) -> int:
    """Return where so many lines from a byte on end; they are counted, not made, as far as can be.

    Parameters
    ----------
    usual_bytes : int
        Of a line: how far it may be to the place, nearly.
    """
    while lines > _NEAR:
        # A line end at least is left to be found, or the place would be within a line.
        step = lines * usual_bytes * 7 // 8
        while (counted := data.count(b"\n", at, at + step)) >= lines:
            step //= 2
        at, lines = at + step, lines - counted
    for _ in range(lines):
        at = data.index(b"\n", at) + 1
    return at
