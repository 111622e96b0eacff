"""One flywheel in the ledger, brought to any state by the ledger's own methods.

What cases begin with and what neighbours do. Read next: `case`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from application.ledger.approvals import Question
from application.ledger.audit import FIRST_SHA256
from application.ledger.batch_rows import BatchFailure, BatchRow, SealedFacts
from application.ledger.flywheel_rows import ChampionChange, FlywheelRow, RebuildState
from application.ledger.ledger import Ledger
from application.ledger.rebuilds import PastGeneration
from application.ledger.upload_rows import SplitParts, UploadRow
from application.ledger.verdicts import CarriedOut
from flywheel.batches.batches import BatchName, BatchOutcome, StagedUpload
from flywheel.batches.uploads import DatasetKind, ObjectVersion, UploadState
from flywheel.evaluation.evidence import Evidence, TestSetFacts
from flywheel.evaluation.verdict import Verdict, decide
from flywheel.evaluation.verdict_document import IterationNumbers, VerdictFacts, VerdictInputs
from flywheel.notices.notice import Notice, UploadNews
from flywheel.settings.policy import Policy
from tests.application.conditional_writes.watched_rows import WatchedRows

NAME = "tickets"
TRAIN, TEST = DatasetKind.TRAIN, DatasetKind.TEST
NOTICE = Notice("n", "subject", "body")
OTHER_NOTICE = Notice("o", "another subject", "body")
NEWS = UploadNews(f"{NAME}/train/a.csv", "REFUSED a.csv", ["line 1: empty text"], "Repair it.")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UPLOAD = ObjectVersion("inbox", f"{NAME}/train/a.csv", "v1")
OTHER = ObjectVersion("inbox", f"{NAME}/train/b.csv", "v1")
POLICY = Policy()


@dataclass(slots=True)
class Story:
    """One flywheel and who works on it.

    Parameters
    ----------
    rows : WatchedRows
    """

    rows: WatchedRows
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Make the flywheel's row."""
        self.ledger.flywheels.ensure(NAME, "arn-1")

    @property
    def ledger(self) -> Ledger:
        """The ledger, as somebody opens it."""
        return Ledger(self.rows, actor="somebody")

    @property
    def row(self) -> FlywheelRow:
        """The flywheel as the ledger has it."""
        return self.ledger.flywheels.ensure(NAME, "arn-1")

    def batch(self, number: int = 0) -> BatchRow:
        """Return a batch as the ledger has it; the newest one by default."""
        return self.ledger.batches.get(NAME, number or self.row.last_batch)

    # Batches.

    def opened(self) -> BatchRow:
        """Open the next batch."""
        return self.ledger.batches.open(self.row, 1, NOW)

    def sealed(self, *kinds: DatasetKind) -> BatchRow:
        """Open the next batch and seal it, with a dataset of each kind."""
        return self.seal(self.opened(), *kinds)

    def seal(self, batch: BatchRow, *kinds: DatasetKind) -> BatchRow:
        """Seal an open batch, with a dataset of each kind."""
        self.ledger.batches.seal(batch, self.row, seal_facts(batch, *kinds), NOW)
        return self.batch(batch.batch)

    def started(self, *kinds: DatasetKind) -> BatchRow:
        """Bring the next batch to where its iteration runs."""
        return self.start(self.sealed(*kinds))

    def start(self, batch: BatchRow) -> BatchRow:
        """Book an iteration for a sealed batch."""
        self.ledger.batches.start(batch, f"iteration-{next(self._numbers)}", NOW)
        return self.batch(batch.batch)

    def judged(self, live_model: str = "m/1") -> BatchRow:
        """Bring the next batch to where its model is live."""
        batch = self.started()
        self.store(batch)
        return self.judge(batch, live_model)

    def store(self, batch: BatchRow, verdict: Verdict | None = None, **also: Any) -> None:
        """Store a batch's verdict, which rejects unless another one is given."""
        verdict = verdict or rejected()
        facts = self.facts(batch, self.row)
        self.ledger.verdicts.store(batch, self.row, verdict, facts, NOW, **also)

    def judge(
        self, batch: BatchRow, live_model: str | None = "m/1", row: FlywheelRow | None = None
    ) -> BatchRow:
        """Record that a batch's verdict was carried out."""
        self.ledger.verdicts.judge(
            batch,
            row or self.row,
            CarriedOut(BatchOutcome.PROMOTED, live_model, None, None, is_gain=True),
            notice=NOTICE,
            now=NOW,
        )
        return self.batch(batch.batch)

    def closed(self, live_model: str = "m/1") -> BatchRow:
        """Bring the next batch to its end, with a model that is live."""
        batch = self.judged(live_model)
        self.ledger.batches.close(batch, BatchOutcome.PROMOTED, NOW)
        return self.freed(batch)

    def failed(self, *kinds: DatasetKind) -> BatchRow:
        """Bring the next batch to where it has failed."""
        return self.fail(self.sealed(*kinds))

    def fail(self, batch: BatchRow, ending: BatchFailure | None = None) -> BatchRow:
        """Let an open batch fail."""
        self.ledger.batches.fail(batch, self.row, ending or BatchFailure("E", "c"), NOTICE, NOW)
        return self.freed(batch)

    def freed(self, batch: BatchRow) -> BatchRow:
        """Let the flywheel be idle after a batch."""
        assert self.ledger.flywheels.free(NAME, batch.batch, batch.attempt)
        return self.batch(batch.batch)

    def reopened(self, batch: BatchRow, **how: Any) -> BatchRow:
        """Give a failed batch another attempt."""
        self.reopen(batch, self.row, **how)
        return self.batch(batch.batch)

    def reopen(self, batch: BatchRow, row: FlywheelRow, **how: Any) -> None:
        """Ask for another attempt of a batch, as both were read."""
        given: dict[str, Any] = {"is_sealed": False, "absent": (), "refused": (), **how}
        self.ledger.retries.reopen(batch, row, without={}, reason="x", now=NOW, **given)

    # The flywheel.

    def paused(self) -> None:
        """Let a person pause the flywheel."""
        self.ledger.flywheels.pause(self.row, "x", NOTICE, NOW)

    def begun(self, how: str = "promote", model: str = "m/9") -> ChampionChange:
        """Let a person be about to change the champion."""
        change = ChampionChange(how, model, "a person", "x", "now", f"r{next(self._numbers)}")
        self.ledger.champions.begin(self.row, change, NOW)
        return change

    def changed(self, how: str = "promote", model: str = "m/9") -> None:
        """Let a person change the champion."""
        change = self.begun(how, model)
        self.ledger.champions.complete(self.row, change, NOTICE, NOW)

    def changed_outside(self, model: str = "m/8") -> None:
        """Let somebody change the champion in the console."""
        self.ledger.champions.note_outside(self.row, model, NOTICE, NOW)

    def imported(self, kind: DatasetKind = TEST) -> None:
        """Write down rows that the flywheel holds already."""
        number = next(self._numbers)
        upload = ObjectVersion("inbox", f"{NAME}/{kind}/import-{number}.csv", "v1")
        self.note_import(self.row, staged(upload, kind))

    def note_import(self, row: FlywheelRow, found: StagedUpload) -> None:
        """Write down an import, as the flywheel was read."""
        upload = self.ledger.uploads.imported(NAME, found)
        sha256 = found.uid if found.kind == TEST else None
        self.ledger.holdings.note_import(
            row, found, upload, "known/import.bin", test_sha256=sha256, now=NOW
        )

    # Rebuilds.

    def rebuild_asked(self) -> FlywheelRow:
        """Let a person ask for the next generation."""
        asked = RebuildState("REQUESTED", "x", self.row.arn, self.row.last_batch)
        self.ledger.rebuilds.ask(self.row, asked, NOTICE, NOW)
        return self.row

    def rebuild_created(self) -> FlywheelRow:
        """Bring a rebuild to where its flywheel was made."""
        row = self.rebuild_asked()
        self.ledger.rebuilds.note_created(row, f"arn-{row.next_generation}")
        return self.row

    def switched(self) -> FlywheelRow:
        """Bring a rebuild to where batches go to the new generation."""
        self.ledger.rebuilds.switch(self.rebuild_created(), None, NOW)
        return self.row

    def given_up(self) -> FlywheelRow:
        """Let a person give the rebuild up."""
        self.ledger.rebuilds.give_up(self.row, "x", NOTICE, NOW)
        return self.row

    def earlier(self) -> PastGeneration:
        """Return the generation that a rebuild came from."""
        asked = self.row.rebuild
        assert asked is not None
        past = self.ledger.rebuilds.past(self.row, asked.before_arn)
        assert past is not None
        return past

    def rebuilt(self) -> None:
        """Make the next generation, whose model is live."""
        self.ledger.rebuilds.end(self.switched(), [], NOTICE, NOW)

    # Uploads.

    def received(self, upload: ObjectVersion = UPLOAD) -> UploadRow:
        """Record that an upload was seen."""
        return self.ledger.uploads.receive(
            upload, flywheel=NAME, kind="train", size_bytes=20, now=NOW
        )

    def staged(self, upload: ObjectVersion = UPLOAD) -> StagedUpload:
        """Let an upload wait for a batch."""
        self.received(upload)
        self.ledger.uploads.stage(NAME, staged(upload), left_out=0, news=None)
        return staged(upload)

    def sealed_upload(self, batch: int = 1, attempt: int = 1, *, is_repeat: bool = False) -> None:
        """Let the upload follow the seal of a batch."""
        uids = [UPLOAD.uid]
        repeats = uids if is_repeat else []
        name = BatchName(NAME, batch, attempt)
        self.ledger.batch_uploads.seal(name, uids, remainders={}, repeats=repeats)

    def upload(self, uid: str = UPLOAD.uid) -> UploadRow:
        """Return an upload as the ledger has it."""
        found = self.ledger.uploads.get(uid)
        assert found is not None
        return found

    def withdrawn(self, uid: str = UPLOAD.uid) -> None:
        """Let a person take an upload back."""
        self.ledger.batch_uploads.withdraw(self.upload(uid), "x")

    def tainted(self, upload: ObjectVersion = OTHER) -> None:
        """Let a person take an upload back that a dataset holds."""
        self.staged(upload)
        self.ledger.batch_uploads.seal(BatchName(NAME, 1, 1), [upload.uid], remainders={})
        self.withdrawn(upload.uid)

    def refused(self) -> None:
        """Refuse the received upload for what is in it."""
        self.ledger.uploads.refuse(
            UPLOAD.uid, NAME, state=UploadState.REFUSED, reasons=["x"], news=NEWS, now=NOW
        )

    def refused_undelivered(self) -> UploadRow:
        """Refuse an upload of which all deliveries failed."""
        self.ledger.uploads.refuse_undelivered(self.received(), NEWS, NOW)
        return self.upload()

    # Verdicts.

    def facts(self, batch: BatchRow, row: FlywheelRow) -> VerdictFacts:
        """Return what stands in a verdict's document, after the last verdict."""
        head = self.ledger.audit.head(NAME)
        return VerdictFacts(
            environment="test",
            flywheel=NAME,
            flywheel_arn=row.arn,
            generation=row.generation,
            batch=batch.batch,
            attempt=batch.attempt,
            iteration_id="1",
            decided_at=NOW.isoformat(),
            actor="compare_models",
            expected_champion=row.expected_champion,
            inputs=VerdictInputs("m", "0", (), None, IterationNumbers(None, None, None, None)),
            policy={},
            previous_sha256=head.verdict_sha256 if head else FIRST_SHA256,
            product_version="1",
        )

    def asked(self) -> BatchRow:
        """Bring the next batch to where a person is asked."""
        batch = self.wanted()
        self.ledger.approvals.ask(batch, "token", NOTICE, NOW)
        return batch

    def wanted(self) -> BatchRow:
        """Bring the next batch to where its verdict waits for a person."""
        batch = self.started()
        self.store(batch, promoted(), question=Question.of("m/2", POLICY, NOW))
        return batch

    def before_the_write(
        self, expectation: str, neighbour: Callable[[], object], times: int = 1
    ) -> None:
        """Let a neighbour come after a writer has read and before it writes (`WatchedRows`)."""
        self.rows.come_between(expectation, neighbour, times)


