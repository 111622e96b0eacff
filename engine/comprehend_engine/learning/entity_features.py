"""Features of a token: of its word and of its neighbours.

Decides the features: the word, its prefixes and suffixes, its shape, the same for neighbours up to
two tokens away, and pairs of neighbouring words. Must not know tags. Read next:
`comprehend_engine.learning.entities`.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from comprehend_engine.learning.entity_tokens import Token

_LONGEST_AFFIX = 5
_REPEATED = re.compile(r"(.)\1+")
_BORDER = ("low=\n",)


def features_of(tokens: Sequence[Token]) -> list[list[str]]:
    """Return the features of each token of a chain."""
    # Half a surrogate pair, which no file can contain, becomes a question mark.
    words = [token.word.encode("utf-8", "replace").decode() for token in tokens]
    own = [_of_word(word) for word in words]
    lows = ["\n", "\n", *map(_plain, words), "\n", "\n"]
    around = [_BORDER, _BORDER, *map(_of_neighbour, words), _BORDER, _BORDER]
    features = []
    for place, names in enumerate(own):
        token_features = [*names]
        for step in (-2, -1, 1, 2):
            token_features += [f"{step}:{name}" for name in around[place + 2 + step]]
        token_features.append(f"-1|0={lows[place + 1]}|{lows[place + 2]}")
        token_features.append(f"0|1={lows[place + 2]}|{lows[place + 3]}")
        if place and tokens[place - 1].end == tokens[place].begin:
            token_features.append("glued")
        features.append(token_features)
    return features


@lru_cache(maxsize=100_000)
def _of_word(word: str) -> tuple[str, ...]:
    low = _plain(word)
    features = [f"word={word}", f"low={low}", f"shape={shape(word)}", f"length={min(len(word), 8)}"]
    if low[:1].isalpha():
        # Signs and numbers have no affixes, and a word is not an affix of itself.
        for size in range(1, min(_LONGEST_AFFIX + 1, len(low))):
            features += [f"begin={low[:size]}", f"end={low[-size:]}"]
    return tuple(features)


@lru_cache(maxsize=100_000)
def _of_neighbour(word: str) -> tuple[str, ...]:
    low = _plain(word)
    return f"low={low}", f"shape={shape(word)}", f"end={low[-3:]}"


def shape(word: str) -> str:
    """Return the shape of a word: its capitals, digits and signs.

    Examples
    --------
    >>> [shape(word) for word in ("A", "IL", "Paris", "mRNA", "1996", "-")]
    ['X', 'XX', 'Xx', 'xX', 'dddd', '-']
    """
    if word.isdigit():
        return "d" * min(len(word), 5)
    if not word[:1].isalpha():
        return word
    if word.islower():
        return "x"
    if word.isupper():
        return "X" if len(word) == 1 else "XX"
    return _REPEATED.sub(r"\1", "".join("X" if sign.isupper() else "x" for sign in word))


def _plain(word: str) -> str:
    """Return a word in lower case, with composed accents."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFC", word).lower()
