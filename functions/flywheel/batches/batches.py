"""When staged uploads become a batch, and how everything of a batch is named.

Decides readiness and names; pure, so the caller passes the time. Knows no ledger and no service.
Read next: `flywheel.batches.sealing` (which rows of a batch are sent).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flywheel.batches.uploads import DatasetKind
from flywheel.settings.environment import BatchRules

LONGEST_CALL = timedelta(minutes=15)
"""How long a function that worked on a batch can outlive it.

*Source*: Lambda quotas, function timeout 900 seconds.
"""

DOCUMENTS_FOLDER = "documents/"
ANNOTATIONS_FOLDER = "annotations/"
ENTITY_LIST_FOLDER = "entity-list/"
"""Below the prefix of an entity dataset."""


class BatchState(StrEnum):
    """The states of a batch in the ledger, in order."""

    OPEN = "OPEN"
    SEALED = "SEALED"
    STARTED = "STARTED"
    JUDGED = "JUDGED"
    CLOSED = "CLOSED"


class BatchOutcome(StrEnum):
    """How a batch ended."""

    PROMOTED = "PROMOTED"
    REJECTED = "REJECTED"
    HELD = "HELD"
    SHADOW = "SHADOW"
    FAILED = "FAILED"
    EMPTY = "EMPTY"


@dataclass(frozen=True, slots=True)
class StagedUpload:
    """An upload whose canonical copy waits in the staging bucket.

    Parameters
    ----------
    uid : str
    key : str
        The inbox key, for people.
    kind : DatasetKind
    staged_key : str
        The canonical copy in the staging bucket.
    label_counts : mapping of str to int
        Documents per label.
    size_bytes : int
        Of the canonical copy.
    staged_at : datetime
        Aware, UTC.
    rows : int, optional
        Documents, where one may have several labels or none.
    """

    uid: str
    key: str
    kind: DatasetKind
    staged_key: str
    label_counts: Mapping[str, int]
    size_bytes: int
    staged_at: datetime
    rows: int | None = None

    @property
    def documents(self) -> int:
        """How many documents the canonical copy holds."""
        return sum(self.label_counts.values()) if self.rows is None else self.rows


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a batch may open, and otherwise what it still lacks, as sentences.

    Parameters
    ----------
    is_ready : bool
    lacks : tuple of str
    waits : tuple of str
        What does not keep the batch from opening but is not sent with it, label by label.
    """

    is_ready: bool
    lacks: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchManifest:
    """What a batch holds, decided once; writing it is the seal.

    Parameters
    ----------
    flywheel : str
    batch : int
    train, test : tuple of dict
        The uploads, oldest first: ``uid``, ``key``, ``staged_key``.
    known_train, known_test : tuple of str
        Staging keys of the segments of rows that the flywheel holds already.
    generation : int
        The flywheel's, into which the batch goes.
    dropped_labels : tuple of str
        Labels of earlier generations; their rows are not sent.
    """

    flywheel: str
    batch: int
    train: tuple[dict[str, Any], ...]
    test: tuple[dict[str, Any], ...]
    known_train: tuple[str, ...] = ()
    known_test: tuple[str, ...] = ()
    generation: int = 1
    dropped_labels: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the manifest as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, document: str) -> "BatchManifest":
        """Read a stored manifest."""
        stored = json.loads(document)
        return cls(
            flywheel=stored["flywheel"],
            batch=stored["batch"],
            train=tuple(stored["train"]),
            test=tuple(stored["test"]),
            known_train=tuple(stored["known_train"]),
            known_test=tuple(stored["known_test"]),
            generation=stored["generation"],
            dropped_labels=tuple(stored["dropped_labels"]),
        )


@dataclass(frozen=True, slots=True)
class BatchName:
    """Everything that is named after one attempt at one batch.

    Examples
    --------
    >>> BatchName("tickets", 3, 1).execution
    'tickets-batch-3-1'
    """

    flywheel: str
    batch: int
    attempt: int

    @property
    def execution(self) -> str:
        """The state machine's execution; Step Functions runs one of a name."""
        return f"{self.flywheel}-batch-{self.batch}-{self.attempt}"

    @property
    def label(self) -> str:
        """The attempt in keys of staging bucket and ledger; a first one is the batch's number."""
        return str(self.batch) if self.attempt == 1 else f"{self.batch}-{self.attempt}"

    @property
    def prefix(self) -> str:
        """The attempt's own, immutable prefix in the staging bucket."""
        return f"batches/{self.flywheel}/{self.label}/"

    @property
    def manifest_key(self) -> str:
        """The manifest's key; outside the dataset prefixes, which the service reads whole."""
        return f"manifests/{self.flywheel}/{self.label}.json"

    @property
    def verdict_key(self) -> str:
        """The key of the verdict's document in the bucket of verdicts."""
        return f"verdicts/{self.flywheel}/{self.label}.json"

    def known_key(self, generation: int, kind: DatasetKind) -> str:
        """Return the key of the segment of rows that one of its datasets holds."""
        return f"known/{self.flywheel}/g{generation}/{self.label}-{kind.value}.bin"

    def dataset_prefix(self, kind: DatasetKind) -> str:
        """Return the prefix that holds one dataset and nothing else."""
        return f"{self.prefix}{kind.value}/"

    def dataset(self, kind: DatasetKind) -> str:
        """Return the dataset's name in the service (at most 63 of letters, digits, hyphens)."""
        return f"batch-{self.batch}-{self.attempt}-{kind.value}"

    def token(self, purpose: str, flywheel_arn: str) -> str:
        """Return our own ClientRequestToken: 64 hex digits, the same for the same attempt.

        The ARN is in it, since environments of one account may number their batches alike.
        """
        identity = "\0".join((flywheel_arn, str(self.batch), str(self.attempt), purpose))
        return hashlib.sha256(identity.encode()).hexdigest()


def readiness(
    staged: Sequence[StagedUpload],
    rules: BatchRules,
    now: datetime,
    *,
    last_iteration_at: datetime | None,
    train_datasets: int,
    least_labels: int = 1,
    is_asked_for: bool = False,
) -> Readiness:
    """Return whether what is staged may become a batch.

    Parameters
    ----------
    staged : sequence of StagedUpload
        Of one flywheel, both kinds.
    rules : BatchRules
    now : datetime
    last_iteration_at : datetime or None
        When the flywheel's last iteration started.
    train_datasets : int
        TRAIN dataset slots that the flywheel has used in its life.
    least_labels : int
        Labels that must have documents: a first classifier needs two.
    is_asked_for : bool
        A person wants it now: our own minimum and pauses do not count, the service's do.

    Returns
    -------
    Readiness
    """
    train = of_kind(staged, DatasetKind.TRAIN)
    if not train:
        return Readiness(False, ("no training documents are staged",))
    if (used_up := slots_used_up(rules, train_datasets)) is not None:
        return Readiness(False, (used_up,))
    counts = label_counts(train)
    waiting = waiting_labels(counts, rules.service_min_per_label)
    usable = sum(count for label, count in counts.items() if label not in waiting)
    short = tuple(
        f"label {label!r} has {counts[label]} of the {rules.service_min_per_label} documents "
        "that the service takes"
        for label in waiting
    )
    if not usable:
        return Readiness(False, short)
    enough = sorted(label for label, count in counts.items() if count and label not in waiting)
    if len(enough) < least_labels:
        alone = (
            f"label {enough[0]!r} alone has documents; a first model needs {least_labels} labels"
        )
        return Readiness(False, (alone, *short))
    if is_asked_for:
        return Readiness(True, waits=short)
    oldest = min(upload.staged_at for upload in train)
    held_back = (too_few(rules, now, usable, oldest), too_soon(rules, now, last_iteration_at))
    lacks = tuple(lack for lack in held_back if lack is not None)
    return Readiness(not lacks, lacks, waits=short)


def too_few(rules: BatchRules, now: datetime, usable: int, oldest: datetime) -> str | None:
    """Return what our own minimum lacks; None if met, or the oldest upload waited long enough."""
    if usable >= rules.min_documents:
        return None
    anyway_at = oldest + timedelta(hours=rules.max_age_hours)
    if now >= anyway_at:
        return None
    return (
        f"{usable} of {rules.min_documents} documents (min_documents); starts anyway on "
        f"{anyway_at:%Y-%m-%d %H:%M} UTC (max_age_hours)"
    )


def slots_used_up(rules: BatchRules, train_datasets: int) -> str | None:
    """Return why no further dataset is possible, or None; needs no uploads."""
    if train_datasets < rules.service_train_datasets:
        return None
    slots = f"all {rules.service_train_datasets} TRAIN datasets of the flywheel's life are used"
    return f"{slots}: flywheel rebuild makes its next generation"


def too_soon(rules: BatchRules, now: datetime, last_iteration_at: datetime | None) -> str | None:
    """Return why it is too soon after the last iteration, or None; needs no uploads."""
    pause = timedelta(hours=rules.min_hours_between_iterations)
    if last_iteration_at is None or now - last_iteration_at >= pause:
        return None
    hours = (now - last_iteration_at) / timedelta(hours=1)
    return (
        f"the last iteration was {hours:.1f} hours ago; "
        f"{rules.min_hours_between_iterations} must pass (min_hours_between_iterations)"
    )


def of_kind(staged: Sequence[StagedUpload], kind: DatasetKind) -> list[StagedUpload]:
    """Return the uploads that are for one kind of dataset, in the order given."""
    return [upload for upload in staged if upload.kind is kind]


def label_counts(staged: Sequence[StagedUpload]) -> Counter[str]:
    """Return the documents per label of several uploads."""
    counts: Counter[str] = Counter()
    for upload in staged:
        counts.update(upload.label_counts)
    return counts


def waiting_labels(counts: Mapping[str, int], least: int) -> tuple[str, ...]:
    """Return the labels that have documents, but fewer than the service takes; sorted."""
    return tuple(sorted(label for label, count in counts.items() if 0 < count < least))


def chosen(staged: Sequence[StagedUpload], rules: BatchRules) -> list[StagedUpload]:
    """Return the uploads of one kind that fit one dataset, oldest first.

    An upload that would exceed the service's quota of a dataset stays staged for the next batch.
    So does everything behind it. The first always goes, or nothing ever would.
    """
    fitting: list[StagedUpload] = []
    documents = size_bytes = 0
    for upload in sorted(staged, key=lambda upload: (upload.staged_at, upload.uid)):
        documents += upload.documents
        size_bytes += upload.size_bytes
        too_large = documents > rules.service_max_documents or size_bytes > rules.service_max_bytes
        if fitting and too_large:
            break
        fitting.append(upload)
    return fitting
