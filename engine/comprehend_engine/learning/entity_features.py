"""What a token says about its tag: features of its word and of its neighbours.

Decides the features: the word, its beginnings and ends, its shape; words and shapes up to two
tokens away; pairs of neighbouring words; three shapes in a row. They are made once for each
distinct word, pair and triple, not for each token, which is where the time would go: tokens point
to rows, rows point to features. Must not know tags or weights. Read next:
`comprehend_engine.learning.entity_training`.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from comprehend_engine.learning.tokens import Tokens

Ints = NDArray[np.int32]
Places = NDArray[np.int64]

LONGEST_AFFIX = 5
"""Characters of the longest beginning and end of a word that is a feature."""

FEWEST_PAIRS = 2
"""How often two words stand together in the training data before the pair is a feature."""

_BORDER = "\n"
_LONGEST_LENGTH = 8
_REPEATED = re.compile(r"(.)\1+")


@dataclass(frozen=True, slots=True)
class Rows:
    """Features of tokens in two steps.

    Attributes
    ----------
    of_tokens : array of shape (n_tokens, n_views)
        The rows of each token, one of each view.
    features : array of shape (n_entries,)
        The features of all rows, one row after another.
    ends : array of shape (n_rows + 1,)
        Where in `features` each row begins, and the last ends.
    """

    of_tokens: Ints
    features: Ints
    ends: Ints


@dataclass(slots=True)
class FeatureNumbers:
    """Numbers of the features that training met, by view and name."""

    views: dict[str, dict[str, int]] = field(default_factory=dict)
    size: int = 0

    def learn(self, view: str, names: Sequence[str]) -> list[int]:
        """Return the numbers of features; unknown ones get the next."""
        known = self.views.setdefault(view, {})
        fresh = [name for name in dict.fromkeys(names) if name not in known]
        known.update(zip(fresh, range(self.size, self.size + len(fresh)), strict=True))
        self.size += len(fresh)
        return list(map(known.__getitem__, names))

    def look_up(self, view: str, names: Sequence[str]) -> list[int]:
        """Return the numbers of features; -1 where training did not meet one."""
        return list(map(self.views.get(view, {}).get, names, repeat(-1)))


def shape(word: str) -> str:
    """Return what a word looks like: its capitals, digits and signs.

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