def seal_facts(batch: BatchRow, *kinds: DatasetKind) -> SealedFacts:
    """Return what a seal decided, with a dataset of each kind; training rows by default."""
    label = batch.name.label
    kinds = kinds or (TRAIN,)
    tests: Mapping[str, int] = {"billing": 4} if TEST in kinds else {}
    return SealedFacts(
        "hash",
        [UPLOAD.key],
        2,
        {"billing": 2},
        {},
        test_documents=sum(tests.values()),
        test_label_counts=tests,
        test_sha256=label if tests else None,
        planned={kind: f"{kind}-{label}" for kind in kinds},
        known={kind: f"known/{label}-{kind}.bin" for kind in kinds},
    )


def staged(upload: ObjectVersion = UPLOAD, kind: DatasetKind = TRAIN) -> StagedUpload:
    """Return an upload as it is staged."""
    return StagedUpload(upload.uid, upload.key, kind, "uploads/x.csv", {"billing": 2}, 20, NOW)


def split_parts(draft: str = "draft", *, is_whole: bool = False) -> SplitParts:
    """Return the upload as two parts; as a draft of the test set alone where it is whole."""
    made = ObjectVersion("inbox", UPLOAD.key, draft)
    rest = replace(staged(), staged_key="uploads/rest.csv", label_counts={"billing": 1})
    return SplitParts(None if is_whole else rest, staged(made, TEST))


def rejected() -> Verdict:
    """Return a verdict that rejects a challenger."""
    seen = TestSetFacts("0", 100, {"billing": 100})
    low = {"AverageF1Score": 0.1}
    return decide(Evidence("m/1", low, "m/2", low, True, test_set=seen), POLICY)


def promoted() -> Verdict:
    """Return a verdict that promotes a first model."""
    seen = TestSetFacts("0", 100, {"billing": 100})
    return decide(Evidence(None, {}, "m/2", {"AverageF1Score": 0.9}, True, test_set=seen), POLICY)
