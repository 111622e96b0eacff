"""The frozen test set as a value, and each way in which it changes.

======================  =======  ================  =============  ================================
event                   version  hash and groups   counts         looks
======================  =======  ================  =============  ================================
rows are frozen         next     of all rows       with the rows  worn off; all of them where the
                                                                  same models are judged again
late rows are counted   same     same              with the rows  same
rows are lost           same     of the rows left  same           same
a verdict looks at it   same     same              same           one more
the generation ends     same     same, no labels   no labels      same
======================  =======  ================  =============  ================================

Pure. Read next: `flywheel.evaluation.looks` (how looks wear off), `application.staged_rows`
(groups).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from flywheel.evaluation.looks import worn_looks

if TYPE_CHECKING:
    from flywheel.intake.document_groups import Grouped


class CountedGroups(TypedDict):
    """The groups of a whole test set, as rows hold them; `FrozenTestSet` says what each is."""

    groups: int
    label_groups: dict[str, int]
    grouping: "Grouped"


@dataclass(frozen=True, slots=True)
class AddedRows:
    """Rows that a test set gains.

    Parameters
    ----------
    sha256 : str or None
        Of the whole set with them.
    documents : int
    label_counts : mapping of str to int
    groups : CountedGroups or None
        Of the whole set with them.
    """

    sha256: str | None
    documents: int
    label_counts: Mapping[str, int]
    groups: CountedGroups | None = None


@dataclass(frozen=True, slots=True)
class FrozenTestSet:
    """One version of what judges every model.

    Parameters
    ----------
    version : int
        From 1 in every generation.
    sha256 : str
        Over all its rows, whatever their order.
    documents : int
    label_counts : mapping of str to int
    frozen_at : str
    looks : int
        Verdicts on challengers that were made on it; rows that are added thin them out
        (`flywheel.evaluation.looks.worn_looks`).
    groups : int or None
        Independent groups of its documents, each with a label or a mention; None where an earlier
        release froze some of its rows.
    label_groups : mapping of str to int, or None
        Groups per label, or entity type.
    grouping : {"none", "named", "near duplicates"}
        What made the groups (`flywheel.intake.document_groups`).
    """

    version: int
    sha256: str
    documents: int
    label_counts: Mapping[str, int]
    frozen_at: str
    looks: int = 0
    groups: int | None = None
    label_groups: Mapping[str, int] | None = None
    grouping: "Grouped" = "none"

    def with_late_rows(self, rows: AddedRows) -> "FrozenTestSet":
        """Count rows that its hash and groups are of already.

        It was frozen after the batch of these rows had failed, and before their dataset was
        complete.
        """
        counts = Counter(self.label_counts)
        counts.update(rows.label_counts)
        documents = self.documents + rows.documents
        return replace(self, documents=documents, label_counts=dict(counts))

    def without_lost_rows(self, sha256: str, groups: CountedGroups | None) -> "FrozenTestSet":
        """Name the rows that are left by their hash and their groups; the counts had none of them.

        Parameters
        ----------
        sha256 : str
            Of the rows that are left.
        groups : CountedGroups or None
            Of the rows that are left; None where an earlier release froze some of them.
        """
        left = replace(self, sha256=sha256)
        return left if groups is None else replace(left, **groups)

    def with_look(self) -> "FrozenTestSet":
        """Count a verdict on a challenger."""
        return replace(self, looks=self.looks + 1)

    def without_labels(self) -> "FrozenTestSet":
        """Return what the next generation must know of it."""
        return replace(self, label_counts={}, label_groups=None)


def freeze(
    before: FrozenTestSet | None,
    rows: AddedRows,
    now: datetime,
    *,
    past: FrozenTestSet | None = None,
    is_judged_again: bool = False,
) -> dict[str, Any]:
    """Return the next version of a test set, as a flywheel's row holds it.

    Parameters
    ----------
    before : FrozenTestSet or None
        The version before it in this generation.
    past : FrozenTestSet or None
        The last one of the generations before.
    is_judged_again : bool
        Whether the models that were compared on the set before are compared on this one: then
        every look at it counts on.
    """
    documents, counts = rows.documents, Counter(rows.label_counts)
    if before is not None:
        documents += before.documents
        counts.update(before.label_counts)
    looks, seen = 0, before or past
    if seen is not None:
        looks = seen.looks if is_judged_again else worn_looks(seen.looks, seen.documents, documents)
    return {
        "version": before.version + 1 if before else 1,
        "sha256": rows.sha256,
        "documents": documents,
        "label_counts": dict(counts),
        "frozen_at": now.isoformat(),
        "looks": looks,
        **(rows.groups or {}),
    }


def freeze_late(
    before: FrozenTestSet | None,
    rows: AddedRows,
    now: datetime,
    *,
    closed_at: str,
    past: FrozenTestSet | None = None,
    is_judged_again: bool = False,
) -> dict[str, Any]:
    """Return a test set with the rows of a batch that failed before its TEST dataset was complete.

    Parameters
    ----------
    closed_at : str
        When the batch failed. A set that was frozen since is of its rows too, by hash: only the
        counts of documents lack them.
    """
    if before is not None and before.frozen_at >= closed_at:
        return asdict(before.with_late_rows(rows))
    return freeze(before, rows, now, past=past, is_judged_again=is_judged_again)
