"""The ledger's table in memory: consistent reads, conditional transactions, an index that lags."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from application.port_values import Change, Delete, Item, Key, Put, Write
from flywheel.errors import ConcurrentChangeError, ServiceRefusedError
from tests.simulation.simulator import Simulator

_MOST_WRITES = 100
_INDEX_LAG = timedelta(seconds=5)

Watcher = Callable[[Write, Item | None], None]
"""Called with each write before it is done, and the row as it was."""


@dataclass(slots=True)
class MemoryRows:
    """The ledger's table.

    Parameters
    ----------
    simulator : Simulator
    watchers : list of Watcher
    """

    simulator: Simulator
    watchers: list[Watcher] = field(default_factory=list)
    _partitions: dict[str, dict[str, Item]] = field(default_factory=lambda: defaultdict(dict))
    _earlier: dict[tuple[str, str], tuple[datetime, Item | None]] = field(default_factory=dict)

    def get(self, key: Key) -> Item | None:
        """Return a row, or None."""
        return self.simulator.call("rows.get", lambda: self.look(key.pk, key.sk))

    def get_many(self, keys: Sequence[Key]) -> Iterator[Item]:
        """Give the rows of those keys that have one."""
        rows = self.simulator.call("rows.get_many", lambda: [self.look(k.pk, k.sk) for k in keys])
        return (row for row in rows if row is not None)

    def query(self, pk: str, sk_prefix: str) -> Iterator[Item]:
        """Give the rows of one partition whose sort key begins so, in order."""

        def read() -> list[Item]:
            rows = self._partitions.get(pk, {})
            return [dict(rows[sk]) for sk in sorted(rows) if sk.startswith(sk_prefix)]

        return iter(self.simulator.call("rows.query", read))

    def query_index(self, index: str, attribute: str, value: str, newest: int) -> list[Item]:
        """Return the newest rows of an index's partition, newest first, as of some moment."""

        def read() -> list[Item]:
            is_stale = self.simulator.happens(self.simulator.rates.stale_index)
            shown = (self._a_moment_ago(row) if is_stale else row for row in self.rows("UPLOAD#"))
            rows = [row for row in shown if row is not None and row.get(attribute) == value]
            rows.sort(key=lambda row: str(row["received_at"]), reverse=True)
            return [dict(row) for row in rows[:newest]]

        return self.simulator.call("rows.query_index", read)

    def count_up(self, key: Key, attribute: str) -> int:
        """Add one to a counter and return it."""

        def add() -> int:
            row = self._partitions[key.pk].setdefault(key.sk, {"pk": key.pk, "sk": key.sk})
            row[attribute] = row.get(attribute, 0) + 1
            return int(row[attribute])

        return self.simulator.call("rows.count_up", add, is_repeatable=True)

    def write(self, writes: Sequence[Write]) -> None:
        """Carry out all the writes or none."""
        if len(writes) > _MOST_WRITES:
            raise ValueError(f"{len(writes)} writes; a transaction takes {_MOST_WRITES}")
        self.simulator.call("rows.write", lambda: self._apply(writes))

    # What no function calls.

    def look(self, pk: str, sk: str) -> Item | None:
        """Return a row as it is now, without a call."""
        row = self._partitions.get(pk, {}).get(sk)
        # Nobody changes what is within a row's attributes.
        return None if row is None else dict(row)

    def rows(self, pk_prefix: str = "", sk_prefix: str = "") -> Iterator[Item]:
        """Give all rows whose keys begin so, without a call."""
        for pk, rows in self._partitions.items():
            if pk.startswith(pk_prefix):
                yield from (row for sk, row in rows.items() if sk.startswith(sk_prefix))

    def _apply(self, writes: Sequence[Write]) -> None:
        keys = {(write.key.pk, write.key.sk) for write in writes}
        if len(keys) != len(writes):
            words = "a transaction names a row twice"
            raise ServiceRefusedError("dynamodb:TransactWriteItems", "ValidationException", words)
        changed = {(one.key.pk, one.key.sk) for one in writes if not self._holds(one)}
        if changed:
            words = f"conditions failed at {sorted(changed)}"
            raise ConcurrentChangeError(words, frozenset(changed))
        for write in writes:
            before = self.look(write.key.pk, write.key.sk)
            for watcher in self.watchers:
                watcher(write, before)
            self._earlier[write.key.pk, write.key.sk] = (self.simulator.now, before)
            self._put(write)

    def _a_moment_ago(self, row: Item) -> Item | None:
        """Return a row as the index may still have it."""
        changed_at, before = self._earlier[row["pk"], row["sk"]]
        return before if self.simulator.now - changed_at <= _INDEX_LAG else row

    def _holds(self, write: Write) -> bool:
        row = self._partitions.get(write.key.pk, {}).get(write.key.sk)
        if isinstance(write, Put):
            return write.replaces or row is None
        if isinstance(write, Change):
            return row is not None and all(
                row.get(name) == _stored(value) for name, value in write.expect.items()
            )
        return True

    def _put(self, write: Write) -> None:
        rows, sk = self._partitions[write.key.pk], write.key.sk
        if isinstance(write, Delete):
            rows.pop(sk, None)
        elif isinstance(write, Put):
            values = {name: _stored(value) for name, value in write.values.items()}
            given = {name: value for name, value in values.items() if value is not None}
            rows[sk] = {**given, "pk": write.key.pk, "sk": sk}
        else:
            for name, value in write.set.items():
                if value is None:
                    rows[sk].pop(name, None)
                else:
                    rows[sk][name] = _stored(value)


def _stored(value: Any) -> Any:
    """Return a value as it comes back from the table: plain, lists for tuples."""
    if isinstance(value, dict):
        return {str(name): _stored(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_stored(inner) for inner in value]
    return str(value) if isinstance(value, str) else value
