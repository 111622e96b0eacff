"""How text that came from outside is shown: no controls, one line, and in messages no links.

File names, labels, reasons, messages of services. A terminal obeys control characters; a mail
program or a chat makes a link of whatever looks like one. Read next: `flywheel.notices`.
"""

import re
import unicodedata

_DATA_SUFFIXES = frozenset(
    {
        *("csv", "tsv", "txt", "json", "jsonl", "ndjson", "manifest", "gz", "toml", "xlsx"),
        *("parquet", "pdf", "html"),
    }
)
"""No top-level domains: a file of such a name becomes no link."""

_OWN_NAMES = frozenset(
    {
        *("csv.label", "csv.text", "csv.sep"),
        *("States.TaskFailed", "States.Timeout", "States.Runtime", "States.Permissions"),
        *("States.DataLimitExceeded", "Lambda.Unknown", "Lambda.TooManyRequestsException"),
    }
)
"""Keys of an environment's file and errors of Step Functions that our own sentences name."""

_SCHEME = re.compile(r"(?<!\bs3)://")
"""No program opens an address in S3, and people copy it."""

_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]+")
_LABEL = re.compile(r"\.([^\W\d_][\w-]+)")


def visible(text: str) -> str:
    r"""Return text without characters that a terminal obeys or nobody sees; line feeds stay.

    Examples
    --------
    >>> visible("week\u202e1\x1b[31m.csv")
    'week\\u202e1\\x1b[31m.csv'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if is_hidden(char) and char != "\n" else char
        for char in text
    )


def is_hidden(char: str) -> bool:
    """Say whether a character is a control, a direction mark, unassigned, or a line break."""
    category = unicodedata.category(char)
    return category.startswith("C") or category in ("Zl", "Zp")


def unlinked(text: str) -> str:
    """Return text of which mail programs and chats make no link.

    Examples
    --------
    >>> unlinked("see https://evil.example/a or www.evil.example in monday.csv")
    'see https[:]//evil[.]example/a or www[.]evil[.]example in monday.csv'
    >>> unlinked("s3://inbox/tickets/monday.csv")
    's3://inbox/tickets/monday.csv'
    """
    return _DOMAIN.sub(_without_dots, _SCHEME.sub("[:]//", text))


def _without_dots(match: re.Match[str]) -> str:
    name = match[0]
    if name in _OWN_NAMES:
        return name
    suffixes = frozenset() if name.casefold().startswith("www.") else _DATA_SUFFIXES
    return _LABEL.sub(
        lambda label: label[0] if label[1].casefold() in suffixes else f"[.]{label[1]}", name
    )
