r"""Turn rows into the files that the service reads as a dataset.

Decides names, folders and cuts; a row is never divided, and no file has more bytes than the
service takes of one. Labels and documents of an entity dataset lie in folders of their own, since
CreateDataset names each with its own S3Uri. The same rows always give the same files.
*Source*: botocore, shapes DocumentClassifierInputDataConfig and EntityRecognizerInputDataConfig
of datasets; developer guide, "Plain-text annotation files" and "Entity lists".

Examples
--------
>>> rows = [LabeledRow('[[0,4,"PERSON"]]', "Mary sings")]
>>> for name, body in dataset_files(rows, DataFormat(task="entities"), most_bytes=1000):
...     print(name, body)
documents/documents-00001.txt b'Mary sings\n'
annotations/annotations-00001.csv b'File,Line,Begin Offset,End Offset,Type\ndocuments-00001.txt,0,0,4,PERSON\n'
"""  # noqa: E501 - a line of output

from collections.abc import Iterable, Iterator

from flywheel.batches.batches import ANNOTATIONS_FOLDER, DOCUMENTS_FOLDER, ENTITY_LIST_FOLDER
from flywheel.intake.entities import ANNOTATIONS_HEADER, LIST_HEADER
from flywheel.intake.labeled_rows import LabeledRow, csv_line, spans_of
from flywheel.settings.data_format import DataFormat

File = tuple[str, bytes]


def dataset_files(rows: Iterable[LabeledRow], shape: DataFormat, most_bytes: int) -> Iterator[File]:
    """Yield the files of one dataset, each with its name under the dataset's prefix.

    Parameters
    ----------
    rows : iterable of LabeledRow
        As in canonical copies.
    shape : DataFormat
        Of the flywheel.
    most_bytes : int
        The service's quota of a dataset's file.
    """
    if shape.task == "classification":
        # A group is ours: the service takes another column for a part of the text.
        lines = (csv_line(LabeledRow(row.label, row.text)).encode() for row in rows)
        yield from _numbered("part-{:05d}.csv", lines, most_bytes)
    elif shape.entities_from == "list":
        yield from _listed(rows, most_bytes)
    else:
        yield from _annotated(rows, most_bytes)


class _Growing:
    """A file that rows are added to, with the header that each such file has."""

    def __init__(self, header: bytes = b"") -> None:
        self._header = header
        self._lines: list[bytes] = []
        self.size = len(header)
        self.rows = 0

    def add(self, lines: bytes) -> None:
        self._lines.append(lines)
        self.size += len(lines)
        self.rows += 1

    def drain(self) -> bytes:
        body = self._header + b"".join(self._lines)
        self._lines, self.size, self.rows = [], len(self._header), 0
        return body


def _numbered(
    name: str, lines: Iterable[bytes], most_bytes: int, header: bytes = b""
) -> Iterator[File]:
    file, number = _Growing(header), 1
    for line in lines:
        if file.rows and file.size + len(line) > most_bytes:
            yield name.format(number), file.drain()
            number += 1
        file.add(line)
    if file.rows:
        yield name.format(number), file.drain()


def _annotated(rows: Iterable[LabeledRow], most_bytes: int) -> Iterator[File]:
    documents, annotations = _Growing(), _Growing(_header(ANNOTATIONS_HEADER))
    number = 1
    for row in rows:
        document = f"{row.text}\n".encode()
        lines = _annotation_lines(row, number, documents.rows)
        sizes = documents.size + len(document), annotations.size + len(lines)
        if documents.rows and max(sizes) > most_bytes:
            yield from _pair(documents, annotations, number)
            number += 1
            lines = _annotation_lines(row, number, 0)
        documents.add(document)
        annotations.add(lines)
    if documents.rows:
        yield from _pair(documents, annotations, number)


def _annotation_lines(row: LabeledRow, number: int, line: int) -> bytes:
    file = _documents_name(number)
    return "".join(
        f"{file},{line},{begin},{end},{kind}\n" for begin, end, kind in spans_of(row.label)
    ).encode()


def _pair(documents: _Growing, annotations: _Growing, number: int) -> Iterator[File]:
    yield f"{DOCUMENTS_FOLDER}{_documents_name(number)}", documents.drain()
    yield f"{ANNOTATIONS_FOLDER}annotations-{number:05d}.csv", annotations.drain()


def _documents_name(number: int) -> str:
    return f"documents-{number:05d}.txt"


def _listed(rows: Iterable[LabeledRow], most_bytes: int) -> Iterator[File]:
    """Yield documents and entries; both grow at once, since uploads mix them."""
    documents, entries = _Growing(), _Growing(_header(LIST_HEADER))
    numbers = {DOCUMENTS_FOLDER: 0, ENTITY_LIST_FOLDER: 0}

    def name(folder: str) -> str:
        numbers[folder] += 1
        if folder == DOCUMENTS_FOLDER:
            return f"{folder}{_documents_name(numbers[folder])}"
        return f"{folder}entity-list-{numbers[folder]:05d}.csv"

    for row in rows:
        is_document = not row.label
        folder = DOCUMENTS_FOLDER if is_document else ENTITY_LIST_FOLDER
        file = documents if is_document else entries
        line = f"{row.text}\n" if is_document else csv_line(LabeledRow(row.text, row.label))
        if file.rows and file.size + len(line.encode()) > most_bytes:
            yield name(folder), file.drain()
        file.add(line.encode())
    for folder, file in ((DOCUMENTS_FOLDER, documents), (ENTITY_LIST_FOLDER, entries)):
        if file.rows:
            yield name(folder), file.drain()


def _header(names: Iterable[str]) -> bytes:
    return (",".join(names) + "\n").encode()
