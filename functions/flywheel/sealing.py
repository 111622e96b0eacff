"""Which rows of a batch's uploads are sent to the service, and in which files.

Decides row by row: exact duplicates are dropped, a text that came before with another label and a
text of the test set are left out and counted. Pure: rows come in, rows and counts go out. The same
uploads in the same order always give the same files, so a seal that was cut off can be resumed.
Read next: the `seal_batch` function.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from flywheel.labeled_documents import Row, csv_line, text_key


@dataclass(slots=True)
class Selection:
    """The rows of one dataset, and what was left out on the way.

    Parameters
    ----------
    forbidden_texts : set of bytes
        `text_key` of every text that must not be in this dataset (the test set's, for training).
    """

    forbidden_texts: Set[bytes] = frozenset()
    label_counts: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    conflicts: int = 0
    in_test_set: int = 0
    _labels_by_text: dict[bytes, str] = field(default_factory=dict)

    @property
    def texts(self) -> Set[bytes]:
        """`text_key` of every text that was taken."""
        return self._labels_by_text.keys()

    def taken(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Give the rows that belong into the dataset; may be called once an upload, in order."""
        for row in rows:
            key = text_key(row.text)
            before = self._labels_by_text.get(key)
            if key in self.forbidden_texts:
                self.in_test_set += 1
            elif before is None:
                self._labels_by_text[key] = row.label
                self.label_counts[row.label] += 1
                yield row
            elif before == row.label:
                self.duplicates += 1
            else:
                self.conflicts += 1

    def left_out(self) -> dict[str, int]:
        """Return what was left out, in words that people are told; only what happened."""
        counts = {
            "exact duplicates": self.duplicates,
            "same text with another label": self.conflicts,
            "rows of the test set": self.in_test_set,
        }
        return {reason: count for reason, count in counts.items() if count}


def files(rows: Iterable[Row], most_bytes: int) -> Iterator[bytes]:
    r"""Cut rows into files of at most a given size; a row is never divided.

    Parameters
    ----------
    rows : iterable of Row
    most_bytes : int
        The service's quota of a dataset's file.

    Examples
    --------
    >>> list(files([Row("A", "one"), Row("B", "two")], most_bytes=8))
    [b'A,one\n', b'B,two\n']
    """
    lines: list[bytes] = []
    size = 0
    for row in rows:
        line = csv_line(row).encode()
        if lines and size + len(line) > most_bytes:
            yield b"".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield b"".join(lines)
