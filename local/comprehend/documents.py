"""Labeled documents in the service's CSV format: in from files, out to the data lake.

Decides what is a document and what makes a file unreadable. Knows no S3 and no flywheel. Format:
UTF-8, two columns (label, text), no header, RFC 4180 quoting.

Notes
-----
*Source*: developer guide, "Preparing classifier training data". Read next:
`local.comprehend.ingestion`.
"""

import csv
import io
from collections.abc import Iterator

from local.comprehend.errors import DatasetRefusedError
from local.comprehend.settings import Quotas

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
        Label and text.

    Raises
    ------
    DatasetRefusedError
        The file is not in the format; the message names the line, for whoever made it.

    Examples
    --------
    >>> list(labeled_documents(b'billing,"Too much, again"\n', "a.csv"))
    [('billing', 'Too much, again')]
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{where}, line {line}: the file is not UTF-8"
        raise DatasetRefusedError(message) from error
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in rows:
            if not row:
                continue
            if len(row) != _COLUMNS:
                message = f"{where}, line {rows.line_num}: {len(row)} columns, not label and text"
                raise DatasetRefusedError(message)
            yield row[0], row[1]
    except csv.Error as error:
        message = f"{where}, line {rows.line_num}: not a CSV file: {error}"
        raise DatasetRefusedError(message) from error
