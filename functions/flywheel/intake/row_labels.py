"""Which labels a row counts for, and which labels a dataset would have too few documents of.

A row of a canonical file has one string of labels: a label, several joined by the delimiter, or
annotations. Pure. Read next: `flywheel.settings.data_format`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flywheel.intake.annotations import spans_of
from flywheel.settings.data_format import DataFormat


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
    """Say which rows can be sent so that no label has too few.

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
