"""What a label cell means: the labels in it, its canonical form, or what is wrong with it.

Decides per distinct cell and remembers the answer, since a file has few of them. Pure. The three
shapes of a cell: one label; labels with a delimiter between; annotations of entities as JSON
(`flywheel.entities`), which were checked when they were read.
"""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from flywheel.csv_messages import quoted, separated_by
from flywheel.reports import Fault
from flywheel.shapes import LABEL_DELIMITERS, Shape

_REMEMBERED = 20_000
_SHOWN_LABELS = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell means.

    Parameters
    ----------
    canonical : bytes
        As a canonical copy has it.
    labels : sequence of str
        What is counted; an entity type once an annotation.
    fault : Fault, optional
    message : str
    """

    canonical: bytes
    labels: Sequence[str] = ()
    fault: Fault | None = None
    message: str = ""


class LabelRules:
    """The rules of one flywheel.

    Parameters
    ----------
    labels : sequence of str, optional
        The flywheel's labels; None takes any.
    shape : Shape
    """

    def __init__(self, labels: Sequence[str] | None, shape: Shape) -> None:
        self._known = None if labels is None else frozenset(labels)
        self._list = list(labels or ())
        self._shape = shape
        self._cells: dict[bytes, Cell] = {}

    def is_known(self, label: str) -> bool:
        """Say whether a label is certainly one of the flywheel's."""
        return self._known is not None and label.strip() in self._known

    def cell(self, value: bytes) -> Cell:
        """Return what a cell means."""
        known = self._cells.get(value)
        if known is None:
            if len(self._cells) >= _REMEMBERED:
                self._cells.clear()
            known = self._cells[value] = self._judged(value.decode())
        return known

    def _judged(self, value: str) -> Cell:
        if self._shape.task == "entities":
            return _entity_cell(value)
        if self._shape.is_multi_label:
            return self._several(value)
        label = value.strip()
        if not label:
            return Cell(label.encode(), fault=Fault.EMPTY_LABEL, message="empty label")
        if self._known is not None and label not in self._known:
            return Cell(label.encode(), fault=Fault.UNKNOWN_LABEL, message=self._unknown_one(label))
        return Cell(label.encode(), (label,))

    def _several(self, value: str) -> Cell:
        delimiter = self._shape.delimiter
        parts = [part.strip() for part in value.split(delimiter)]
        if not value.strip():
            return Cell(b"", fault=Fault.EMPTY_LABEL, message="empty label")
        if not all(parts):
            message = f"empty label in {quoted(value)}, whose labels are parted by {delimiter!r}"
            return Cell(value.encode(), fault=Fault.EMPTY_LABEL, message=message)
        unknown = [part for part in parts if self._known is not None and part not in self._known]
        if unknown:
            message = self._wrong_delimiter(value) or self._unknown(unknown[0])
            return Cell(value.encode(), fault=Fault.UNKNOWN_LABEL, message=message)
        labels = sorted(set(parts))
        return Cell(delimiter.join(labels).encode(), labels)

    def _unknown_one(self, label: str) -> str:
        parts = self._parted(label, LABEL_DELIMITERS)
        if parts:
            return (
                f"{len(parts)} labels ({', '.join(parts[:3])}) in one row, and the flywheel is "
                "multi-class: give each document one label"
            )
        return self._unknown(label)

    def _wrong_delimiter(self, value: str) -> str | None:
        own = self._shape.delimiter
        for other in LABEL_DELIMITERS:
            if other != own and self._parted(value, (other,)):
                return (
                    f"the labels {quoted(value)} are parted by {other!r}, and the flywheel's "
                    f"delimiter is {own!r}: write {quoted(value.replace(other, own))}"
                )
        return None

    def _parted(self, value: str, delimiters: Sequence[str]) -> list[str]:
        """Return the known labels that a value consists of, when a delimiter parts them."""
        for delimiter in delimiters:
            parts = [part.strip() for part in value.split(delimiter)]
            if len(parts) > 1 and self._known is not None and self._known.issuperset(parts):
                return parts
        return []

    def _unknown(self, label: str) -> str:
        folded = {known.casefold(): known for known in self._list}
        separator = next((mark for mark in ";\t" if mark in label), None)
        if separator is not None:
            return f"unknown label {quoted(label)}; {separated_by(separator)}"
        near = difflib.get_close_matches(label.casefold(), list(folded), n=1, cutoff=0.6)
        if near:
            return f"unknown label {quoted(label)}; did you mean {quoted(folded[near[0]])}?"
        more = ", ..." if len(self._list) > _SHOWN_LABELS else ""
        shown = ", ".join(self._list[:_SHOWN_LABELS]) + more
        return f"unknown label {quoted(label)}; the flywheel's labels: {shown}"


def _entity_cell(value: str) -> Cell:
    """Return the types of a document's annotations, or of one entry of an entity list."""
    if value.startswith("["):
        return Cell(value.encode(), [annotation[2] for annotation in json.loads(value)])
    return Cell(value.encode(), (value,) if value else ())
