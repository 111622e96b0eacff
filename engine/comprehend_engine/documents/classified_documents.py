"""A classifier's dataset: labeled documents as handed over, and as the data lake keeps them.

Decides which documents and labels are kept and what makes a dataset too small. Knows no S3. Read
next: `comprehend_engine.lifecycles.dataset_ingestion`, and
`comprehend_engine.training.classifier_training` for who reads the lake.

Notes
-----
*Source*: developer guide, "Flywheel overview": labels that the flywheel does not have are silently
ignored; "Preparing classifier training data" (delimiter); "Guidelines and quotas": documents a
label, documents of a dataset.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comprehend_engine.api.shapes import matcher
from comprehend_engine.documents.augmented_manifests import labels_of, manifest_rows
from comprehend_engine.documents.csv_files import labeled_documents
from comprehend_engine.documents.input_data import CLASSIFIER, MANIFESTS
from comprehend_engine.documents.source_files import SourceFiles
from comprehend_engine.errors import DatasetRefusedError
from comprehend_engine.settings import Quotas
from comprehend_engine.tasks import (
    LABEL_DELIMITERS,
    MAX_LABEL_CHARACTERS,
    MAX_MULTI_CLASS_LABELS,
    MAX_MULTI_LABEL_LABELS,
    MULTI_CLASS,
    lake_delimiter,
)

LAKE_FILE = "documents.csv"
"""The one file of a classifier's dataset in the lake."""

LabeledDocument = tuple[Sequence[str], str]
"""A document: its labels and its text."""


@dataclass(frozen=True, slots=True)
class LakeFiles:
    """What of a dataset is written to the lake: files by name, and how many documents it has."""

    files: Mapping[str, bytes]
    documents: int


def read_input(
    config: Mapping[str, Any], task: str, files: SourceFiles
) -> Iterator[LabeledDocument]:
    """Give the documents that an InputDataConfig names.

    Raises
    ------
    DatasetRefusedError, StorageAccessError
        They cannot be read.
    """
    for manifest in config.get(MANIFESTS, ()):
        for file in files.read(manifest["S3Uri"]):
            for row in manifest_rows(file.content, file.uri, manifest["AttributeNames"]):
                yield labels_of(row), row.text
    if source := config.get(CLASSIFIER):
        delimiter = source.get("LabelDelimiter", LABEL_DELIMITERS[0])
        for file in files.read(source["S3Uri"]):
            yield from read_labeled_file(
                file.content, file.uri, None if task == MULTI_CLASS else delimiter
            )


def labels_of_documents(documents: Iterable[LabeledDocument], task: str) -> tuple[str, ...]:
    """Return the labels of documents, sorted: those of a flywheel that was made without any.

    Raises
    ------
    DatasetRefusedError
        They are more than a model can have, or one of them cannot be a label.
    """
    found = sorted({label for labels, _ in documents for label in labels if label})
    most = MAX_MULTI_CLASS_LABELS if task == MULTI_CLASS else MAX_MULTI_LABEL_LABELS
    if len(found) > most:
        message = f"The documents have {len(found)} labels; {task} takes {most}"
        raise DatasetRefusedError(message)
    if odd := [label for label in found if not _is_label(label)]:
        message = f"{len(odd)} labels of the documents are too long, or have control characters"
        raise DatasetRefusedError(message)
    return tuple(found)


def read_lakes(
    uris: Iterable[str], delimiter: str | None, files: SourceFiles
) -> Iterator[LabeledDocument]:
    """Give the documents of datasets in other lakes.

    Raises
    ------
    DatasetRefusedError, StorageAccessError
        They cannot be read.
    """
    for uri in uris:
        for file in files.read(f"{uri}{LAKE_FILE}"):
            yield from read_labeled_file(file.content, file.uri, delimiter)


