"""Counting n-grams: words, pairs of neighbouring words, and character sequences, by their hashes.

Decides what a feature is and finds each text's own, in one pass over its code points. Features are
numbered in the order they are met; a 64-bit hash stands for the string, so no string is ever made.
Knows no weights. Read next: `local.comprehend.learning.features`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from local.comprehend.learning.compiled import compiled, inlined
from local.comprehend.learning.texts import KINDS, CodedTexts, coded

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Numeric = TypeVar("Numeric", Numbers, Flags, Floats)

_EMPTY = np.uint64(0)
_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER_ODD = np.uint64(0xD6E8FEB86659FD93)
_SMALLEST_TABLE = 1 << 12
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each text has each feature: a sparse matrix, row after row.

    Parameters
    ----------
    beginnings : array of shape (n_texts + 1,)
        Where each row begins.
    features, counts : array of shape (n_entries,)
        The entries, the features of a row in the order they were met.
    """

    beginnings: Places
    features: Numbers
    counts: Floats


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features known, as an open-addressing table, and whether each is a word's.

    Parameters
    ----------
    keys, numbers : array of shape (n_slots,)
        The table: hash, and the feature's number where the hash is not 0.
    found_in : array of shape (n_features,)
        How many texts have the feature.
    is_character : array of shape (n_features,)
        1 where it is a character sequence.
    opening : int
        How many characters of a text the character sequences see; none where it is 0.
    """

    keys: Keys
    numbers: Numbers
    found_in: Numbers
    is_character: Flags
    opening: int

    @property
    def size(self) -> int:
        """How many features there are."""
        return len(self.found_in)

    def hashes(self) -> Keys:
        """Return the hash of each feature, of shape (n_features,)."""
        used = self.keys != _EMPTY
        ordered = np.zeros(self.size, np.uint64)
        ordered[self.numbers[used]] = self.keys[used]
        return ordered

    def count(self, texts: Sequence[str]) -> Counts:
        """Count the known features of texts."""
        parts = coded(texts)
        counts: list[Counts] = []
        with ThreadPoolExecutor(_THREADS) as threads:
            # No more at once than there are threads: what is decoded takes memory.
            while pair := list(islice(parts, _THREADS)):
                counts += (
                    threads.map(self._count, pair) if len(pair) > 1 else map(self._count, pair)
                )
        return _together(counts)

    def _count(self, part: CodedTexts) -> Counts:
        *_, rows, features, counts = _count(
            *_arguments(part),
            self.opening,
            self.keys,
            self.numbers,
            self.size,
            self.found_in,
            self.is_character,
            False,
        )
        return Counts(rows, features, counts)


def vocabulary_of(texts: Sequence[str], *, opening: int) -> tuple[Vocabulary, Counts]:
    """Find every feature of texts, and count them."""
    keys = np.zeros(_SMALLEST_TABLE, np.uint64)
    numbers = np.zeros(_SMALLEST_TABLE, np.int32)
    found_in, flags, size = np.zeros(1, np.int32), np.zeros(1, np.uint8), 0
    parts = []
    for part in coded(texts):
        keys, numbers, size, found_in, flags, rows, features, counts = _count(
            *_arguments(part), opening, keys, numbers, size, found_in, flags, True
        )
        parts.append(Counts(rows, features, counts))
    known = Vocabulary(keys, numbers, found_in[:size].copy(), flags[:size].copy(), opening)
    return known, _together(parts)


def vocabulary_from(hashes: Keys, found_in: Numbers, flags: Flags, opening: int) -> Vocabulary:
    """Rebuild a vocabulary from what describes it, each of shape (n_features,)."""
    slots = _SMALLEST_TABLE
    while slots < 2 * len(hashes):
        slots *= 2
    return Vocabulary(*_table(hashes, slots), found_in, flags, opening)


def _arguments(part: CodedTexts) -> tuple[Codes, Places, Flags]:
    return part.codes, part.beginnings, KINDS


def _together(parts: Sequence[Counts]) -> Counts:
    if not parts:
        return Counts(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    if len(parts) == 1:
        return parts[0]
    lengths = np.concatenate([np.diff(part.beginnings) for part in parts])
    return Counts(
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


@inlined
def _mixed(state: np.uint64, value: np.uint64) -> np.uint64:
    state = (state ^ value) * _ODD
    return state ^ (state >> np.uint64(29))


@inlined
def _slot(key: np.uint64, keys: Keys) -> np.uint64:
    """Return where a hash is in the table, or the empty slot where it belongs."""
    mask = np.uint64(keys.shape[0] - 1)
    slot = (key * _OTHER_ODD >> np.uint64(20)) & mask
    while keys[slot] != _EMPTY and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled("Tuple((u8[::1], i4[::1]))(u8[::1], i8)")
def _table(hashes: Keys, slots: int) -> tuple[Keys, Numbers]:
    keys = np.zeros(slots, np.uint64)
    numbers = np.zeros(slots, np.int32)
    for feature in range(hashes.shape[0]):
        slot = _slot(hashes[feature], keys)
        keys[slot] = hashes[feature]
        numbers[slot] = feature
    return keys, numbers


@inlined
def _doubled(keys: Keys, numbers: Numbers) -> tuple[Keys, Numbers]:
    more_keys = np.zeros(2 * keys.shape[0], np.uint64)
    more_numbers = np.zeros(2 * keys.shape[0], np.int32)
    for old in range(keys.shape[0]):
        if keys[old] != _EMPTY:
            slot = _slot(keys[old], more_keys)
            more_keys[slot] = keys[old]
            more_numbers[slot] = numbers[old]
    return more_keys, more_numbers


@inlined
def _longer(values: Numeric, least: int, fill: int) -> Numeric:
    """Return an array with room for at least so many values, the new ones filled."""
    longer = np.full(max(least, 2 * values.shape[0]), fill, values.dtype)
    longer[: values.shape[0]] = values
    return longer


@inlined
def _words(codes: Codes, begin: int, end: int, kinds: Flags, found: Keys) -> int:
    """Write the hashes of words, pairs of words and signs; return how many there are."""
    length = 0
    word = before = _EMPTY
    for place in range(begin, end + 1):
        kind = kinds[codes[place]] if place < end else 0
        if kind == 1:
            word = _mixed(word + np.uint64(11), np.uint64(codes[place]))
            continue
        if word != _EMPTY:
            found[length] = word
            length += 1
            if before != _EMPTY:
                found[length] = _mixed(before * _OTHER_ODD, word)
                length += 1
            before = word
            word = _EMPTY
        if kind == 2:  # noqa: PLR2004 - a compiled loop sees no enumeration
            found[length] = _mixed(np.uint64(7), np.uint64(codes[place]))
            length += 1
    return length


@inlined
def _character_sequences(  # noqa: PLR0917 - compiled functions take no keywords
    codes: Codes, begin: int, end: int, kinds: Flags, found: Keys, length: int
) -> int:
    """Write the hashes of 2 to 4 characters inside what stands between spaces, spaces included."""
    place = begin
    while place < end:
        while place < end and kinds[codes[place]] == 0:
            place += 1
        first = place
        while place < end and kinds[codes[place]] != 0:
            place += 1
        if first == place:
            break
        for start in range(first - 1, place):
            sequence = np.uint64(3)
            for at in range(start, min(start + 4, place + 1)):
                inside = first <= at < place
                sequence = _mixed(sequence, np.uint64(codes[at]) if inside else np.uint64(32))
                if at > start:
                    found[length] = sequence
                    length += 1
    return length


@compiled(
    "Tuple((u8[::1], i4[::1], i8, i4[::1], u1[::1], i8[::1], i4[::1], f4[::1]))"
    "(u4[::1], i8[::1], u1[::1], i8, u8[::1], i4[::1], i8, i4[::1], u1[::1], b1)"
)
def _count(  # noqa: PLR0917 - compiled functions take no keywords
    codes: Codes,
    beginnings: Places,
    kinds: Flags,
    opening: int,
    keys: Keys,
    numbers: Numbers,
    size: int,
    found_in: Numbers,
    flags: Flags,
    learns: bool,
) -> tuple[Keys, Numbers, int, Numbers, Flags, Places, Numbers, Floats]:
    """Count the features of texts; where it learns, number those not met before."""
    texts = beginnings.shape[0] - 1
    rows = np.zeros(texts + 1, np.int64)
    # Room for the most there can be: what is not written to takes no memory.
    most_entries = 6 * codes.shape[0] + 16 * texts
    features = np.empty(most_entries, np.int32)
    counts = np.empty(most_entries, np.float32)
    entry_of = np.full(found_in.shape[0], -1, np.int32)
    found = np.empty(1024, np.uint64)
    entries = 0
    for text in range(texts):
        begin, end = beginnings[text], beginnings[text + 1]
        most = 2 * (end - begin) + 8 + 4 * min(end - begin, opening) + 8
        if found.shape[0] < most:
            found = np.empty(2 * most, np.uint64)
        words = _words(codes, begin, end, kinds, found)
        length = _character_sequences(codes, begin, min(end, begin + opening), kinds, found, words)
        for each in range(length):
            key = max(found[each], np.uint64(1))
            slot = _slot(key, keys)
            if keys[slot] == _EMPTY:
                if not learns:
                    continue
                if 2 * size >= keys.shape[0]:
                    keys, numbers = _doubled(keys, numbers)
                    slot = _slot(key, keys)
                if size >= found_in.shape[0]:
                    found_in = _longer(found_in, 0, 0)
                    flags = _longer(flags, 0, 0)
                    entry_of = _longer(entry_of, 0, -1)
                keys[slot] = key
                numbers[slot] = size
                flags[size] = each >= words
                size += 1
            feature = numbers[slot]
            if entry_of[feature] >= rows[text]:
                counts[entry_of[feature]] += np.float32(1)
            else:
                entry_of[feature] = entries
                features[entries] = feature
                counts[entries] = 1
                entries += 1
                if learns:
                    found_in[feature] += 1
        rows[text + 1] = entries
    return (
        keys,
        numbers,
        size,
        found_in,
        flags,
        rows,
        features[:entries],
        counts[:entries],
    )
