"""Which rows of a batch's uploads are sent to the service, and which become test rows.

Decides row by row, by content. A row that the batch or the flywheel holds already is not sent
again, whatever file it comes from. A text that came before with another label, or that is in the
other kind of dataset, is left out and counted. The same uploads in the same order always give the
same files, so an interrupted seal can be resumed. Pure: rows come in, rows and counts go out. Read
next: `flywheel.batches.known_rows` (what the flywheel holds), `flywheel.batches.dataset_files` (the
files) and the `seal_batch` function.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from flywheel.batches.known_rows import is_label_of
from flywheel.intake.labeled_rows import LabeledRow, labels_of, text_key
from flywheel.settings.data_format import DataFormat

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
        Selected rows, by their string of labels (`flywheel.intake.labeled_rows`).
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
        """`text_key` of every selected text."""
        return self._labels_by_text.keys()

    @property
    def unlike_others(self) -> int:
        """Rows that repeat none of the batch or the flywheel, be they selected or left out."""
        return len(self._labels_by_text) + self.conflicts + self.forbidden

    def select(self, rows: Iterable[LabeledRow]) -> Iterator[LabeledRow]:
        """Yield the rows that belong in the dataset; called once per upload, in order."""
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

    def _count_known(self, row: LabeledRow, label: bytes) -> None:
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


def split_texts(rows: Iterable[LabeledRow], fraction: float, shape: DataFormat) -> set[bytes]:
    """Return `text_key` of the rows that become test rows.

    Parameters
    ----------
    rows : iterable of LabeledRow
    fraction : float in (0, 1)
        Of each label's distinct texts, at least one and never all; a label's only row stays where
        it is. A row with several labels counts for the rarest of them.
    shape : DataFormat
        Of the rows.

    Examples
    --------
    >>> rows = [LabeledRow("A", str(number)) for number in range(10)] + [LabeledRow("B", "only")]
    >>> texts = split_texts(rows, 0.2, DataFormat())
    >>> len(texts), text_key("only") in texts
    (2, False)
    """
    labels_by_text = {text_key(row.text): labels_of(row.label, shape) for row in rows}
    frequency = Counter(label for labels in labels_by_text.values() for label in labels)
    strata: dict[str, list[bytes]] = defaultdict(list)
    for text, labels in labels_by_text.items():
        strata[min(labels, key=lambda label: (frequency[label], label), default="")].append(text)
    chosen: set[bytes] = set()
    for texts in strata.values():
        wanted = min(max(1, round(len(texts) * fraction)), len(texts) - 1)
        chosen.update(sorted(texts)[:wanted])
    return chosen
