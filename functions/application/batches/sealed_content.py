"""Write the files of a batch's datasets from its manifest.

One pass over the uploads plans which rows are sent; what is written follows the plan. The same
manifest gives the same files, whatever was written before: every object is create-only. Labels with
fewer documents than the service takes wait: their rows go into copies that stay staged. What is
sent is recorded as a segment of known rows, beside the datasets.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress
from typing import Any

from application.ledger.batch_rows import SealedFacts
from application.ports import StagingObjects
from application.staged_rows import copy_rows, measured
from flywheel.batches.batches import BatchManifest, BatchName, StagedUpload
from flywheel.batches.dataset_files import dataset_files
from flywheel.batches.known_rows import known_among, record, rows_key
from flywheel.batches.sealing import TRAINED_ON, Selection
from flywheel.batches.uploads import DatasetKind
from flywheel.intake.labeled_rows import (
    LabeledRow,
    Sendable,
    csv_line,
    labels_of,
    rows_of,
    sendable,
    text_key,
)
from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment import BatchRules


@dataclass(frozen=True, slots=True)
class SealedContent:
    """What a batch holds, and what became of the rest of its uploads.

    Parameters
    ----------
    facts : SealedFacts
    remainders : mapping of uid to StagedUpload
        Copies that hold the rows of waiting labels.
    repeats : sequence of str
        uids of uploads of which every row is known already.
    """

    facts: SealedFacts
    remainders: Mapping[str, StagedUpload]
    repeats: Sequence[str]


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """Which rows of some uploads belong into one dataset.

    ``is_selected`` says so of each row, by upload; ``repeats`` are uids of uploads with nothing
    new.
    """

    uploads: Sequence[Mapping[str, Any]]
    selection: Selection
    is_selected: Mapping[str, Sequence[int]]
    repeats: Sequence[str]


@dataclass(frozen=True, slots=True)
class SealPlan:
    """What is sent of a manifest, and which labels wait; decided before anything is written."""

    train: DatasetPlan
    test: DatasetPlan
    sent: Sendable
    waiting: frozenset[str]


@dataclass(frozen=True, slots=True)
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
    flywheel_arn : str
        Of the flywheel whose datasets these are.
    is_for_test_alone : bool
        Whether its test rows are wanted without any to train on.
    """

    staging: StagingObjects
    name: BatchName
    manifest: BatchManifest
    rules: BatchRules
    shape: DataFormat
    now: datetime
    flywheel_arn: str
    is_for_test_alone: bool = False

    def write(self) -> SealedContent:
        """Write the TRAIN files, the TEST files where the batch has test rows, and remainders.

        A batch in which nothing new is left to train on writes no dataset: its test rows stay
        drafts. But a later attempt goes on for its test rows alone, since the training rows may
        be in the flywheel by an earlier one.
        """
        plan, manifest = self._plan(), self.manifest
        remainders = self._remainders(plan) if plan.waiting else {}
        facts = SealedFacts(
            manifest_sha256=hashlib.sha256(manifest.to_json().encode()).hexdigest(),
            uploads=[upload["key"] for upload in (*manifest.train, *manifest.test)],
            documents=plan.sent.documents,
            label_counts=plan.sent.label_counts,
            left_out=Counter(plan.train.selection.left_out())
            + Counter(plan.test.selection.left_out()),
            waiting_labels=plan.sent.waiting,
            test_upload_count=len(manifest.test),
        )
        repeats = [uid for uid in plan.train.repeats if uid not in remainders]
        was_trained = self.name.attempt > 1 and manifest.known_train
        is_test_enough = plan.test.selection.counts and (self.is_for_test_alone or was_trained)
        if plan.sent.documents or is_test_enough:
            facts = self._write_datasets(plan, facts)
        return SealedContent(facts, remainders, repeats)

    def _plan(self) -> SealPlan:
        """Decide row by row; no text is both trained on and tested with."""
        trained, tested = self._known()
        test = self._select(self.manifest.test, Selection(trained.keys(), tested, TRAINED_ON))
        forbidden = tested.keys() | test.selection.texts
        train = self._select(self.manifest.train, Selection(forbidden, trained))
        sent = sendable(train.selection.counts, self.shape, self.rules.service_min_per_label)
        return SealPlan(train, test, sent, frozenset(sent.waiting))

    def _select(self, uploads: Sequence[Mapping[str, Any]], selection: Selection) -> DatasetPlan:
        is_selected: dict[str, bytearray] = {}
        repeats = []
        for upload, rows in self._by_upload(uploads):
            flags = is_selected[upload["uid"]] = bytearray()
            before = selection.unlike_others
            for _ in selection.select(_flagged(rows, flags)):
                flags[-1] = 1
            if selection.unlike_others == before:
                repeats.append(upload["uid"])
        return DatasetPlan(uploads, selection, is_selected, repeats)

    def _selected(
        self, plan: DatasetPlan
    ) -> Iterator[tuple[Mapping[str, Any], Iterator[LabeledRow]]]:
        """Give uploads with those of their rows that belong into a dataset."""
        for upload, rows in self._by_upload(plan.uploads):
            yield upload, compress(rows, plan.is_selected[upload["uid"]])

    def _write_datasets(self, plan: SealPlan, facts: SealedFacts) -> SealedFacts:
        """Write both datasets and their segments, and return the facts that name them."""
        known: dict[DatasetKind, str] = {}
        if facts.documents:
            sent = (
                row
                for _, rows in self._selected(plan.train)
                for row in rows
                if not self._waits(row, plan.waiting)
            )
            known[DatasetKind.TRAIN] = self._write(DatasetKind.TRAIN, sent)
        counts = plan.test.selection.counts
        test_sha256, groups = None, None
        if counts:
            tested = (row for _, rows in self._selected(plan.test) for row in rows)
            known[DatasetKind.TEST] = self._write(DatasetKind.TEST, tested)
            whole = [*self.manifest.known_test, known[DatasetKind.TEST]]
            test_sha256, groups = measured(self.staging, whole, self.shape)
        return replace(
            facts,
            test_documents=counts.total(),
            test_label_counts=sendable(counts, self.shape, 1).label_counts,
            test_sha256=test_sha256,
            test_groups=groups,
            planned={
                kind: f"{self.flywheel_arn}/dataset/{self.name.dataset(kind)}" for kind in known
            },
            known=known,
        )

    def _known(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """Return which of the batch's texts earlier TRAIN and TEST datasets hold."""
        manifest = self.manifest
        if not (manifest.known_train or manifest.known_test):
            return {}, {}
        uploads = (*manifest.train, *manifest.test)
        texts = {text_key(row.text) for _, rows in self._by_upload(uploads) for row in rows}
        trained = known_among(texts, self._pieces(manifest.known_train))
        return trained, known_among(texts, self._pieces(manifest.known_test))

    def _write(self, kind: DatasetKind, rows: Iterator[LabeledRow]) -> str:
        """Write one dataset's files and its segment; returns the segment's key."""
        records, lines = bytearray(), []
        prefix = self.name.dataset_prefix(kind)

        def noted() -> Iterator[LabeledRow]:
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

    def _waits(self, row: LabeledRow, waiting: Set[str]) -> bool:
        return bool(waiting) and not waiting.isdisjoint(labels_of(row.label, self.shape))

    def _remainders(self, plan: SealPlan) -> dict[str, StagedUpload]:
        """Write, for each upload with rows of waiting labels, a copy that holds only these.

        A row that was left out does not wait: it would make its label look large enough, and
        batches without a row would open again and again.
        """
        remainders = {}
        for upload, taken in self._selected(plan.train):
            rows = [row for row in taken if self._waits(row, plan.waiting)]
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

    def _by_upload(
        self, uploads: Sequence[Mapping[str, Any]]
    ) -> Iterator[tuple[Mapping[str, Any], Iterator[LabeledRow]]]:
        """Give uploads with their rows, but for labels that the flywheel does not have any more."""
        dropped = frozenset(self.manifest.dropped_labels)
        files = self.staging.all_lines(upload["staged_key"] for upload in uploads)
        for upload, lines in zip(uploads, files, strict=True):
            yield upload, (row for row in rows_of(lines) if not self._waits(row, dropped))

    def _pieces(self, keys: Iterable[str]) -> Iterator[bytes]:
        for key in keys:
            yield from self.staging.chunks(key)


def _flagged(rows: Iterable[LabeledRow], flags: bytearray) -> Iterator[LabeledRow]:
    """Give rows, and a flag for each that whoever takes the row sets."""
    for row in rows:
        flags.append(0)
        yield row
