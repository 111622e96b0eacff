"""Files in the service's CSV formats, as rows; labeled documents, which are rows of two columns.

Decides what is a row and what makes a file unreadable. Knows no S3 and no flywheel. Format: UTF-8,
RFC 4180 quoting; labeled documents have a label cell and a text, and no header.

Notes
-----
*Source*: developer guide, "Preparing classifier training data". Read next:
`comprehend_engine.documents.classified_documents` and
`comprehend_engine.documents.annotated_documents`.
"""

import csv
import io
from collections.abc import Iterator

from comprehend_engine.errors import DatasetRefusedError
from comprehend_engine.settings import Quotas

_COLUMNS = 2

# One field may be as long as a file; csv's own limit (128 KB) would refuse long documents.
csv.field_size_limit(max(csv.field_size_limit(), Quotas().max_file_size_bytes))


def labeled_documents(content: bytes, where: str) -> Iterator[tuple[str, str]]:
    r"""Read a file's documents.

    Parameters
    ----------
    content : bytes
        The file.
    where : str
        What messages call it.

    Yields
    ------
    tuple of str
        Label cell and text.

    Raises
    ------
    DatasetRefusedError
        The file is not in the format; the message names the line, for whoever made it.

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
    """Read the rows of a CSV file, each with its line from 1; blank lines are none.

    Parameters
    ----------
    content : bytes
        The file.
    where : str
        What messages call it.
    skips_blanks : bool
        Whether blanks after a comma are no part of the field.

    Raises
    ------
    DatasetRefusedError
        It is not CSV, or not UTF-8.
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
    """Return a file's text.

    Raises
    ------
    DatasetRefusedError
        It is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{where}, line {line}: the file is not UTF-8"
        raise DatasetRefusedError(message) from error
