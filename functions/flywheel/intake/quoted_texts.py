"""Take quoted texts out of a block of CSV, all at once, where they have the usual form.

The usual form: the text is the last column, its quotes are its first and last characters, and it
stays on one line. Then the block falls into pieces at its quotes, alternately outside and inside.
Without the pieces inside, and with one quote for each, every row is a plain one, and such a text is
a quote and nothing else: if any is more, its form was another.
"""

from collections import deque
from dataclasses import dataclass
from itertools import repeat
from operator import contains

QUOTE = b'"'


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A block without its quoted texts.

    Parameters
    ----------
    plain : bytes
        The block; in each row whose text was quoted, a quote stands for it.
    texts : list of bytes
        The quoted texts, in order.
    all_need_quotes : bool
        No text was quoted without need.
    """

    plain: bytes
    texts: list[bytes]
    all_need_quotes: bool


def taken_out(block: bytes, separator: bytes) -> TakenOut | None:
    r"""Return a block without its quoted texts, or None where one cannot be of the form.

    Raises
    ------
    UnicodeDecodeError
        A quoted text is no UTF-8.

    Examples
    --------
    >>> taken_out(b'A,one\nB,"two, ""2"" and"', b",")
    TakenOut(plain=b'A,one\nB,"', texts=[b'two, "2" and'], all_need_quotes=True)
    >>> taken_out(b'A,"one\ntwo"', b",") is None
    True
    """
    pieces = block.split(QUOTE)
    outside, inside = pieces[0::2], pieces[1::2]
    if len(outside) == len(inside):
        return None
    if b"" in outside[1:-1]:
        outside, inside = _with_doubled(outside, inside)
    joined = b"".join(inside)
    if b"\n" in joined or b"\r" in joined or b"\0" in joined:
        return None
    if not joined.isascii():
        deque(map(bytes.decode, inside), maxlen=0)
    all_need_quotes = all(map(contains, inside, repeat(separator))) or all(
        separator in text or QUOTE in text for text in inside
    )
    return TakenOut(QUOTE.join(outside), inside, all_need_quotes)


def put_back(texts: list[bytes], quoted: list[bytes]) -> bool:
    """Put quoted texts where a quote stands for them; False where one stood anywhere else."""
    at = -1
    try:
        for text in quoted:
            at = texts.index(QUOTE, at + 1)
            texts[at] = text
    except ValueError:
        return False
    return True


def _with_doubled(outside: list[bytes], inside: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Put together the texts that doubled quotes divide: nothing stands between the two."""
    joined_outside, joined_inside = [outside[0]], list[bytes]()
    is_open = False
    *between, last = outside[1:]
    for text, behind in zip(inside, [*between, last or b"\n"], strict=True):
        if is_open:
            joined_inside[-1] += b'"' + text
        else:
            joined_inside.append(text)
        is_open = not behind
        if behind:
            joined_outside.append(behind)
    joined_outside[-1] = last
    return joined_outside, joined_inside
