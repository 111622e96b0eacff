"""A table of the ledger, watched: what each write expects, and what did not hold.

An expectation is spelled ``Batches.open: FLYWHEEL.pause``: the ledger's method that writes, the
row, and the attribute that must be as it was read; ``Batches.open: BATCH absent`` where no row may
be there yet.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import application.ledger as ledger_room
from application.port_values import Change, Item, Key, Put, Write
from application.ports import Rows
from flywheel.errors import ConcurrentChangeError

_LEDGER = str(Path(ledger_room.__file__).parent)
_CHAIN = {"AUDIT", "AUDIT_HEAD"}


class WatchedRows:
    """A table that notes what its writes expect.

    Attributes
    ----------
    table : Rows
        Where they are. It may be another one that holds the same rows from some moment on.
    expected : set of str
        Expectations of all writes so far.
    methods : set of str
        The ledger's methods that wrote.
    refusals : list of set of str
        The expectations that did not hold, of each write that was refused.
    at_refusal : list or None
        All rows as they were at the last of them.
    """

    def __init__(self, table: Rows) -> None:
        self.table = table
        self.expected = set[str]()
        self.methods = set[str]()
        self.refusals = list[set[str]]()
        self.at_refusal: list[Item] | None = None
        self._keys = set[Key]()
        self._neighbours = dict[str, list[Callable[[], object]]]()

    def everything(self) -> list[Item]:
        """Return all rows that were ever written here and are there, in order."""
        found = self.table.get_many(sorted(self._keys, key=lambda key: (key.pk, key.sk)))
        return sorted(found, key=lambda row: (row["pk"], row["sk"]))

    def move_to(self, table: Rows) -> None:
        """Go on with another table, which is empty, with the same rows in it."""
        rows = [Put(Key(row["pk"], row["sk"]), row) for row in self.everything()]
        table.write(rows)
        self.table = table

    def come_between(
        self, expectation: str, neighbour: Callable[[], object], times: int = 1
    ) -> None:
        """Let a neighbour write after the next writer has read, just before it writes.

        Parameters
        ----------
        expectation : str
            Of the write that the neighbour comes before.
        times : int
            Before so many writes of this kind.
        """
        self._neighbours[expectation] = [neighbour] * times

    def write(self, writes: Sequence[Write]) -> None:
        """Carry out all the writes or none, and note what they expect."""
        method = _method()
        expected = expectations_of(writes)
        self.methods.add(method)
        self.expected |= expected
        self._keys |= {write.key for write in writes}
        for name in sorted(expected):
            if waiting := self._neighbours.pop(name, []):
                waiting.pop()()
                self._neighbours[name] = waiting
        try:
            self.table.write(writes)
        except ConcurrentChangeError:
            rows = [(write, self.get(write.key)) for write in writes]
            violated = (_violated(method, write, row) for write, row in rows)
            self.refusals.append({name for names in violated for name in names})
            self.at_refusal = self.everything()
            raise

    # The rest is the table's.

    def get(self, key: Key) -> Item | None:
        """Return a row, or None."""
        return self.table.get(key)

    def get_many(self, keys: Sequence[Key]) -> Iterator[Item]:
        """Give the rows of those keys that have one."""
        return self.table.get_many(keys)

    def query(self, pk: str, sk_prefix: str) -> Iterator[Item]:
        """Give the rows of one partition whose sort key begins so."""
        return self.table.query(pk, sk_prefix)

    def query_index(self, index: str, attribute: str, value: str, newest: int) -> list[Item]:
        """Return the newest rows of an index's partition."""
        return self.table.query_index(index, attribute, value, newest)

    def count_up(self, key: Key, attribute: str) -> int:
        """Add one to a counter and return it."""
        self.methods.add(_method())
        self._keys.add(key)
        return self.table.count_up(key, attribute)


def expectations_of(writes: Sequence[Write]) -> set[str]:
    """Return what the writes of a method of the ledger, which calls, expect."""
    method = _method()
    return {name for write in writes for name, _ in _expectations(method, write)}


def _method() -> str:
    """Return the ledger's method that writes, outermost: those within it are its own parts."""
    frame: FrameType | None = sys._getframe(1)
    while frame and not _is_of_ledger(frame):
        frame = frame.f_back
    name = ""
    while frame and _is_of_ledger(frame):
        if "<" not in frame.f_code.co_qualname:
            name = frame.f_code.co_qualname
        frame = frame.f_back
    return name


def _is_of_ledger(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_LEDGER)


def _expectations(method: str, write: Write) -> Iterator[tuple[str, Any]]:
    """Give what a write expects, each with the value."""
    row = write.key.sk.partition("#")[0]
    # Whoever appends, the chain expects the same.
    method = "Audit.act" if row in _CHAIN else method
    if isinstance(write, Put) and not write.replaces:
        yield f"{method}: {row} absent", None
    if isinstance(write, Change):
        for name, value in write.expect.items():
            yield f"{method}: {row}.{name}", value


def _violated(method: str, write: Write, row: Item | None) -> Iterator[str]:
    """Give the expectations of a write that do not hold of the row."""
    for name, value in _expectations(method, write):
        is_absent = name.endswith(" absent")
        now = row if is_absent else (row or {}).get(name.rpartition(".")[2])
        if now != _as_read(value):
            yield name


def _as_read(value: Any) -> Any:
    """Return a value as the table gives it back."""
    if isinstance(value, dict):
        return {str(name): _as_read(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_read(inner) for inner in value]
    return str(value) if isinstance(value, str) else value
