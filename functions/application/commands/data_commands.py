"""What people do to a flywheel's data: freeze, split, import, take back.

Each act is done once, with its audit entry and notice, and is conditional on what the person saw,
so two people at once cannot both succeed. Read next: `application.commands.operator_commands` (what
is done to a flywheel).
"""

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from application.configuration import KnownFlywheel
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.ledger.test_sets import CountedGroups
from application.ledger.upload_rows import SplitParts, UploadRow
from application.ports import FlywheelService, StagingObjects
from application.rebuilds.provenance import batches_behind, trained_on
from application.staged_rows import copy_rows, measured
from flywheel.batches.batches import BatchManifest, BatchName, StagedUpload, of_kind
from flywheel.batches.known_rows import record, rows_key
from flywheel.batches.sealing import split_texts
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.errors import ActRefusedError, ConcurrentChangeError
from flywheel.intake.labeled_rows import LabeledRow, csv_line, rows_of, text_key
from flywheel.notices.acts import withdrawn
from flywheel.notices.notice import Notice
from flywheel.settings.data_format import DataFormat, described_labels

_WITHDRAWABLE = frozenset({UploadState.STAGED, UploadState.SEALED})
_UIDS_NAMED = 100
"""How many uploads an audit entry names; the upload rows have the reason too."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What came of taking data back.

    Parameters
    ----------
    left, kept : sequence of str
        Inbox keys: rows that leave before they were sent, and rows that datasets hold already.
    live_trained_on : sequence of str
        Those of them that the live model was trained on.
    """

    left: Sequence[str]
    kept: Sequence[str]
    live_trained_on: Sequence[str]
    notice: Notice


