"""What a label cell means: the labels in it, its canonical form, or what is wrong with it.

Decides per distinct cell and remembers the answer, since a file has few of them. Pure. The three
shapes of a cell: one label; labels with a delimiter between; annotations of entities as JSON
(`flywheel.intake.entities`), which were checked when they were read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flywheel.intake.csv_messages import quoted, separated_by
from flywheel.intake.reports import Message, UploadFault
from flywheel.settings.data_format import LABEL_DELIMITERS, DataFormat
from flywheel.untrusted_text import is_misspelling, nearest

_REMEMBERED = 20_000
_SHOWN_LABELS = 10


@dataclass(frozen=True, slots=True)
class LabelCell:
    """What one cell means.

    Parameters
    ----------
    canonical : bytes
        As a canonical copy has it.
    labels : sequence of str
        What is counted; an entity type once an annotation.
    fault : UploadFault, optional
        `LabelRules.explain` says more.
    """

    canonical: bytes
    labels: Sequence[str] = ()
    fault: UploadFault | None = None


class LabelRules:
    """The rules of one flywheel.

    Parameters
    ----------
    labels : sequence of str, optional
        The flywheel's labels; None takes any.
    shape : DataFormat
    """

    def __init__(self, labels: Sequence[str] | None, shape: DataFormat) -> None:
        self._known = None if labels is None else frozenset(labels)
        self._list = list(labels or ())
        self._shape = shape
        self._cells: dict[bytes, LabelCell] = {}

    def is_known(self, label: str) -> bool:
        """Return whether a label is certainly one of the flywheel's."""
        return self._known is not None and label.strip() in self._known

    def cell(self, value: bytes) -> LabelCell:
        """Return what a cell means."""
        known = self._cells.get(value)
        if known is None:
            if len(self._cells) >= _REMEMBERED:
                self._cells.clear()
            known = self._cells[value] = self._judged(value.decode())
        return known

    def explain(self, value: bytes) -> Message:
        """Return what is wrong with a cell; compares it with every label, so ask for few."""
        text = value.decode()
        parts = text.split(self._shape.delimiter) if self._shape.is_multi_label else [text]
        labels = [part.strip() for part in parts]
        if not text.strip():
            return Message("empty label")
        if not all(labels):
            rest = f"whose labels are parted by {self._shape.delimiter!r}"
            return Message(
                f"empty label in a cell {rest}", f"empty label in {quoted(text)}, {rest}"
            )
        unknown = next(label for label in labels if not self.is_known(label))
        return self._several_in_one(text) or self._unknown(unknown)

    def _judged(self, value: str) -> LabelCell:
        if self._shape.task == "entities":
            return _entity_cell(value)
        if self._shape.is_multi_label:
            return self._several(value)
        label = value.strip()
        if not label:
            return LabelCell(label.encode(), fault=UploadFault.EMPTY_LABEL)
        if self._known is not None and label not in self._known:
            return LabelCell(label.encode(), fault=UploadFault.UNKNOWN_LABEL)
        return LabelCell(label.encode(), (label,))

    def _several(self, value: str) -> LabelCell:
        delimiter = self._shape.delimiter
        parts = [part.strip() for part in value.split(delimiter)]
        if not all(parts):
            return LabelCell(value.strip().encode(), fault=UploadFault.EMPTY_LABEL)
        if self._known is not None and not self._known.issuperset(parts):
            return LabelCell(value.encode(), fault=UploadFault.UNKNOWN_LABEL)
        labels = sorted(set(parts))
        return LabelCell(delimiter.join(labels).encode(), labels)

    def _several_in_one(self, value: str) -> Message | None:
        """Return how a cell that consists of known labels would have to be written."""
        for delimiter in LABEL_DELIMITERS:
            parts = [part.strip() for part in value.split(delimiter)]
            if len(parts) == 1 or self._known is None or not self._known.issuperset(parts):
                continue
            if not self._shape.is_multi_label:
                return Message(
                    f"{len(parts)} labels ({', '.join(parts[:3])}) in one row, and the flywheel is "
                    "multi-class: give each document one label"
                )
            own = self._shape.delimiter
            return Message(
                f"the labels {quoted(value)} are parted by {delimiter!r}, and the flywheel's "
                f"delimiter is {own!r}: write {quoted(value.replace(delimiter, own))}"
            )
        return None

    def _unknown(self, label: str) -> Message:
        near = nearest(label, self._list)
        separator = next((mark for mark in ";\t" if mark in label), None)
        if separator is not None:
            rest, near = separated_by(separator), None
        elif near is not None:
            rest = f"did you mean {quoted(near)}?"
        else:
            more = ", ..." if len(self._list) > _SHOWN_LABELS else ""
            shown = ", ".join(self._list[:_SHOWN_LABELS]) + more
            rest = f"the flywheel's labels: {shown}"
        quoting = f"unknown label {quoted(label)}; {rest}"
        if near is not None and is_misspelling(label, near):
            return Message(quoting)
        return Message(f"unknown label; {rest}", quoting)


def _entity_cell(value: str) -> LabelCell:
    """Return the types of a document's annotations, or of one entry of an entity list."""
    if value.startswith("["):
        return LabelCell(value.encode(), [annotation[2] for annotation in json.loads(value)])
    return LabelCell(value.encode(), (value,) if value else ())
