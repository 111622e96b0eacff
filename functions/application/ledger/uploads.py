"""The ledger's rows of uploads: what became of each object version that was dropped.

``UPLOAD#<uid>`` holds the state; ``FLYWHEEL#<name> / STAGED#<uid>`` says that it waits for a
batch, so readiness is one Query. Both, and the news for people, change in one transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from application.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    flywheel_key,
    unchanged_rebuild,
)
from application.ledger.outbox import news_row
from application.ledger.upload_rows import (
    SplitParts,
    UploadRow,
    copy_values,
    membership,
    staged_key_of,
    staged_upload,
    upload_key,
    upload_row,
    waits_again,
)
from application.port_values import Change, Delete, Put, Write
from application.ports import Rows
from flywheel.batches.batches import BatchName, StagedUpload
from flywheel.batches.uploads import DatasetKind, ObjectVersion, UploadState
from flywheel.errors import ConcurrentChangeError
from flywheel.notices.notice import UploadNews

if TYPE_CHECKING:
    from application.ledger.pairs import PairEnd

BY_FLYWHEEL_INDEX = "uploads-by-flywheel"
"""The index that lists a flywheel's uploads by time; its keys are ``flywheel``, ``received_at``."""


ACCEPTED = frozenset({UploadState.SEALED, UploadState.DUPLICATE, UploadState.IMPORTED})
"""States of uploads whose rows a generation holds, or knows from another upload."""

ALL_UPLOADS = 10_000_000
_SEALED_AT_ONCE = 50
"""Two writes each: as many as a transaction takes."""

TAINTS_NAMED = 20
"""How many withdrawn uploads a flywheel's row names; the upload rows have them all."""


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

    def seal(
        self,
        name: BatchName,
        uids: Sequence[str],
        *,
        remainders: Mapping[str, StagedUpload],
        repeats: Collection[str] = (),
    ) -> None:
        """Let uploads follow the seal of their batch; safe to repeat from the manifest.

        An upload that was withdrawn after the manifest was written is in the batch all the same:
        it stays WITHDRAWN, and its flywheel is tainted.

        Parameters
        ----------
        uids : sequence of str
            The uploads in the manifest.
        remainders : mapping of uid to StagedUpload
            Those of which some rows stay staged, as the copies that hold only these rows.
        repeats : collection of str
            Those of which every row was known already.
        """
        for first in range(0, len(uids), _SEALED_AT_ONCE):
            group = uids[first : first + _SEALED_AT_ONCE]
            states = {
                uid: UploadState.DUPLICATE if uid in repeats else UploadState.SEALED
                for uid in group
            }
            try:
                self._follow(name, states, remainders)
            except ConcurrentChangeError:
                # Somebody takes one of them back meanwhile: one by one it shows which.
                for uid, state in states.items():
                    self._follow_or_taint(name, uid, state, remainders)

    def _follow_or_taint(
        self,
        name: BatchName,
        uid: str,
        state: UploadState,
        remainders: Mapping[str, StagedUpload],
    ) -> None:
        try:
            self._follow(name, {uid: state}, remainders)
        except ConcurrentChangeError:
            if not self.is_withdrawn(uid):
                raise
            self._taint(name.flywheel, uid, name.batch)

    def _follow(
        self,
        name: BatchName,
        states: Mapping[str, UploadState],
        remainders: Mapping[str, StagedUpload],
    ) -> None:
        """Let uploads follow in one transaction, those that have not yet."""
        writes: list[Write] = []
        for row in self._table.get_many([upload_key(uid) for uid in states]):
            uid, state = row["uid"], states[row["uid"]]
            # The attempt counts: what an earlier one sent, a later one may have to let wait.
            if row["state"] == state and row.get("sealed_by") == name.label:
                continue
            if row["state"] == UploadState.WITHDRAWN:
                raise ConcurrentChangeError(f"upload {uid} was withdrawn")
            # One of which a dataset holds rows stays SEALED by that one's batch.
            changes: dict[str, Any] = {"state": UploadState.SEALED}
            if state == UploadState.SEALED or row["state"] != UploadState.SEALED:
                changes = {"state": state, "batch": name.batch, "sealed_by": name.label}
                if row.get("batch") not in {None, name.batch}:
                    changes["earlier_batches"] = [*row.get("earlier_batches", ()), row["batch"]]
            expected = {"state": row["state"], "sealed_by": row.get("sealed_by")}
            waits = staged_key_of(name.flywheel, uid)
            remainder = remainders.get(uid)
            writes += [
                Change(upload_key(uid), changes, expected),
                Delete(waits)
                if remainder is None
                else Put(waits, membership(remainder), replaces=True),
            ]
        if writes:
            self._table.write(writes)

    def _taint(self, flywheel: str, uid: str, batch: int) -> None:
        """Say of a withdrawn upload that its rows are in a batch, once."""
        row = self._table.get(upload_key(uid)) or {}
        if row.get("batch") == batch:
            return
        change = Change(upload_key(uid), {"batch": batch}, {"state": UploadState.WITHDRAWN})
        self._table.write([change, self._tainting(flywheel, row["key"])])

    def _tainting(self, flywheel: str, inbox_key: str) -> Change:
        """Return the write that names a withdrawn upload as part of the flywheel's datasets."""
        key = flywheel_key(flywheel)
        before = (self._table.get(key) or {}).get("taint")
        named = [*(before or ()), inbox_key][:TAINTS_NAMED]
        return Change(key, {"taint": named}, {"taint": before})

    def withdraw(self, upload: UploadRow, reason: str) -> None:
        """Take an upload back; where datasets hold its rows, the flywheel is tainted.

        Raises
        ------
        ConcurrentChangeError
            It was sealed meanwhile: look again.
        """
        changes = {"state": UploadState.WITHDRAWN, "withdrawn_because": reason}
        expected = {"state": upload.state, "batch": upload.batch}
        writes: list[Write] = [
            Change(upload_key(upload.uid), changes, expected),
            Delete(staged_key_of(upload.flywheel, upload.uid)),
        ]
        if upload.batch is not None:
            writes.append(self._tainting(upload.flywheel, upload.key))
        self._table.write(writes)

    def is_withdrawn(self, uid: str) -> bool:
        """Say whether somebody took the upload back."""
        row = self._table.get(upload_key(uid))
        return row is not None and row["state"] == UploadState.WITHDRAWN

    def restage(self, flywheel: FlywheelRow) -> None:
        """Let every accepted upload that was not withdrawn wait again, whole; safe to repeat.

        For a flywheel in which no batch can open.
        """
        name = flywheel.name
        # Whoever is slower must not take uploads out of batches of the new generation.
        goes_on = change_flywheel(name, {}, unchanged_rebuild(flywheel))
        for item in self._table.query_index(BY_FLYWHEEL_INDEX, "flywheel", name, ALL_UPLOADS):
            row = self._table.get(upload_key(item["uid"])) or item
            if row["state"] in ACCEPTED:
                self._table.write([*waits_again(name, row), goes_on])

    def draft_again(self, flywheel: str, uids: Sequence[str]) -> None:
        """Let test uploads that no dataset took wait again."""
        for uid in uids:
            row = self._table.get(upload_key(uid))
            if row is not None and row["state"] == UploadState.SEALED:
                self._table.write(waits_again(flywheel, row))

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
