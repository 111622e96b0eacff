"""What the ledger knows of an upload, as values, and how its rows are spelled.

``UPLOAD#<uid>`` is the upload; ``FLYWHEEL#<name> / STAGED#<uid>`` says that it waits for a batch.
Knows no transition. Read next: `application.ledger.uploads`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.port_values import Change, Item, Key, Put, Write
from flywheel.batches.batches import StagedUpload
from flywheel.batches.uploads import DatasetKind, UploadState


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One upload as the ledger knows it.

    ``deliveries`` is the number, from 1, of the last delivery of its event that a function worked
    on, ``delivered_at`` when that was, ``failure`` why it failed; ``is_undelivered`` says that all
    of them failed, so that it was refused unread. Of annotations or an entity list
    ``paired_with`` is the upload of their documents. ``batches`` are all that it was in, in earlier
    generations too.
    """

    uid: str
    key: str
    flywheel: str
    kind: str
    state: UploadState
    received_at: str
    reasons: Sequence[str] = ()
    documents: int = 0
    batch: int | None = None
    left_out: int = 0
    version_id: str | None = None
    sha256: str | None = None
    failure: str | None = None
    is_undelivered: bool = False
    deliveries: int = 0
    delivered_at: str = ""
    paired_with: str | None = None
    batches: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class SplitParts:
    """A staged upload as two: the rows that still train, if any, and those that test."""

    train: StagedUpload | None
    test: StagedUpload


def upload_key(uid: str) -> Key:
    """Return the key of an upload's row."""
    return Key(f"UPLOAD#{uid}", "UPLOAD")


def staged_key_of(flywheel: str, uid: str) -> Key:
    """Return the key of the row that says that an upload waits."""
    return Key(f"FLYWHEEL#{flywheel}", f"STAGED#{uid}")


def copy_values(staged: StagedUpload) -> dict[str, Any]:
    """Return what an upload's row says of its canonical copy."""
    return {
        "staged_key": staged.staged_key,
        "documents": staged.documents,
        "label_counts": dict(staged.label_counts),
        "staged_bytes": staged.size_bytes,
    }


def membership(staged: StagedUpload) -> dict[str, Any]:
    """Return the values of that row."""
    return {
        "uid": staged.uid,
        "key": staged.key,
        "kind": staged.kind,
        "staged_key": staged.staged_key,
        "label_counts": dict(staged.label_counts),
        "size_bytes": staged.size_bytes,
        "rows": staged.documents,
        "staged_at": staged.staged_at.isoformat(),
    }


def waits_again(flywheel: str, row: Item) -> list[Write]:
    """Return the writes after which an upload waits for a batch, with all of its rows."""
    staged = StagedUpload(
        uid=row["uid"],
        key=row["key"],
        kind=DatasetKind(row["kind"]),
        staged_key=row["staged_key"],
        label_counts=row["label_counts"],
        size_bytes=row["staged_bytes"],
        staged_at=datetime.fromisoformat(row["received_at"]),
        rows=row["documents"],
    )
    changes = {
        "state": UploadState.STAGED,
        "batch": None,
        "sealed_by": None,
        "earlier_batches": [*row.get("earlier_batches", ()), row.get("batch", 0)],
    }
    return [
        Change(upload_key(row["uid"]), changes, {"state": row["state"]}),
        Put(staged_key_of(flywheel, row["uid"]), membership(staged), replaces=True),
    ]


def batches_of(item: Mapping[str, Any]) -> list[int]:
    """Return the batches that an upload was in, oldest first."""
    batches = [*item.get("earlier_batches", ()), item.get("batch")]
    return list(dict.fromkeys(number for number in batches if number))


def staged_upload(item: Item) -> StagedUpload:
    """Return what waits, from that row."""
    return StagedUpload(
        uid=item["uid"],
        key=item["key"],
        kind=DatasetKind(item["kind"]),
        staged_key=item["staged_key"],
        label_counts=item["label_counts"],
        size_bytes=item["size_bytes"],
        staged_at=datetime.fromisoformat(item["staged_at"]),
        rows=item["rows"],
    )


def upload_row(item: Mapping[str, Any]) -> UploadRow:
    """Return an upload from its row."""
    fields = {name: item[name] for name in UploadRow.__dataclass_fields__ if name in item}
    fields["state"] = UploadState(item["state"])
    fields["delivered_at"] = item.get("redelivered_at", item["received_at"])
    return UploadRow(**{**fields, "batches": batches_of(item)})


def is_withdrawn(row: Mapping[str, Any] | None) -> bool:
    """Return whether an upload's row says that a person withdrew it; False where there is none."""
    return row is not None and row["state"] == UploadState.WITHDRAWN
