"""CSV files of the service: rows, and labeled documents, which are rows of two columns.

Decides which files are readable. The format is UTF-8 with RFC 4180 quoting; labeled documents have
a label cell and a text, and no header. Knows no S3 and no flywheel.

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

# One field can be as long as a file; csv's own limit (128 KB) would refuse long documents.
csv.field_size_limit(max(csv.field_size_limit(), Quotas().max_file_size_bytes))


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
