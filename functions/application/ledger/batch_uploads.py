"""Uploads as batches and generations have them: sealed, waiting again, withdrawn.

Where a flywheel goes back to its earlier generation, what is in that one's datasets is SEALED again
and never sent twice; what is not waits for its next batch. Read next: `application.ledger.rebuilds`
(the rest of going back).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from application.ledger.batch_rows import BatchRow, batch_key, batch_row
from application.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    flywheel_key,
    unchanged_rebuild,
)
from application.ledger.upload_rows import (
    UploadRow,
    batches_of,
    is_withdrawn,
    membership,
    staged_key_of,
    upload_key,
    waits_again,
)
from application.ledger.uploads import ALL_UPLOADS, BY_FLYWHEEL_INDEX
from application.port_values import Change, Delete, Item, Put, Write
from application.ports import Rows
from flywheel.batches.batches import BatchName, StagedUpload
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.errors import ConcurrentChangeError

_ACCEPTED = frozenset({UploadState.SEALED, UploadState.DUPLICATE, UploadState.IMPORTED})
"""States of uploads whose rows a generation holds, or knows from another upload."""

_MOVABLE = _ACCEPTED | {UploadState.STAGED}
_IMPORT = "import-"

_SEALED_AT_ONCE = 50
"""Two writes each: as many as a transaction takes."""

_TAINTS_NAMED = 20
"""How many withdrawn uploads a flywheel's row names; the upload rows have them all."""


@dataclass(frozen=True, slots=True)
class _GenerationRows:
    """Whose rows one generation holds.

    Parameters
    ----------
    batches : mapping of int to BatchRow
        Those that were sealed for it.
    datasets : collection of tuple of int and str
        Batches and kinds of which it has a dataset.
    imports : collection of str
        How the uids of its imports begin.
    """

    batches: Mapping[int, BatchRow]
    datasets: Collection[tuple[int, str]]
    imports: Collection[str]

    def has_imported(self, row: Item) -> bool:
        """Say whether an upload was imported into it."""
        return row["uid"][:16] in self.imports

    def home(self, row: Item) -> BatchRow | None:
        """Return its last batch in whose datasets an upload's rows are."""
        numbers = (number for number in batches_of(row)[::-1] if number in self.batches)
        return next(
            (self.batches[number] for number in numbers if (number, row["kind"]) in self.datasets),
            None,
        )

    def is_tainted_by(self, row: Item) -> bool:
        """Say whether an upload was withdrawn and its datasets hold its rows."""
        if row["state"] != UploadState.WITHDRAWN:
            return False
        return self.has_imported(row) or self.home(row) is not None

    def is_back(self, row: Item) -> bool:
        """Say whether an upload is where it has it: it never left, or was moved back."""
        if row["state"] == UploadState.IMPORTED:
            return self.has_imported(row)
        return row["state"] in _ACCEPTED and row.get("batch") in self.batches

    def lacks_some_of(self, row: Item, home: BatchRow) -> bool:
        """Say whether some rows of an upload in a batch of it may be in none of its datasets."""
        if row["kind"] != DatasetKind.TRAIN:
            return False
        waited = not set(home.waiting_labels).isdisjoint(row["label_counts"])
        return waited or any(
            number in self.batches and (number, row["kind"]) not in self.datasets
            for number in batches_of(row)
        )


