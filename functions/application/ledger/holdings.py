"""What a generation's datasets hold: the slots that they use, and the rows that are known.

Slots and rows count from the seal on, before the service is asked: a reply that is lost must not
leave a dataset that nobody counted. What the service turns out not to have is given back, but only
once no call that outlived its batch can create it any more. Read next:
`application.reconciliation.late_arrivals`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from application.ledger.audit import Audited
from application.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    freeze_changes,
    unchanged_test_set,
)
from application.ledger.test_sets import AddedRows, CountedGroups
from application.port_values import Delete, Key, Put, Write
from flywheel.batches.batches import BatchName, StagedUpload
from flywheel.batches.uploads import DatasetKind

Kinds = Collection[DatasetKind]


class DatasetSlots(Audited):
    """Counts slots and known rows."""

    def segments(self, name: str, generation: int) -> dict[DatasetKind, list[str]]:
        """Return the staging keys of the rows that a generation holds, oldest first."""
        found: dict[DatasetKind, list[str]] = {kind: [] for kind in DatasetKind}
        for row in self._table.query(f"FLYWHEEL#{name}", f"KNOWN#{generation:05d}#"):
            for kind, key in row["segments"].items():
                found[DatasetKind(kind)].append(key)
        return found

    def note_import(
        self,
        row: FlywheelRow,
        staged: StagedUpload,
        upload: Write,
        segment: str,
        *,
        test_sha256: str | None,
        now: datetime,
        groups: CountedGroups | None = None,
    ) -> None:
        """Write down rows that the flywheel holds already; once.

        Parameters
        ----------
        upload : Write
            Their upload's row (`Uploads.imported`).
        segment : str
            Staging key of what is known by them.
        test_sha256 : str or None
            Of the whole test set with them, where they are test rows.
        groups : CountedGroups or None
            Of the same.
        """
        changes: dict[str, Any] = {}
        if test_sha256 is not None:
            rows = AddedRows(test_sha256, staged.documents, staged.label_counts, groups)
            changes = freeze_changes(row, rows, now)
        known = _known_key(row.name, row.generation, f"import-{staged.uid[:16]}")
        details = {"uid": staged.uid, "kind": staged.kind, "documents": staged.documents, **changes}
        self._audit.act(
            row.name,
            "imported",
            details,
            upload,
            Put(known, {"segments": {staged.kind.value: segment}}),
            change_flywheel(row.name, changes, unchanged_test_set(row)),
            now=now,
        )

    @staticmethod
    def known(batch: BatchName, generation: int, segments: Mapping[DatasetKind, str]) -> Put:
        """Return the write after which a batch's rows are known."""
        key = _known_key(batch.flywheel, generation, batch.label)
        return Put(key, {"segments": _by_name(segments)})

    def forgotten(self, batch: BatchName, generation: int, kinds: Kinds) -> list[Write]:
        """Return the writes after which rows of lost datasets are not known any more."""
        key = _known_key(batch.flywheel, generation, batch.label)
        known = self._known(key) if kinds else {}
        left = {kind: at for kind, at in known.items() if kind not in kinds}
        if left == known:
            return []
        return [Put(key, {"segments": _by_name(left)}, replaces=True) if left else Delete(key)]

    def forget(
        self,
        batch: BatchName,
        flywheel: FlywheelRow,
        kinds: Kinds,
        now: datetime,
        *,
        without: Mapping[str, Any],
    ) -> bool:
        """Take back that rows of datasets are known, which failed only after their batch did.

        Parameters
        ----------
        without : mapping
            Changes of the flywheel's row without these rows (`test_set_rows.without_lost_rows`).

        Returns
        -------
        bool
            Whether any was known.

        Raises
        ------
        ConcurrentChangeError
            A batch opened meanwhile.
        """
        writes = self.forgotten(batch, flywheel.generation, kinds)
        if not writes:
            return False
        self._audit.act(
            flywheel.name,
            "rows of failed datasets forgotten",
            {"batch": batch.batch, "datasets": sorted(kinds), **without},
            *writes,
            change_flywheel(flywheel.name, without, unchanged_test_set(flywheel)),
            now=now,
        )
        return True

    def _known(self, key: Key) -> dict[DatasetKind, str]:
        row = self._table.get(key)
        return {} if row is None else _by_kind(row["segments"])


def slots_used(flywheel: FlywheelRow, kinds: Kinds) -> dict[str, int]:
    """Return how many slots of some kinds a flywheel uses, as its row holds them."""
    used = {
        DatasetKind.TRAIN: ("train_datasets", flywheel.train_datasets),
        DatasetKind.TEST: ("test_datasets", flywheel.test_datasets),
    }
    return dict(used[kind] for kind in kinds)


def slot_changes(flywheel: FlywheelRow, kinds: Kinds, step: int) -> dict[str, int]:
    """Return the changes of a flywheel's row that use slots, or give them back."""
    return {name: used + step for name, used in slots_used(flywheel, kinds).items()}


def _known_key(name: str, generation: int, label: str) -> Key:
    return Key(f"FLYWHEEL#{name}", f"KNOWN#{generation:05d}#{label}")


def _by_name(values: Mapping[DatasetKind, str]) -> dict[str, str]:
    return {kind.value: value for kind, value in values.items()}


def _by_kind(values: Mapping[str, str]) -> dict[DatasetKind, str]:
    return {DatasetKind(kind): value for kind, value in values.items()}
