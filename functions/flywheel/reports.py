"""What was found in a file: problems with their place, counts, repairs; and when it is refused.

Decides which faults leave a row out and which refuse the file. Like problems are told once, with
the lines they are on, and memory does not grow with their number. Knows no format.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

SHOWN_PROBLEMS = 20
"""How many different problems are told; beyond it they are counted."""

SHOWN_LINES = 4
"""How many lines are named of problems that are alike."""

_ROUNDING = 1e-6


class Fault(StrEnum):
    """What can be wrong; the value is how it is counted in reports."""

    EMPTY_FILE = "empty file"
    NOT_TEXT = "not a CSV file"
    COMPRESSION = "broken compression"
    TOO_LARGE = "too large"
    TOO_MANY_ROWS = "too many rows"
    TOO_MANY_LABELS = "too many labels"
    HEADER = "header row"
    COLUMN_COUNT = "wrong column count"
    INVALID_UTF8 = "invalid UTF-8"
    INVALID_JSON = "invalid JSON"
    NUL = "NUL byte"
    QUOTE = "unbalanced quote"
    ROW_TOO_LONG = "row too long"
    PAIR = "files that do not belong together"
    TOO_MANY_BAD_ROWS = "too many bad rows"
    UNKNOWN_LABEL = "unknown label"
    EMPTY_LABEL = "empty label"
    EMPTY_TEXT = "empty text"
    CONFLICT = "same text with another label"
    LABELING_FAILED = "labeling failed"
    ANNOTATION = "wrong annotation"
    DOCUMENT_TOO_LONG = "document too long"


ROW_FAULTS = frozenset(
    {
        *(Fault.UNKNOWN_LABEL, Fault.EMPTY_LABEL, Fault.EMPTY_TEXT, Fault.CONFLICT),
        *(Fault.LABELING_FAILED, Fault.ANNOTATION, Fault.DOCUMENT_TOO_LONG),
    }
)
"""Faults for which the row is left out; every other fault refuses the file."""


@dataclass(slots=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it.

    Parameters
    ----------
    fault : Fault
    line : int
        Physical line, from 1; 0 where the whole file is meant.
    byte_offset : int
        Where the row begins in the (unpacked) file, from 0.
    message : str
        What is wrong and, where there is one, the fix.
    file : str
        Which of two files is meant; empty where there is one.
    count : int
        How many rows have it.
    more_lines : list of int
        The next lines that have it; not all of them.
    """

    fault: Fault
    line: int
    byte_offset: int
    message: str
    file: str = ""
    count: int = 1
    more_lines: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the problem as one line for people."""
        if not self.line:
            return f"{self.file}: {self.message}" if self.file else self.message
        named = [self.line, *self.more_lines]
        hidden = self.count - len(named)
        lines = ", ".join(str(line) for line in named)
        where = f"line{'s' if len(named) > 1 else ''} {lines}"
        if hidden:
            where += f" and {hidden:,} more"
        return f"{self.file + ' ' if self.file else ''}{where}: {self.message}"

    def add_line(self, line: int) -> None:
        """Count one more row that has the same problem."""
        self.count += 1
        if len(self.more_lines) < SHOWN_LINES - 1:
            self.more_lines.append(line)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many bad rows may be left out before the file is refused."""

    rows: int = 50
    fraction: float = 0.01


@dataclass(frozen=True, slots=True)
class Limits:
    """The service's quotas of a dataset; no upload can be larger."""

    rows: int = 1_000_000
    size_bytes: int = 5_000_000_000


@dataclass(slots=True)
class Report:
    """What was found in a file; complete when its rows were read to the end.

    Parameters
    ----------
    label_counts : Counter
        Documents a label; for entities annotations a type.
    problems : list of Problem
        The first `SHOWN_PROBLEMS` different ones.
    duplicates : int
        Exact duplicates that were dropped. Those that lie far apart in a large file are found
        when the batch is sealed (`flywheel.repeated_texts`).
    counts_types : bool
        Whether `label_counts` are annotations a type, not documents a label.
    """

    documents: int = 0
    rows_read: int = 0
    label_counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    problem_counts: Counter[Fault] = field(default_factory=Counter)
    duplicates: int = 0
    repairs: Counter[str] = field(default_factory=Counter)
    counts_types: bool = False
    _groups: dict[tuple[Fault, str, str], Problem] = field(default_factory=dict, compare=False)

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

    def one_label_line(self) -> str | None:
        """Say that all documents have one label; None where they have more, or none.

        Entities of one type are enough for a model.
        """
        if self.counts_types or len(self.label_counts) != 1:
            return None
        ((label, count),) = self.label_counts.items()
        return (
            f"All {count:,} have one label, {label!r}: no model learns from one alone, so others "
            "must come in the same batch or have come before."
        )

    def lines(self) -> list[str]:
        """Return the report's problems as lines of text: the first ones and a count of the rest."""
        said = [str(problem) for problem in self.problems]
        hidden = self.problem_count - sum(problem.count for problem in self.problems)
        return [*said, f"... and {hidden} more"] if hidden > 0 else said

    def repair_lines(self) -> list[str]:
        """Return what was repaired, as lines of text."""
        return [
            f"Repaired: {repair} ({count:,} {'row' if count == 1 else 'rows'})."
            for repair, count in self.repairs.items()
        ]

    def add(self, problem: Problem, alike: str | None = None) -> None:
        """Count a problem; it is told where it is among the first.

        Parameters
        ----------
        problem : Problem
        alike : str, optional
            What problems have in common that are told as one; else their message.
        """
        self.problem_counts[problem.fault] += 1
        key = (problem.fault, problem.file, problem.message if alike is None else alike)
        known = self._groups.get(key)
        if known is not None:
            known.add_line(problem.line)
        elif problem.fault is Fault.TOO_MANY_BAD_ROWS:
            self.problems.insert(0, problem)
        elif len(self._groups) < SHOWN_PROBLEMS:
            self._groups[key] = problem
            self.problems.append(problem)

    def judge(self, allowance: Allowance) -> None:
        """Say what is wrong with the file as a whole, once all rows were read."""
        if not self.rows_read and not self.problem_counts:
            self.add(Problem(Fault.EMPTY_FILE, 0, 0, "the file holds no rows"))
            return
        # Without the margin 0.29 of 100 rows would be 28: doubles hold few fractions exactly.
        fraction = int(allowance.fraction * self.rows_read + _ROUNDING)
        allowed = min(allowance.rows, fraction)
        if self.left_out > allowed and not self.is_refused:
            message = (
                f"{self.left_out} of {self.rows_read} rows are bad; at most {allowed} "
                f"({allowance.fraction:.0%}, never more than {allowance.rows}) "
                "are left out, so the file is refused"
            )
            self.add(Problem(Fault.TOO_MANY_BAD_ROWS, 0, 0, message))
        elif not self.documents and not self.is_refused:
            self.add(Problem(Fault.EMPTY_FILE, 0, 0, "no row of the file is usable"))
