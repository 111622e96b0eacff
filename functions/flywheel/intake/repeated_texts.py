"""Which texts of a file came before, in memory that does not grow with the file.

Texts are compared exactly, never by a hash alone. A file of up to `WHOLE_ROWS` rows and
`WHOLE_BYTES` is compared as a whole; what follows is compared in stretches of some thousand rows,
each within itself. What lies further apart is found when the batch is sealed, where every row is
compared with every other (`flywheel.batches.sealing`), so nothing is sent twice for it.
"""

from collections.abc import Sequence
from itertools import compress, islice
from operator import is_not

WHOLE_ROWS = 100_000
WHOLE_BYTES = 24 << 20
_STRETCH_ROWS = 8_000
_STRETCH_BYTES = 8 << 20
_OBJECT_BYTES = 64
"""What a text takes in memory beside its bytes."""


class RepeatedTexts:
    """Remembers texts with the label that each came with first."""

    def __init__(self) -> None:
        self._firsts: dict[bytes, bytes] = {}
        self._bytes = 0
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
        before = len(self._firsts)
        firsts = list(map(self._firsts.setdefault, texts, labels))
        grown = len(self._firsts) - before
        found: list[tuple[int, bytes]] = []
        if grown != len(texts):
            # Where nothing was there, setdefault gives the very label that it was given.
            repeated = list(compress(range(len(texts)), map(is_not, firsts, labels)))
            if len(repeated) != len(texts) - grown:
                repeated = self._not_new(texts, grown)
            found = [(at, firsts[at]) for at in repeated]
        self._forget(grown, size_bytes)
        return found

    def _not_new(self, texts: Sequence[bytes], grown: int) -> list[int]:
        # A dict keeps the order of insertion: its last keys are the texts that were new to it.
        new = set(islice(reversed(self._firsts), grown))
        repeated = []
        for at, text in enumerate(texts):
            if text in new:
                new.remove(text)
            else:
                repeated.append(at)
        return repeated

    def _forget(self, grown: int, size_bytes: int) -> None:
        self._bytes += size_bytes + _OBJECT_BYTES * grown
        if len(self._firsts) > self._most_rows or self._bytes > self._most_bytes:
            self._firsts, self._bytes = {}, 0
            self._most_rows, self._most_bytes = _STRETCH_ROWS, _STRETCH_BYTES
