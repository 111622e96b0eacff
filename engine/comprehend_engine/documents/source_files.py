"""The source files of a dataset: read from S3 one after the other, as text and as CSV rows.

Decides which files are missing, too large or unreadable. CSV is UTF-8 with RFC 4180 quoting;
labeled documents have a label cell and a text, and no header. Knows no flywheel. Read next:
`comprehend_engine.documents.classified_documents` and
`comprehend_engine.documents.annotated_documents`.

Notes
-----
*Source*: developer guide, "Preparing classifier training data".
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from comprehend_engine.errors import DatasetRefusedError
from comprehend_engine.settings import Quotas
from comprehend_engine.storage.data_lake import DataLake

_COLUMNS = 2

# One field can be as long as a file; csv's own limit (128 KB) would refuse long documents.
csv.field_size_limit(max(csv.field_size_limit(), Quotas().max_file_size_bytes))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file and its content."""

    uri: str
    content: bytes

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.uri.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """Files in S3, read with the rights of a flywheel's role.

    Parameters
    ----------
    lake : DataLake
        Reads S3.
    max_size_bytes : int
        Largest size of a file, bytes.
    check_running : callable
        Called before each file; raises when the engine stops.
    """

    lake: DataLake
    max_size_bytes: int
    check_running: Callable[[], None]

    def read(self, uri: str) -> Iterator[SourceFile]:
        """Give the files whose key begins with that of a URI.

        Raises
        ------
        DatasetRefusedError
            There is no file, or one is too large.
        StorageAccessError
            S3 refuses or fails.
        """
        objects = self.lake.objects(uri)
        if not objects:
            message = f"There is no object whose key begins with {uri}"
            raise DatasetRefusedError(message)
        for entry in objects:
            if entry.size_bytes > self.max_size_bytes:
                message = (
                    f"{entry.uri} has {entry.size_bytes} bytes; "
                    f"a file may have at most {self.max_size_bytes}"
                )
                raise DatasetRefusedError(message)
            self.check_running()
            yield SourceFile(entry.uri, self.lake.read(entry.uri))


def labeled_documents(content: bytes, where: str) -> Iterator[tuple[str, str]]:
    r"""Read the documents of a file.

    Parameters
    ----------
    content : bytes
        The file.
    where : str
        The name of the file in messages.

    Yields
    ------
    tuple of str
        Label cell and text.

    Raises
    ------
    DatasetRefusedError
        The file does not have this format; the message names the line.

    Examples
    --------
    >>> list(labeled_documents(b'billing,"Too much, again"\n', "a.csv"))
    [('billing', 'Too much, again')]
    """
    for line, row in csv_rows(content, where):
        if len(row) != _COLUMNS:
            message = f"{where}, line {line}: {len(row)} columns, not label and text"
            raise DatasetRefusedError(message)
        yield row[0], row[1]


def csv_rows(
    content: bytes, where: str, *, skips_blanks: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Read the rows of a CSV file, each with its line from 1; blank lines are skipped.

    Parameters
    ----------
    content : bytes
        The file.
    where : str
        The name of the file in messages.
    skips_blanks : bool
        Whether blanks after a comma are not part of the field.

    Raises
    ------
    DatasetRefusedError
        The file is not CSV, or not UTF-8.
    """
    lines = io.StringIO(decoded(content, where), newline="")
    rows = csv.reader(lines, strict=True, skipinitialspace=skips_blanks)
    try:
        for row in rows:
            if row:
                yield rows.line_num, row
    except csv.Error as error:
        message = f"{where}, line {rows.line_num}: not a CSV file: {error}"
        raise DatasetRefusedError(message) from error


def decoded(content: bytes, where: str) -> str:
    """Return the text of a file.

    Raises
    ------
    DatasetRefusedError
        The file is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{where}, line {line}: the file is not UTF-8"
        raise DatasetRefusedError(message) from error
