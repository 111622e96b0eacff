"""Which rows of a batch's uploads are sent to the service.

Decides row by row, by content: what is in the batch or in the flywheel already is not sent again,
whatever file it comes from; a text that came before with another label and a text of the other kind
of dataset are left out and counted. Pure: rows come in, rows and counts go out. The same uploads in
the same order always give the same files, so a seal that was cut off can be resumed. Read next:
`flywheel.batches.known_rows` (what the flywheel holds), `flywheel.batches.dataset_files` (the
files) and the `seal_batch` function.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from flywheel.batches.known_rows import is_label_of
from flywheel.intake.labeled_documents import Row, text_key

TRAINED_ON = "rows that are trained on already"
"""Why a test row is left out."""

IN_TEST_SET = "rows of the test set"
"""Why a training row is left out."""


@dataclass(slots=True)
class Selection:
    """The rows of one dataset, and what was left out on the way.

    Parameters
    ----------
    forbidden_texts : set of bytes
        `text_key` of every text that must not be in this dataset (the test set's, for training).
    known : mapping of bytes to bytes
        `text_key` -> label's bytes of rows that earlier datasets of this kind hold.
    forbidden_words : str
        How forbidden rows are counted for people.

    Attributes
    ----------
    counts : Counter of str
        Rows that were taken, by their string of labels (`flywheel.intake.row_labels`).
    """

    forbidden_texts: Set[bytes] = frozenset()
    known: Mapping[bytes, bytes] = field(default_factory=dict)
    forbidden_words: str = IN_TEST_SET
    counts: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    held_already: int = 0
    conflicts: int = 0
    forbidden: int = 0
    _labels_by_text: dict[bytes, str] = field(default_factory=dict)

    @property
    def texts(self) -> Set[bytes]:
        """`text_key` of every text that was taken."""
        return self._labels_by_text.keys()

    @property
    def unlike_others(self) -> int:
        """Rows that repeat none of the batch or the flywheel, be they taken or left out."""
        return len(self._labels_by_text) + self.conflicts + self.forbidden

    def taken(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Give the rows that belong into the dataset; may be called once an upload, in order."""
        for row in rows:
            key = text_key(row.text)
            if key in self.forbidden_texts:
                self.forbidden += 1
            elif key in self.known:
                self._count_known(row, self.known[key])
            elif key not in self._labels_by_text:
                self._labels_by_text[key] = row.label
                self.counts[row.label] += 1
                yield row
            elif self._labels_by_text[key] == row.label:
                self.duplicates += 1
            else:
                self.conflicts += 1

    def _count_known(self, row: Row, label: bytes) -> None:
        if is_label_of(label, row.label):
            self.held_already += 1
        else:
            self.conflicts += 1

    def left_out(self) -> dict[str, int]:
        """Return how many rows were left out, by reason; `flywheel.notices.batches` words them."""
        counts = {
            "exact duplicates": self.duplicates,
            "rows that the flywheel holds already": self.held_already,
            "same text with another label": self.conflicts,
            self.forbidden_words: self.forbidden,
        }
        return {reason: count for reason, count in counts.items() if count}
