"""Which known name a value was probably meant to be, and whether the value is only misspelled.

A suggestion may be loose, since it names what is known. The value itself may be sent to people only
where it is a misspelling: whatever else stands in a label's place may be the text of a document.
"""

import difflib
from collections.abc import Iterable

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
    """Say whether a value is a known name but for a letter or two, so that it hides no text.

    Examples
    --------
    >>> is_misspelling("biling", "BILLING"), is_misspelling("my billing", "BILLING")
    (True, False)
    """
    if len(value) > len(name) + _MOST_MORE_CHARACTERS:
        return False
    likeness = difflib.SequenceMatcher(None, value.casefold(), name.casefold())
    return likeness.ratio() >= _MISSPELLED
