"""What people are sent: a subject and a body, and how text from data may appear in them.

Text that comes from data (file names, labels) is shown through `shown`. No notice ever holds a
document's text. Whatever comes in, `subject` and `body` give no control character and no link.
Sending is `application.notices`. Read next: `flywheel.notices.batches` (every outcome of a batch),
`flywheel.notices.uploads` (every outcome of an upload) and `flywheel.untrusted_text`.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flywheel.number_words import number_of
from flywheel.untrusted_text import is_hidden, unlinked, visible

_MAX_SUBJECT_CHARACTERS = 99
_MAX_SHOWN = 1000
_DIGEST_BYTES = 64_000
"""The most that a digest lists one by one; far below the 256 KB of SNS."""

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
    """The outcome of one upload, to be listed in a digest.

    Parameters
    ----------
    key : str
        The inbox key.
    headline : str
        E.g. ``REFUSED weekly.csv: 14 bad rows``.
    lines : sequence of str
        The problems.
    todo : str
        What people must do.
    """

    key: str
    headline: str
    lines: Sequence[str]
    todo: str


def shown(text: str, most_characters: int = 80) -> str:
    r"""Return text that came from data as it may be shown: one line, no controls, no links.

    Examples
    --------
    >>> shown("week\u202e1\n.csv")
    'week\\u202e1\\n.csv'
    >>> shown("http://evil.example/a.csv")
    'http[:]//evil.example/a.csv'
    """
    line = "".join(
        char.encode("unicode_escape").decode() if is_hidden(char) else char for char in text
    ).replace("://", "[:]//")
    return line if len(line) <= most_characters else line[: most_characters - 3] + "..."


def file_name(key: str) -> str:
    """Return the last part of an inbox key, fit to be shown.

    Examples
    --------
    >>> file_name("tickets/train/monday.csv"), file_name("tickets/train/see http://a.example/b.csv")
    ('monday.csv', 'see http[:]//a.example/b.csv')
    """
    # The slashes of an address divide no folders.
    folders, scheme, address = key.partition("://")
    return shown(folders.rsplit("/", 1)[-1] + scheme + address or key, 40)


def subject(environment: str, flywheel: str | None, words: str) -> str:
    """Return a subject that SNS takes: ASCII, one line, at most 99 characters."""
    place = f"[{environment}] {flywheel}: " if flywheel else f"[{environment}] "
    plain = unlinked(re.sub(r"[^\x20-\x7e]", "?", place + shown(words, _MAX_SHOWN)))
    limit = _MAX_SUBJECT_CHARACTERS
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."


def body(
    *,
    live: str,
    why: Sequence[str],
    todo: str,
    table: Sequence[str] = (),
    command: str,
    ids: Sequence[str],
) -> str:
    """Return a notice's body: its parts in the order that never changes.

    Parameters
    ----------
    live : str
        What is live now.
    why : sequence of str
        Sentences; a line that begins with blanks belongs to the one before.
    todo : str
        What people must do.
    table, ids : sequence of str
        Lines that are shown as they are.
    command : str
        The one command that shows more.
    """
    reasons = [
        wrapped(unlinked(line.strip()), "    ")
        if line.startswith(" ")
        else wrapped(unlinked(line), "  ", "- ")
        for line in why
    ]
    parts = [
        f"Live now: {live}",
        "\n".join(["Why:", *reasons]),
        f"What you must do:\n{wrapped(todo, '  ')}",
        "\n".join(map(_one_line, table)),
        f"Look closer: {command}",
        "\n".join(map(_one_line, ids)),
    ]
    return unlinked(visible("\n\n".join(part for part in parts if part))) + "\n"


def _one_line(text: str) -> str:
    return text.replace("\n", "\\n")


def upload_digest(
    environment: str, flywheel: str | None, news: Sequence[UploadNews], notice_id: str
) -> Notice:
    """Report the outcomes of one or more uploads in one notice."""
    if len(news) == 1:
        words = news[0].headline
    else:
        names = ", ".join(file_name(item.key) for item in news[:3])
        words = f"{len(news)} uploads need a look: {names}{', ...' if news[3:] else ''}"
    listed = list(_that_fit(news))
    why: list[str] = []
    for item in listed:
        why += [item.headline, *(f"  {line}" for line in item.lines)]
    if more := len(news) - len(listed):
        why.append(f"And {number_of(more, 'more upload')}, which the command below shows.")
    text = body(
        live="nothing changed; the active model stays as it is.",
        why=why,
        todo="\n".join(dict.fromkeys(item.todo for item in listed)),
        command=f"flywheel {f'uploads {flywheel}' if flywheel else 'log'} --env {environment}",
        ids=[f"Upload: {shown(item.key, 200)}" for item in listed],
    )
    return Notice(notice_id, subject(environment, flywheel, words), text)


def _that_fit(news: Sequence[UploadNews]) -> Iterator[UploadNews]:
    """Yield the first news that together fit a message; SNS takes 256 KB."""
    size_bytes = 0
    for number, item in enumerate(news):
        size_bytes += sum(len(line.encode()) for line in (item.key, item.headline, *item.lines))
        if number and size_bytes > _DIGEST_BYTES:
            return
        yield item


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
