"""What people are sent: a subject and a body, and how text from data may appear in them.

Text that comes from data (file names, labels) is shown through `shown`; no document's text is ever
in a notice. Sending is `adapters.notices`. Read next: `flywheel.batch_notices` (every outcome of a
batch) and `flywheel.upload_news` (every outcome of an upload).
"""

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_MAX_SUBJECT_CHARACTERS = 99
_NEWS_TOLD = 20
"""Uploads told one by one in a digest; SNS takes 256 KB."""

_WIDTH = 78
"""Lines of a body are wrapped here, so that they read well in a mail of plain text."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to people.

    Parameters
    ----------
    id : str
        The same for the same event, so that a repeat can be recognised.
    subject : str
        At most 99 ASCII characters, one line.
    body : str
        Plain text.
    """

    id: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class UploadNews:
    """What became of one upload, to be told in a digest.

    Parameters
    ----------
    key : str
        The inbox key.
    headline : str
        E.g. ``REFUSED weekly.csv: 14 bad rows``.
    lines : sequence of str
        The problems, and what to do.
    """

    key: str
    headline: str
    lines: Sequence[str]


def shown(text: str, most_characters: int = 80) -> str:
    r"""Return text that came from data as it may be shown: one line, no controls, no links.

    Examples
    --------
    >>> shown("week\u202e1\n.csv")
    'week\\u202e1\\n.csv'
    >>> shown("http://evil.example/a.csv")
    'http[:]//evil.example/a.csv'
    """
    visible = "".join(
        char.encode("unicode_escape").decode() if _is_hidden(char) else char for char in text
    ).replace("://", "[:]//")
    return visible if len(visible) <= most_characters else visible[: most_characters - 3] + "..."


def _is_hidden(char: str) -> bool:
    """Say whether a character is a control, a direction mark, unassigned, or a line break."""
    category = unicodedata.category(char)
    return category.startswith("C") or category in ("Zl", "Zp")


def file_name(key: str) -> str:
    """Return the last part of an inbox key, fit to be shown."""
    return shown(key.rsplit("/", 1)[-1] or key, 40)


def subject(environment: str, flywheel: str | None, words: str) -> str:
    """Return a subject that SNS takes: ASCII, one line, at most 99 characters."""
    place = f"[{environment}] {flywheel}: " if flywheel else f"[{environment}] "
    plain = re.sub(r"[^\x20-\x7e]", "?", place + words)
    limit = _MAX_SUBJECT_CHARACTERS
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."


def upload_digest(
    environment: str, flywheel: str | None, news: Sequence[UploadNews], notice_id: str
) -> Notice:
    """Tell what became of one or more uploads in one notice."""
    if len(news) == 1:
        words = news[0].headline
    else:
        names = ", ".join(file_name(item.key) for item in news[:3])
        words = f"{len(news)} uploads need a look: {names}{', ...' if news[3:] else ''}"
    parts = ["Live now: nothing changed; the active model stays as it is.", ""]
    for item in news[:_NEWS_TOLD]:
        lines = [wrapped(line, indent="  ") for line in item.lines]
        parts += [f"{item.headline}  ({shown(item.key, 200)})", *lines, ""]
    if news[_NEWS_TOLD:]:
        parts += [f"... and {len(news) - _NEWS_TOLD} more uploads: see flywheel status.", ""]
    parts.append("The objects in the inbox are untouched.")
    return Notice(notice_id, subject(environment, flywheel, words), "\n".join(parts) + "\n")


def wrapped(text: str, indent: str = "", bullet: str = "") -> str:
    r"""Return text in lines of at most 78 characters; a longer word stays whole.

    Examples
    --------
    >>> wrapped("one two", indent="  ", bullet="- ")
    '  - one two'
    """
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent + bullet,
        subsequent_indent=indent + " " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )
