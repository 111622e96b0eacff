"""What an upload is: its identity, the place it was dropped in, and its life in the ledger.

Decides which flywheel and which kind of dataset an inbox key means. Knows no bucket and no file's
content. Read next: `flywheel.intake.labeled_documents` (what is in the file).
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from flywheel.errors import MisplacedKeyError
from flywheel.untrusted_text import nearest


class DatasetKind(StrEnum):
    """What a dataset is for, as folders of the inbox; the service says TRAIN and TEST."""

    TRAIN = "train"
    TEST = "test"


MOST_DELIVERIES = 5
"""How often the queue delivers an upload's event; after that the event is a dead letter."""

GO_MARKER = "_GO"
"""The name of an object that asks for the next batch, whatever it holds."""


class UploadState(StrEnum):
    """The states of an upload in the ledger."""

    RECEIVED = "RECEIVED"
    WAITING = "WAITING"
    STAGED = "STAGED"
    PAIRED = "PAIRED"
    SEALED = "SEALED"
    DUPLICATE = "DUPLICATE"
    MOVED = "MOVED"
    IMPORTED = "IMPORTED"
    WITHDRAWN = "WITHDRAWN"
    MARKER = "MARKER"
    REFUSED = "REFUSED"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of one object; the unit of everything that is registered.

    Parameters
    ----------
    bucket, key, version_id : str
        As in the event; a key is never decoded, a version is never absent.
    """

    bucket: str
    key: str
    version_id: str

    @property
    def uid(self) -> str:
        """The upload's identity: 64 hex digits of sha256 over bucket, key and version."""
        identity = "\0".join((self.bucket, self.key, self.version_id))
        return hashlib.sha256(identity.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the inbox an upload was dropped."""

    flywheel: str
    kind: DatasetKind


def place_of(key: str, flywheels: Collection[str]) -> Place:
    """Return which flywheel and which kind of dataset an inbox key means.

    Parameters
    ----------
    key : str
        ``<flywheel>/train|test/<any name>``.
    flywheels : collection of str
        The names of the environment's flywheels.

    Raises
    ------
    MisplacedKeyError
        The key belongs to none; the message names the places that work. Whoever uploaded moves it.

    Examples
    --------
    >>> place_of("tickets/train/monday.csv", {"tickets"}).kind
    <DatasetKind.TRAIN: 'train'>
    """
    flywheel, _, rest = key.partition("/")
    kind, _, name = rest.partition("/")
    kinds = [kind.value for kind in DatasetKind]
    if flywheel in flywheels and kind in kinds and name:
        return Place(flywheel, DatasetKind(kind))
    known = ", ".join(sorted(flywheels))
    if flywheel in flywheels:
        places = " or ".join(f"{flywheel}/{kind}/" for kind in kinds)
        raise MisplacedKeyError(key, f"it is not under a place that works: use {places}")
    likely = nearest(flywheel, flywheels) or "<flywheel>"
    places = " or ".join(f"{likely}/{kind}/" for kind in kinds)
    raise MisplacedKeyError(
        key, f"there is no flywheel {flywheel!r} (known: {known}): put it under {places}"
    )


def is_go_marker(key: str) -> bool:
    """Return whether the object asks for the next batch: ``<flywheel>/train/_GO``."""
    return key.rsplit("/", 1)[-1] == GO_MARKER


def is_folder_marker(key: str, size_bytes: int) -> bool:
    """Return whether the object only marks a folder, as consoles create them."""
    return key.endswith("/") and size_bytes == 0
