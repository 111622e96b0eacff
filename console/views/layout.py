"""The forms that all views share: indented lines, plain tables, shortened lists, short names.

Decides looks only. Documents keep what a view shortens.
"""

import re
from collections.abc import Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flywheel.notices.acts import shown_actor
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

_PRINCIPAL = re.compile(r"arn:aws[\w-]*:(?:iam|sts)::\d*:(?:[\w+=,.@-]+/)*([\w+=,.@-]*[\w+=@-])")
_LABELS_SHOWN = 40


def indented(words: str | Text, columns: int = 2, style: str = "") -> Padding:
    """Return a line of which every part that is wrapped keeps the indent."""
    line = Text(words, style, overflow="fold") if isinstance(words, str) else words
    return Padding(line, (0, 0, 0, columns), expand=False)


def plain_table(*titles: str, indent: int = 0) -> Table:
    """Return a table without lines, whose columns have these titles."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, indent))
    for title in titles:
        table.add_column(title, no_wrap=True)
    return table


def first_of(names: Sequence[str], most: int, *, characters: int = 80, noun: str = "") -> str:
    """Return the first names of a list, and how many more there are.

    Examples
    --------
    >>> first_of(["a", "b", "c"], 2), first_of(["a", "b", "c"], 2, noun="label")
    ('a, b and 1 more', 'a, b and 1 more label')
    """
    named = ", ".join(shown(name, characters) for name in names[:most])
    more = len(names) - most
    if more <= 0:
        return named
    return f"{named} and {number_of(more, f'more {noun}') if noun else f'{more:,} more'}"


def with_short_principals(text: str) -> str:
    """Return text with the last part of each principal's ARN in the ARN's place.

    Examples
    --------
    >>> with_short_principals("arn:aws:sts::123456789012:assumed-role/Operator/ann")
    'ann'
    >>> with_short_principals("no (by arn:aws:iam::123456789012:user/ann.lee).")
    'no (by ann.lee).'
    """
    return _PRINCIPAL.sub(r"\1", text)


def short_actor(actor: str, most_characters: int = 100) -> str:
    """Return the short name of who acted, and whether it is verified."""
    return shown_actor(with_short_principals(actor), most_characters)


def label_table(
    counts: Sequence[tuple[str, int]], named: str = "label", counted: str = "documents"
) -> Table:
    """Return documents per label, or annotations per type, as a table."""
    table = plain_table()
    table.add_column(named, overflow="fold")
    table.add_column(counted, justify="right")
    for label, count in counts[:_LABELS_SHOWN]:
        table.add_row(Text(shown(label)), f"{count:,}")
    more = counts[_LABELS_SHOWN:]
    if more:
        rest = sum(count for _, count in more)
        table.add_row(f"and {number_of(len(more), f'more {named}')}", f"{rest:,}")
    return table