@dataclass(frozen=True, slots=True)
class DataActs:
    """The acts on one flywheel's data.

    Parameters
    ----------
    environment : str
    known : KnownFlywheel
    ledger : Ledger
        Opened as the person who acts.
    comprehend : FlywheelService
    """

    environment: str
    known: KnownFlywheel
    ledger: Ledger
    comprehend: FlywheelService

    @property
    def name(self) -> str:
        """The flywheel's name."""
        return self.known.settings.name

    def freeze(self, now: datetime, *, is_partial_allowed: bool = False) -> tuple[str, ...]:
        """Have the drafts of the test set frozen with the next batch; returns labels without rows.

        Raises
        ------
        ActRefusedError
            There is no draft, no TEST dataset left, or labels would have no test document.
        """
        row = self._row()
        slots = self.known.settings.batch.service_test_datasets
        if row.test_datasets >= slots:
            raise ActRefusedError(
                f"all {slots} TEST datasets of the flywheel's life are used: `flywheel rebuild` "
                "makes its next generation"
            )
        drafts = of_kind(self.ledger.uploads.staged(self.name), DatasetKind.TEST)
        if not drafts:
            raise ActRefusedError(
                f"{self.name} has no draft of a test set: upload one to {self.name}/test/"
            )
        has_rows = set(row.test_set.label_counts if row.test_set else ())
        has_rows.update(*(upload.label_counts for upload in drafts))
        missing = tuple(label for label in self._labels() if label not in has_rows)
        if missing and not is_partial_allowed:
            raise ActRefusedError(
                f"these labels would have no test document: {', '.join(missing[:20])}"
                f"{', ...' if missing[20:] else ''}. Upload some to {self.name}/test/, or say "
                "--partial to freeze the test set without them"
            )
        self.ledger.flywheels.ask_to_freeze(row, now)
        return missing

    def split(self, staging: StagingObjects, fraction: float, now: datetime) -> Mapping[str, int]:
        """Make staged training rows a draft of the test set; returns how many of each label.

        Upload by upload: each is split whole or not at all, and only while no batch is open.

        Raises
        ------
        ActRefusedError
            A batch is under way, or no label has two rows.
        """
        self._idle_row()
        shape = self._shape()
        train = of_kind(self.ledger.uploads.staged(self.name), DatasetKind.TRAIN)
        rows = (row for upload in train for row in _rows(staging, upload))
        chosen = split_texts(rows, fraction, shape)
        counts: Counter[str] = Counter()
        for upload in train:
            parts = _split(staging, upload, chosen, shape, now)
            if parts is not None:
                self.ledger.uploads.split(self.name, upload, parts, now)
                counts.update(parts.test.label_counts)
        if not counts:
            raise ActRefusedError(
                f"{self.name} has no staged training rows of which some could be test rows"
            )
        return counts

    def uploads_of(self, staging: StagingObjects, number: int) -> Sequence[UploadRow]:
        """Return the uploads of a batch that can be taken back, as its newest manifest names them.

        Raises
        ------
        ActRefusedError
            The batch has none.
        """
        return uploads_of_batch(self.ledger, staging, self.name, number)

    def import_rows(
        self,
        staging: StagingObjects,
        kind: DatasetKind,
        source: str,
        *,
        body: bytes,
        now: datetime,
    ) -> str:
        """Record rows that the flywheel holds already, without sending them; returns their uid.

        They are known from then on: no later upload sends them again, test rows never train, and
        a rebuild takes them along.

        Parameters
        ----------
        source : str
            The file, for people.
        body : bytes
            The rows in canonical form.

        Raises
        ------
        ActRefusedError
            A batch is under way, or these rows were imported before.
        """
        row = self._idle_row()
        rows = list(rows_of(io.StringIO(body.decode(), newline="")))
        staged = self._import_copy(staging, kind, source, body=body, rows=rows, now=now)
        segment = f"known/{self.name}/g{row.generation}/import-{staged.uid[:16]}-{kind.value}.bin"
        staging.create(segment, b"".join(map(record, rows)))
        sha256, groups = None, None
        if kind is DatasetKind.TEST:
            sha256, groups = self._test_set_with(staging, row, segment, rows)
        upload = self.ledger.uploads.imported(self.name, staged)
        try:
            self.ledger.holdings.note_import(
                row, staged, upload, segment, test_sha256=sha256, groups=groups, now=now
            )
        except ConcurrentChangeError:
            if self.ledger.uploads.get(staged.uid) is None:
                raise
            raise ActRefusedError(f"the rows of {source} were imported before") from None
        return staged.uid

    def _import_copy(
        self,
        staging: StagingObjects,
        kind: DatasetKind,
        source: str,
        *,
        body: bytes,
        rows: Sequence[LabeledRow],
        now: datetime,
    ) -> StagedUpload:
        """Write the canonical copy of imported rows; the same rows are the same upload."""
        uid = hashlib.sha256(b"import\0" + body).hexdigest()
        upload = StagedUpload(
            uid=uid,
            key=f"{self.name}/{kind.value}/{source} (imported)",
            kind=kind,
            staged_key=f"uploads/{self.name}/{uid}",
            label_counts={},
            size_bytes=0,
            staged_at=now,
        )
        return copy_rows(staging, upload, rows, self._shape())

    def _test_set_with(
        self, staging: StagingObjects, row: FlywheelRow, segment: str, rows: Sequence[LabeledRow]
    ) -> tuple[str, CountedGroups | None]:
        """Keep imported test rows beside their segment; return the whole set's hash and groups."""
        staging.create(rows_key(segment), "".join(map(csv_line, rows)).encode())
        held = self.ledger.holdings.segments(self.name, row.generation)[DatasetKind.TEST]
        return measured(staging, (*held, segment), self._shape())

    def withdraw(self, uploads: Sequence[UploadRow], reason: str, now: datetime) -> Withdrawal:
        """Take uploads back.

        Rows that were not sent leave; rows that a dataset holds stay in the flywheel, which is
        tainted until it is rebuilt.

        Raises
        ------
        ActRefusedError
            An upload is in no state that can be withdrawn, e.g. REFUSED.
        """
        for upload in uploads:
            if upload.state is UploadState.WITHDRAWN:
                raise ActRefusedError(f"{upload.key} was withdrawn already")
            if upload.state is UploadState.IMPORTED:
                raise ActRefusedError(
                    f"{upload.key} was imported: the flywheel held its rows before. After "
                    "`flywheel rebuild` it can be withdrawn"
                )
            if upload.state not in _WITHDRAWABLE:
                raise ActRefusedError(
                    f"{upload.key} is {upload.state}: it is in no batch and in no dataset"
                )
        left = [upload.key for upload in uploads if upload.batch is None]
        kept = [upload.key for upload in uploads if upload.batch is not None]
        behind = batches_behind(self.ledger, self._row(), self.comprehend.describe().active_model)
        live_trained_on = [upload.key for upload in trained_on(uploads, behind)]
        notice = withdrawn(
            self.environment,
            self.name,
            left,
            kept,
            live_trained_on=live_trained_on,
            reason=reason,
            actor=self.ledger.actor,
            now=now,
        )
        details = {
            "reason": reason,
            "uids": [upload.uid for upload in uploads[:_UIDS_NAMED]],
            "uploads": len(uploads),
        }
        # Written down first: a crash after it leaves uploads that can be withdrawn once more.
        self.ledger.flywheels.note_withdrawal(self.name, details, notice, now)
        for upload in uploads:
            self.ledger.batch_uploads.withdraw(upload, reason)
        return Withdrawal(left, kept, live_trained_on, notice)

    def _shape(self) -> DataFormat:
        return self.known.shape(self.comprehend.task_config)

    def _labels(self) -> tuple[str, ...]:
        return described_labels(self.comprehend.task_config())

    def _row(self) -> FlywheelRow:
        return self.ledger.flywheels.ensure(self.name, self.known.arn)

    def _idle_row(self) -> FlywheelRow:
        """Return the flywheel's row, or refuse while a batch is under way."""
        row = self._row()
        if not row.is_idle:
            raise ActRefusedError(f"batch {row.open_batch} is under way")
        return row


