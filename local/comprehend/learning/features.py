"""From counts to what the decision sees: which features are kept, and how much each weighs.

Decides sublinear TF-IDF, each view of a text at length one, features that only one text has left
out, and a bound of features. Knows no labels. Read next: `local.comprehend.learning.decision`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from local.comprehend.learning.arrays import Flags, Floats, Keys, Numbers, Places
from local.comprehend.learning.compiled import compiled
from local.comprehend.learning.counting import (
    Counts,
    Vocabulary,
    vocabulary_from,
    vocabulary_of,
)

OPENING_CHARACTERS = 300
"""How much of a text the character sequences see: they help short texts and cost on long."""

MOST_CHARACTERS = 6_000_000
"""In more text than this, words are met often enough to do without the sequences in them."""

FEW_TEXTS = 1_000
"""Among fewer texts, what only one of them has still tells something."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts as the decision sees them: a sparse matrix, row after row.

    Parameters
    ----------
    beginnings : array of shape (n_texts + 1,)
        Where each row begins.
    columns, values : array of shape (n_entries,)
        The entries.
    width : int
        How many columns there are.
    """

    beginnings: Places
    columns: Numbers
    values: Floats
    width: int

    def narrowed(self, width: int) -> "Rows":
        """Return the rows with their first columns alone."""
        entries = np.count_nonzero(self.columns < width)
        narrow = Rows(
            np.zeros_like(self.beginnings),
            np.empty(entries, np.int32),
            np.empty(entries, np.float32),
            width,
        )
        _narrow(
            self.beginnings, self.columns, self.values, width,
            narrow.beginnings, narrow.columns, narrow.values,
        )  # fmt: skip
        return narrow


@dataclass(frozen=True, slots=True)
class Features:
    """What is seen of a text, columns of words before columns of character sequences.

    Parameters
    ----------
    vocabulary : Vocabulary
        The features, numbered as the columns are.
    rarity : array of shape (n_features,)
        Inverse document frequencies.
    """

    vocabulary: Vocabulary
    rarity: Floats

    @property
    def words(self) -> int:
        """How many columns are words."""
        return int(np.sum(self.vocabulary.is_character == 0))

    def rows(self, texts: Sequence[str]) -> Rows:
        """Return texts as the decision sees them."""
        columns = np.arange(self.vocabulary.size, dtype=np.int32)
        return _weighed(self.vocabulary.count(texts), columns, self.rarity, self.words)

    def narrowed(self, width: int) -> "Features":
        """Return the first features alone."""
        old = self.vocabulary
        is_wordy = width <= self.words
        known = vocabulary_from(
            old.hashes()[:width],
            old.found_in[:width].copy(),
            old.is_character[:width].copy(),
            0 if is_wordy else old.opening,
        )
        return Features(known, self.rarity[:width].copy())

    def __reduce__(self) -> tuple[object, ...]:
        """Keep what describes the table rather than the table, which is mostly empty."""
        known = self.vocabulary
        described = (known.hashes(), known.found_in, known.is_character, known.opening)
        return _restored, (*described, self.rarity)


def features_of(texts: Sequence[str], *, most: int) -> tuple[Features, Rows]:
    """Find out what to see of texts, and see it.

    Parameters
    ----------
    texts : sequence of str
        Training texts.
    most : int
        Bound of features; the most frequent are kept.
    """
    characters = sum(len(text) for text in texts)
    opening = OPENING_CHARACTERS if characters <= MOST_CHARACTERS else 0
    known, counts = vocabulary_of(texts, opening=opening)
    order = _kept(known, 1 if len(texts) < FEW_TEXTS else 2, most)
    columns = np.full(known.size, -1, np.int32)
    columns[order] = np.arange(len(order), dtype=np.int32)
    rarity = np.log((1 + len(texts)) / (1 + known.found_in[order])) + 1
    features = Features(
        vocabulary_from(
            known.hashes()[order], known.found_in[order], known.is_character[order], opening
        ),
        rarity.astype(np.float32),
    )
    return features, _weighed(counts, columns, features.rarity, features.words)


def _kept(known: Vocabulary, fewest_texts: int, most: int) -> Places:
    """Return the features that are kept, words first, otherwise in the order they were met."""
    kept = np.flatnonzero(known.found_in >= fewest_texts)
    if len(kept) > most:
        frequent = np.argsort(-known.found_in[kept], kind="stable")[:most]
        kept = np.sort(kept[frequent])
    return kept[np.argsort(known.is_character[kept], kind="stable")]


def _weighed(counts: Counts, columns: Numbers, rarity: Floats, words: int) -> Rows:
    beginnings, lengths = np.zeros_like(counts.beginnings), np.zeros(2, np.float32)
    _weigh(
        counts.beginnings, counts.features, counts.counts, columns, rarity, words,
        beginnings, lengths,
    )  # fmt: skip
    entries = int(beginnings[-1])
    return Rows(beginnings, counts.features[:entries], counts.counts[:entries], len(rarity))


def _restored(
    hashes: Keys, found_in: Numbers, flags: Flags, opening: int, rarity: Floats
) -> Features:
    return Features(vocabulary_from(hashes, found_in, flags, opening), rarity)


@compiled("i8[::1], i4[::1], f4[::1], i4[::1], f4[::1], i8, i8[::1], f4[::1]")
def _weigh(  # noqa: PLR0917 - compiled functions take no keywords
    beginnings: Places,
    features: Numbers,
    counts: Floats,
    columns: Numbers,
    rarity: Floats,
    words: int,
    closed: Places,
    lengths: Floats,
) -> None:
    """Turn counts into weights where they stand, entries that are left out closed up."""
    entry = 0
    for text in range(beginnings.shape[0] - 1):
        lengths[0] = lengths[1] = 0
        for old in range(beginnings[text], beginnings[text + 1]):
            column = columns[features[old]]
            if column >= 0:
                weight = (np.float32(1) + np.log(counts[old])) * rarity[column]
                features[entry] = column
                counts[entry] = weight
                lengths[np.int64(column >= words)] += weight * weight
                entry += 1
        for new in range(closed[text], entry):
            counts[new] /= np.sqrt(lengths[np.int64(features[new] >= words)])
        closed[text + 1] = entry


@compiled("i8[::1], i4[::1], f4[::1], i8, i8[::1], i4[::1], f4[::1]")
def _narrow(  # noqa: PLR0917 - compiled functions take no keywords
    beginnings: Places,
    columns: Numbers,
    values: Floats,
    width: int,
    narrow: Places,
    kept_columns: Numbers,
    kept_values: Floats,
) -> None:
    """Keep the entries of the first columns."""
    entry = 0
    for text in range(beginnings.shape[0] - 1):
        for old in range(beginnings[text], beginnings[text + 1]):
            if columns[old] < width:
                kept_columns[entry] = columns[old]
                kept_values[entry] = values[old]
                entry += 1
        narrow[text + 1] = entry
