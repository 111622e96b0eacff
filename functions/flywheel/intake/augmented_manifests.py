"""Read the rows of a Ground Truth augmented manifest: JSON Lines with a source and its labels.

Decides which attribute holds the labels and what a labeler's answer means. A row that the labeling
job marks as failed is left out and reported.
*Source*: SageMaker guide, "Augmented manifest files"; developer guide, "Augmented manifest".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from flywheel.intake.candidates import Candidates
from flywheel.intake.csv_blocks import BYTE_ORDER_MARK_REPAIR, CRLF_REPAIR
from flywheel.intake.csv_messages import quoted
from flywheel.intake.labeled_rows import canonical_annotations, wrong_annotation
from flywheel.intake.line_blocks import Block, LineBlocks
from flywheel.intake.physical_rows import BYTE_ORDER_MARK, broken_line, too_long_message
from flywheel.intake.reports import Message, UploadFault, as_message
from flywheel.settings.data_format import DataFormat
from flywheel.untrusted_text import is_misspelling, nearest

_METADATA = "-metadata"
_LINE_BREAK = re.compile(r"[\r\n]")
_LINE_BREAKS_REPAIR = "line breaks within texts became spaces"


def is_manifest(beginning: bytes) -> bool:
    """Return whether a file that begins so holds one JSON object per line."""
    return beginning.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] == b"{"


class _RowFaultError(Exception):
    def __init__(
        self,
        fault: UploadFault,
        message: Message | str = "",
        *,
        alike: str | None = None,
        explain: Callable[[], Message] | None = None,
    ) -> None:
        self.fault = fault
        self.message = as_message(message)
        self.alike = alike
        self.explain = explain
        super().__init__(self.message.public)


class ManifestRows:
    """The candidates of an augmented manifest.

    Parameters
    ----------
    blocks : LineBlocks
    shape : DataFormat
    types : sequence of str, optional
        Entity types that may be annotated; None takes any. Labels are judged later.
    """

    def __init__(self, blocks: LineBlocks, shape: DataFormat, types: Sequence[str] | None) -> None:
        self._blocks = blocks
        self._shape = shape
        self._types = None if types is None else frozenset(types)

    def __iter__(self) -> Iterator[Candidates]:
        """Yield the candidates, a block at a time."""
        for block in self._blocks:
            found = Candidates(
                offset_of=lambda line, block=block: block.offset_of(line - block.line),  # type: ignore[misc] # mypy infers no lambda with a default
                size_bytes=len(block.data),
            )
            if self._blocks.has_byte_order_mark and block.line == 1:
                found.repairs[BYTE_ORDER_MARK_REPAIR] += 1
            if block.is_cut:
                message = too_long_message()
                found.add_problem(
                    UploadFault.ROW_TOO_LONG, block.line, block.offset, message, alike=""
                )
            else:
                self._read(block, found)
            yield found

    def _read(self, block: Block, found: Candidates) -> None:
        lines: list[int] = []
        for number, data in enumerate(block.lines, block.line):
            if not data.strip():
                continue
            offset = block.offset_of(number - block.line)
            broken = broken_line(data, number, offset)
            if broken is not None:
                reason = UploadFault[broken.reason]
                found.add_problem(reason, number, offset, broken.message, alike="")
                continue
            found.rows_read += 1
            found.repairs[CRLF_REPAIR] += data.endswith(b"\r")
            try:
                label, text = self._row(data, found)
            except _RowFaultError as error:
                found.add_problem(
                    error.fault,
                    number,
                    offset,
                    error.message,
                    alike=error.alike,
                    explain=error.explain,
                )
                continue
            found.labels.append(label)
            found.texts.append(text)
            lines.append(number)
        found.lines = lines
        found.repairs = +found.repairs

    def _row(self, data: bytes, found: Candidates) -> tuple[bytes, bytes]:
        try:
            row = json.loads(data)
        except (ValueError, RecursionError) as error:
            why = getattr(error, "msg", "too deep")
            message = f"not a JSON object ({why}); a manifest has one a line"
            raise _RowFaultError(UploadFault.INVALID_JSON, message) from None
        if not isinstance(row, dict):
            raise _RowFaultError(
                UploadFault.INVALID_JSON, "not a JSON object; a manifest has one a line"
            )
        text = _source(row)
        attribute = self._attribute(row)
        metadata = row.get(attribute + _METADATA)
        _require_success(metadata, attribute)
        # One space for each line break, so that offsets of annotations stay true.
        cleaned = _LINE_BREAK.sub(" ", text)
        found.repairs[_LINE_BREAKS_REPAIR] += cleaned != text
        try:
            if self._shape.task == "entities":
                label, text = self._annotated(row.get(attribute), cleaned, attribute), cleaned
            else:
                label, text = self._label(row.get(attribute), metadata, attribute), cleaned.strip()
            return label.encode(), text.encode()
        except UnicodeEncodeError:
            message = "half of a character (an escape from \\ud800 to \\udfff that stands alone)"
            raise _RowFaultError(UploadFault.INVALID_JSON, message) from None

    def _attribute(self, row: Mapping[str, Any]) -> str:
        """Return which attribute holds the labels."""
        wanted = self._shape.label_attribute
        if wanted is not None:
            if wanted in row or wanted + _METADATA in row:
                return wanted
            problem = f"no attribute {quoted(wanted)} (label_attribute of the environment's file)"
            raise _RowFaultError(UploadFault.EMPTY_LABEL, problem)
        described = [key.removesuffix(_METADATA) for key in row if key.endswith(_METADATA)]
        others = [key for key in row if key not in ("source", "source-ref")]
        named = described or [key for key in others if not key.endswith(_METADATA)]
        if len(named) == 1:
            return named[0]
        if not named:
            raise _RowFaultError(
                UploadFault.EMPTY_LABEL, "the row has a source and no label attribute"
            )
        several = "several label attributes"
        fix = (
            "name the one that counts as label_attribute of the flywheel in the environment's file"
        )
        names = ", ".join(quoted(name, 20) for name in named[:4])
        message = Message(f"{several}: {fix}", f"{several} ({names}): {fix}")
        raise _RowFaultError(UploadFault.HEADER, message)

    def _label(self, value: Any, metadata: Any, attribute: str) -> str:
        """Return the label cell of a document."""
        known = metadata if isinstance(metadata, dict) else {}
        if self._shape.is_multi_label:
            labels = _several(value, known)
        else:
            one = known.get("class-name", value)
            labels = [one] if isinstance(one, str) else []
        if not labels:
            wanted = "class-map" if self._shape.is_multi_label else "class-name"
            rest = (
                f"has no {wanted} in its metadata; is the labeling job's task the flywheel's "
                f"({self._shape.mode})?"
            )
            message = _of_attribute("no label: ", attribute, rest)
            raise _RowFaultError(UploadFault.EMPTY_LABEL, message)
        delimiter = self._shape.delimiter
        for label in labels:
            if self._shape.is_multi_label and delimiter in label:
                rest = (
                    f"holds the flywheel's delimiter {delimiter!r}, so it would become several: "
                    "choose another label_delimiter, or rename it"
                )
                message = Message(f"a label {rest}", f"the label {quoted(label)} {rest}")
                raise _RowFaultError(UploadFault.UNKNOWN_LABEL, message)
        return delimiter.join(labels) if self._shape.is_multi_label else labels[0]

    def _annotated(self, value: Any, text: str, attribute: str) -> str:
        """Return the annotations of a document as a row's label."""
        size = len(text.encode())
        most = self._shape.entity_document_bytes
        if size > most:
            raise _RowFaultError(
                UploadFault.DOCUMENT_TOO_LONG, document_too_long_message(size, most)
            )
        try:
            spans = [
                (int(entity["startOffset"]), int(entity["endOffset"]), str(entity["label"]))
                for entity in value["annotations"]["entities"]
            ]
        except (KeyError, TypeError, ValueError):
            rest = (
                "has no annotations.entities with startOffset, endOffset and label; is it a job "
                "of named entity recognition?"
            )
            message = _of_attribute("", attribute, rest)
            raise _RowFaultError(UploadFault.ANNOTATION, message) from None
        kinds = {kind for *_, kind in spans}
        unknown = kinds - (kinds if self._types is None else self._types)
        if unknown:
            kind = min(unknown)
            explain = partial(unknown_type_message, kind, sorted(self._types or ()))
            raise _RowFaultError(UploadFault.UNKNOWN_LABEL, alike=kind, explain=explain)
        wrong = wrong_annotation(spans, text, names_types=self._types is not None)
        if wrong is not None:
            raise _RowFaultError(UploadFault.ANNOTATION, wrong)
        return canonical_annotations(spans)


