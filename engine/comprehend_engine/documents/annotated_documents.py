"""A recognizer's dataset: annotated documents as they arrive, and their form in the data lake.

Decides which document an annotation belongs to, which annotations are valid, and when a dataset is
too small. In the lake each dataset has a file with one document per line and a file of annotations.
Entity lists are replaced by their occurrences in the documents. Knows no S3. Read next:
`comprehend_engine.documents.annotation_files` (the formats) and
`comprehend_engine.lifecycles.dataset_ingestion`.

Notes
-----
*Source*: developer guide, "Plain-text annotation files", "Entity lists" (200 matches per type),
"Augmented manifest file" (no overlaps) and "Guidelines and quotas"; "Flywheel overview": entity
types that the flywheel does not have are silently ignored.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from comprehend_engine.documents.annotation_files import (
    EntityList,
    annotations_by_place,
    annotations_file,
    documents_of,
    entries_of,
)
from comprehend_engine.documents.augmented_manifests import Span, manifest_rows, one_line, spans_of
from comprehend_engine.documents.classified_documents import LakeFiles, format_counts
from comprehend_engine.documents.input_data import MANIFESTS, RECOGNIZER
from comprehend_engine.documents.source_files import SourceFiles
from comprehend_engine.errors import DatasetRefusedError
from comprehend_engine.settings import Quotas

DOCUMENTS_FILE = "documents.txt"
"""The file of a recognizer's dataset in the lake with its documents, one per line."""

ANNOTATIONS_FILE = "annotations.csv"
"""The file beside it with their annotations."""

AnnotatedDocument = tuple[str, str, Sequence[Span]]
"""A document: its place for messages, its text, its annotations."""


def read_input(
    config: Mapping[str, Any], types: Sequence[str], files: SourceFiles
) -> Iterator[AnnotatedDocument]:
    """Read the documents of an InputDataConfig.

    Raises
    ------
    DatasetRefusedError, StorageAccessError
        The files cannot be read, or an annotation belongs to no document.
    """
    for manifest in config.get(MANIFESTS, ()):
        for file in files.read(manifest["S3Uri"]):
            for row in manifest_rows(file.content, file.uri, manifest["AttributeNames"]):
                spans = spans_of(row)
                if row.text.strip() or spans:
                    yield row.where, row.text, spans
    if source := config.get(RECOGNIZER):
        is_by_line = source["Documents"].get("InputFormat") != "ONE_DOC_PER_FILE"
        documents = source["Documents"]["S3Uri"]
        if "EntityList" in source:
            uri = source["EntityList"]["S3Uri"]
            yield from _with_list(documents, uri, is_by_line, types, files)
        else:
            uri = source["Annotations"]["S3Uri"]
            yield from _with_annotations(documents, uri, is_by_line, files)


def read_lakes(uris: Iterable[str], files: SourceFiles) -> Iterator[AnnotatedDocument]:
    """Read the documents of datasets in other lakes.

    Raises
    ------
    DatasetRefusedError, StorageAccessError
        The files cannot be read.
    """
    for uri in uris:
        yield from _with_annotations(
            f"{uri}{DOCUMENTS_FILE}", f"{uri}{ANNOTATIONS_FILE}", True, files
        )


def _with_annotations(
    documents: str, annotations: str, is_by_line: bool, files: SourceFiles
) -> Iterator[AnnotatedDocument]:
    waiting: dict[tuple[str, int], list[Span]] = {}
    for file in files.read(annotations):
        for place, spans in annotations_by_place(file, is_by_line=is_by_line).items():
            waiting.setdefault(place, []).extend(spans)
    names: set[str] = set()
    for file in files.read(documents):
        if file.name in names:
            message = f"Several document files have the name {file.name}; one is {file.uri}"
            raise DatasetRefusedError(message)
        names.add(file.name)
        for line, text in documents_of(file, is_by_line=is_by_line):
            spans = waiting.pop((file.name, line), [])
            if text.strip() or spans:
                yield _place_name(file.uri, line, is_by_line), text, spans
    if waiting:
        name, line = min(waiting)
        where = f"line {line} (from 0) of {name}" if is_by_line else name
        message = f"{annotations} annotates {where}, but {documents} has no such document"
        raise DatasetRefusedError(message)


