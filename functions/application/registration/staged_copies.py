"""Canonical copies of a part of an upload: what waits on, what becomes a test row, what is known.

Named after their content, so a repeat finds what it would write. The copy of a whole upload is
written by `application.registration.staging`, as a stream.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from application.ports import StagingObjects
from flywheel.batches.batches import StagedUpload
from flywheel.intake.labeled_rows import LabeledRow, csv_line, labels_of
from flywheel.settings.data_format import DataFormat


def copy_rows(
    staging: StagingObjects, upload: StagedUpload, rows: Iterable[LabeledRow], shape: DataFormat
) -> StagedUpload:
    """Write rows as a copy of their own.

    Parameters
    ----------
    upload : StagedUpload
        What the copy is of; its ``staged_key`` is what the copy's key begins with.

    Returns
    -------
    StagedUpload
        With the copy's key, size and counts.
    """
    written = list(rows)
    body = "".join(map(csv_line, written)).encode()
    copy = replace(
        upload,
        staged_key=f"{upload.staged_key}-{hashlib.sha256(body).hexdigest()[:16]}.csv",
        label_counts=Counter(label for row in written for label in labels_of(row.label, shape)),
        size_bytes=len(body),
        rows=len(written),
    )
    staging.create(copy.staged_key, body)
    return copy
