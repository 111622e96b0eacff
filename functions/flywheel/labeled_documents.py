"""Read a multi-class CSV file as a stream: its rows, and everything that is wrong with it.

Decides what is a row, which rows are left out, and whether the file is refused. One pass, constant
memory but for one 64-bit hash a distinct text. Knows no bucket, no ledger and no service. The
format is the service's: UTF-8, two columns (label, text), no header, RFC 4180 quoting.

*Source*: developer guide, "Preparing classifier training data" (file format).
Read next: `flywheel.physical_rows` (bytes to rows) and `flywheel.notices` (how it is told).
"""

import csv
import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from flywheel.physical_rows import BrokenRow, PhysicalRow, physical_rows

SHOWN_PROBLEMS = 20
"""How many problems are told one by one; beyond it they are counted."""

_COLUMNS = 2
_ROUNDING = 1e-6
_LABEL_WORDS = frozenset(
    {
        *("label", "labels", "class", "classes", "category", "categories", "intent", "topic"),
        *("target", "type", "sentiment", "tag", "y"),
    }
)
_TEXT_WORDS = frozenset(
    {
        *("text", "texts", "document", "documents", "doc", "content", "message", "body", "query"),
        *("utterance", "sentence", "question", "description", "comment", "review", "tweet"),
        *("title", "subject", "x"),
    }
)


class Fault(StrEnum):
    """What can be wrong; the value is how it is counted in reports."""

    EMPTY_FILE = "empty file"
    NOT_TEXT = "not a CSV file"
    HEADER = "header row"
    COLUMN_COUNT = "wrong column count"
    INVALID_UTF8 = "invalid UTF-8"
    NUL = "NUL byte"
    QUOTE = "unbalanced quote"
    ROW_TOO_LONG = "row too long"
    TOO_MANY_BAD_ROWS = "too many bad rows"
    UNKNOWN_LABEL = "unknown label"
    EMPTY_LABEL = "empty label"
    EMPTY_TEXT = "empty text"
    CONFLICT = "same text with another label"


ROW_FAULTS = frozenset({Fault.UNKNOWN_LABEL, Fault.EMPTY_LABEL, Fault.EMPTY_TEXT, Fault.CONFLICT})
"""Faults for which the row is left out; every other fault refuses the file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it.

    Parameters
    ----------
    fault : Fault
    line : int
        Physical line, from 1; 0 where the whole file is meant.
    byte_offset : int
        Where the row begins in the file, from 0.
    message : str
        What is wrong and, where there is one, the fix.
    """

    fault: Fault
    line: int
    byte_offset: int
    message: str

    def __str__(self) -> str:
        """Return the problem as one line for people."""
        return f"line {self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class Row:
    """One labeled document."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many bad rows may be left out before the file is refused."""

    rows: int = 50
    fraction: float = 0.01


@dataclass(slots=True)
class Report:
    """What was found in a file; complete when its rows were read to the end."""

    documents: int = 0
    rows_read: int = 0
    label_counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    problem_counts: Counter[Fault] = field(default_factory=Counter)
    duplicates: int = 0
    repairs: Counter[str] = field(default_factory=Counter)

    @property
    def left_out(self) -> int:
        """Rows that were left out for a row fault."""
        return sum(count for fault, count in self.problem_counts.items() if fault in ROW_FAULTS)

    @property
    def is_refused(self) -> bool:
        """Whether the file as a whole is refused."""
        return any(fault not in ROW_FAULTS for fault in self.problem_counts)

    @property
    def problem_count(self) -> int:
        """All problems, those not shown too."""
        return sum(self.problem_counts.values())

    def lines(self) -> list[str]:
        """Return the report's problems as lines of text: the first ones and a count of the rest."""
        said = [str(problem) for problem in self.problems]
        hidden = self.problem_count - len(self.problems)
        return [*said, f"... and {hidden} more"] if hidden > 0 else said


