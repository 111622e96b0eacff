"""The ledger's outbox: notices and news, until they are sent.

A row is written in the transaction of the state it reports, so no outcome is forgotten; it is
removed after it was published. Who publishes claims the row first, so that two at once do not send
it twice. Upload news wait here to be gathered into one digest.
"""

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from application.port_values import Change, Delete, Item, Key, Put
from application.ports import Rows
from flywheel.errors import ConcurrentChangeError
from flywheel.notices.notice import Notice, UploadNews

_PK = "OUTBOX"
_CLAIM_HOLDS = timedelta(minutes=5)
"""Longer than any function runs that publishes: after it the claimant is taken for dead."""

NO_FLYWHEEL = "-"
"""Stands for the flywheel of an upload whose key belongs to none."""


@dataclass(frozen=True, slots=True)
class PendingNews:
    """News of one upload that wait for a digest."""

    id: str
    flywheel: str
    news: UploadNews
    written_at: datetime


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """A notice that waits to be published."""

    flywheel: str
    notice: Notice


class Outbox:
    """Lists what waits and forgets what was sent."""

    def __init__(self, table: Rows) -> None:
        self._table = table

    def notices(self) -> list[PendingNotice]:
        """Return the notices that wait to be published."""
        rows = self._table.query(_PK, "NOTICE#")
        return [_notice(row) for row in rows if "subject" in row]

    def news(self) -> list[PendingNews]:
        """Return the upload news that wait for a digest, oldest first."""
        rows = [row for row in self._table.query(_PK, "NOTICE#") if "headline" in row]
        return sorted(map(_news, rows), key=lambda pending: pending.written_at)

    def claim(self, notice_id: str, now: datetime) -> bool:
        """Say whether the caller may publish a row now; nobody else may for five minutes then."""
        row = self._table.get(_key(notice_id))
        if row is None:
            return False
        before = row.get("claimed_at")
        if before is not None and now - datetime.fromisoformat(before) < _CLAIM_HOLDS:
            return False
        claim = Change(_key(notice_id), {"claimed_at": now.isoformat()}, {"claimed_at": before})
        try:
            self._table.write([claim])
        except ConcurrentChangeError:
            return False
        return True

    def release(self, notice_ids: list[str]) -> None:
        """Give up claims after publishing failed, so that the next may try at once."""
        for notice_id in notice_ids:
            with suppress(ConcurrentChangeError):
                self._table.write([Change(_key(notice_id), {"claimed_at": None})])

    def forget(self, notice_ids: list[str]) -> None:
        """Remove what was published."""
        for notice_id in notice_ids:
            self._table.write([Delete(_key(notice_id))])


def notice_row(flywheel: str, notice: Notice, now: datetime) -> Put:
    """Return the write that leaves a notice to be published; the same id replaces itself."""
    values = {**asdict(notice), "flywheel": flywheel, "written_at": now.isoformat()}
    return Put(_key(notice.id), values, replaces=True)


def news_row(uid: str, flywheel: str, news: UploadNews, now: datetime) -> Put:
    """Return the write that leaves an upload's news for the next digest."""
    values = {
        "id": f"upload-{uid}",
        "key": news.key,
        "headline": news.headline,
        "lines": list(news.lines),
        "todo": news.todo,
        "flywheel": flywheel,
        "written_at": now.isoformat(),
    }
    return Put(_key(f"upload-{uid}"), values, replaces=True)


def _key(notice_id: str) -> Key:
    return Key(_PK, f"NOTICE#{notice_id}")


def _notice(row: Item) -> PendingNotice:
    return PendingNotice(row["flywheel"], Notice(row["id"], row["subject"], row["body"]))


def _news(row: Item) -> PendingNews:
    news = UploadNews(row["key"], row["headline"], row["lines"], row["todo"])
    return PendingNews(row["id"], row["flywheel"], news, datetime.fromisoformat(row["written_at"]))