def read_labeled_file(
    content: bytes, where: str, delimiter: str | None
) -> Iterator[LabeledDocument]:
    """Give the documents of a file, whose label cells hold one label where there is no delimiter.

    Examples
    --------
    >>> list(cells(b"a|b,text", "a.csv", "|"))
    [(['a', 'b'], 'text')]
    """
    for cell, text in labeled_documents(content, where):
        yield ((cell,) if delimiter is None else cell.split(delimiter)), text


class ClassifierDatasetBuilder:
    """Takes the documents of one dataset.

    Parameters
    ----------
    task : str
        MULTI_CLASS or MULTI_LABEL.
    labels : sequence of str
        The flywheel's.
    quotas : Quotas
        How many documents are too few or too many.
    is_training : bool
        Whether the documents train; the fewest documents are a rule of training data.
    """

    def __init__(
        self, task: str, labels: Sequence[str], quotas: Quotas, *, is_training: bool
    ) -> None:
        self._is_single = task == MULTI_CLASS
        self._labels = frozenset(labels)
        self._delimiter = lake_delimiter(labels)
        self._quotas = quotas
        self._is_training = is_training
        self._kept, self._ignored = Counter[str](), Counter[str]()

    def take(self, documents: Iterable[LabeledDocument]) -> LakeFiles:
        """Return what of the documents the lake keeps.

        Raises
        ------
        DatasetRefusedError
            There are too few or too many; the message lists labels and counts.
        """
        content, count = io.StringIO(newline=""), 0
        writer = csv.writer(content)
        for labels, text in documents:
            known = self._known(labels)
            if not known:
                continue
            count += 1
            if count > self._quotas.max_documents:
                message = f"More than {self._quotas.max_documents} documents"
                raise DatasetRefusedError(message)
            writer.writerow((known[0] if self._is_single else self._delimiter.join(known), text))
        self._check_counts(count)
        return LakeFiles({LAKE_FILE: content.getvalue().encode()}, count)

    def _known(self, labels: Sequence[str]) -> Sequence[str]:
        if len(labels) == 1 and labels[0] in self._labels:
            # Nearly every document, and there may be a million.
            self._kept[labels[0]] += 1
            return labels
        known = [label for label in dict.fromkeys(labels) if label in self._labels]
        if len(known) < len(labels):
            self._ignored.update(label for label in labels if label not in self._labels)
        if self._is_single and len(known) > 1:
            message = f"A document has the labels {', '.join(known)}; MULTI_CLASS takes one"
            raise DatasetRefusedError(message)
        self._kept.update(known)
        return known

    def _check_counts(self, documents: int) -> None:
        if not documents:
            raise DatasetRefusedError(_nothing_left(self._ignored))
        if not self._is_training:
            return
        least = self._quotas.min_documents_per_label
        few = {label: count for label, count in sorted(self._kept.items()) if count < least}
        if few:
            message = f"Each label needs at least {least} documents; too few: {format_counts(few)}"
            raise DatasetRefusedError(message)
        least = self._quotas.min_multi_label_documents
        if not self._is_single and documents < least:
            message = (
                f"A multi-label dataset needs at least {least} documents; it has {documents}: "
                f"{format_counts(dict(self._kept.most_common()))}"
            )
            raise DatasetRefusedError(message)


def format_counts(counts: Mapping[str, int]) -> str:
    """Spell counts.

    Examples
    --------
    >>> listed({"billing": 3})
    'billing (3)'
    """
    return ", ".join(f"{name} ({count})" for name, count in counts.items())


def _is_label(text: str) -> bool:
    """Apply to a label of a dataset what botocore's model demands of one in a request."""
    return len(text) <= MAX_LABEL_CHARACTERS and matcher(r"^\P{C}*$")(text)


def _nothing_left(ignored: Counter[str]) -> str:
    found = format_counts(dict(ignored.most_common(_SHOWN_LABELS)))
    return f"No document has a label of the flywheel; labels found: {found or 'none'}"


_SHOWN_LABELS = 10
