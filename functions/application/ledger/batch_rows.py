"""What the ledger knows of a batch and its verdict, as values.

Knows no transition. Read next: `application.ledger.batches`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from application.ledger.flywheel_rows import FlywheelRow, freeze_changes
from application.ledger.test_sets import AddedRows, CountedGroups
from application.port_values import Item, Key
from flywheel.batches.batches import BatchName, BatchOutcome, BatchState
from flywheel.batches.uploads import DatasetKind
from flywheel.evaluation.champions import PromotionMode
from flywheel.notices.notice import Notice

if TYPE_CHECKING:
    from flywheel.evaluation.verdict import Verdict


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch as the ledger knows it.

    ``rejudges`` is the held batch whose models it has judged again on a larger test set: it trains
    nothing, and its iteration is that one's. ``uploads`` names those to train on first; of all
    ``upload_count`` the last ``test_upload_count`` are to test with.
    """

    flywheel: str
    batch: int
    state: BatchState
    attempt: int
    opened_at: str
    seen_registrations: int
    rejudges: int | None = None
    manifest_sha256: str | None = None
    uploads: Sequence[str] = ()
    upload_count: int = 0
    test_upload_count: int = 0
    documents: int = 0
    label_counts: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    waiting_labels: Sequence[str] = ()
    test_documents: int = 0
    test_label_counts: Mapping[str, int] = field(default_factory=dict)
    test_sha256: str | None = None
    test_groups: CountedGroups | None = None
    is_test_frozen: bool = False
    generation: int = 1
    planned: Mapping[DatasetKind, str] = field(default_factory=dict)
    datasets: Sequence[str] = ()
    given_back: Sequence[DatasetKind] = ()
    announced_at: str | None = None
    iteration_id: str | None = None
    answer_jobs: Mapping[str, str] = field(default_factory=dict)
    outcome: BatchOutcome | None = None
    error: str | None = None
    cause: str | None = None
    closed_at: str | None = None

    @property
    def name(self) -> BatchName:
        """Everything that is named after its present attempt."""
        return BatchName(self.flywheel, self.batch, self.attempt)

    @property
    def test_rows(self) -> AddedRows:
        """Its test rows, as the frozen test set gains them."""
        return AddedRows(
            self.test_sha256, self.test_documents, self.test_label_counts, self.test_groups
        )

    @property
    def was_test_set_frozen(self) -> bool:
        """Whether its test rows count in the frozen set already, by an announcement or its end."""
        return self.is_test_frozen or self.announced_at is not None

    def closed_before(self, moment: datetime) -> bool:
        """Whether it was closed before a moment."""
        return self.closed_at is not None and datetime.fromisoformat(self.closed_at) < moment


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict as it was stored before anything was done about it.

    Parameters
    ----------
    verdict : Verdict
    expected_champion : str or None
        The active model at that time: the intent of a promotion is to replace exactly this one.
    outcome : BatchOutcome or None
        None until it was acted on.
    document : str or None
        What is kept of it (`flywheel.evaluation.verdict_document`); None of a release that kept
        none.
    course : PromotionMode
        How a PROMOTE is carried out.
    kept, because : str or None
        Why a PROMOTE was not carried out, in one word and in a sentence.
    """

    verdict: "Verdict"
    expected_champion: str | None
    outcome: BatchOutcome | None
    document: str | None = None
    course: PromotionMode = PromotionMode.ACT
    kept: str | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class SealedFacts:
    """What the seal decided about a batch.

    Parameters
    ----------
    planned : mapping of DatasetKind to str
        ARNs of the datasets that are about to be created; empty where nothing new is to train on.
    known : mapping of DatasetKind to str
        Staging keys of the segments of rows in them.
    test_groups : CountedGroups or None
        Of the whole test set, with the batch's rows in it.
    test_upload_count : int
        How many of the uploads, the last ones, are to test with.
    """

    manifest_sha256: str
    uploads: Sequence[str]
    documents: int
    label_counts: Mapping[str, int]
    left_out: Mapping[str, int]
    waiting_labels: Sequence[str] = ()
    test_documents: int = 0
    test_label_counts: Mapping[str, int] = field(default_factory=dict)
    test_sha256: str | None = None
    test_groups: CountedGroups | None = None
    test_upload_count: int = 0
    planned: Mapping[DatasetKind, str] = field(default_factory=dict)
    known: Mapping[DatasetKind, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchFailure:
    """How a batch ended without a verdict, and what became of its datasets.

    Parameters
    ----------
    error, cause : str
    refused : collection of DatasetKind
        Kinds of planned datasets that the service has FAILED.
    pause_reason : str
    pause_notice : Notice or None
        Why the flywheel is paused with this failure, and what tells it.
    is_test_set_held : bool
        Whether the service has the batch's TEST dataset, complete.
    """

    error: str
    cause: str
    refused: Collection[DatasetKind] = ()
    pause_reason: str = ""
    pause_notice: Notice | None = None
    is_test_set_held: bool = False


def batch_row(item: Item) -> BatchRow:
    """Return a batch from its row."""
    fields = {name: item[name] for name in BatchRow.__dataclass_fields__ if name in item}
    outcome = item.get("outcome")
    fields["state"] = BatchState(item["state"])
    fields["outcome"] = BatchOutcome(outcome) if outcome else None
    fields["given_back"] = tuple(map(DatasetKind, item.get("given_back", ())))
    fields["planned"] = {DatasetKind(kind): arn for kind, arn in item.get("planned", {}).items()}
    return BatchRow(**fields)


def frozen_test_set(batch: BatchRow, flywheel: FlywheelRow, now: datetime) -> dict[str, Any]:
    """Return the changes that freeze a batch's test rows as the test set's next version."""
    is_judged_again = batch.rejudges is not None
    changes = freeze_changes(flywheel, batch.test_rows, now, is_judged_again=is_judged_again)
    return {**changes, "freeze_asked_by": None}


def batch_key(flywheel: str, batch: int) -> Key:
    """Return the key of a batch's row."""
    return Key(f"BATCH#{flywheel}#{batch}", "BATCH")