class LabeledDocuments:
    r"""The rows of one file, in order, and a report of what was found.

    Parameters
    ----------
    chunks : iterable of bytes
        The file, in pieces of any size.
    labels : sequence of str, optional
        The flywheel's labels; None takes them from the file itself.
    allowance : Allowance
        When bad rows refuse the file.

    Examples
    --------
    >>> documents = LabeledDocuments([b"A,one\nB,two\nC,three\n"], labels=["A", "B"])
    >>> [row.text for row in documents], documents.report.lines()[-1]
    (['one', 'two'], "line 3: unknown label 'C'; the flywheel's labels: A, B")
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        labels: Sequence[str] | None = None,
        allowance: Allowance = Allowance(),
    ) -> None:
        self.report = Report()
        self._chunks = chunks
        self._labels = None if labels is None else frozenset(labels)
        self._label_list = list(labels or ())
        self._allowance = allowance
        self._seen: dict[int, int] = {}
        self._label_numbers: dict[str, int] = {}

    def __iter__(self) -> Iterator[Row]:
        """Give the accepted rows; read the report only after the last one."""
        for physical in physical_rows(self._chunks):
            if isinstance(physical, BrokenRow):
                self._add(Fault[physical.reason], physical.line, physical.offset, physical.message)
                continue
            self.report.rows_read += 1
            row = self._row(physical)
            if row is not None and not self._is_known(row, physical):
                self.report.documents += 1
                self.report.label_counts[row.label] += 1
                yield row
        self._judge_whole_file()

    def _row(self, physical: PhysicalRow) -> Row | None:
        """Return the row, or None where something is wrong with it."""
        fields = physical.fields
        for repair in physical.repairs:
            self.report.repairs[repair] += 1
        if physical.number == 1 and self._is_header(fields):
            self._add(Fault.HEADER, physical.line, physical.offset, _header_message(fields))
            return None
        if len(fields) != _COLUMNS:
            self._add(Fault.COLUMN_COUNT, physical.line, physical.offset, _columns_message(fields))
            return None
        label, text = fields[0].strip(), fields[1].strip()
        if not label:
            self._add(Fault.EMPTY_LABEL, physical.line, physical.offset, "empty label")
            return None
        if self._labels is not None and label not in self._labels:
            message = _unknown_label_message(label, self._label_list)
            self._add(Fault.UNKNOWN_LABEL, physical.line, physical.offset, message)
            return None
        if not text:
            message = f"empty text (label {_quoted(label)})"
            self._add(Fault.EMPTY_TEXT, physical.line, physical.offset, message)
            return None
        return Row(label, text)

    def _is_header(self, fields: Sequence[str]) -> bool:
        words = {cell.strip().casefold() for cell in fields}
        if len(fields) == 1:
            words = {part.strip().casefold() for part in re.split(r"[;\t|]", fields[0])}
        is_label_known = self._labels is not None and fields[0].strip() in self._labels
        return not is_label_known and bool(words & _LABEL_WORDS) and bool(words & _TEXT_WORDS)

    def _is_known(self, row: Row, physical: PhysicalRow) -> bool:
        """Say whether the text was there before: a duplicate, or a conflict that is reported."""
        digest = hashlib.blake2b(row.text.encode(), digest_size=8).digest()
        label_number = self._label_numbers.setdefault(row.label, len(self._label_numbers))
        before = self._seen.setdefault(int.from_bytes(digest), label_number)
        if before != label_number:
            other = next(name for name, number in self._label_numbers.items() if number == before)
            message = (
                f"label {_quoted(row.label)}, but the same text came before as {_quoted(other)}"
            )
            self._add(Fault.CONFLICT, physical.line, physical.offset, message)
            return True
        if len(self._seen) > self.report.documents:
            return False
        self.report.duplicates += 1
        return True

    def _judge_whole_file(self) -> None:
        report = self.report
        if not report.rows_read and not report.problem_counts:
            self._add(Fault.EMPTY_FILE, 0, 0, "the file holds no rows")
            return
        # Without the margin 0.29 of 100 rows would be 28: doubles hold few fractions exactly.
        fraction = int(self._allowance.fraction * report.rows_read + _ROUNDING)
        allowed = min(self._allowance.rows, fraction)
        if report.left_out > allowed and not report.is_refused:
            message = (
                f"{report.left_out} of {report.rows_read} rows are bad; at most {allowed} "
                f"({self._allowance.fraction:.0%}, never more than {self._allowance.rows}) "
                "are left out, so the file is refused"
            )
            self._add(Fault.TOO_MANY_BAD_ROWS, 0, 0, message)
        elif not report.documents and not report.is_refused:
            self._add(Fault.EMPTY_FILE, 0, 0, "no row of the file is usable")

    def _add(self, fault: Fault, line: int, offset: int, message: str) -> None:
        self.report.problem_counts[fault] += 1
        problem = Problem(fault, line, offset, message)
        if fault is Fault.TOO_MANY_BAD_ROWS:
            self.report.problems.insert(0, problem)
        elif len(self.report.problems) < SHOWN_PROBLEMS:
            self.report.problems.append(problem)


def csv_line(row: Row) -> str:
    r"""Return the row in canonical form: one physical line, quoted only where needed.

    Examples
    --------
    >>> csv_line(Row("A", 'He said "no", twice'))
    'A,"He said ""no"", twice"\n'
    """
    return f"{_cell(row.label)},{_cell(row.text)}\n"


def _cell(value: str) -> str:
    needs_quotes = any(mark in value for mark in '",\n\r') or value != value.strip()
    return '"' + value.replace('"', '""') + '"' if needs_quotes else value


def text_key(text: str) -> bytes:
    """Return what identifies a text among all texts: 16 bytes of its hash."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def rows_of(lines: Iterable[str]) -> Iterator[Row]:
    """Give the rows of a canonical file (`csv_line`), which needs no checking."""
    for label, text in csv.reader(lines, strict=True):
        yield Row(label, text)


