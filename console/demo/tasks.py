"""The operations of the demonstration on a row's label, task by task.

Decides which rows are alike, what a wrong label is, and how rows become files. A row's label is
that of canonical copies (`flywheel.intake.labeled_rows.LabeledRow`): a label, several with the
delimiter between them, or annotations. Read next: `console.demo.split`.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flywheel.intake.entities import ANNOTATIONS_HEADER
from flywheel.intake.labeled_rows import LabeledRow as Document
from flywheel.intake.labeled_rows import canonical_annotations, csv_line, labels_of, spans_of
from flywheel.settings.data_format import DataFormat

Row = tuple[str, str]
"""A labeled document: (label, text)."""

Files = tuple[tuple[str, bytes], ...]
"""Names and contents of what is uploaded together; the upload goes by the name of the last."""


@dataclass(frozen=True, slots=True)
class DemoParts:
    """What the demonstration uploads, in this order; every part holds (label, text) rows.

    Parameters
    ----------
    test : tuple of Row
        The test set, which judges every model.
    first : tuple of Row
        Trains the first model; holds every label of the training rows.
    more : tuple of Row
        The larger second file, which should make the model better.
    mislabeled : tuple of Row
        The third file: every label is wrong, so that its model should be rejected.
    """

    test: tuple[Row, ...]
    first: tuple[Row, ...]
    more: tuple[Row, ...]
    mislabeled: tuple[Row, ...]

    @property
    def rows(self) -> int:
        """How many rows all parts have together."""
        return sum(map(len, (self.test, self.first, self.more, self.mislabeled)))


_WORD = re.compile(r"\w+")


def stratum(label: str, shape: DataFormat) -> str:
    """Return what rows with such a label have in common: of annotations their types.

    Examples
    --------
    >>> stratum('[[0,4,"PERSON"]]', DataFormat(task="entities")), stratum("A|B", DataFormat())
    ('PERSON', 'A|B')
    """
    return " ".join(labels_of(label, shape)) if shape.task == "entities" else label


def known_labels(rows: Iterable[Row], shape: DataFormat) -> list[str]:
    """Return the labels, or entity types, of rows, sorted."""
    return sorted({one for label, _ in rows for one in labels_of(label, shape)})


def moved_annotations(rows: Sequence[Row], types: Sequence[str], seed: int) -> tuple[Row, ...]:
    """Annotate other words of each text, as many as there were; one where there were none.

    Examples
    --------
    >>> moved_annotations([('[[0,4,"PERSON"]]', "Mary sings")], ["PERSON"], seed=1)
    (('[[5,10,"PERSON"]]', 'Mary sings'),)
    """
    moved = []
    for label, text in rows:
        spans = spans_of(label)
        words = [
            word.span()
            for word in _WORD.finditer(text)
            if all(word.end() <= begin or word.start() >= end for begin, end, _ in spans)
        ]
        # The draw depends on the text alone, wherever it stands.
        words.sort(key=lambda span: _draw(seed, text, span))
        kinds = [kind for *_, kind in spans] or [types[_draw(seed, text, ()) % len(types)]]
        chosen = [(*span, kind) for span, kind in zip(words, kinds, strict=False)]
        moved.append((canonical_annotations(chosen), text))
    return tuple(moved)


def upload_files(name: str, rows: Sequence[Row], shape: DataFormat) -> Files:
    """Return rows as what is uploaded together under a name.

    Parameters
    ----------
    name : str
        Without suffix.
    rows : sequence of Row
    shape : DataFormat

    Examples
    --------
    >>> [file for file, _ in upload_files("first", [("[]", "Nobody")], DataFormat(task="entities"))]
    ['annotations-first.csv', 'documents-first.txt']
    """
    if shape.task == "classification":
        return ((f"{name}.csv", csv_bytes(rows)),)
    annotations = (
        (line, *span) for line, (label, _) in enumerate(rows) for span in spans_of(label)
    )
    return _pair(name, [text for _, text in rows], annotations)


def csv_bytes(rows: Sequence[Row]) -> bytes:
    """Return rows as a file in the service's format."""
    return "".join(csv_line(Document(label, text)) for label, text in rows).encode()


def broken_pair(types: Sequence[str]) -> Files:
    """Return documents whose annotations overlap, end after the text or have an unknown type."""
    known, unknown = types[0], unknown_label(types)
    texts = ["a good document", "two at once", "an end far away", "a type that nobody knows"]
    annotations = [
        (0, 2, 6, known),
        (1, 0, 3, known),
        (1, 2, 6, known),
        (2, 3, 99, known),
        (3, 2, 6, unknown),
    ]
    return _pair("broken", texts, annotations)


def unknown_label(labels: Sequence[str]) -> str:
    """Return a label that is like the first one, and is none of these."""
    unknown = f"{labels[0]}_2"
    while unknown in labels:
        unknown += "_2"
    return unknown


def _pair(name: str, texts: Sequence[str], annotations: Iterable[tuple[object, ...]]) -> Files:
    documents = f"documents-{name}.txt"
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(ANNOTATIONS_HEADER)
    writer.writerows((documents, *annotation) for annotation in annotations)
    body = "".join(f"{text}\n" for text in texts)
    return (f"annotations-{name}.csv", table.getvalue().encode()), (documents, body.encode())


def _draw(seed: int, text: str, part: tuple[int, ...]) -> int:
    digest = hashlib.blake2b(f"{seed}\0{text}\0{part}".encode(), digest_size=8).digest()
    return int.from_bytes(digest)
