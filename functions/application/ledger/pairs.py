"""The ledger's rows of pairs: the half of an upload that came first and waits for the other.

`FLYWHEEL#<name> / PAIR#<hash>` names the half that waits; its upload is WAITING. Both change in one
transaction, and both end in the transaction that stages or refuses the pair.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from application.ledger.upload_rows import upload_key
from application.port_values import Change, Delete, Item, Key, Put, Write
from application.ports import Rows
from flywheel.batches.uploads import DatasetKind, ObjectVersion, Place, UploadState
from flywheel.intake.pairs import PairPlace, object_name


@dataclass(frozen=True, slots=True)
class PairEnd:
    """What becomes of a pair's rows, in the transaction of its documents' upload."""

    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class WaitingHalf:
    """A half that waits.

    Parameters
    ----------
    upload : ObjectVersion
    kind : DatasetKind
    half : str
        ``documents`` or ``companion``.
    since : datetime
    """

    upload: ObjectVersion
    kind: DatasetKind
    half: str
    since: datetime


class Pairs:
    """Lets halves wait for each other."""

    def __init__(self, table: Rows) -> None:
        self._table = table

    def find(self, place: Place, pair: PairPlace) -> WaitingHalf | None:
        """Return the half of a pair that waits, or None."""
        row = self._table.get(_key(place, pair))
        return None if row is None else _half(row)

    def wait(self, place: Place, pair: PairPlace, upload: ObjectVersion, now: datetime) -> None:
        """Let a received half wait for the other.

        Raises
        ------
        ConcurrentChangeError
            The other half came meanwhile: look again.
        """
        values = {
            "bucket": upload.bucket,
            "key": upload.key,
            "version_id": upload.version_id,
            "kind": place.kind,
            "half": pair.half,
            "since": now.isoformat(),
        }
        waits = {"state": UploadState.WAITING, "reasons": [pair.words]}
        self._table.write(
            [
                Put(_key(place, pair), values),
                Change(upload_key(upload.uid), waits, {"state": UploadState.RECEIVED}),
            ]
        )

    def ended(
        self,
        place: Place,
        pair: PairPlace,
        documents: ObjectVersion,
        companion: ObjectVersion,
        state: UploadState,
    ) -> PairEnd:
        """Return the end of a pair, for the transaction that stages or refuses it.

        Parameters
        ----------
        state : UploadState
            What becomes of the companion; it does not wait any more, and names its documents.
        """
        is_paired = state is UploadState.PAIRED
        reason = f"it belongs to {object_name(documents.key)}, which is {state}"
        changes = {
            "state": state,
            "paired_with": documents.uid,
            "reasons": None if is_paired else [reason],
        }
        return PairEnd((Delete(_key(place, pair)), Change(upload_key(companion.uid), changes)))

    @staticmethod
    def never_met(place: Place, pair: PairPlace) -> PairEnd:
        """Return the end of a pair whose other half never came."""
        return PairEnd((Delete(_key(place, pair)),))

    def give_way(self, place: Place, pair: PairPlace, older: ObjectVersion) -> None:
        """Let a half that waits give its place to a newer version of itself."""
        because = {"state": UploadState.MOVED, "reasons": ["a newer version took its place"]}
        self._table.write([Delete(_key(place, pair)), Change(upload_key(older.uid), because)])

    def waiting(self, flywheel: str) -> Iterator[WaitingHalf]:
        """Give the halves of a flywheel that wait."""
        rows = self._table.query(f"FLYWHEEL#{flywheel}", "PAIR#")
        return (_half(row) for row in rows)


def _key(place: Place, pair: PairPlace) -> Key:
    identity = hashlib.sha256(f"{place.kind}\0{pair.name}".encode()).hexdigest()
    return Key(f"FLYWHEEL#{place.flywheel}", f"PAIR#{identity}")


def _half(row: Item) -> WaitingHalf:
    return WaitingHalf(
        ObjectVersion(row["bucket"], row["key"], row["version_id"]),
        DatasetKind(row["kind"]),
        row["half"],
        datetime.fromisoformat(row["since"]),
    )
