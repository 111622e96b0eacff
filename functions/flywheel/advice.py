"""How many more test documents would end a hold, in words that do not promise too much."""

import math


def more_documents(needed: int | None, documents: int | None, label: str | None) -> str:
    """Return the advice as the end of a sentence; empty where nothing is known.

    Parameters
    ----------
    needed : int or None
        Documents with which a gain of the observed size would show in 4 of 5 cases.
    documents : int or None
        Those that there are.
    label : str or None
        The label of which more would tell most.

    Examples
    --------
    >>> more_documents(900, 30, "FRAUD")
    "; about 870 more test documents, mostly of 'FRAUD', would show it in 4 of 5 cases"
    """
    if needed is None or documents is None:
        return ""
    more = rounded_up(max(needed - documents, math.ceil(documents / 10)))
    mostly = f", mostly of {label!r}," if label else ""
    return f"; about {more:,} more test documents{mostly} would show it in 4 of 5 cases"


def rounded_up(count: int) -> int:
    """Round up to two digits: more would pretend to know.

    Examples
    --------
    >>> rounded_up(871)
    880
    """
    step = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // step) * step
