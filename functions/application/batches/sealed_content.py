"""Write the files of a batch's datasets from its manifest.

The same manifest gives the same files, whatever was written before: every object is create-only.
Labels with fewer documents than the service takes wait: their rows go into copies that stay staged.
What is sent is written down as a segment of known rows, beside the datasets.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from application.ledger.test_sets import CountedGroups
from application.ports import StagingObjects
from application.staged_rows import copy_rows, measured
from flywheel.batches.batches import BatchManifest, BatchName, StagedUpload
from flywheel.batches.dataset_files import dataset_files
from flywheel.batches.known_rows import known_among, record, rows_key
from flywheel.batches.sealing import TRAINED_ON, Selection
from flywheel.batches.uploads import DatasetKind
from flywheel.intake.labeled_documents import Row, csv_line, rows_of, text_key
from flywheel.intake.row_labels import labels_of, sendable
from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment import BatchRules


@dataclass(frozen=True, slots=True)
class SealedContent:
    """What was written.

    Parameters
    ----------
    train_documents, test_documents : int
    label_counts, test_label_counts : mapping
        Documents a label, as sent.
    left_out : mapping
        Reason -> rows.
    waiting_labels : sequence of str
    remainders : mapping of uid to StagedUpload
        Copies that hold the rows of waiting labels.
    repeats : sequence of str
        uids of uploads of which every row is known already.
    test_sha256 : str or None
        Of the whole test set, with these rows in it.
    test_groups : CountedGroups or None
        Of the same.
    known : mapping of DatasetKind to str
        Staging keys of the segments that hold what was sent.
    """

    train_documents: int
    label_counts: Mapping[str, int]
    left_out: Mapping[str, int]
    waiting_labels: Sequence[str]
    remainders: Mapping[str, StagedUpload]
    repeats: Sequence[str]
    test_documents: int = 0
    test_label_counts: Mapping[str, int] = field(default_factory=dict)
    test_sha256: str | None = None
    test_groups: CountedGroups | None = None
    known: Mapping[DatasetKind, str] = field(default_factory=dict)


@dataclass(slots=True)
class ContentWriter:
    """Writes what one manifest says.

    Parameters
    ----------
    staging : StagingObjects
    name : BatchName
    manifest : BatchManifest
    rules : BatchRules
    shape : DataFormat
        Of the flywheel's rows.
    now : datetime
        When remainders are staged.
    is_for_test_alone : bool
        Whether its test rows are wanted without any to train on.
    """

    staging: StagingObjects
    name: BatchName
    manifest: BatchManifest
    rules: BatchRules
    shape: DataFormat
    now: datetime
    is_for_test_alone: bool = False

    def write(self) -> SealedContent:
        """Write the TRAIN files, the TEST files where the batch has test rows, and remainders.

        A batch in which nothing new is left to train on writes no dataset: its test rows stay
        drafts. But a later attempt goes on for its test rows alone, since the training rows may
        be in the flywheel by an earlier one.
        """
        trained, tested = self._known()
        test = Selection(trained.keys(), tested, TRAINED_ON)
        for _ in test.taken(self._rows(self.manifest.test)):
            pass
        forbidden = tested.keys() | test.texts
        counted, repeats = self._counted(forbidden, trained)
        chosen = sendable(counted.counts, self.shape, self.rules.service_min_per_label)
        waiting = frozenset(chosen.waiting)
        remainders = self._remainders(Selection(forbidden, trained), waiting) if waiting else {}
        content = SealedContent(
            train_documents=chosen.documents,
            label_counts=chosen.label_counts,
            left_out=Counter(counted.left_out()) + Counter(test.left_out()),
            waiting_labels=chosen.waiting,
            remainders=remainders,
            repeats=[uid for uid in repeats if uid not in remainders],
        )
        was_trained = self.name.attempt > 1 and self.manifest.known_train
        is_test_enough = test.counts and (self.is_for_test_alone or was_trained)
        if not chosen.documents and not is_test_enough:
            return content
        sent = (
            row
            for row in Selection(forbidden, trained).taken(self._rows(self.manifest.train))
            if not self._waits(row, waiting)
        )
        return self._sent(content, sent, Selection(trained.keys(), tested, TRAINED_ON), test)

    def _sent(
        self, content: SealedContent, train: Iterator[Row], again: Selection, test: Selection
    ) -> SealedContent:
        """Write both datasets and their segments, and return the content that names them."""
        known: dict[DatasetKind, str] = {}
        if content.train_documents:
            known[DatasetKind.TRAIN] = self._write(DatasetKind.TRAIN, train)
        test_sha256, groups = None, None
        if test.counts:
            rows = again.taken(self._rows(self.manifest.test))
            known[DatasetKind.TEST] = self._write(DatasetKind.TEST, rows)
            whole = [*self.manifest.known_test, known[DatasetKind.TEST]]
            test_sha256, groups = measured(self.staging, whole, self.shape)
        return replace(
            content,
            test_documents=test.counts.total(),
            test_label_counts=sendable(test.counts, self.shape, 1).label_counts,
            test_sha256=test_sha256,
            test_groups=groups,
            known=known,
        )

    def _known(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """Return which of the batch's texts earlier TRAIN and TEST datasets hold."""
        manifest = self.manifest
        if not (manifest.known_train or manifest.known_test):
            return {}, {}
        texts = {text_key(row.text) for row in self._rows((*manifest.train, *manifest.test))}
        trained = known_among(texts, self._pieces(manifest.known_train))
        return trained, known_among(texts, self._pieces(manifest.known_test))

    def _counted(
        self, forbidden: Set[bytes], trained: Mapping[bytes, bytes]
    ) -> tuple[Selection, list[str]]:
        """Select once without writing; returns the selection and uploads with nothing new."""
        selection, repeats = Selection(forbidden, trained), []
        for upload, rows in self._by_upload(self.manifest.train):
            before = selection.unlike_others
            for _ in selection.taken(rows):
                pass
            if selection.unlike_others == before:
                repeats.append(upload["uid"])
        return selection, repeats

    def _write(self, kind: DatasetKind, rows: Iterator[Row]) -> str:
        """Write one dataset's files and its segment; returns the segment's key."""
        records, lines = bytearray(), []
        prefix = self.name.dataset_prefix(kind)

        def noted() -> Iterator[Row]:
            for row in rows:
                records.extend(record(row))
                if kind is DatasetKind.TEST:
                    lines.append(csv_line(row))
                yield row

        most_bytes = self.rules.service_max_file_bytes
        for file_name, body in dataset_files(noted(), self.shape, most_bytes):
            self.staging.create(f"{prefix}{file_name}", body)
        segment = self.name.known_key(self.manifest.generation, kind)
        if kind is DatasetKind.TEST:
            # Models answer them later, whatever form the dataset has.
            self.staging.create(rows_key(segment), "".join(lines).encode())
        self.staging.create(segment, bytes(records))
        return segment

    def _waits(self, row: Row, waiting: Set[str]) -> bool:
        return bool(waiting) and not waiting.isdisjoint(labels_of(row.label, self.shape))

    def _remainders(self, selection: Selection, waiting: Set[str]) -> dict[str, StagedUpload]:
        """Write, for each upload with rows of waiting labels, a copy that holds only these.

        A row that was left out does not wait: it would make its label look large enough, and
        batches without a row would open again and again.
        """
        remainders = {}
        for upload, found in self._by_upload(self.manifest.train):
            rows = [row for row in selection.taken(found) if self._waits(row, waiting)]
            if not rows:
                continue
            waits_on = StagedUpload(
                uid=upload["uid"],
                key=upload["key"],
                kind=DatasetKind.TRAIN,
                staged_key=f"uploads/{self.name.flywheel}/{upload['uid']}-after-{self.name.label}",
                label_counts={},
                size_bytes=0,
                staged_at=self.now,
            )
            remainders[upload["uid"]] = copy_rows(self.staging, waits_on, rows, self.shape)
        return remainders

    def _rows(self, uploads: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
        for _, rows in self._by_upload(uploads):
            yield from rows

    def _by_upload(
        self, uploads: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[Mapping[str, Any], Iterator[Row]]]:
        """Give uploads with their rows, but for labels that the flywheel does not have any more."""
        dropped = frozenset(self.manifest.dropped_labels)
        uploads = list(uploads)
        files = self.staging.all_lines(upload["staged_key"] for upload in uploads)
        for upload, lines in zip(uploads, files, strict=True):
            yield upload, (row for row in rows_of(lines) if not self._waits(row, dropped))

    def _pieces(self, keys: Iterable[str]) -> Iterator[bytes]:
        for key in keys:
            yield from self.staging.chunks(key)