class BatchUploads:
    """Lets uploads follow their batches, generations, and those who withdraw them."""

    def __init__(self, table: Rows) -> None:
        self._table = table

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

    def draft_again(self, flywheel: str, uids: Sequence[str]) -> None:
        """Let test uploads that no dataset took wait again."""
        for uid in uids:
            row = self._table.get(upload_key(uid))
            if row is not None and row["state"] == UploadState.SEALED:
                self._table.write(waits_again(flywheel, row))

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

    def restage(self, flywheel: FlywheelRow) -> None:
        """Let every accepted upload that was not withdrawn wait again, whole; safe to repeat.

        For a flywheel in which no batch can open.
        """
        # Whoever is slower must not take uploads out of batches of the new generation.
        goes_on = change_flywheel(flywheel.name, {}, unchanged_rebuild(flywheel))
        for row in self._all(flywheel.name):
            if row["state"] in _ACCEPTED:
                self._table.write([*waits_again(flywheel.name, row), goes_on])

    def go_back(self, flywheel: FlywheelRow, generation: int) -> list[str]:
        """Let every accepted upload be where that generation has it; safe to repeat.

        For a flywheel in which no batch can open.

        Returns
        -------
        list of str
            Inbox keys that were withdrawn and are in datasets of that generation; the newest.
        """
        held, taint = self._held(flywheel, generation), []
        goes_on = change_flywheel(flywheel.name, {}, unchanged_rebuild(flywheel))
        for row in self._all(flywheel.name):
            if held.is_tainted_by(row):
                taint.append(str(row["key"]))
            elif row["state"] in _MOVABLE and not held.is_back(row):
                moved = _moved_back(flywheel.name, row, held)
                if moved:
                    self._table.write([*moved, goes_on])
        return taint[:_TAINTS_NAMED]

    def taint_of(self, flywheel: FlywheelRow, generation: int) -> list[str]:
        """Return inbox keys that were withdrawn and are in datasets of a generation; the newest."""
        held = self._held(flywheel, generation)
        rows = self._table.query_index(BY_FLYWHEEL_INDEX, "flywheel", flywheel.name, ALL_UPLOADS)
        return [str(row["key"]) for row in rows if held.is_tainted_by(row)][:_TAINTS_NAMED]

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
            if not is_withdrawn(self._table.get(upload_key(uid))):
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
        named = [*(before or ()), inbox_key][:_TAINTS_NAMED]
        return Change(key, {"taint": named}, {"taint": before})

    def _all(self, flywheel: str) -> Iterator[Item]:
        """Give every upload of a flywheel as its row is now, newest first."""
        for item in self._table.query_index(BY_FLYWHEEL_INDEX, "flywheel", flywheel, ALL_UPLOADS):
            yield self._table.get(upload_key(item["uid"])) or item

    def _held(self, flywheel: FlywheelRow, generation: int) -> _GenerationRows:
        keys = [batch_key(flywheel.name, number) for number in range(1, flywheel.last_batch + 1)]
        batches = {batch.batch: batch for batch in map(batch_row, self._table.get_many(keys))}
        datasets: set[tuple[int, str]] = set()
        imports: set[str] = set()
        for item in self._table.query(f"FLYWHEEL#{flywheel.name}", f"KNOWN#{generation:05d}#"):
            label = str(item["sk"]).rpartition("#")[2]
            if label.startswith(_IMPORT):
                imports.add(label.removeprefix(_IMPORT))
            else:
                number = int(label.partition("-")[0])
                datasets.update((number, kind) for kind in item["segments"])
        of_generation = {
            number: batch for number, batch in batches.items() if batch.generation == generation
        }
        return _GenerationRows(of_generation, datasets, imports)


def _moved_back(name: str, row: Item, held: _GenerationRows) -> list[Write]:
    """Return the writes after which an upload is where a generation has it."""
    changes: dict[str, Any]
    home = held.home(row)
    if held.has_imported(row):
        changes = {"state": UploadState.IMPORTED, "batch": None, "sealed_by": None}
        return [
            Change(upload_key(row["uid"]), changes, {"state": row["state"]}),
            Delete(staged_key_of(name, row["uid"])),
        ]
    if home is None:
        return waits_again(name, row) if row["state"] in _ACCEPTED else []
    changes = {
        "state": UploadState.SEALED,
        "batch": home.batch,
        "sealed_by": home.name.label,
        "earlier_batches": [number for number in batches_of(row) if number != home.batch],
    }
    sealed = Change(upload_key(row["uid"]), changes, {"state": row["state"]})
    if held.lacks_some_of(row, home):
        # It waits whole: rows that are known are not sent again.
        return [sealed, waits_again(name, row)[1]]
    return [sealed, Delete(staged_key_of(name, row["uid"]))]
