"""Messages about a CSV file's columns and header; the words only.

A header is the first row of a file; where a file has none, its first row is a row like any other.
So its cells are quoted only in messages for whoever has the file
(`flywheel.intake.reports.Message`).
"""

import re
from collections.abc import Sequence

from flywheel.intake.reports import Message
from flywheel.number_words import number_of
from flywheel.untrusted_text import is_misspelling, visible

_OWN_COLUMNS = 2
SEPARATORS = ";\t|"
"""What separates columns where a comma does not."""

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


def quoted(value: str, most_characters: int = 40) -> str:
    """Return a value as it may be shown: cut, with control characters escaped."""
    shown = value if len(value) <= most_characters else value[: most_characters - 3] + "..."
    # Not every character that moves the text beside it is one that Python escapes.
    return visible(repr(shown))


def is_header(fields: Sequence[str]) -> bool:
    """Return whether a row's fields name columns of labels and texts."""
    words = {name.strip().casefold() for name in _names(fields)}
    return bool(words & _LABEL_WORDS) and bool(words & _TEXT_WORDS)


def header_message(fields: Sequence[str]) -> Message:
    """Return the message that a header is not taken, and how it becomes one that is not there."""
    names = [cell.strip() for cell in _names(fields)]
    label = next(name for name in names if name.casefold() in _LABEL_WORDS)
    text = next(name for name in names if name.casefold() in _TEXT_WORDS)
    rest = (
        "and the service takes none. "
        f"Fix: flywheel convert FILE --label {label} --text {text} -o OUT"
    )
    shown = ", ".join(quoted(name, 20) for name in names[:5])
    return Message(f"looks like a header, {rest}", f"looks like a header ({shown}), {rest}")


def columns_message(fields: Sequence[str], columns: int, separator: str) -> str:
    """Return the message that a row has another number of columns than the file."""
    count = len(fields)
    named = " (label, text)" if columns == _OWN_COLUMNS else ""
    message = f"{number_of(count, 'column')} instead of {columns}{named}"
    other = next((mark for mark in SEPARATORS if count == 1 and mark in fields[0]), None)
    if other is not None and other != separator:
        return f"{message}; {separated_by(other)}"
    mark = "a comma" if separator == "," else repr(separator)
    return f"{message}; a text that holds {mark} must be quoted" if count > columns else message


def separated_by(separator: str) -> str:
    """Return the message that columns look separated by another mark."""
    return (
        f"the columns look separated by {separator!r}. "
        "Fix: flywheel convert FILE --label 1 --text 2 -o OUT"
    )


def no_column_message(wanted: int, columns: int) -> str:
    """Return the message that a column by number is not there."""
    return (
        f"the first row has {number_of(columns, 'column')}, and the flywheel's csv "
        f"settings ask for column {wanted}. Fix: upload a file with that column, or change "
        "csv.label, csv.text or csv.sep in the environment's file"
    )


def column_message(wanted: str, names: Sequence[str]) -> Message:
    """Return the message that a column by name is not there."""
    near = [name for name in names if is_misspelling(name, wanted)]
    shown = ", ".join(quoted(name, 20) for name in near or names[:10])
    missing = f"the header has no column {quoted(wanted, 20)}"
    fix = (
        "Fix: rename the column, or change csv.label, csv.text or csv.sep in the environment's file"
    )
    quoting = f"{missing}; it has {shown}. {fix}"
    count = number_of(len(names), "column")
    return Message(quoting if near else f"{missing}; it has {count}. {fix}", quoting)


def _names(fields: Sequence[str]) -> Sequence[str]:
    return fields if len(fields) > 1 else re.split(r"[;\t|]", fields[0])