def _with_list(
    documents: str, entity_list: str, is_by_line: bool, types: Sequence[str], files: SourceFiles
) -> Iterator[AnnotatedDocument]:
    entries = EntityList(
        (text, kind)
        for file in files.read(entity_list)
        for text, kind in entries_of(file)
        if kind in types
    )
    for file in files.read(documents):
        for line, text in documents_of(file, is_by_line=is_by_line):
            if text.strip():
                yield _place_name(file.uri, line, is_by_line), text, entries.occurrences(text)


def _place_name(uri: str, line: int, is_by_line: bool) -> str:
    return f"{uri}, line {line + 1}" if is_by_line else uri


class RecognizerDatasetBuilder:
    """Builds the files of one dataset in the data lake.

    Parameters
    ----------
    types : sequence of str
        The entity types of the flywheel.
    quotas : Quotas
        The fewest and most documents and annotations.
    is_training : bool
        Whether it is a TRAIN dataset; only these need a minimum.
    from_list : bool
        Whether the annotations come from an entity list, which needs more of them.
    """

    def __init__(
        self, types: Sequence[str], quotas: Quotas, *, is_training: bool, from_list: bool = False
    ) -> None:
        self._types = frozenset(types)
        self._quotas = quotas
        self._is_training = is_training
        self._from_list = from_list
        self._known_counts, self._unknown_counts = Counter[str](), Counter[str]()

    def build(self, documents: Iterable[AnnotatedDocument]) -> LakeFiles:
        """Return the files of a dataset with these documents.

        Raises
        ------
        DatasetRefusedError
            There are too few or too many, one is too long, or an annotation is invalid; the message
            names the document, or lists types and counts.
        """
        texts: list[str] = []
        annotations: list[list[Span]] = []
        size_bytes = 0
        for where, text, spans in documents:
            size_bytes += self._checked_size(text, where)
            texts.append(one_line(text))
            annotations.append(self._known(spans, text, where))
            self._check_most(len(texts), size_bytes)
        self._check_fewest(len(texts))
        files = {
            DOCUMENTS_FILE: "".join(f"{text}\n" for text in texts).encode(),
            ANNOTATIONS_FILE: annotations_file(DOCUMENTS_FILE, annotations),
        }
        return LakeFiles(files, len(texts))

    def _checked_size(self, text: str, where: str) -> int:
        size, most = len(text.encode()), self._quotas.max_entity_document_bytes
        if size > most:
            message = f"{where}: the document has {size} bytes; it may have at most {most}"
            raise DatasetRefusedError(message)
        return size

    def _known(self, spans: Sequence[Span], text: str, where: str) -> list[Span]:
        known = sorted({span for span in spans if span[2] in self._types})
        self._unknown_counts.update(kind for *_, kind in spans if kind not in self._types)
        self._known_counts.update(kind for *_, kind in known)
        previous_end = 0
        for begin, end, kind in known:
            if not previous_end <= begin < end <= len(text):
                if 0 <= begin < previous_end:
                    problem = "overlaps the previous one"
                else:
                    problem = f"is not within the document, which has {len(text)} characters"
                message = f"{where}: the annotation {begin}-{end} {kind} {problem}"
                raise DatasetRefusedError(message)
            previous_end = end
        return known

    def _check_most(self, documents: int, size_bytes: int) -> None:
        quotas = self._quotas
        if documents > quotas.max_entity_documents:
            message = f"More than {quotas.max_entity_documents} documents"
            raise DatasetRefusedError(message)
        if size_bytes > quotas.max_entity_bytes:
            message = f"The documents have more than {quotas.max_entity_bytes} bytes"
            raise DatasetRefusedError(message)

    def _check_fewest(self, documents: int) -> None:
        if not self._known_counts:
            names = format_counts(dict(self._unknown_counts.most_common(_SHOWN_TYPES)))
            message = (
                "No document has an entity of the flywheel's types; types of the documents: "
                f"{names or 'none'}"
            )
            raise DatasetRefusedError(message)
        if not self._is_training:
            return
        quotas = self._quotas
        if documents < quotas.min_entity_documents:
            message = f"{documents} documents; at least {quotas.min_entity_documents} are needed"
            raise DatasetRefusedError(message)
        least, noun = quotas.min_annotations_per_type, "annotations"
        if self._from_list:
            least, noun = quotas.min_list_matches_per_type, "matches of the entity list"
        few = {kind: count for kind, count in sorted(self._known_counts.items()) if count < least}
        if few:
            message = (
                f"Each entity type needs at least {least} {noun}; too few: {format_counts(few)}"
            )
            raise DatasetRefusedError(message)


_SHOWN_TYPES = 10