def unknown_type_message(kind: str, types: Sequence[str]) -> Message:
    """Return the message that an entity type is not one of the flywheel's.

    Parameters
    ----------
    types : sequence of str
        The flywheel's.
    """
    near = nearest(kind, types)
    known = f"the flywheel's types: {', '.join(types)}" if types else "there are too many types"
    rest = known if near is None else f"did you mean {near}?"
    quoting = f"unknown entity type {quoted(kind)}; {rest}"
    if near is not None and is_misspelling(kind, near):
        return Message(quoting)
    return Message(f"unknown entity type; {rest}", quoting)


def document_too_long_message(size: int, most: int) -> str:
    """Return the message that a document is longer than the service takes."""
    return (
        f"the document has {size:,} bytes, and the service takes {most:,} of an entity dataset's. "
        "Fix: divide it"
    )


def _source(row: Mapping[str, Any]) -> str:
    source = row.get("source")
    if isinstance(source, str):
        return source
    if "source-ref" in row:
        message = (
            "the text lies in another object (source-ref), which is not read: write it into the "
            "manifest as source"
        )
        raise _RowFaultError(UploadFault.INVALID_JSON, message)
    raise _RowFaultError(UploadFault.INVALID_JSON, "no source: the text of a row is its source")


def _require_success(metadata: Any, attribute: str) -> None:
    if isinstance(metadata, dict) and metadata.get("failure-reason"):
        message = _of_attribute("the labeling job failed on this row: ", attribute, "says why")
        raise _RowFaultError(UploadFault.LABELING_FAILED, message)


def _of_attribute(before: str, attribute: str, rest: str) -> Message:
    """Return a message about the attribute of the labels; its name is a value of the file."""
    return Message(f"{before}the label attribute {rest}", f"{before}{quoted(attribute)} {rest}")


def _several(value: Any, metadata: Mapping[str, Any]) -> list[str]:
    """Return the labels of a document that may have several."""
    names = metadata.get("class-map")
    if isinstance(names, dict):
        chosen = value if isinstance(value, list) else list(names)
        labels = [names.get(str(index)) for index in chosen]
        return [label for label in labels if isinstance(label, str)]
    listed = value if isinstance(value, list) else [value]
    return [label for label in listed if isinstance(label, str)]
