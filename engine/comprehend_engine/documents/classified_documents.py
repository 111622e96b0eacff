"""A classifier's dataset: labeled documents as they arrive, and their form in the data lake.

Decides which documents and labels a dataset keeps, and when it is too small. Knows no S3. Read
next: `comprehend_engine.lifecycles.dataset_ingestion`, and
`comprehend_engine.training.classifier_training` for the reader of the lake.

Notes
-----
*Source*: developer guide, "Flywheel overview": labels that the flywheel does not have are silently
ignored; "Preparing classifier training data" (delimiter); "Guidelines and quotas": documents per
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
from comprehend_engine.documents.input_data import CLASSIFIER, MANIFESTS
from comprehend_engine.documents.source_files import SourceFiles, labeled_documents
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
"""The only file of a classifier's dataset in the lake."""

LabeledDocument = tuple[Sequence[str], str]
"""A document: its labels and its text."""


@dataclass(frozen=True, slots=True)
class LakeFiles:
    """A dataset in the lake: its files by name, and its number of documents."""

    files: Mapping[str, bytes]
    documents: int


def read_input(
    config: Mapping[str, Any], task: str, files: SourceFiles
) -> Iterator[LabeledDocument]:
    """Read the documents of an InputDataConfig.

    Raises
    ------
    DatasetRefusedError, StorageAccessError
        The files cannot be read.
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
    """Return the labels of documents, sorted; a flywheel that was created without any gets them.

    Raises
    ------
    DatasetRefusedError
        There are more than a model can have, or one of them is not a valid label.
    """
    labels = sorted({label for each, _ in documents for label in each if label})
    most = MAX_MULTI_CLASS_LABELS if task == MULTI_CLASS else MAX_MULTI_LABEL_LABELS
    if len(labels) > most:
        message = f"The documents have {len(labels)} labels; {task} allows {most}"
        raise DatasetRefusedError(message)
    if invalid := [label for label in labels if not _is_label(label)]:
        message = f"{len(invalid)} labels of the documents are too long or have control characters"
        raise DatasetRefusedError(message)
    return tuple(labels)


def read_lakes(
    uris: Iterable[str], delimiter: str | None, files: SourceFiles
) -> Iterator[LabeledDocument]:
    """Read the documents of datasets in other lakes.

    Raises
    ------
    DatasetRefusedError, StorageAccessError
        The files cannot be read.
    """
    for uri in uris:
        for file in files.read(f"{uri}{LAKE_FILE}"):
            yield from read_labeled_file(file.content, file.uri, delimiter)


def read_labeled_file(
    content: bytes, where: str, delimiter: str | None
) -> Iterator[LabeledDocument]:
    """Read the documents of a file; without a delimiter, each label cell is one label.

    Examples
    --------
    >>> list(read_labeled_file(b"a|b,text", "a.csv", "|"))
    [(['a', 'b'], 'text')]
    """
    for cell, text in labeled_documents(content, where):
        yield ((cell,) if delimiter is None else cell.split(delimiter)), text


class ClassifierDatasetBuilder:
    """Builds the files of one dataset in the data lake.

    Parameters
    ----------
    task : str
        MULTI_CLASS or MULTI_LABEL.
    labels : sequence of str
        The labels of the flywheel.
    quotas : Quotas
        The fewest and most documents.
    is_training : bool
        Whether it is a TRAIN dataset; only these need a minimum of documents.
    """

    def __init__(
        self, task: str, labels: Sequence[str], quotas: Quotas, *, is_training: bool
    ) -> None:
        self._is_single = task == MULTI_CLASS
        self._labels = frozenset(labels)
        self._delimiter = lake_delimiter(labels)
        self._quotas = quotas
        self._is_training = is_training
        self._known_counts, self._unknown_counts = Counter[str](), Counter[str]()

    def build(self, documents: Iterable[LabeledDocument]) -> LakeFiles:
        """Return the files of a dataset with these documents.

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
            # Nearly every document takes this path, and there can be a million.
            self._known_counts[labels[0]] += 1
            return labels
        known = [label for label in dict.fromkeys(labels) if label in self._labels]
        if len(known) < len(labels):
            self._unknown_counts.update(label for label in labels if label not in self._labels)
        if self._is_single and len(known) > 1:
            message = f"A document has the labels {', '.join(known)}; MULTI_CLASS takes one"
            raise DatasetRefusedError(message)
        self._known_counts.update(known)
        return known

    def _check_counts(self, documents: int) -> None:
        if not documents:
            raise DatasetRefusedError(_no_known_label(self._unknown_counts))
        if not self._is_training:
            return
        least = self._quotas.min_documents_per_label
        few = {label: count for label, count in sorted(self._known_counts.items()) if count < least}
        if few:
            message = f"Each label needs at least {least} documents; too few: {format_counts(few)}"
            raise DatasetRefusedError(message)
        least = self._quotas.min_multi_label_documents
        if not self._is_single and documents < least:
            message = (
                f"A multi-label dataset needs at least {least} documents; it has {documents}: "
                f"{format_counts(dict(self._known_counts.most_common()))}"
            )
            raise DatasetRefusedError(message)


def format_counts(counts: Mapping[str, int]) -> str:
    """Format counts per name.

    Examples
    --------
    >>> format_counts({"billing": 3})
    'billing (3)'
    """
    return ", ".join(f"{name} ({count})" for name, count in counts.items())


def _is_label(text: str) -> bool:
    """Apply to a label of a dataset what botocore's model demands of one in a request."""
    return len(text) <= MAX_LABEL_CHARACTERS and matcher(r"^\P{C}*$")(text)


def _no_known_label(unknown: Counter[str]) -> str:
    names = format_counts(dict(unknown.most_common(_SHOWN_LABELS)))
    return f"No document has a label of the flywheel; labels of the documents: {names or 'none'}"


_SHOWN_LABELS = 10
