"""How a frozen test set changes: one case for each row of the transition table."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from application.ledger.test_sets import (
    AddedRows,
    CountedGroups,
    FrozenTestSet,
    freeze,
    freeze_late,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
GROUPS: CountedGroups = {"groups": 30, "label_groups": {"A": 18, "B": 12}, "grouping": "named"}
ROWS = AddedRows("with rows", 10, {"A": 4, "C": 6}, GROUPS)
BEFORE = FrozenTestSet(
    2, "before", 20, {"A": 12, "B": 8}, "2026-01-01", looks=3, groups=20, label_groups={"A": 20}
)
COUNTED: dict[str, Any] = {"documents": 30, "label_counts": {"A": 16, "B": 8, "C": 6}}
FROZEN = {
    "version": 3,
    "sha256": "with rows",
    **COUNTED,
    "frozen_at": NOW.isoformat(),
    "looks": 2,
    **GROUPS,
}


def late(before: FrozenTestSet | None, closed_at: str) -> dict[str, Any]:
    """Return a test set with rows that are counted only now."""
    return freeze_late(before, ROWS, NOW, closed_at=closed_at)


def test_the_next_version_has_all_rows_when_rows_are_frozen() -> None:
    """Two thirds of the rows were looked at three times, so two looks are left."""
    assert freeze(BEFORE, ROWS, NOW) == FROZEN


def test_every_look_counts_on_when_the_same_models_are_judged_again() -> None:
    """More rows thin out no look at a pair of models that is compared once more."""
    assert freeze(BEFORE, ROWS, NOW, is_judged_again=True) == {**FROZEN, "looks": 3}


def test_looks_of_the_generation_before_wear_off_when_the_first_set_is_frozen() -> None:
    """A rebuild makes no fresh test set of rows that models were chosen by."""
    first = freeze(None, ROWS, NOW, past=replace(BEFORE, documents=10))
    assert (first["version"], first["documents"], first["looks"]) == (1, 10, 3)
    assert freeze(None, ROWS, NOW)["looks"] == 0


def test_groups_are_left_out_when_they_are_not_counted() -> None:
    """A list of entities has none, and the row says nothing of them."""
    assert freeze(None, replace(ROWS, groups=None), NOW).keys() == FROZEN.keys() - GROUPS.keys()


def test_only_counts_change_when_late_rows_are_in_the_hash_already() -> None:
    """The set was frozen after the batch had failed, with its rows in hash, groups and looks."""
    stored = late(BEFORE, closed_at="2025-12-31")
    assert FrozenTestSet(**stored) == replace(BEFORE, **COUNTED)


def test_late_rows_make_a_version_when_nothing_was_frozen_since() -> None:
    """They are then frozen as the rows of any batch."""
    assert late(BEFORE, closed_at="2026-01-01T12:00") == FROZEN
    assert late(None, closed_at="2025-12-31")["version"] == 1


def test_one_look_is_added_when_a_verdict_is_made() -> None:
    """Nothing else of the set changes."""
    assert BEFORE.with_look() == replace(BEFORE, looks=4)


def test_labels_are_gone_when_the_generation_ends() -> None:
    """The next generation may have other labels; looks and size go on."""
    assert BEFORE.without_labels() == replace(BEFORE, label_counts={}, label_groups=None)


def test_only_hash_and_groups_change_when_rows_are_lost() -> None:
    """The rows were in the hash and never in the counts."""
    left = BEFORE.without_lost_rows("left", GROUPS)
    assert left == replace(BEFORE, sha256="left", **GROUPS)
    assert BEFORE.without_lost_rows("left", None) == replace(BEFORE, sha256="left")
