"""The ledger's audit: an append-only, hash-chained record of what was decided and done.

Each entry names the hash of the one before; whoever changes or removes one breaks the chain.
Entries are written in the transaction of what they record.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.ledger.outbox import notice_row
from adapters.ledger.table import Change, Item, Key, Put, Write
from adapters.ports import Rows
from flywheel.notices import Notice

_FIRST_HASH = "0" * 64


class Audit:
    """Appends to and reads the chains of flywheels.

    Parameters
    ----------
    table : Rows
    actor : str
        Who acts: a function's name, or a person's.
    """

    def __init__(self, table: Rows, actor: str) -> None:
        self._table = table
        self._actor = actor

    def act(
        self,
        flywheel: str,
        event: str,
        details: Mapping[str, Any],
        *changes: Write,
        now: datetime,
        notice: Notice | None = None,
    ) -> None:
        """Carry out changes with their entry and, where there is one, their notice."""
        told = [] if notice is None else [notice_row(flywheel, notice, now)]
        self._table.write([*changes, *self.entry(flywheel, event, details, now), *told])

    def entry(
        self, flywheel: str, event: str, details: Mapping[str, Any], now: datetime
    ) -> list[Write]:
        """Return the writes that append one entry, for the transaction of what it records.

        Parameters
        ----------
        event : str
            What happened, e.g. ``batch opened``.
        details : mapping
            Plain values.
        """
        head = self._table.get(_head_key(flywheel))
        seq, before = (head["seq"] + 1, head["hash"]) if head else (1, _FIRST_HASH)
        entry = {
            "flywheel": flywheel,
            "seq": seq,
            "at": now.isoformat(),
            "actor": self._actor,
            "event": event,
            "details": dict(details),
            "previous": before,
        }
        entry["hash"] = entry_hash(entry)
        values = {"seq": seq, "hash": entry["hash"]}
        move: Write = (
            Change(_head_key(flywheel), values, {"seq": head["seq"]})
            if head
            else Put(_head_key(flywheel), values)
        )
        return [Put(Key(f"AUDIT#{flywheel}#{seq}", "AUDIT"), entry), move]

    def entries(self, flywheel: str) -> list[Item]:
        """Return the whole chain, oldest first."""
        head = self._table.get(_head_key(flywheel))
        keys = (
            [Key(f"AUDIT#{flywheel}#{seq}", "AUDIT") for seq in range(1, head["seq"] + 1)]
            if head
            else []
        )
        return [row for key in keys if (row := self._table.get(key)) is not None]


def entry_hash(entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry over everything in it but its own hash and its key."""
    content = {name: value for name, value in entry.items() if name not in {"hash", "pk", "sk"}}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _head_key(flywheel: str) -> Key:
    return Key(f"FLYWHEEL#{flywheel}", "AUDIT_HEAD")
