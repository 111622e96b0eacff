"""Counting n-grams: words, pairs of neighbouring words, and character sequences, by their hashes.

Decides what a feature is and finds each text's own, in one pass over its code points. Features are
numbered in the order they are met; a 64-bit hash stands for the string, so no string is ever made.
Knows no weights. Read next: `local.comprehend.learning.features`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import numpy as np

from local.comprehend.learning.arrays import Codes, Flags, Floats, Keys, Numbers, Places
from local.comprehend.learning.compiled import compiled, inlined
from local.comprehend.learning.texts import KINDS, CodedTexts, coded

Numeric = TypeVar("Numeric", Numbers, Flags)

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
        known = _Table(self.keys, self.numbers, self.found_in, self.is_character, self.size)
        return _counted(part, known, self.opening, learns=False)


def vocabulary_of(texts: Sequence[str], *, opening: int) -> tuple[Vocabulary, Counts]:
    """Find every feature of texts, and count them."""
    table = _Table()
    parts = [_counted(part, table, opening, learns=True) for part in coded(texts)]
    found_in, flags = table.found_in[: table.size].copy(), table.flags[: table.size].copy()
    return Vocabulary(table.keys, table.numbers, found_in, flags, opening), _together(parts)


def vocabulary_from(hashes: Keys, found_in: Numbers, flags: Flags, opening: int) -> Vocabulary:
    """Rebuild a vocabulary from what describes it, each of shape (n_features,)."""
    slots = _SMALLEST_TABLE
    while slots < 2 * len(hashes):
        slots *= 2
    features = np.arange(len(hashes), dtype=np.int32)
    return Vocabulary(*_filled(slots, hashes, features), found_in, flags, opening)


@dataclass(slots=True)
class _Table:
    """The features met so far, with room for more of them."""

    keys: Keys = field(default_factory=lambda: np.zeros(_SMALLEST_TABLE, np.uint64))
    numbers: Numbers = field(default_factory=lambda: np.zeros(_SMALLEST_TABLE, np.int32))
    found_in: Numbers = field(default_factory=lambda: np.zeros(_SMALLEST_TABLE, np.int32))
    flags: Flags = field(default_factory=lambda: np.zeros(_SMALLEST_TABLE, np.uint8))
    size: int = 0

    def make_room(self, more: int) -> None:
        """Make room for so many features more; half of the slots stay empty."""
        slots = len(self.keys)
        while slots < 2 * (self.size + more):
            slots *= 2
        if slots > len(self.keys):
            self.keys, self.numbers = _filled(slots, self.keys, self.numbers)
        self.found_in = _longer(self.found_in, self.size + more)
        self.flags = _longer(self.flags, self.size + more)


def _counted(part: CodedTexts, table: _Table, opening: int, *, learns: bool) -> Counts:
    """Count the features of texts; where it learns, number those not met before."""
    texts = len(part.beginnings) - 1
    lengths = np.diff(part.beginnings)
    most = int((2 * lengths + 4 * np.minimum(lengths, opening)).max()) + 16
    # Room for the most there can be: what is not written to takes no memory.
    most_entries = 6 * len(part.codes) + 16 * texts
    counts = Counts(
        np.zeros(texts + 1, np.int64),
        np.empty(most_entries, np.int32),
        np.empty(most_entries, np.float32),
    )
    found = np.empty(most, np.uint64)
    entry_of = np.full(len(table.found_in), -1, np.int32)
    state = np.array([0, table.size, 0, 0], np.int64)
    while True:
        _count(
            part.codes, part.beginnings, KINDS, opening, learns, state,
            table.keys, table.numbers, table.found_in, table.flags, entry_of,
            counts.beginnings, counts.features, counts.counts, found,
        )  # fmt: skip
        done, table.size, entries, more = map(int, state)
        if done == texts:
            break
        table.make_room(more)
        entry_of = _longer(entry_of, len(table.found_in), fill=-1)
    return Counts(counts.beginnings, counts.features[:entries], counts.counts[:entries])


def _filled(slots: int, hashes: Keys, numbers: Numbers) -> tuple[Keys, Numbers]:
    """Return a table of what has a hash."""
    more_keys, more_numbers = np.zeros(slots, np.uint64), np.zeros(slots, np.int32)
    _fill(hashes, numbers, more_keys, more_numbers)
    return more_keys, more_numbers


def _longer(values: Numeric, least: int, fill: int = 0) -> Numeric:
    """Return an array with room for at least so many values, the new ones filled."""
    if len(values) >= least:
        return values
    longer = np.full(max(least, 2 * len(values)), fill, values.dtype)
    longer[: len(values)] = values
    return longer


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


@compiled("u8[::1], i4[::1], u8[::1], i4[::1]")
def _fill(hashes: Keys, numbers: Numbers, keys: Keys, numbers_of_keys: Numbers) -> None:
    for place in range(hashes.shape[0]):
        if hashes[place] != _EMPTY:
            slot = _slot(hashes[place], keys)
            keys[slot] = hashes[place]
            numbers_of_keys[slot] = numbers[place]


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
    "u4[::1], i8[::1], u1[::1], i8, i8, i8[::1],"
    "u8[::1], i4[::1], i4[::1], u1[::1], i4[::1],"
    "i8[::1], i4[::1], f4[::1], u8[::1]"
)
def _count(  # noqa: PLR0917 - compiled functions take no keywords
    codes: Codes,
    beginnings: Places,
    kinds: Flags,
    opening: int,
    learns: int,
    state: Places,
    keys: Keys,
    numbers: Numbers,
    found_in: Numbers,
    flags: Flags,
    entry_of: Numbers,
    rows: Places,
    features: Numbers,
    counts: Floats,
    found: Keys,
) -> None:
    """Count until all texts are done, or the features of the next might find no room.

    The state: texts done, features known, entries written, and how much room is missing.
    """
    size, entries = state[1], state[2]
    for text in range(state[0], beginnings.shape[0] - 1):
        begin, end = beginnings[text], beginnings[text + 1]
        words = _words(codes, begin, end, kinds, found)
        length = _character_sequences(codes, begin, min(end, begin + opening), kinds, found, words)
        room = min(keys.shape[0] // 2, found_in.shape[0])
        if learns and size + length > room:
            state[3] = length
            break
        for each in range(length):
            key = max(found[each], np.uint64(1))
            slot = _slot(key, keys)
            if keys[slot] == _EMPTY:
                if not learns:
                    continue
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
        state[0] = text + 1
    state[1], state[2] = size, entries
