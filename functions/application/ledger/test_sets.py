"""How the ledger freezes a test set: its next version, with more rows and the looks that count.

Knows no act. Read next: `flywheel.evaluation.looks` (how looks wear off),
`application.staged_rows` (groups).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from application.ledger.flywheel_rows import FlywheelRow, FrozenTestSet
from flywheel.evaluation.looks import worn_looks

if TYPE_CHECKING:
    from flywheel.intake.document_groups import Grouped


class CountedGroups(TypedDict):
    """The groups of a whole test set, as rows hold them; `FrozenTestSet` says what each is."""

    groups: int
    label_groups: dict[str, int]
    grouping: "Grouped"


def freeze_changes(
    row: FlywheelRow,
    sha256: str | None,
    more: Mapping[str, int],
    documents: int,
    now: datetime,
    *,
    groups: CountedGroups | None = None,
    is_judged_again: bool = False,
) -> dict[str, Any]:
    """Return the changes of a flywheel's row that make more rows part of its test set.

    Parameters
    ----------
    groups : CountedGroups or None
        Of all its rows then.
    is_judged_again : bool
        Whether the models that were compared on the set before are compared on this one: then
        every look at it counts on.
    """
    before = row.test_set
    seen = before or row.past_test_set
    counts = Counter(before.label_counts if before else {})
    counts.update(more)
    whole = (before.documents if before else 0) + documents
    looks = 0
    if seen is not None:
        looks = seen.looks if is_judged_again else worn_looks(seen.looks, seen.documents, whole)
    frozen = {
        "version": before.version + 1 if before else 1,
        "sha256": sha256,
        "documents": whole,
        "label_counts": dict(counts),
        "frozen_at": now.isoformat(),
        "looks": looks,
        **(groups or {}),
    }
    # Written with it, since a row of an earlier release has them in its test set alone.
    return {"test_set": frozen, "generation_looks": row.generation_looks}


def frozen_late(
    before: FrozenTestSet | None, frozen: Mapping[str, Any], closed_at: str
) -> Mapping[str, Any]:
    """Return a test set with the rows of a batch that failed before its TEST dataset was complete.

    A set that was frozen since that batch was closed is of its rows too, by hash: its groups count
    them, its looks were at them, and only the counts of documents lack them.

    Parameters
    ----------
    frozen : mapping
        The test set of `freeze_changes` of that batch.
    """
    if before is None or before.frozen_at < closed_at:
        return frozen
    counted = {name: frozen[name] for name in ("documents", "label_counts")}
    return {**asdict(before), **counted}


def past_test_set(row: FlywheelRow) -> dict[str, Any] | None:
    """Return what the next generation must know of this one's test set, as the row holds it."""
    last = row.test_set or row.past_test_set
    if last is None:
        return None
    return asdict(replace(last, label_counts={}, label_groups=None))
