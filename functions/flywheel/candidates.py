"""Rows as a format's reader found them, before their labels and texts are judged.

What every reader gives and `flywheel.labeled_documents` takes: columns of a block, not one object
a row, since files have millions of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flywheel.reports import Fault, Problem

_FEW = 50
"""Up to so many rows are removed one by one, which moves the rows behind them."""


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
    problems : list of (Problem, str or None)
        What the reader found, each with what makes it alike others (`Report.add`).
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
    problems: list[tuple[Problem, str | None]] = field(default_factory=list)
    repairs: Counter[str] = field(default_factory=Counter)

    def add_problem(
        self,
        fault: Fault,
        line: int,
        offset: int,
        message: str,
        *,
        alike: str | None = None,
        file: str = "",
    ) -> None:
        """Note a problem with a row."""
        self.problems.append((Problem(fault, line, offset, message, file), alike))

    def leave_out(self, gone: Sequence[int]) -> None:
        """Remove rows by their positions, which rise."""
        if not gone:
            return
        lines = list(self.lines)
        copied = [] if self.canonical is None else self.canonical.split(b"\n")
        columns: list[list[Any]] = [self.labels, self.texts, lines]
        if self.canonical is not None:
            columns.append(copied)
        for column in columns:
            _remove(column, gone)
        self.lines = lines
        self.canonical = None if self.canonical is None else b"\n".join(copied)


def _remove(column: list[Any], gone: Sequence[int]) -> None:
    if len(gone) <= _FEW:
        for index in reversed(gone):
            del column[index]
        return
    left_out = set(gone)
    column[:] = [value for index, value in enumerate(column) if index not in left_out]
