"""The ledger's rows of reconcile's runs: when it last looked, what it found, and its audit.

The chain of the environment itself is kept under `ENVIRONMENT`, beside those of its flywheels.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from application.ledger.audit import Audited, AuditHead
from application.ledger.writes import Item, Key, Put

ENVIRONMENT = "-"
"""Stands for the flywheel in what belongs to the whole environment."""

_LAST = Key("RECONCILE", "LAST_RUN")
_WHOLE = Key("RECONCILE", "LAST_WHOLE_LISTING")


class Runs(Audited):
    """Writes down and tells the runs of reconcile."""

    def note(self, found: Mapping[str, int], now: datetime) -> None:
        """Write down one run, with its audit entry."""
        values = {"at": now.isoformat(), "found": dict(found)}
        put = Put(_LAST, values, replaces=True)
        self._audit.act(ENVIRONMENT, "reconciled", found, put, now=now)

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
        row = self._table.get(_head_key(flywheel))
        return None if row is None else AuditHead(row["seq"], row["hash"])

    def note_head(self, flywheel: str, head: AuditHead) -> None:
        """Write down that a chain's head was written."""
        values = {"seq": head.seq, "hash": head.hash}
        self._table.write([Put(_head_key(flywheel), values, replaces=True)])


def _head_key(flywheel: str) -> Key:
    return Key("RECONCILE", f"HEAD#{flywheel}")