def uploads_of_batch(
    ledger: Ledger, staging: StagingObjects, flywheel: str, number: int
) -> Sequence[UploadRow]:
    """Return the uploads of a batch that can be taken back, as its newest manifest names them.

    Raises
    ------
    ActRefusedError
        The batch has none.
    """
    batch = ledger.batches.get(flywheel, number)
    uids: list[str] = []
    for attempt in range(batch.attempt, 0, -1):
        written = staging.text(BatchName(flywheel, number, attempt).manifest_key)
        if written is not None:
            manifest = BatchManifest.from_json(written)
            uids = [item["uid"] for item in (*manifest.train, *manifest.test)]
            break
    rows = ledger.uploads.get_many(uids)
    uploads = [row for row in rows.values() if row.state in _WITHDRAWABLE]
    if not uploads:
        raise ActRefusedError(f"batch {number} has no upload that can be withdrawn")
    return uploads


def _rows(staging: StagingObjects, upload: StagedUpload) -> Iterator[LabeledRow]:
    return rows_of(staging.lines(upload.staged_key))


def _split(
    staging: StagingObjects,
    upload: StagedUpload,
    chosen: Set[bytes],
    shape: DataFormat,
    now: datetime,
) -> SplitParts | None:
    """Write an upload's two parts and return them; None where none of its rows is chosen."""
    rows: dict[DatasetKind, list[LabeledRow]] = {kind: [] for kind in DatasetKind}
    for row in _rows(staging, upload):
        kind = DatasetKind.TEST if text_key(row.text) in chosen else DatasetKind.TRAIN
        rows[kind].append(row)
    if not rows[DatasetKind.TEST]:
        return None
    stem = upload.staged_key.removesuffix(".csv")
    uid = hashlib.sha256(f"{upload.uid}\0{upload.staged_key}".encode()).hexdigest()
    train = replace(upload, staged_key=f"{stem}-train")
    test = replace(upload, uid=uid, kind=DatasetKind.TEST, staged_key=f"{stem}-test", staged_at=now)
    return SplitParts(
        copy_rows(staging, train, rows[DatasetKind.TRAIN], shape)
        if rows[DatasetKind.TRAIN]
        else None,
        copy_rows(staging, test, rows[DatasetKind.TEST], shape),
    )
