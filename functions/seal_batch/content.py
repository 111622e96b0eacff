"""Write the files of a batch's datasets from its manifest.

The same manifest gives the same files, whatever was written before: every object is create-only.
Labels with fewer documents than the service takes wait: their rows go into copies that stay staged.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.ports import StagingObjects
from flywheel.batches import BatchName, Manifest, StagedUpload, waiting_labels
from flywheel.labeled_documents import Row, csv_line, rows_of, text_key
from flywheel.sealing import Selection, files
from flywheel.settings import BatchRules
from flywheel.uploads import DatasetKind


@dataclass(frozen=True, slots=True)
class Content:
    """What was written.

    Parameters
    ----------
    train_documents, test_documents : int
    label_counts : mapping
        Training documents a label, as sent.
    left_out : mapping
        Reason -> rows.
    waiting_labels : sequence of str
    remainders : mapping of uid to StagedUpload
        Copies that hold the rows of waiting labels.
    test_keys : sequence of str
        Staging keys of the test set's files; empty where this batch freezes none.
    """

    train_documents: int
    test_documents: int
    label_counts: Mapping[str, int]
    left_out: Mapping[str, int]
    waiting_labels: Sequence[str]
    remainders: Mapping[str, StagedUpload]
    test_keys: Sequence[str]


def write_content(
    staging: StagingObjects, name: BatchName, manifest: Manifest, rules: BatchRules, now: datetime
) -> Content:
    """Write the TRAIN files, the TEST files where the batch freezes a test set, and remainders."""
    test = Selection()
    test_rows = test.taken(_rows(staging, _keys(manifest.test)))
    test_keys = _write(staging, name.dataset_prefix(DatasetKind.TEST), test_rows, rules)
    frozen = {text_key(row.text) for row in _rows(staging, manifest.test_set_keys)}
    forbidden = frozen | test.texts
    counted = Selection(forbidden)
    for _ in counted.taken(_rows(staging, _keys(manifest.train))):
        pass
    waiting = waiting_labels(counted.label_counts, rules.service_min_per_label)
    train = Selection(forbidden)
    sent = (
        row
        for row in train.taken(_rows(staging, _keys(manifest.train)))
        if row.label not in waiting
    )
    _write(staging, name.dataset_prefix(DatasetKind.TRAIN), sent, rules)
    label_counts = {
        label: count for label, count in counted.label_counts.items() if label not in waiting
    }
    return Content(
        train_documents=sum(label_counts.values()),
        test_documents=sum(test.label_counts.values()),
        label_counts=label_counts,
        left_out=counted.left_out(),
        waiting_labels=waiting,
        remainders=_remainders(
            staging, name, manifest, Selection(forbidden), waiting=waiting, now=now
        )
        if waiting
        else {},
        test_keys=test_keys,
    )


def _keys(uploads: Sequence[Mapping[str, Any]]) -> list[str]:
    return [upload["staged_key"] for upload in uploads]


def _rows(staging: StagingObjects, keys: Sequence[str]) -> Iterator[Row]:
    for key in keys:
        yield from rows_of(staging.lines(key))


def _write(
    staging: StagingObjects, prefix: str, rows: Iterator[Row], rules: BatchRules
) -> list[str]:
    keys = []
    for number, body in enumerate(files(rows, rules.service_max_file_bytes), 1):
        keys.append(f"{prefix}part-{number:05d}.csv")
        staging.create(keys[-1], body)
    return keys


def _remainders(
    staging: StagingObjects,
    name: BatchName,
    manifest: Manifest,
    selection: Selection,
    *,
    waiting: Sequence[str],
    now: datetime,
) -> dict[str, StagedUpload]:
    """Write, for each upload with rows of waiting labels, a copy that holds only these.

    A row that was left out does not wait: it would make its label look large enough, and batches
    without a row would open again and again.
    """
    remainders = {}
    for upload in manifest.train:
        taken = selection.taken(_rows(staging, [upload["staged_key"]]))
        rows = [row for row in taken if row.label in waiting]
        if not rows:
            continue
        body = "".join(map(csv_line, rows)).encode()
        key = f"uploads/{name.flywheel}/{upload['uid']}-after-{name.batch}.csv"
        staging.create(key, body)
        remainders[upload["uid"]] = StagedUpload(
            uid=upload["uid"],
            key=upload["key"],
            kind=DatasetKind.TRAIN,
            staged_key=key,
            label_counts=Counter(row.label for row in rows),
            size_bytes=len(body),
            staged_at=now,
        )
    return remainders
