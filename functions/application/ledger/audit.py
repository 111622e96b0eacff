"""The ledger's audit: an append-only, hash-chained record of what was decided and done.

Each entry names the hash of the one before; whoever changes or removes one breaks the chain.
Entries are written in the transaction of what they record.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from application.ledger.outbox import notice_row
from application.port_values import Change, Item, Key, Put, Write
from application.ports import Rows
from flywheel.errors import ConcurrentChangeError
from flywheel.notices.notice import Notice

_FIRST_HASH = "0" * 64
_READ_AT_ONCE = 100
"""As many rows as one BatchGetItem takes."""
_TRIES = 10
"""In each of them another writer was first, so the chain moves on whoever gives up."""

FIRST_SHA256 = "0" * 64
"""Stands for the verdict's document before the first."""


@dataclass(frozen=True, slots=True)
class AuditHead:
    """Where a flywheel's chain ends.

    Parameters
    ----------
    seq : int
        The number of the last entry.
    hash : str
    verdict_sha256 : str
        Of the last verdict's document.
    """

    seq: int
    hash: str
    verdict_sha256: str = FIRST_SHA256


FIRST_HEAD = AuditHead(0, _FIRST_HASH)
"""Before a chain's first entry."""


@dataclass(frozen=True, slots=True)
class VerdictLink:
    """Two verdicts' documents that follow each other: the hash before, and the hash after."""

    before: str
    after: str


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
        verdict: VerdictLink | None = None,
    ) -> None:
        """Carry out changes with their entry and, where there is one, their notice.

        Where another writer has appended an entry since the chain was read, and nothing else is
        in the way, the entry is made again for the chain as it is now.

        Raises
        ------
        ConcurrentChangeError
            A row is not as the changes expect it, or another verdict is the last by now.
        """
        notices = [] if notice is None else [notice_row(flywheel, notice, now)]
        for tries_left in reversed(range(_TRIES)):
            entry = self._entry(flywheel, event, details, now, verdict)
            chain = {(write.key.pk, write.key.sk) for write in entry}
            try:
                self._table.write([*changes, *entry, *notices])
            except ConcurrentChangeError as error:
                if not error.rows or error.rows - chain or not tries_left:
                    raise
            else:
                return

    def _entry(
        self,
        flywheel: str,
        event: str,
        details: Mapping[str, Any],
        now: datetime,
        verdict: VerdictLink | None = None,
    ) -> list[Write]:
        """Return the writes that append one entry, for the transaction of what it records.

        Parameters
        ----------
        event : str
            What happened, e.g. ``batch opened``.
        details : mapping
            Plain values.
        verdict : VerdictLink, optional
            The verdict that the entry records.

        Raises
        ------
        ConcurrentChangeError
            The last verdict is not the one that this verdict follows.
        """
        row = self._table.get(_head_key(flywheel))
        last_verdict = (row or {}).get("verdict_sha256", FIRST_SHA256)
        if verdict is not None and verdict.before != last_verdict:
            raise ConcurrentChangeError(f"another verdict of {flywheel} was entered meanwhile")
        seq, before = (row["seq"] + 1, row["hash"]) if row else (1, _FIRST_HASH)
        entry = {
            "flywheel": flywheel,
            "seq": seq,
            "at": now.isoformat(),
            "actor": self._actor,
            "event": event,
            "details": _as_read(details),
            "previous": before,
        }
        entry["hash"] = entry_hash(entry)
        values = {"seq": seq, "hash": entry["hash"]}
        if verdict is not None:
            values["verdict_sha256"] = verdict.after
        move: Write = (
            # No verdict is entered without another number.
            Change(_head_key(flywheel), values, {"seq": seq - 1})
            if row
            else Put(_head_key(flywheel), values)
        )
        return [Put(entry_key(flywheel, seq), entry), move]

    def head(self, flywheel: str) -> AuditHead | None:
        """Return where a chain ends; None before its first entry."""
        row = self._table.get(_head_key(flywheel))
        if row is None:
            return None
        return AuditHead(row["seq"], row["hash"], row.get("verdict_sha256", FIRST_SHA256))

    def entries(self, flywheel: str) -> list[Item]:
        """Return the whole chain, oldest first."""
        head = self.head(flywheel)
        return [] if head is None else list(self.chain(flywheel, head.seq))

    def chain(self, flywheel: str, last: int, *, first: int = 1) -> Iterator[Item]:
        """Give the entries of these numbers, oldest first; what is not there is left out."""
        for start in range(first, last + 1, _READ_AT_ONCE):
            numbers = range(start, min(start + _READ_AT_ONCE, last + 1))
            keys = [entry_key(flywheel, seq) for seq in numbers]
            # By their keys: a number within could have been changed.
            rows = {row["pk"]: row for row in self._table.get_many(keys)}
            yield from (rows[key.pk] for key in keys if key.pk in rows)


