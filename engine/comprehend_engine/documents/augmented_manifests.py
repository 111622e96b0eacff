"""Augmented manifests: JSON Lines with a source, and the labels from a labeling job.

Decides how the attributes of a row are read. A row that the labeling job did not label, or failed
to label, is skipped. Knows no flywheel. Read next:
`comprehend_engine.lifecycles.dataset_ingestion`.

Notes
-----
*Source*: developer guide, "Preparing classifier training data" (multi-class: ``class-name``,
multi-label: ``class-map``) and "Augmented manifest file" of entity recognizers; both show the text
of a row as ``source``. botocore, DatasetAugmentedManifestsListItem: a manifest refers to "source
files (PDFs)". SageMaker guide, "Output data" (``failure-reason``).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comprehend_engine.documents.source_files import decoded
from comprehend_engine.errors import DatasetRefusedError

Span = tuple[int, int, str]
"""An annotation: begin and end in characters, end exclusive, and type."""

_SOURCE_REFERENCE = "source-ref"
_LINE_BREAK = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A labeled row: its place for messages, its text, and the value and metadata per attribute."""

    where: str
    text: str
    labels: Mapping[str, tuple[Any, Mapping[str, Any]]]


def manifest_rows(content: bytes, where: str, attributes: Sequence[str]) -> Iterator[ManifestRow]:
    """Give the rows with a label in at least one of the attributes.

    Raises
    ------
    DatasetRefusedError
        A line is not a JSON object, or has no source; the message names the line.
    """
    for number, line in enumerate(decoded(content, where).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{where}, line {number}"
        row = _object(line, place)
        labels = {}
        for name in attributes:
            metadata = row.get(f"{name}-metadata")
            metadata = metadata if isinstance(metadata, dict) else {}
            if name in row and not metadata.get("failure-reason"):
                labels[name] = (row[name], metadata)
        if labels:
            yield ManifestRow(place, _source(row, place), labels)


def labels_of(row: ManifestRow) -> tuple[str, ...]:
    """Return the labels of a document from all its attributes, each once.

    Raises
    ------
    DatasetRefusedError
        An attribute is not from a classification.
    """
    labels: dict[str, None] = {}
    for name, (value, metadata) in row.labels.items():
        class_map = metadata.get("class-map")
        if isinstance(class_map, dict) and isinstance(value, list):
            chosen = [class_map.get(str(index)) for index in value]
        elif isinstance(value, list):
            chosen = value
        else:
            chosen = [metadata.get("class-name", value)]
        for label in chosen:
            if not isinstance(label, str):
                message = f"{row.where}: {name} has no class-name or class-map with its labels"
                raise DatasetRefusedError(message)
            labels[label] = None
    return tuple(labels)


def spans_of(row: ManifestRow) -> list[Span]:
    """Return the annotations of a document from all its attributes.

    Raises
    ------
    DatasetRefusedError
        An attribute is not from entity recognition.
    """
    try:
        return [
            (int(entity["startOffset"]), int(entity["endOffset"]), str(entity["label"]))
            for value, _ in row.labels.values()
            for entity in value["annotations"]["entities"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        names = ", ".join(row.labels)
        message = (
            f"{row.where}: {names} has no annotations.entities with startOffset, endOffset, label"
        )
        raise DatasetRefusedError(message) from error


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        message = f"{place}: not a JSON object; a manifest has one per line"
        raise DatasetRefusedError(message) from error
    if not isinstance(row, dict):
        message = f"{place}: not a JSON object; a manifest has one per line"
        raise DatasetRefusedError(message)
    return row


def _source(row: Mapping[str, Any], place: str) -> str:
    source = row.get("source")
    if not isinstance(source, str):
        problem = "no source; a plain-text document has its text as the row's source"
        if _SOURCE_REFERENCE in row:
            problem = (
                f"the document is in {row[_SOURCE_REFERENCE]} ({_SOURCE_REFERENCE}), as for PDFs "
                "and images; flywheels only take plain text, which is the row's source"
            )
        raise DatasetRefusedError(f"{place}: {problem}")
    try:
        source.encode()
    except UnicodeEncodeError as error:
        message = f"{place}: the source is not valid text: it has half of a surrogate pair"
        raise DatasetRefusedError(message) from error
    return source


def one_line(text: str) -> str:
    r"""Return a text with a space for each line-break character; offsets stay valid.

    Examples
    --------
    >>> one_line("a\r\nb")
    'a  b'
    """
    return _LINE_BREAK.sub(" ", text)
