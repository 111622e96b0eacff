"""Uploads when a flywheel goes back to its earlier generation: whose rows that one holds already.

What is in its datasets is SEALED again and never sent twice; what is not waits for its next batch.
Read next: `application.ledger.rebuilds` (the rest of going back).
"""

from collections.abc import Container, Mapping

from application.ledger.batch_rows import BatchRow, batch_key, batch_row
from application.ledger.flywheel_rows import FlywheelRow, change_flywheel, unchanged_rebuild
from application.ledger.upload_rows import batches_of, staged_key_of, upload_key, waits_again
from application.ledger.uploads import ACCEPTED, ALL_UPLOADS, BY_FLYWHEEL_INDEX, TAINTS_NAMED
from application.port_values import Change, Delete, Item, Write
from application.ports import Rows
from flywheel.batches.uploads import DatasetKind, UploadState

_IMPORT = "import-"
_MOVABLE = ACCEPTED | {UploadState.STAGED}


class ReturnedUploads:
    """Lets uploads follow a flywheel back to its earlier generation."""

    def __init__(self, table: Rows) -> None:
        self._table = table

    def go_back(self, flywheel: FlywheelRow, generation: int) -> list[str]:
        """Let every accepted upload be where that generation has it; safe to repeat.

        For a flywheel in which no batch can open.

        Returns
        -------
        list of str
            Inbox keys that were withdrawn and are in datasets of that generation; the newest.
        """
        name, taint = flywheel.name, []
        batches = self._batches_of(flywheel, generation)
        held, imported = self._held(name, generation)
        goes_on = change_flywheel(name, {}, unchanged_rebuild(flywheel))
        for item in self._table.query_index(BY_FLYWHEEL_INDEX, "flywheel", name, ALL_UPLOADS):
            row = self._table.get(upload_key(item["uid"])) or item
            home = _home(row, batches, held)
            is_imported = row["uid"][:16] in imported
            if row["state"] == UploadState.WITHDRAWN and (is_imported or home is not None):
                taint.append(str(row["key"]))
            elif row["state"] not in _MOVABLE or _is_back(row, batches, is_imported=is_imported):
                continue
            elif is_imported:
                self._table.write([*_imported_again(name, row), goes_on])
            elif home is not None:
                is_partly_held = any(
                    number in batches and (number, row["kind"]) not in held
                    for number in batches_of(row)
                )
                sealed = _sealed_again(name, row, home, is_partly_held=is_partly_held)
                self._table.write([*sealed, goes_on])
            elif row["state"] in ACCEPTED:
                self._table.write([*waits_again(name, row), goes_on])
        return taint[:TAINTS_NAMED]

    def taint_of(self, flywheel: FlywheelRow, generation: int) -> list[str]:
        """Return inbox keys that were withdrawn and are in datasets of a generation; the newest."""
        batches = self._batches_of(flywheel, generation)
        held, imported = self._held(flywheel.name, generation)
        rows = self._table.query_index(BY_FLYWHEEL_INDEX, "flywheel", flywheel.name, ALL_UPLOADS)
        taint = [
            str(row["key"])
            for row in rows
            if row["state"] == UploadState.WITHDRAWN
            and (row["uid"][:16] in imported or _home(row, batches, held) is not None)
        ]
        return taint[:TAINTS_NAMED]

    def _batches_of(self, flywheel: FlywheelRow, generation: int) -> Mapping[int, BatchRow]:
        """Return the batches that were sealed for a generation, by number."""
        keys = [batch_key(flywheel.name, number) for number in range(1, flywheel.last_batch + 1)]
        batches = map(batch_row, self._table.get_many(keys))
        return {batch.batch: batch for batch in batches if batch.generation == generation}

    def _held(self, name: str, generation: int) -> tuple[set[tuple[int, str]], set[str]]:
        """Return whose rows a generation holds: batches by kind of dataset, and imports.

        Imports are the beginnings of their uids.
        """
        held: set[tuple[int, str]] = set()
        imported: set[str] = set()
        for item in self._table.query(f"FLYWHEEL#{name}", f"KNOWN#{generation:05d}#"):
            label = str(item["sk"]).rpartition("#")[2]
            if label.startswith(_IMPORT):
                imported.add(label.removeprefix(_IMPORT))
            else:
                number = int(label.partition("-")[0])
                held.update((number, kind) for kind in item["segments"])
        return held, imported


def _home(
    row: Item, batches: Mapping[int, BatchRow], held: Container[tuple[int, str]]
) -> BatchRow | None:
    """Return the last of these batches in whose datasets an upload's rows are."""
    return next(
        (
            batches[number]
            for number in batches_of(row)[::-1]
            if number in batches and (number, row["kind"]) in held
        ),
        None,
    )


def _is_back(row: Item, batches: Mapping[int, BatchRow], *, is_imported: bool) -> bool:
    """Say whether an upload is where that generation has it: it never left, or was moved back."""
    if row["state"] == UploadState.IMPORTED:
        return is_imported
    return row["state"] in ACCEPTED and row.get("batch") in batches


def _sealed_again(name: str, row: Item, home: BatchRow, *, is_partly_held: bool) -> list[Write]:
    """Return the writes after which an upload is in a batch of the earlier generation.

    Where another batch had some of its rows and no dataset came of it, they wait.
    """
    changes = {
        "state": UploadState.SEALED,
        "batch": home.batch,
        "sealed_by": home.name.label,
        "earlier_batches": [number for number in batches_of(row) if number != home.batch],
    }
    sealed = Change(upload_key(row["uid"]), changes, {"state": row["state"]})
    _, whole = waits_again(name, row)
    is_waiting = not set(home.waiting_labels).isdisjoint(row["label_counts"])
    if (is_waiting or is_partly_held) and row["kind"] == DatasetKind.TRAIN:
        # Some of its rows may have waited; those that are known are not sent again.
        return [sealed, whole]
    return [sealed, Delete(staged_key_of(name, row["uid"]))]


def _imported_again(name: str, row: Item) -> list[Write]:
    """Return the writes after which an upload is one that the flywheel held before."""
    changes = {"state": UploadState.IMPORTED, "batch": None, "sealed_by": None}
    return [
        Change(upload_key(row["uid"]), changes, {"state": row["state"]}),
        Delete(staged_key_of(name, row["uid"])),
    ]
