"""The ledger's row of a flywheel: is it idle, which batch is open, what has it used.

The row is written by the one open batch alone, so it is never contended. How many uploads were
registered is counted in a row of its own, which the state machine reads while it gathers.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.ledger.table import Change, Item, Key, Put
from adapters.ports import Rows
from flywheel.errors import ConcurrentChangeError

GATHER_SK = "GATHER"
"""Sort key of the row whose ``registrations`` the Gather state watches."""

_PAST_ITERATIONS_KEPT = 5


@dataclass(frozen=True, slots=True)
class FlywheelRow:
    """One flywheel as the ledger knows it.

    Parameters
    ----------
    name, arn : str
    generation : int
    open_batch : int or None
        The batch that is under way; None when the flywheel is idle.
    last_batch : int
        The highest number given so far; 0 before the first.
    expected_champion : str or None
        The model that was active after the last verdict.
    train_datasets, test_datasets : int
        Dataset slots used; the service gives none back.
    past_seconds : sequence of int
        How long the last iterations took.
    last_iteration_at : datetime or None
    test_set_keys : sequence of str
        Staging keys of the frozen test set's files.
    test_documents : int
    """

    name: str
    arn: str
    generation: int = 1
    open_batch: int | None = None
    last_batch: int = 0
    expected_champion: str | None = None
    train_datasets: int = 0
    test_datasets: int = 0
    past_seconds: Sequence[int] = ()
    last_iteration_at: datetime | None = None
    test_set_keys: Sequence[str] = ()
    test_documents: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether a batch may open."""
        return self.open_batch is None


class Flywheels:
    """Reads flywheels' rows and counts registrations."""

    def __init__(self, table: Rows) -> None:
        self._table = table

    def ensure(self, name: str, arn: str) -> FlywheelRow:
        """Return the flywheel's row; the first to ask creates it."""
        row = self.get(name)
        if row is not None:
            return row
        values = {"name": name, "arn": arn, "generation": 1, "last_batch": 0}
        # Another function may create it in this moment, which is what is wanted too.
        with suppress(ConcurrentChangeError):
            self._table.write([Put(flywheel_key(name), values)])
        return self.get(name) or FlywheelRow(name, arn)

    def get(self, name: str) -> FlywheelRow | None:
        """Return the flywheel's row, or None before its first upload."""
        item = self._table.get(flywheel_key(name))
        return None if item is None else _row(item)

    def count_registration(self, name: str) -> int:
        """Count one more staged upload and return the count."""
        return self._table.count_up(Key(f"FLYWHEEL#{name}", GATHER_SK), "registrations")

    def registrations(self, name: str) -> int:
        """Return how many uploads were ever staged."""
        item = self._table.get(Key(f"FLYWHEEL#{name}", GATHER_SK))
        return 0 if item is None else int(item["registrations"])

    def free(self, name: str, batch: int) -> bool:
        """Make the flywheel idle again; False where another batch is open or none is."""
        try:
            self._table.write([change_flywheel(name, {"open_batch": None}, {"open_batch": batch})])
        except ConcurrentChangeError:
            row = self.get(name)
            if row is not None and row.open_batch == batch:
                raise
            return False
        return True


def change_flywheel(
    name: str, changes: Mapping[str, Any], expect: Mapping[str, Any] | None = None
) -> Change:
    """Return the write that changes a flywheel's row, for a transaction."""
    return Change(flywheel_key(name), changes, expect or {})


def with_past(past_seconds: Sequence[int], seconds: int) -> list[int]:
    """Return the remembered durations with one more; the oldest is forgotten."""
    return [*past_seconds, seconds][-_PAST_ITERATIONS_KEPT:]


def flywheel_key(name: str) -> Key:
    """Return the key of a flywheel's row."""
    return Key(f"FLYWHEEL#{name}", "FLYWHEEL")


def _row(item: Item) -> FlywheelRow:
    last = item.get("last_iteration_at")
    return FlywheelRow(
        name=item["name"],
        arn=item["arn"],
        generation=item["generation"],
        open_batch=item.get("open_batch"),
        last_batch=item["last_batch"],
        expected_champion=item.get("expected_champion"),
        train_datasets=item.get("train_datasets", 0),
        test_datasets=item.get("test_datasets", 0),
        past_seconds=item.get("past_seconds", ()),
        last_iteration_at=datetime.fromisoformat(last) if last else None,
        test_set_keys=item.get("test_set_keys", ()),
        test_documents=item.get("test_documents", 0),
    )
