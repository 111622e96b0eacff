"""The rows of a test set, as they are kept beside its segments, and in how many groups they are.

Decides what counts as a row's label. Read next: `flywheel.document_groups` (what a group is).
"""

import io
from collections.abc import Sequence

from adapters.ledger.test_sets import CountedGroups
from adapters.ports import StagingObjects
from flywheel.document_groups import count_groups, group_documents
from flywheel.known_rows import rows_key
from flywheel.labeled_documents import Row, rows_of
from flywheel.row_labels import labels_of
from flywheel.shapes import Shape


def kept_rows(staging: StagingObjects, segment: str) -> list[Row] | None:
    """Return the rows of a TEST segment; None where an earlier release kept its hashes alone."""
    written = staging.text(rows_key(segment))
    return None if written is None else list(rows_of(io.StringIO(written, newline="")))


def whole_test_set(staging: StagingObjects, segments: Sequence[str]) -> list[Row] | None:
    """Return the rows of all segments, in order; None where those of one are not kept."""
    rows: list[Row] = []
    for segment in segments:
        kept = kept_rows(staging, segment)
        if kept is None:
            return None
        rows += kept
    return rows


def counted_groups(
    staging: StagingObjects, segments: Sequence[str], shape: Shape
) -> CountedGroups | None:
    """Count the groups of a test set.

    Parameters
    ----------
    segments : sequence of str
        Staging keys of all its segments.

    Returns
    -------
    CountedGroups or None
        None where the rows of a segment are not kept, or entries of a list are no mentions.
    """
    if shape.task == "entities" and shape.entities_from == "list":
        return None
    rows = whole_test_set(staging, segments)
    return None if rows is None else groups_of_rows(rows, shape)


def groups_of_rows(rows: Sequence[Row], shape: Shape) -> CountedGroups:
    """Count the groups of a test set whose rows are at hand; none of them is an entry of a list."""
    grouping = group_documents(rows)
    counts = count_groups(grouping.groups, (labels_of(row.label, shape) for row in rows))
    return {
        "groups": counts.groups,
        "label_groups": dict(counts.label_groups),
        "grouping": grouping.grouped,
    }
