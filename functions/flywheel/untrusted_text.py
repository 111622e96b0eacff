"""How text that came from outside is shown: no controls, one line, and in messages no links.

File names, labels, reasons, messages of services. A terminal obeys control characters; a mail
program or a chat makes a link of whatever looks like one. What stands in a label's place may be the
text of a document, so it is sent to people only where it is a known label misspelled. Read next:
`flywheel.notices.notice`.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable

from flywheel.top_level_domains import is_top_level_domain

# What programs make links of: an address with a scheme, a network share, the address of a machine,
# and a host's name, which is one where it begins with "www.", follows an "@" or ends in a top-level
# domain. So a file's name is left as it is, unless its suffix is such a domain: .md and .zip are.
_IN_LABEL = r"[\w\u0900-\u0eff-]"
r"""``\w`` lacks the vowel signs of Indic scripts and of Thai."""

_LABEL = rf"{_IN_LABEL}+"
"""Part of a host's name."""

_DOTS = ".\u3002\uff0e\uff61"
"""What separates the labels of a host's name. *Source*: RFC 3490, section 3.1."""

_NAME = re.compile(
    # A name begins where a word does: from anywhere else in a long word, each try would read it to
    # its end again.
    rf"(?P<host>@|www\d*(?=[{_DOTS}]))?(?:(?<!{_IN_LABEL}){_LABEL})?(?:[{_DOTS}]{_LABEL})+",
    re.IGNORECASE,
)
_DOT = re.compile(rf"[{_DOTS}]({_LABEL})")
_IPV4 = re.compile(rf"\d{{1,3}}(?:[{_DOTS}]\d{{1,3}}){{3}}")
_IPV6 = re.compile(r"\[(?:[0-9a-f:.]*::[0-9a-f:.]*|(?:[0-9a-f]+:){7}[0-9a-f]+)\]", re.IGNORECASE)
_SHARE = re.compile(r"(?<!\\)\\\\(?=\w)")
_ADDRESS = re.compile(r"(?<!\bs3)://")
"""No program opens an address in S3, and people copy it."""

_OTHER_SCHEME = re.compile(r"\b(mailto|tel|sms|callto|skype|sip|javascript):(?=\S)", re.IGNORECASE)


def visible(text: str) -> str:
    r"""Return text without control and invisible characters; line feeds stay.

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
    """Return whether a character is a control, a direction mark, unassigned, or a line break."""
    category = unicodedata.category(char)
    return category.startswith("C") or category in ("Zl", "Zp")


def unlinked(text: str) -> str:
    """Return text of which mail programs and chats make no link.

    Examples
    --------
    >>> unlinked("see https://evil.example/a or www.evil.example in monday.csv")
    'see https[:]//evil[.]example/a or www[.]evil[.]example in monday.csv'
    >>> unlinked("10.1.2.3/x, evil。com, mailto:ann@evil.example; annotations.entities")
    '10[.]1[.]2[.]3/x, evil[.]com, mailto[:]ann@evil[.]example; annotations.entities'
    >>> unlinked("s3://inbox/tickets/monday.csv")
    's3://inbox/tickets/monday.csv'
    >>> unlinked("evil.com-week1.csv")
    'evil[.]com-week1.csv'
    """
    text = _OTHER_SCHEME.sub(r"\1[:]", _ADDRESS.sub("[:]//", text))
    text = _IPV6.sub(lambda match: match[0].replace(":", "[:]"), _SHARE.sub(r"[\\\\]", text))
    text = _IPV4.sub(lambda match: _DOT.sub(r"[.]\1", match[0]), text)
    return _NAME.sub(_without_dots, text)


def _without_dots(name: re.Match[str]) -> str:
    return _DOT.sub(
        lambda dot: f"[.]{dot[1]}" if name["host"] or _may_end_host(dot[1]) else dot[0], name[0]
    )


def _may_end_host(label: str) -> bool:
    """Return whether a host's name may end with a label, or within it: evil.com-1 is a link."""
    parts = label.split("-")
    return any(is_top_level_domain("-".join(parts[:end])) for end in range(1, len(parts) + 1))


_SUGGESTED = 0.6
"""Least likeness (difflib's ratio) of a name that is suggested."""

_MISSPELLED = 0.75
_MOST_MORE_CHARACTERS = 2
"""A misspelling is far more like the name, and hardly longer."""


def nearest(value: str, names: Iterable[str]) -> str | None:
    """Return the known name that is most like a value, or None where none is.

    Examples
    --------
    >>> nearest("biling", ["BILLING", "SHIPPING"]), nearest("weather", ["BILLING", "SHIPPING"])
    ('BILLING', None)
    """
    folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(value.casefold(), list(folded), n=1, cutoff=_SUGGESTED)
    return folded[found[0]] if found else None


def is_misspelling(value: str, name: str) -> bool:
    """Return whether a value is a known name but for a letter or two, so that it hides no text.

    Examples
    --------
    >>> is_misspelling("biling", "BILLING"), is_misspelling("my billing", "BILLING")
    (True, False)
    """
    if len(value) > len(name) + _MOST_MORE_CHARACTERS:
        return False
    likeness = difflib.SequenceMatcher(None, value.casefold(), name.casefold())
    return likeness.ratio() >= _MISSPELLED
