"""What a generation's datasets hold: slots, known rows, and what a failed batch never got.

Slots and rows count from the seal on, before the service is asked: a reply that is lost must not
leave a dataset that nobody counted. What the service turns out not to have is given back, but only
once no call that outlived its batch can create it any more. Read next:
`application.reconciliation.late_arrivals` (who gives back).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from application.ledger.audit import Audited
from application.ledger.batch_rows import BatchRow, batch_key
from application.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    freeze_changes,
    unchanged_rebuild,
    unchanged_test_set,
)
from application.ledger.test_sets import AddedRows, CountedGroups, freeze_late
from application.port_values import Change, Delete, Key, Put, Write
from application.ports import Rows
from flywheel.batches.batches import BatchName, BatchOutcome, BatchState, StagedUpload
from flywheel.batches.uploads import DatasetKind

Kinds = Collection[DatasetKind]


class DatasetSlots(Audited):
    """Counts slots and known rows."""

    def segments(self, name: str, generation: int) -> dict[DatasetKind, list[str]]:
        """Return the staging keys of the rows that a generation holds, oldest first."""
        segments: dict[DatasetKind, list[str]] = {kind: [] for kind in DatasetKind}
        for row in self._table.query(f"FLYWHEEL#{name}", f"KNOWN#{generation:05d}#"):
            for kind, key in row["segments"].items():
                segments[DatasetKind(kind)].append(key)
        return segments

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
            Changes of the flywheel's row without these rows (`staged_rows.without_lost_rows`).

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


class Retries(Audited):
    """Gives back, and opens failed batches again."""

    def __init__(self, table: Rows, actor: str) -> None:
        super().__init__(table, actor)
        self._holdings = DatasetSlots(table, actor)

    def give_back(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        absent: Collection[DatasetKind],
        now: datetime,
        *,
        without: Mapping[str, Any],
    ) -> None:
        """Give slots back, and forget rows, of datasets that a failed batch never got; once.

        Parameters
        ----------
        without : mapping
            Changes of the flywheel's row without these rows (`staged_rows.without_lost_rows`).

        Raises
        ------
        ConcurrentChangeError
            A batch is under way, or somebody else did meanwhile.
        """
        given = {"given_back": sorted(absent)}
        expected = {"given_back": None, "outcome": BatchOutcome.FAILED, "attempt": batch.attempt}
        idle = {**unchanged_test_set(flywheel), **slots_used(flywheel, absent)}
        datasets = [batch.planned[kind] for kind in absent]
        details = {"batch": batch.batch, "datasets": datasets, **without}
        self._audit.act(
            batch.flywheel,
            "slots given back",
            details,
            Change(batch_key(batch.flywheel, batch.batch), given, expected),
            change_flywheel(flywheel.name, {**slot_changes(flywheel, absent, -1), **without}, idle),
            *self._holdings.forgotten(batch.name, batch.generation, absent),
            now=now,
        )

    def count_test_rows(self, batch: BatchRow, flywheel: FlywheelRow, now: datetime) -> None:
        """Freeze the test rows of a failed batch whose TEST dataset was complete only later; once.

        Raises
        ------
        ConcurrentChangeError
            A batch is under way, or somebody else did meanwhile.
        """
        late = _counted_late(batch, flywheel, now)
        expected = {"is_test_frozen": None, "outcome": BatchOutcome.FAILED}
        key = batch_key(batch.flywheel, batch.batch)
        self._audit.act(
            batch.flywheel,
            "test rows counted late",
            {"batch": batch.batch, **late},
            Change(key, {"is_test_frozen": True}, {**expected, "attempt": batch.attempt}),
            change_flywheel(flywheel.name, late, unchanged_test_set(flywheel)),
            now=now,
        )

    def reopen(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        *,
        is_sealed: bool,
        absent: Collection[DatasetKind],
        refused: Collection[DatasetKind],
        without: Mapping[str, Any],
        reason: str,
        now: datetime,
    ) -> None:
        """Open a failed batch for another attempt: CLOSED -> OPEN.

        Where its datasets are complete it keeps them and goes on as SEALED.

        Parameters
        ----------
        absent, refused : collection of DatasetKind
            Kinds of its datasets that the service does not have, or has FAILED.
        without : mapping
            Changes of the flywheel's row without their rows (`staged_rows.without_lost_rows`).

        Raises
        ------
        ConcurrentChangeError
            Somebody else did meanwhile, or another batch is under way.
        """
        attempt, lost = batch.attempt + 1, {*absent, *refused}
        late = dict(without)
        if DatasetKind.TEST in {*batch.planned} - lost and not batch.was_test_set_frozen:
            late = _counted_late(batch, flywheel, now)
        self._audit.act(
            batch.flywheel,
            "batch reopened",
            {"batch": batch.batch, "attempt": attempt, "reason": reason, **late},
            _next_attempt(batch, is_sealed=is_sealed),
            _taken_by(flywheel, batch, {*absent} - {*batch.given_back}, late),
            *self._holdings.forgotten(batch.name, batch.generation, lost),
            now=now,
        )


def _counted_late(batch: BatchRow, flywheel: FlywheelRow, now: datetime) -> dict[str, Any]:
    """Return the changes of a flywheel's row that count a failed batch's test rows."""
    late = freeze_late(
        flywheel.test_set,
        batch.test_rows,
        now,
        closed_at=batch.closed_at or "",
        past=flywheel.past_test_set,
        is_judged_again=batch.rejudges is not None,
    )
    return {"test_set": late, "generation_looks": flywheel.generation_looks}


def _next_attempt(batch: BatchRow, *, is_sealed: bool) -> Change:
    """Return the write that begins an attempt; what is of the attempt before is gone."""
    gone = ["outcome", "error", "cause", "closed_at", "iteration_id", "answer_jobs", "given_back"]
    if is_sealed:
        remains = {"datasets": list(batch.planned.values()), "is_test_frozen": True}
    else:
        remains = {}
        gone += ["datasets", "planned", "announced_at", "is_test_frozen"]
    state = BatchState.SEALED if is_sealed else BatchState.OPEN
    changes = {**dict.fromkeys(gone), **remains, "state": state, "attempt": batch.attempt + 1}
    expected = {
        "state": BatchState.CLOSED,
        "outcome": BatchOutcome.FAILED,
        "attempt": batch.attempt,
        "given_back": list(batch.given_back) or None,
    }
    return Change(batch_key(batch.flywheel, batch.batch), changes, expected)


def _taken_by(
    flywheel: FlywheelRow, batch: BatchRow, free_slots: Kinds, late: Mapping[str, Any]
) -> Change:
    """Return the write by which a batch's next attempt is the one that is under way."""
    changes = {
        "open_batch": batch.batch,
        "open_attempt": batch.attempt + 1,
        **slot_changes(flywheel, free_slots, -1),
        **late,
    }
    expected = {
        **unchanged_test_set(flywheel),
        **unchanged_rebuild(flywheel),
        **slots_used(flywheel, free_slots),
    }
    return change_flywheel(batch.flywheel, changes, expected)
