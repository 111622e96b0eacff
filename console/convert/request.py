"""Say what is asked of a conversion, which columns are meant by it, and what was found on the way.

Decides how a column and a separator are named, and what is kept of rows that are left out. It must
not know how a file is laid out: the readers of tables and of JSON both build on this module. Read
next: `console.convert.table_files` and `console.convert.json_files`, which read what is asked for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.errors import CommandError, ExitCode

SHOWN_LEFT_OUT = 20
"""How many left out rows are told one by one; beyond it they are counted."""

Pair = tuple[int, object, object]
"""The line a row begins on, its label and its text, both as the file gives them."""

_SEPARATOR_WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


class ConversionError(CommandError):
    """A file cannot be converted; whoever asked for it can change the file or the options."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(ExitCode.REFUSED, where, problem, remedy)


class ConversionUsageError(ConversionError):
    """What was asked for cannot be done; whoever asked gives another option, the file may stay."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(where, problem, remedy)
        self.code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that did not become a document; ``line`` is where it begins, from 1."""

    line: int
    reason: str


@dataclass(slots=True)
class Found:
    """What has been found so far in a file that is being read; each of its readers adds to it."""

    left_out: list[LeftOut] = field(default_factory=list)
    left_out_count: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    header: tuple[str, ...] | None = None

    def leave_out(self, line: int, reason: str) -> None:
        """Count a row that does not become a document; the first ones are told one by one."""
        self.left_out_count += 1
        if len(self.left_out) < SHOWN_LEFT_OUT:
            self.left_out.append(LeftOut(line, reason))


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a conversion.

    Parameters
    ----------
    source : Path
    label, text : str
        The columns: a name, or a number from 1.
    separator : str or None
        One character; None finds it in the file. Only a table has one.
    """

    source: Path
    label: str
    text: str
    separator: str | None


def one_character(separator: str | None, source: Path) -> str | None:
    """Return the separator that was asked for, which may be given by its name.

    Parameters
    ----------
    separator : str or None
        One character, or a word such as ``tab``; None stays None.
    source : Path
        What errors call the file.

    Raises
    ------
    ConversionUsageError
        When it is longer than one character, a quote or a line end.
    """
    if separator is None:
        return None
    mark = _SEPARATOR_WORDS.get(separator.casefold(), separator)
    if len(mark) != 1 or mark in '"\r\n':
        problem = f"{separator!r} cannot separate columns"
        raise ConversionUsageError(str(source), problem, "Give --sep one character, or: tab")
    return mark


def find_columns(request: Request, names: Sequence[str]) -> tuple[int, int]:
    """Return where label and text stand among the columns.

    Parameters
    ----------
    request : Request
    names : Sequence of str
        The first row of a table, or the names that its objects have.

    Returns
    -------
    tuple of int
        The positions of label and text, from 0.

    Raises
    ------
    ConversionUsageError
        When a column is not there or is there twice, or both are the same one.
    """
    at = []
    shown = ", ".join(f"{number} {name.strip()!r}" for number, name in enumerate(names, 1))
    for wanted in (request.label, request.text):
        positions = column_positions(wanted, names)
        if len(positions) != 1:
            how = f"has {len(positions)} columns" if positions else "has no column"
            remedy = f"The file has the columns {shown}. Give one as written, or by its number"
            raise ConversionUsageError(str(request.source), f"{how} {wanted!r}", remedy)
        at.append(positions[0])
    if at[0] == at[1]:
        problem = f"--label and --text both name the column {names[at[0]].strip()!r}"
        raise ConversionUsageError(str(request.source), problem, f"The columns: {shown}")
    return at[0], at[1]


def column_positions(wanted: str, names: Sequence[str]) -> list[int]:
    """Return the columns that are meant: by number, else by name, else ignoring case."""
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return [int(wanted) - 1]
    exact = [at for at, name in enumerate(names) if name.strip() == wanted.strip()]
    folded = wanted.strip().casefold()
    return exact or [at for at, name in enumerate(names) if name.strip().casefold() == folded]
