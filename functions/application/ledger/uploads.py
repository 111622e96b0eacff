"""The ledger's rows of uploads until a batch has them: received, staged, refused, split, imported.

``UPLOAD#<uid>`` holds the state; ``FLYWHEEL#<name> / STAGED#<uid>`` says that it waits for a
batch, so readiness is one Query. Both, and the news for people, change in one transaction. Read
next: `application.ledger.batch_uploads` (what batches and generations do with them).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from application.ledger.flywheel_rows import (
    change_flywheel,
)
from application.ledger.outbox import news_row
from application.ledger.upload_rows import (
    SplitParts,
    UploadRow,
    copy_values,
    is_withdrawn,
    membership,
    staged_key_of,
    staged_upload,
    upload_key,
    upload_row,
)
from application.port_values import Change, Delete, Put, Write
from application.ports import Rows
from flywheel.batches.batches import StagedUpload
from flywheel.batches.uploads import DatasetKind, ObjectVersion, UploadState
from flywheel.errors import ConcurrentChangeError
from flywheel.notices.notice import UploadNews

if TYPE_CHECKING:
    from application.ledger.pairs import PairEnd

BY_FLYWHEEL_INDEX = "uploads-by-flywheel"
"""The index that lists a flywheel's uploads by time; its keys are ``flywheel``, ``received_at``."""


ALL_UPLOADS = 10_000_000
"""More than a flywheel ever has."""


