"""Take quoted texts out of a block of CSV, all at once, where they have the usual form.

The usual form: the text is the last column, its quotes are its first and last characters, and it
stays on one line. Then the block falls into pieces at its quotes, alternately outside and inside,
and without the pieces inside every row is a plain one whose text is empty for the moment.
"""

from dataclasses import dataclass

_STANDS_FOR_QUOTE = "\x01"


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A block without its quoted texts.

    Parameters
    ----------
    plain : str
        The block; rows whose text was quoted have an empty one.
    texts : list of str
        The quoted texts, in order.
    all_need_quotes : bool
        No text was quoted without need.
    """

    plain: str
    texts: list[str]
    all_need_quotes: bool


def taken_out(block: str, separator: str) -> TakenOut | None:
    r"""Return a block without its quoted texts, or None where one has another form.

    Examples
    --------
    >>> taken_out('A,one\nB,"two, ""2"" and"', ",")
    TakenOut(plain='A,one\nB,', texts=['two, "2" and'], all_need_quotes=True)
    >>> taken_out('A,"one\ntwo"', ",") is None
    True
    """
    has_doubled = '""' in block
    if has_doubled and _STANDS_FOR_QUOTE in block:
        return None
    if has_doubled:
        block = block.replace(f'{separator}"""', f'{separator}"{_STANDS_FOR_QUOTE}')
        block = block.replace('""', _STANDS_FOR_QUOTE)
    pieces = block.split('"')
    outside, inside = pieces[0::2], pieces[1::2]
    plain = "".join(outside)
    if (
        len(outside) == len(inside)
        or (has_doubled and _STANDS_FOR_QUOTE in plain)
        or not _enclose_last_columns(outside, separator)
        or not _are_of_one_line("".join(inside))
    ):
        return None
    if not has_doubled:
        return TakenOut(plain, inside, all(separator in text for text in inside))
    texts = [text.replace(_STANDS_FOR_QUOTE, '"') for text in inside]
    return TakenOut(plain, texts, all(separator in text or '"' in text for text in texts))


def _enclose_last_columns(outside: list[str], separator: str) -> bool:
    """Say whether a column ends before each opening quote, and the row behind each closing one."""
    *before, last = outside
    return (
        all(piece.endswith(separator) for piece in before)
        and all(piece.startswith("\n") for piece in before[1:])
        and (not last or last.startswith("\n"))
    )


def _are_of_one_line(texts: str) -> bool:
    return not ("\n" in texts or "\r" in texts or "\0" in texts)
