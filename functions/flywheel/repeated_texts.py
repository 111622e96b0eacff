"""Which texts of a file came before, in memory that does not grow with the file.

Texts are compared exactly, never by a hash alone. A file of up to `WHOLE_ROWS` rows and
`WHOLE_BYTES` is compared as a whole; beyond it, a row with the 5,000 to 10,000 rows before it,
or fewer where texts are long. What lies further apart is found when the batch is sealed, where
every row is compared with every other (`flywheel.sealing`), so nothing is sent twice for it.
"""

from collections.abc import Sequence
from itertools import compress, islice
from operator import is_not

WHOLE_ROWS = 100_000
WHOLE_BYTES = 24 << 20
_WINDOW_ROWS = 5_000
_WINDOW_BYTES = 8 << 20
_OBJECT_BYTES = 64
"""What a text takes in memory beside its bytes."""


class RepeatedTexts:
    """Remembers texts with the label that each came with first."""

    def __init__(self) -> None:
        self._older: dict[bytes, bytes] = {}
        self._recent: dict[bytes, bytes] = {}
        self._rows, self._bytes = 0, 0
        self._most_rows, self._most_bytes = WHOLE_ROWS, WHOLE_BYTES

    def repeats(
        self, texts: Sequence[bytes], labels: Sequence[bytes], size_bytes: int
    ) -> list[tuple[int, bytes]]:
        """Return which of the next rows repeat a text, each with the label it had first.

        Parameters
        ----------
        texts, labels : sequence of bytes
        size_bytes : int
            Of all texts, at most.

        Returns
        -------
        list of (int, bytes)
            Positions in ``texts``, rising.
        """
        recent, before = self._recent, len(self._recent)
        firsts = list(map(recent.setdefault, texts, labels))
        grown = len(recent) - before
        found: list[tuple[int, bytes]] = []
        if grown != len(texts) or not self._older.keys().isdisjoint(texts):
            found = self._found(texts, labels, firsts, grown)
        self._forget(grown, size_bytes)
        return found

    def _found(
        self, texts: Sequence[bytes], labels: Sequence[bytes], firsts: Sequence[bytes], grown: int
    ) -> list[tuple[int, bytes]]:
        """Tell the rows apart that were new from those that were not."""
        # Where nothing was there, setdefault gives the very label that it was given.
        repeated = list(compress(range(len(texts)), map(is_not, firsts, labels)))
        if len(repeated) != len(texts) - grown:
            repeated = self._not_new(texts, grown)
        found = [(at, self._recent[texts[at]]) for at in repeated]
        if not self._older.keys().isdisjoint(texts):
            found += self._in_older(texts, set(repeated))
            found.sort()
        return found

    def _in_older(self, texts: Sequence[bytes], known: set[int]) -> list[tuple[int, bytes]]:
        found = []
        for at in compress(range(len(texts)), map(self._older.__contains__, texts)):
            self._recent[texts[at]] = first = self._older[texts[at]]
            if at not in known:
                found.append((at, first))
        return found

    def _not_new(self, texts: Sequence[bytes], grown: int) -> list[int]:
        # A dict keeps the order of insertion: its last keys are the texts that were new to it.
        new = set(islice(reversed(self._recent), grown))
        repeated = []
        for at, text in enumerate(texts):
            if text in new:
                new.remove(text)
            else:
                repeated.append(at)
        return repeated

    def _forget(self, grown: int, size_bytes: int) -> None:
        self._rows += grown
        self._bytes += size_bytes + _OBJECT_BYTES * grown
        if self._rows > self._most_rows or self._bytes > self._most_bytes:
            self._older, self._recent = self._recent, {}
            self._rows, self._bytes = 0, 0
            self._most_rows, self._most_bytes = _WINDOW_ROWS, _WINDOW_BYTES
