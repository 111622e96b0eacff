"""The report on a file: problems with their place, counts, repairs; and when it is refused.

Decides which faults leave a row out and which refuse the file. Problems that are alike are reported
once, with the lines they are on, and memory does not grow with their number. Knows no format.

A problem has two messages: one that may be sent and stored, which quotes nothing of the file, and
one for whoever has the file at hand. Which is which is decided where the message is made.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.number_words import number_of

if TYPE_CHECKING:
    from flywheel.settings.environment import BatchRules

SHOWN_PROBLEMS = 20
"""How many different problems are reported; the others are counted."""

SHOWN_LINES = 4
"""How many lines are named of problems that are alike."""

_ROUNDING = 1e-6


class UploadFault(StrEnum):
    """What can be wrong; the value is how it is counted in reports."""

    EMPTY_FILE = "empty file"
    NOT_TEXT = "not a CSV file"
    COMPRESSION = "broken compression"
    TOO_LARGE = "too large"
    TOO_MANY_ROWS = "too many rows"
    TOO_MANY_LABELS = "too many labels"
    HEADER = "header row"
    LAYOUT = "columns in another order or separated otherwise"
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
        *(
            UploadFault.UNKNOWN_LABEL,
            UploadFault.EMPTY_LABEL,
            UploadFault.EMPTY_TEXT,
            UploadFault.CONFLICT,
        ),
        *(UploadFault.LABELING_FAILED, UploadFault.ANNOTATION, UploadFault.DOCUMENT_TOO_LONG),
    }
)
"""Faults for which the row is left out; every other fault refuses the file."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is wrong and, where there is one, the fix.

    Parameters
    ----------
    public : str
        Quotes no value of the file, which may be the text of a document: fit for notices, logs and
        the ledger.
    quoting : str
        The same with the values, for whoever has the file at hand; empty where it is no other.
    """

    public: str
    quoting: str = ""

    @property
    def full(self) -> str:
        """What whoever has the file at hand reads."""
        return self.quoting or self.public


def as_message(message: Message | str) -> Message:
    """Return a message; a text alone quotes no value of the file."""
    return message if isinstance(message, Message) else Message(message)


@dataclass(slots=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it.

    Parameters
    ----------
    fault : UploadFault
    line : int
        Physical line, from 1; 0 where the whole file is meant.
    byte_offset : int
        Where the row begins in the (unpacked) file, from 0.
    message : Message
    file : str
        Which of two files is meant; empty where there is one.
    count : int
        How many rows have it.
    more_lines : list of int
        The next lines that have it; not all of them.
    """

    fault: UploadFault
    line: int
    byte_offset: int
    message: Message
    file: str = ""
    count: int = 1
    more_lines: list[int] = field(default_factory=list)

    def words(self, *, quotes_values: bool) -> str:
        """Return the problem as one line for people."""
        message = self.message.full if quotes_values else self.message.public
        if not self.line:
            return f"{self.file}: {message}" if self.file else message
        named = [self.line, *self.more_lines]
        hidden = self.count - len(named)
        lines = ", ".join(str(line) for line in named)
        where = f"line{'s' if len(named) > 1 else ''} {lines}"
        if hidden:
            where += f" and {hidden:,} more"
        return f"{self.file + ' ' if self.file else ''}{where}: {message}"

    def add_lines(self, lines: Iterable[int], count: int = 1) -> None:
        """Count more rows that have the same problem."""
        self.count += count
        room = SHOWN_LINES - 1 - len(self.more_lines)
        self.more_lines += list(lines)[:room]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many bad rows may be left out before the file is refused."""

    rows: int = 50
    fraction: float = 0.01

    @classmethod
    def of(cls, rules: "BatchRules") -> "Allowance":
        """Return how many bad rows the batch rules of a flywheel allow."""
        if rules.bad_rows == "refuse":
            return cls(rows=0)
        return cls(rules.max_bad_rows, rules.max_bad_rows_fraction)


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
        when the batch is sealed (`flywheel.intake.repeated_texts`).
    counts_types : bool
        Whether `label_counts` are annotations per type, not documents per label.
    labels_are_known : bool
        Whether every label that counts is one of the flywheel's; else they are the file's own.
    """

    documents: int = 0
    rows_read: int = 0
    label_counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    problem_counts: Counter[UploadFault] = field(default_factory=Counter)
    duplicates: int = 0
    repairs: Counter[str] = field(default_factory=Counter)
    counts_types: bool = False
    labels_are_known: bool = True
    _groups: dict[tuple[UploadFault, str, str], Problem] = field(
        default_factory=dict, compare=False
    )

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

    def one_label_line(self, *, quotes_values: bool = False) -> str | None:
        """Return the message that all documents have one label; None where they have more, or none.

        Entities of one type are enough for a model.
        """
        if self.counts_types or len(self.label_counts) != 1:
            return None
        ((label, count),) = self.label_counts.items()
        named = f", {label!r}" if quotes_values or self.labels_are_known else ""
        return (
            f"All {count:,} have one label{named}: no model learns from one alone, so others "
            "must come in the same batch or have come before."
        )

    def lines(self, *, quotes_values: bool = False) -> list[str]:
        """Return the problems as lines of text: the first ones, and a count of the rest.

        Parameters
        ----------
        quotes_values : bool
            Whether they may quote values of the file: only for whoever has it at hand.
        """
        shown = self.problems if quotes_values else _merged(self.problems)
        lines = [problem.words(quotes_values=quotes_values) for problem in shown]
        hidden = Counter(self.problem_counts)
        for problem in self.problems:
            hidden[problem.fault] -= problem.count
        hidden = +hidden
        if not hidden:
            return lines
        counts = [f"{count:,} {fault.value}" for fault, count in hidden.items()]
        named = ", ".join(counts) if len(hidden) > 1 else next(iter(hidden)).value
        return [*lines, f"... and {hidden.total():,} more ({named})"]

    def repair_lines(self) -> list[str]:
        """Return what was repaired, as lines of text."""
        return [
            f"Repaired: {repair} ({number_of(count, 'row')})."
            for repair, count in self.repairs.items()
        ]

    def add(
        self,
        problem: Problem,
        alike: str | None = None,
        explain: Callable[[], Message] | None = None,
    ) -> None:
        """Count a problem; it is reported if it is among the first.

        Parameters
        ----------
        problem : Problem
        alike : str, optional
            What problems have in common that are reported as one; else their message.
        explain : callable, optional
            Makes the message of a problem that is reported, where that takes long.
        """
        self.problem_counts[problem.fault] += 1
        common = problem.message.full if alike is None else alike
        key = (problem.fault, problem.file, common)
        known = self._groups.get(key)
        if known is not None:
            known.add_lines([problem.line])
        elif problem.fault is UploadFault.TOO_MANY_BAD_ROWS:
            self.problems.insert(0, problem)
        elif len(self._groups) < SHOWN_PROBLEMS:
            if explain is not None:
                problem.message = explain()
            self._groups[key] = problem
            self.problems.append(problem)

    def refuse_as_a_whole(self, fault: UploadFault, message: Message) -> None:
        """Let one problem of the whole file stand for those of its rows, which it explains."""
        count = self.problem_count - self.problem_counts[UploadFault.TOO_MANY_BAD_ROWS]
        self.problem_counts = Counter({fault: count})
        self.problems = [Problem(fault, 0, 0, message, count=count)]

    def judge(self, allowance: Allowance) -> None:
        """Add what is wrong with the file as a whole, once all rows were read."""
        if not self.rows_read and not self.problem_counts:
            self.add(Problem(UploadFault.EMPTY_FILE, 0, 0, Message("the file holds no rows")))
            return
        # Without the margin 0.29 of 100 rows would be 28: doubles hold few fractions exactly.
        fraction = int(allowance.fraction * self.rows_read + _ROUNDING)
        allowed = min(allowance.rows, fraction)
        if self.left_out > allowed and not self.is_refused:
            message = (
                f"{self.left_out:,} of {number_of(self.rows_read, 'row')} are bad; at most "
                f"{allowed} ({allowance.fraction:.0%}, never more than {allowance.rows}) are left "
                "out, so the file is refused"
            )
            self.add(Problem(UploadFault.TOO_MANY_BAD_ROWS, 0, 0, Message(message)))
        elif not self.documents and not self.is_refused:
            self.add(Problem(UploadFault.EMPTY_FILE, 0, 0, Message("no row of the file is usable")))


def _merged(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems as those see them who do not see the values in which they differ."""
    found: dict[tuple[UploadFault, str, str], Problem] = {}
    for problem in problems:
        key = (problem.fault, problem.file, problem.message.public)
        known = found.get(key)
        if known is None:
            found[key] = replace(problem, more_lines=[*problem.more_lines])
        else:
            known.add_lines([problem.line, *problem.more_lines], problem.count)
    return list(found.values())