class Audited:
    """A part of the ledger whose writes stand in the audit.

    Parameters
    ----------
    table : Rows
    actor : str
        Who acts: a function's name, or a person's.
    """

    def __init__(self, table: Rows, actor: str) -> None:
        self._table = table
        self._actor = actor
        self._audit = Audit(table, actor)


def entry_hash(entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry over everything in it but its own hash and its key."""
    content = {name: value for name, value in entry.items() if name not in {"hash", "pk", "sk"}}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _as_read(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details as the table gives them back, since they are hashed: 1.0 comes back as 1."""
    read: dict[str, Any] = json.loads(
        json.dumps(details),
        parse_float=lambda text: int(float(text)) if float(text).is_integer() else float(text),
    )
    return read


def entry_key(flywheel: str, seq: int) -> Key:
    """Return the key of an entry's row."""
    return Key(f"AUDIT#{flywheel}#{seq}", "AUDIT")


def _head_key(flywheel: str) -> Key:
    return Key(f"FLYWHEEL#{flywheel}", "AUDIT_HEAD")


ENVIRONMENT = "-"
"""Stands for the flywheel in what belongs to the whole environment."""

_LAST = Key("RECONCILE", "LAST_RUN")
_WHOLE = Key("RECONCILE", "LAST_WHOLE_LISTING")


class Runs(Audited):
    """Writes down and tells the runs of reconcile."""

    def note(self, counts: Mapping[str, int], now: datetime) -> None:
        """Write down one run, with its audit entry."""
        values = {"at": now.isoformat(), "found": dict(counts)}
        put = Put(_LAST, values, replaces=True)
        self._audit.act(ENVIRONMENT, "reconciled", counts, put, now=now)

    def last(self) -> Item | None:
        """Return when the last run was (``at``) and what it ``found``, or None before the first."""
        return self._table.get(_LAST)

    def is_whole_due(self, now: datetime, every: timedelta) -> bool:
        """Say whether the whole inbox is to be looked at."""
        row = self._table.get(_WHOLE)
        return row is None or now - datetime.fromisoformat(row["at"]) >= every

    def note_whole(self, now: datetime) -> None:
        """Write down that the whole inbox was looked at."""
        self._table.write([Put(_WHOLE, {"at": now.isoformat()}, replaces=True)])

    def last_head(self, flywheel: str) -> AuditHead | None:
        """Return where a chain ended when its head was last written by a run, or None."""
        row = self._table.get(_written_head_key(flywheel))
        return None if row is None else AuditHead(row["seq"], row["hash"])

    def note_head(self, flywheel: str, head: AuditHead) -> None:
        """Write down that a chain's head was written."""
        values = {"seq": head.seq, "hash": head.hash}
        self._table.write([Put(_written_head_key(flywheel), values, replaces=True)])


def _written_head_key(flywheel: str) -> Key:
    return Key("RECONCILE", f"HEAD#{flywheel}")
