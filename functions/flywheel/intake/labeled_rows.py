"""What a labeled row is, what its string of labels means, and how it stands in a canonical file.

Decides the canonical form, which uploads are copied to and datasets are made of, and how a text is
identified. A row has one string of labels: a label, several joined by the delimiter, or
annotations. The canonical form of annotations is a JSON list of ``[begin, end, type]``, sorted.
Begin and end count characters of the document from 0; the end is exclusive. Pure. Read next:
`flywheel.settings.data_format`.

*Source*: developer guide, "Plain-text annotation files".
"""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add

from flywheel.number_words import number_of
from flywheel.settings.data_format import DataFormat


@dataclass(frozen=True, slots=True)
class LabeledRow:
    """One labeled document.

    Parameters
    ----------
    label : str
        As canonical: one label; labels sorted, with the flywheel's delimiter between; annotations
        as JSON; for an entity list the type of an entry, or nothing for a document.
    text : str
    group : str
        What the document belongs to, e.g. a thread or an author; empty for nothing. Only test rows
        have one.
    """

    label: str
    text: str
    group: str = ""


def csv_line(row: LabeledRow) -> str:
    r"""Return the row in canonical form: one physical line, quoted only where needed.

    Examples
    --------
    >>> csv_line(LabeledRow("A", 'He said "no", twice'))
    'A,"He said ""no"", twice"\n'
    >>> csv_line(LabeledRow("A", "Thanks", "thread 7"))
    'A,Thanks,thread 7\n'
    """
    group = f",{_cell(row.group)}" if row.group else ""
    return f"{_cell(row.label)},{_cell(row.text)}{group}\n"


def csv_lines(labels: Sequence[bytes], texts: Sequence[bytes]) -> bytes:
    """Return rows in canonical form, as `csv_line` does."""
    heads = {label: f"{_cell(label.decode())},".encode() for label in set(labels)}
    cells = [
        text
        if b"," not in text and b'"' not in text and b" " < text[:1] < b"\x7f" > text[-1:] > b" "
        else _cell(text.decode()).encode()
        for text in texts
    ]
    return b"\n".join([*map(add, map(heads.__getitem__, labels), cells), b""])


def _cell(value: str) -> str:
    needs_quotes = (
        "," in value or '"' in value or "\n" in value or "\r" in value or value != value.strip()
    )
    return '"' + value.replace('"', '""') + '"' if needs_quotes else value


def text_key(text: str) -> bytes:
    """Return what identifies a text among all texts: 16 bytes of its hash."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def rows_of(lines: Iterable[str]) -> Iterator[LabeledRow]:
    """Yield the rows of a canonical file (`csv_line`), which needs no checking."""
    for cells in csv.reader(lines, strict=True):
        yield LabeledRow(*cells)


Span = tuple[int, int, str]

NO_ANNOTATIONS = "[]"


def canonical_annotations(spans: Iterable[Span]) -> str:
    """Return annotations as a row's label; the same one twice counts once.

    Examples
    --------
    >>> canonical_annotations([(9, 12, "CITY"), (0, 4, "PERSON")])
    '[[0,4,"PERSON"],[9,12,"CITY"]]'
    """
    listed = [list(span) for span in sorted(set(spans))]
    return json.dumps(listed, separators=(",", ":"), ensure_ascii=False)


def wrong_annotation(spans: Iterable[Span], text: str, *, names_types: bool) -> str | None:
    """Return what is wrong with a document's annotations, or return None.

    Parameters
    ----------
    names_types : bool
        Whether types may be named: those of a flywheel, not what a file has in their place.
    """
    before = 0
    for begin, end, kind in sorted(set(spans)):
        where = f"the annotation {begin}-{end}" + (f" {kind}" if names_types else "")
        if begin < 0 or end <= begin:
            return f"{where} is empty: the end is exclusive and comes after the beginning"
        if end > len(text):
            return (
                f"{where} ends behind the text, which has {number_of(len(text), 'character')}; "
                "offsets count characters from 0, not bytes"
            )
        if begin < before:
            return f"{where} overlaps the one before it, and the service takes no overlaps"
        before = end
    return None


def spans_of(label: str) -> list[Span]:
    """Return the annotations of a row's label."""
    return [(begin, end, kind) for begin, end, kind in json.loads(label)]


def labels_of(label: str, shape: DataFormat) -> Sequence[str]:
    """Return the labels, or entity types, of a row.

    Parameters
    ----------
    label : str
        As canonical copies hold it.
    shape : DataFormat

    Examples
    --------
    >>> labels_of("A|B", DataFormat(mode="multi-label"))
    ['A', 'B']
    >>> labels_of('[[0,4,"PERSON"],[9,12,"PERSON"]]', DataFormat(task="entities"))
    ['PERSON']
    """
    if shape.is_multi_label:
        return label.split(shape.delimiter)
    if shape.task == "entities" and shape.entities_from == "annotations":
        return sorted({kind for _, _, kind in spans_of(label)})
    return [label] if label else []


@dataclass(frozen=True, slots=True)
class Sendable:
    """What of some rows the service would take.

    Parameters
    ----------
    documents : int
    label_counts : mapping of str to int
        Documents a label.
    waiting : tuple of str
        Labels with fewer documents than the service takes; rows with any of them wait.
    """

    documents: int
    label_counts: Mapping[str, int]
    waiting: tuple[str, ...]


def sendable(counts: Mapping[str, int], shape: DataFormat, least: int) -> Sendable:
    """Return which rows can be sent so that no label has too few.

    A row that waits for one label is missed by its others, so this goes on until nothing changes.

    Parameters
    ----------
    counts : mapping of str to int
        Rows by their string of labels.
    shape : DataFormat
    least : int
        The service's minimum of a label.

    Examples
    --------
    >>> found = sendable({"A": 3, "A|B": 1}, DataFormat(mode="multi-label"), least=2)
    >>> found.waiting, found.label_counts, found.documents
    (('B',), {'A': 3}, 3)
    """
    waiting: set[str] = set()
    while True:
        sent = {
            label: count
            for label, count in counts.items()
            if not waiting.intersection(labels_of(label, shape))
        }
        by_label: Counter[str] = Counter()
        for label, count in sent.items():
            for one in labels_of(label, shape):
                by_label[one] += count
        few = {label for label, count in by_label.items() if 0 < count < least}
        if not few:
            # Rows without any label teach nothing by themselves.
            documents = sum(sent.values()) if by_label else 0
            return Sendable(documents, dict(by_label), tuple(sorted(waiting)))
        waiting |= few