def _quoted(value: str, most_characters: int = 40) -> str:
    shown = value if len(value) <= most_characters else value[: most_characters - 3] + "..."
    return repr(shown)


def _header_message(fields: Sequence[str]) -> str:
    cells = fields if len(fields) > 1 else re.split(r"[;\t|]", fields[0])
    names = [cell.strip() for cell in cells]
    label = next(name for name in names if name.casefold() in _LABEL_WORDS)
    text = next(name for name in names if name.casefold() in _TEXT_WORDS)
    return (
        f"looks like a header ({', '.join(_quoted(name, 20) for name in names[:5])}), and the "
        f"service takes none. Fix: flywheel convert FILE --label {label} --text {text} -o OUT"
    )


def _columns_message(fields: Sequence[str]) -> str:
    count = len(fields)
    message = f"{count} column{'s' if count != 1 else ''} instead of 2 (label, text)"
    separator = next((mark for mark in ";\t|" if count == 1 and mark in fields[0]), None)
    if separator is not None:
        return f"{message}; {_separated_by(separator)}"
    return f"{message}; a text that holds a comma must be quoted" if count > _COLUMNS else message


def _separated_by(separator: str) -> str:
    return (
        f"the columns look separated by {separator!r}. "
        "Fix: flywheel convert FILE --label 1 --text 2 -o OUT"
    )


def _unknown_label_message(label: str, labels: list[str]) -> str:
    folded = {known.casefold(): known for known in labels}
    separator = next((mark for mark in ";\t" if mark in label), None)
    if separator is not None:
        return f"unknown label {_quoted(label)}; {_separated_by(separator)}"
    near = difflib.get_close_matches(label.casefold(), list(folded), n=1, cutoff=0.6)
    if near:
        return f"unknown label {_quoted(label)}; did you mean {_quoted(folded[near[0]])}?"
    shown = ", ".join(labels[:10]) + (", ..." if len(labels) > 10 else "")  # noqa: PLR2004 - as many as fit on a line
    return f"unknown label {_quoted(label)}; the flywheel's labels: {shown}"