class FeatureMaker:
    """Makes the rows of documents' tokens.

    Parameters
    ----------
    numbers : FeatureNumbers
        Features by number.
    learns : bool
        Whether features that are not known get a number.
    """

    def __init__(self, numbers: FeatureNumbers, *, learns: bool) -> None:
        self._number: Callable[[str, Sequence[str]], list[int]]
        self._number = numbers.learn if learns else numbers.look_up
        self._fewest_pairs = FEWEST_PAIRS if learns else 1
        self._tables: list[Ints] = []
        self._columns: list[Places] = []
        self._rows = 0

    def rows(self, tokens: Tokens) -> Rows:
        """Return the features of tokens."""
        ids, words = _distinct(tokens.words)
        words.append(_BORDER)
        lowered = [_plain(word) for word in words]
        shapes = [shape(word) for word in words]
        around = {step: _neighbours(ids, tokens, step, len(words) - 1) for step in (-2, -1, 1, 2)}
        self._own_word(words, lowered, shapes, ids)
        for step in (-1, 1):
            views = {"word": words, "low": lowered, "shape": shapes, "end": _ends(lowered)}
            self._add({f"{step}:{name}": names for name, names in views.items()}, around[step])
        for step in (-2, 2):
            self._add({f"{step}:low": lowered, f"{step}:shape": shapes}, around[step])
        low_ids, low_names = _distinct(lowered)
        shape_ids, shape_names = _distinct(shapes)
        self._pair("-1+0", low_ids[around[-1]], low_ids[ids], low_names)
        self._pair("0+1", low_ids[ids], low_ids[around[1]], low_names)
        self._shapes([shape_ids[each] for each in (around[-1], ids, around[1])], shape_names)
        self._glue(tokens)
        return self._joined()

    def _own_word(
        self, words: list[str], lowered: list[str], shapes: list[str], ids: Places
    ) -> None:
        views: dict[str, list[str]] = {
            "word": words,
            "low": lowered,
            "shape": shapes,
            "length": [str(min(len(word), _LONGEST_LENGTH)) for word in words],
        }
        for size in range(1, LONGEST_AFFIX + 1):
            # Signs and numbers have no beginnings; a word is no beginning of itself.
            has = [len(word) > size and word[0].isalpha() for word in lowered]
            pairs = list(zip(lowered, has, strict=True))
            views[f"begin{size}"] = [word[:size] if fits else "" for word, fits in pairs]
            views[f"end{size}"] = [word[-size:] if fits else "" for word, fits in pairs]
        self._add(views, ids)

    def _pair(self, view: str, left: Places, right: Places, names: list[str]) -> None:
        found, column, counts = np.unique(
            left * len(names) + right, return_inverse=True, return_counts=True
        )
        places = np.flatnonzero(counts >= self._fewest_pairs)
        table = np.full((len(found), 1), -1, dtype=np.int32)
        lefts, rights = (half.tolist() for half in np.divmod(found[places], len(names)))
        pairs = [f"{names[a]} {names[b]}" for a, b in zip(lefts, rights, strict=True)]
        table[places, 0] = self._number(view, pairs)
        self._append(table, column.reshape(-1))

    def _shapes(self, three: list[Places], names: list[str]) -> None:
        size = len(names)
        keys = (three[0] * size + three[1]) * size + three[2]
        found, column = np.unique(keys, return_inverse=True)
        triples = [(key // size**2, key // size % size, key % size) for key in found.tolist()]
        self._add(
            {"shapes": [" ".join(names[each] for each in triple) for triple in triples]},
            column.reshape(-1),
        )

    def _glue(self, tokens: Tokens) -> None:
        """Say whether a token touches the one before and the one behind."""
        touches = np.zeros(len(tokens.words) + 1, dtype=np.int64)
        touches[1:-1] = tokens.begins[1:] == tokens.ends[:-1]
        firsts = tokens.firsts()
        touches[firsts[tokens.counts > 0]] = 0
        self._add({"glue": ["00", "01", "10", "11"]}, touches[:-1] * 2 + touches[1:])

    def _add(self, views: dict[str, list[str]], column: Places) -> None:
        table = np.array(
            [self._number(view, names) for view, names in views.items()], dtype=np.int32
        ).T
        for place, names in enumerate(views.values()):
            if "" in names:
                table[[not name for name in names], place] = -1
        self._append(table, column)

    def _append(self, table: Ints, column: Places) -> None:
        self._tables.append(table)
        self._columns.append((column + self._rows).astype(np.int32))
        self._rows += len(table)

    def _joined(self) -> Rows:
        features = [table[table >= 0] for table in self._tables]
        sizes = np.concatenate([(table >= 0).sum(axis=1) for table in self._tables])
        ends = np.zeros(len(sizes) + 1, dtype=np.int32)
        np.cumsum(sizes, out=ends[1:])
        return Rows(np.stack(self._columns, axis=1), np.concatenate(features), ends)


def _distinct(names: Sequence[str]) -> tuple[Places, list[str]]:
    """Return the number of each name, by first use, and the names in that order."""
    found = list(dict.fromkeys(names))
    numbers = dict(zip(found, range(len(found)), strict=True))
    return np.fromiter(map(numbers.__getitem__, names), np.int64, len(names)), found


def _plain(word: str) -> str:
    """Write a word in small letters, its accents in one way."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFC", word).lower()


def _ends(words: Sequence[str]) -> list[str]:
    return [word[-3:] for word in words]


def _neighbours(ids: Places, tokens: Tokens, step: int, border: int) -> Places:
    """Return the word some steps away from each token, `border` beyond the document's ends."""
    places = np.arange(len(ids))
    firsts = np.repeat(tokens.firsts(), tokens.counts)
    stops = firsts + np.repeat(tokens.counts, tokens.counts)
    aim = places + step
    is_inside = (aim >= firsts) & (aim < stops)
    found = np.full(len(ids), border, dtype=np.int64)
    found[is_inside] = ids[aim[is_inside]]
    return found
