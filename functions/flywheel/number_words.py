"""A number and what it counts, as people read it.

Decides singular and plural only.
"""


def number_of(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    count : int
    noun : str
        What one of them is called.
    plural : str, optional
        Where it is not the noun with an s.

    Examples
    --------
    >>> number_of(1, "file"), number_of(1200, "file"), number_of(0, "entry", "entries")
    ('1 file', '1,200 files', '0 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
