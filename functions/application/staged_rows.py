"""Rows in the staging bucket: those of a test set, in how many groups they are, and copies.

A copy holds a part of an upload: what waits on, what becomes a test row, what is known. It is named
after its content, so a repeat finds what it would write. Read next:
`flywheel.intake.document_groups` (what a group is).
"""

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.ledger.test_sets import CountedGroups
from application.ports import StagingObjects
from flywheel.batches.batches import StagedUpload
from flywheel.batches.known_rows import content_hash, rows_key
from flywheel.batches.uploads import DatasetKind
from flywheel.intake.document_groups import count_groups, group_documents
from flywheel.intake.labeled_rows import LabeledRow, csv_line, labels_of, rows_of
from flywheel.settings.data_format import DataFormat


def stored_rows(staging: StagingObjects, segment: str) -> list[LabeledRow] | None:
    """Return the rows of a TEST segment; None where an earlier release kept its hashes alone."""
    written = staging.text(rows_key(segment))
    return None if written is None else list(rows_of(io.StringIO(written, newline="")))


def whole_test_set(staging: StagingObjects, segments: Sequence[str]) -> list[LabeledRow] | None:
    """Return the rows of all segments, in order; None where those of one are not stored."""
    rows: list[LabeledRow] = []
    for segment in segments:
        stored = stored_rows(staging, segment)
        if stored is None:
            return None
        rows += stored
    return rows


def measured(
    staging: StagingObjects, segments: Sequence[str], shape: DataFormat
) -> tuple[str, CountedGroups | None]:
    """Return the hash of a test set's rows, and their groups (`counted_groups`)."""
    sha256 = content_hash(piece for key in segments for piece in staging.chunks(key))
    return sha256, counted_groups(staging, segments, shape)


def with_measured_test_set(
    staging: StagingObjects, ledger: Ledger, batch: BatchRow, shape: DataFormat
) -> BatchRow:
    """Return a failed batch with the hash and groups of the test set as it is known now.

    Rows of another batch that were known when it was sealed may have been lost since.
    """
    held = ledger.holdings.segments(batch.flywheel, batch.generation)[DatasetKind.TEST]
    sha256, groups = measured(staging, held, shape)
    return replace(batch, test_sha256=sha256, test_groups=groups)


def without_lost_rows(
    staging: StagingObjects,
    ledger: Ledger,
    batch: BatchRow,
    row: FlywheelRow,
    *,
    lost: Collection[DatasetKind],
    shape: Callable[[], DataFormat],
) -> dict[str, Any]:
    """Return the changes of an idle flywheel's row when datasets of a failed batch are lost.

    A test set that was frozen since the batch failed has the rows of its TEST dataset in its hash
    and its groups, since it was not certain then that the service would never have them.

    Parameters
    ----------
    lost : collection of DatasetKind
        What the service does not have, or has FAILED.
    shape : callable
        Gives the shape of the flywheel's rows; called only where the test set changes.
    """
    held = ledger.holdings.segments(row.name, batch.generation)[DatasetKind.TEST]
    lost_segment = batch.name.known_key(batch.generation, DatasetKind.TEST)
    if DatasetKind.TEST not in lost or row.test_set is None or lost_segment not in held:
        return {}
    left = [segment for segment in held if segment != lost_segment]
    sha256, groups = measured(staging, left, shape())
    return {"test_set": asdict(row.test_set.without_lost_rows(sha256, groups))}


def counted_groups(
    staging: StagingObjects, segments: Sequence[str], shape: DataFormat
) -> CountedGroups | None:
    """Count the groups of a test set.

    Parameters
    ----------
    segments : sequence of str
        Staging keys of all its segments.

    Returns
    -------
    CountedGroups or None
        None where the rows of a segment are not stored, or entries of a list are no mentions.
    """
    if shape.task == "entities" and shape.entities_from == "list":
        return None
    rows = whole_test_set(staging, segments)
    return None if rows is None else groups_of_rows(rows, shape)


def groups_of_rows(rows: Sequence[LabeledRow], shape: DataFormat) -> CountedGroups:
    """Count the groups of a test set whose rows are at hand; none of them is an entry of a list."""
    grouping = group_documents(rows)
    counts = count_groups(grouping.groups, (labels_of(row.label, shape) for row in rows))
    return {
        "groups": counts.groups,
        "label_groups": dict(counts.label_groups),
        "grouping": grouping.grouped,
    }


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