class Uploads:
    """Registers uploads and moves them from state to state."""

    def __init__(self, table: Rows) -> None:
        self._table = table

    def receive(
        self,
        upload: ObjectVersion,
        *,
        flywheel: str,
        kind: str,
        size_bytes: int,
        now: datetime,
        delivery: int = 0,
    ) -> UploadRow:
        """Record that an upload was seen, or return what is known of it already.

        Parameters
        ----------
        delivery : int
            Which delivery of its event this is, from 1; 0 where there was none yet.
        """
        values = {
            **asdict(upload),
            "uid": upload.uid,
            "flywheel": flywheel,
            "kind": kind,
            "size_bytes": size_bytes,
            "state": UploadState.RECEIVED,
            "received_at": now.isoformat(),
            "deliveries": delivery,
        }
        try:
            self._table.write([Put(upload_key(upload.uid), values)])
        except ConcurrentChangeError:
            known = self._table.get(upload_key(upload.uid))
            if known is None:
                raise
            return upload_row(known)
        return upload_row(values)

    def stage(
        self,
        flywheel: str,
        staged: StagedUpload,
        *,
        left_out: int,
        news: UploadNews | None,
        sha256: str | None = None,
        before: UploadState = UploadState.RECEIVED,
        pair_end: "PairEnd | None" = None,
    ) -> None:
        """Move a received upload, or a half that waited, to STAGED and let it wait for a batch.

        Parameters
        ----------
        sha256 : str, optional
            Of the file as it was dropped.
        before : UploadState
            RECEIVED, or WAITING for a half whose other half came.
        pair_end : PairEnd or None
            What becomes of the other half, where it is one of a pair.
        """
        now = staged.staged_at
        changes = {
            "state": UploadState.STAGED,
            **copy_values(staged),
            "left_out": left_out,
            "sha256": sha256,
            "reasons": list(news.lines) if news else None,
        }
        writes: list[Write] = [
            Change(upload_key(staged.uid), changes, {"state": before}),
            Put(staged_key_of(flywheel, staged.uid), membership(staged)),
            *(pair_end.writes if pair_end else ()),
        ]
        if news is not None:
            writes.append(news_row(staged.uid, flywheel, news, now))
        self._table.write(writes)

    def note_delivery(
        self, uid: str, delivery: int, now: datetime, failure: str | None = None
    ) -> None:
        """Write down which delivery of a received upload is worked on, or why it failed."""
        changes: dict[str, Any] = {"deliveries": delivery, "redelivered_at": now.isoformat()}
        if failure is not None:
            changes["failure"] = failure
        # Before its row was made, or after another delivery has registered it, nobody asks.
        with suppress(ConcurrentChangeError):
            self._table.write([Change(upload_key(uid), changes, {"state": UploadState.RECEIVED})])

    def refuse_undelivered(self, upload: UploadRow, news: UploadNews, now: datetime) -> None:
        """Refuse an upload of which all deliveries failed; another one begins anew."""
        changes = {
            "state": UploadState.REFUSED,
            "reasons": list(news.lines),
            "is_undelivered": True,
        }
        change = Change(upload_key(upload.uid), changes, {"state": UploadState.RECEIVED})
        self._table.write([change, news_row(upload.uid, upload.flywheel, news, now)])

    def receive_again(self, upload: UploadRow, now: datetime, delivery: int) -> UploadRow:
        """Move an upload that was refused unread back to RECEIVED: it is delivered again."""
        changes = {
            "state": UploadState.RECEIVED,
            "reasons": None,
            "failure": None,
            "is_undelivered": None,
            "deliveries": delivery,
            "redelivered_at": now.isoformat(),
        }
        expected = {"state": UploadState.REFUSED, "is_undelivered": True}
        self._table.write([Change(upload_key(upload.uid), changes, expected)])
        return replace(upload, state=UploadState.RECEIVED, reasons=(), is_undelivered=False)

    def mark(self, uid: str, asked: Change) -> None:
        """Move a received ``_GO`` object to MARKER and ask for the next batch."""
        change = Change(
            upload_key(uid), {"state": UploadState.MARKER}, {"state": UploadState.RECEIVED}
        )
        self._table.write([change, asked])

    def refuse(
        self,
        uid: str,
        flywheel: str,
        *,
        state: UploadState,
        reasons: Sequence[str],
        news: UploadNews,
        now: datetime,
        before: UploadState = UploadState.RECEIVED,
        pair_end: "PairEnd | None" = None,
    ) -> None:
        """Move an upload to REFUSED or GONE, with its reasons and its news; as `stage` does."""
        change = Change(
            upload_key(uid), {"state": state, "reasons": list(reasons)}, {"state": before}
        )
        self._table.write(
            [change, news_row(uid, flywheel, news, now), *(pair_end.writes if pair_end else ())]
        )

    def staged(self, flywheel: str) -> list[StagedUpload]:
        """Return what waits for a batch, oldest first."""
        rows = self._table.query(f"FLYWHEEL#{flywheel}", "STAGED#")
        return sorted(map(staged_upload, rows), key=lambda upload: (upload.staged_at, upload.uid))

    def split(self, flywheel: str, upload: StagedUpload, parts: SplitParts, now: datetime) -> None:
        """Let a staged training upload wait as two: what still trains, and a draft of a test set.

        Raises
        ------
        ConcurrentChangeError
            It does not wait as it was read any more, or a batch was opened.
        """
        row = self._table.get(upload_key(upload.uid)) or {}
        test = {
            **{name: value for name, value in row.items() if name not in {"pk", "sk"}},
            "uid": parts.test.uid,
            "kind": DatasetKind.TEST,
            "state": UploadState.STAGED,
            **copy_values(parts.test),
            "left_out": 0,
            "batch": None,
            "split_from": upload.uid,
        }
        changes: dict[str, Any] = {}
        # Of an upload that is sealed in part the row stays as it is, for what is in a batch.
        if row.get("state") == UploadState.STAGED:
            changes = copy_values(parts.train) if parts.train else {"state": UploadState.MOVED}
        waits = staged_key_of(flywheel, upload.uid)
        self._table.write(
            [
                Delete(waits)
                if parts.train is None
                else Change(waits, membership(parts.train), {"staged_key": upload.staged_key}),
                Change(upload_key(upload.uid), changes, {"state": row["state"]}),
                Put(upload_key(parts.test.uid), test),
                Put(staged_key_of(flywheel, parts.test.uid), membership(parts.test)),
                # While a batch is open its manifest may name the whole upload.
                change_flywheel(flywheel, {}, {"open_batch": None}),
            ]
        )

    def imported(self, flywheel: str, staged: StagedUpload) -> Put:
        """Return the write of an upload whose rows the flywheel held before."""
        values = {
            "uid": staged.uid,
            "key": staged.key,
            "flywheel": flywheel,
            "kind": staged.kind,
            "state": UploadState.IMPORTED,
            "received_at": staged.staged_at.isoformat(),
            **copy_values(staged),
        }
        return Put(upload_key(staged.uid), values)

    def is_withdrawn(self, uid: str) -> bool:
        """Say whether somebody took the upload back."""
        return is_withdrawn(self._table.get(upload_key(uid)))

    def newest(self, flywheel: str, most: int = 50) -> list[UploadRow]:
        """Return the newest uploads of a flywheel, newest first."""
        return [
            upload_row(item)
            for item in self._table.query_index(BY_FLYWHEEL_INDEX, "flywheel", flywheel, most)
        ]

    def get_many(self, uids: Iterable[str]) -> dict[str, UploadRow]:
        """Return those of the uploads that have a row, by uid."""
        rows = self._table.get_many([upload_key(uid) for uid in uids])
        return {row["uid"]: upload_row(row) for row in rows}

    def get(self, uid: str) -> UploadRow | None:
        """Return one upload, or None."""
        item = self._table.get(upload_key(uid))
        return None if item is None else upload_row(item)
