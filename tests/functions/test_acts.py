"""What people do to a flywheel, on real clients: each act once, and nothing lost by it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from application.commands.operator_commands import OperatorCommands
from application.ledger.test_sets import FrozenTestSet
from application.reconciliation.late_arrivals import settle_late_datasets
from flywheel.batches.batches import LONGEST_CALL, BatchOutcome, BatchState
from flywheel.batches.known_rows import content_hash
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.errors import ActRefusedError, ConcurrentChangeError, ServiceRefusedError
from tests.functions.cloud import answering, datasets_being
from tests.functions.world import NAME, World, csv, documents


@pytest.fixture
def acts(world: World) -> Callable[[], OperatorCommands]:
    """Return a function that opens the acts as a person."""
    return world.acts


def failed_twice(world: World) -> None:
    """Have two batches in a row fail."""
    for number in (1, 2):
        world.upload(f"{number}.csv", documents(2, first=20 * number))
        world.sealed(number)
        world.close(number, error="Stopped", cause="by hand")


def failed_early(world: World) -> None:
    """Have a batch fail while its datasets are being taken in: its test rows are known only."""
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("monday.csv", documents(8))
    world.sealed(1)
    with datasets_being("CREATING"):
        world.close(1, error="ExecutionAborted")


def frozen_since(world: World) -> FrozenTestSet:
    """Have the next batch freeze a test set, and return that."""
    world.upload("more.csv", documents(2, first=200), kind="test")
    world.upload("tuesday.csv", documents(8, first=40))
    world.trained(2)
    world.compare(2)
    world.close(2)
    assert world.row.test_set is not None
    return world.row.test_set


@pytest.mark.slow
def test_no_batch_opens_when_a_flywheel_is_paused(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """Uploads are taken and stay staged; after resume the next one opens by the rules."""
    acts().pause("labels are being checked", world.now())
    world.upload("monday.csv", documents(3))
    assert world.cloud.executions() == []
    assert world.staged() == [f"{NAME}/train/monday.csv"]
    known = world.services.flywheel(NAME)
    _, ready = world.services.workflow.open_when_ready(known, world.now(), is_requested=True)
    assert ready.lacks == (
        f"paused by test: labels are being checked (flywheel resume {NAME} --reason TEXT)",
    )
    with pytest.raises(ActRefusedError, match="it is paused already, by"):
        acts().pause("again", world.now())
    acts().resume("labels are right", world.now())
    with pytest.raises(ActRefusedError, match="it is not paused"):
        acts().resume("labels are right", world.now())
    batch, _ = world.services.workflow.open_when_ready(known, world.now())
    assert batch is not None
    events = [entry["event"] for entry in world.services.ledger.audit.entries(NAME)]
    assert events == ["paused", "resumed", "batch opened"]


@pytest.mark.slow
def test_the_flywheel_pauses_itself_when_two_batches_in_a_row_failed(world: World) -> None:
    """With a notice of its own; a third failure after a resume does not count the first two."""
    failed_twice(world)
    assert world.row.pause is not None
    assert world.row.pause.reason == "2 batches in a row failed"
    told = [notice.subject for notice in world.cloud.told()]
    assert f"[test] {NAME}: PAUSED: 2 batches in a row failed" in told
    world.upload("3.csv", documents(2, first=90))
    assert len(world.cloud.executions()) == 2


@pytest.mark.slow
def test_a_verdict_ends_the_count_when_a_batch_failed_before_it(world: World) -> None:
    """Only failures without a verdict between them pause."""
    world.upload("1.csv", documents(2, first=70))
    world.sealed(1)
    world.close(1, error="Stopped")
    assert world.row.failures_in_row == 1
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("2.csv", documents(8))
    world.trained(2)
    world.compare(2)
    world.close(2)
    assert (world.row.failures_in_row, world.row.pause) == (0, None)


def test_only_the_iteration_is_tried_again_when_the_datasets_are_complete(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """No dataset slot is used a second time."""
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained(1)
    first = world.batch(1).iteration_id
    world.close(1, error="IterationFAILED", cause="the service was down")
    batch = acts().retry(world.services.staging, None, "again", world.now())
    assert (batch.batch, batch.attempt, batch.state) == (1, 2, BatchState.SEALED)
    assert f"{NAME}-batch-1-2" in world.cloud.executions()
    assert world.seal(1)["datasets"] == list(batch.datasets)
    world.start(1)
    world.await_iteration(1)
    assert world.batch(1).iteration_id != first
    assert world.compare(1)["outcome"] is BatchOutcome.PROMOTED
    world.close(1)
    assert (world.row.train_datasets, world.row.test_datasets) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seen", ["COMPLETED", "CREATING"])
def test_test_rows_count_once_when_their_batch_is_tried_again(
    world: World, acts: Callable[[], OperatorCommands], seen: str
) -> None:
    """Whether their dataset was complete when the batch failed, or only later."""
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("monday.csv", documents(8))
    world.sealed(1)
    with datasets_being(seen):
        world.close(1, error="ExecutionAborted")
    frozen = world.row.test_set
    assert (frozen is None) == (seen == "CREATING")
    acts().retry(world.services.staging, 1, "again", world.now())
    assert world.row.test_set is not None
    assert (world.row.test_set.version, world.row.test_set.documents) == (1, 8)
    assert frozen in (None, world.row.test_set)
    before = world.row.test_set
    world.start(1)
    assert world.row.test_set == before


@pytest.mark.slow
def test_a_test_set_keeps_its_hash_when_rows_are_counted_late(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """A set that was frozen since holds them already, and what was looked at stays counted."""
    failed_early(world)
    before = frozen_since(world)
    assert before.documents == 4
    acts().retry(world.services.staging, 1, "again", world.now())
    assert world.row.test_set == replace(
        before, documents=12, label_counts={"billing": 6, "delivery": 6}
    )


@pytest.mark.slow
def test_the_batch_is_sealed_anew_when_its_dataset_had_failed(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """The same uploads go into another dataset, of another name and prefix."""
    upload = world.upload("monday.csv", documents(3))
    world.seal(1)
    world.settle()
    with datasets_being("FAILED"):
        world.close(1, error="DatasetFailed")
        batch = acts().retry(world.services.staging, 1, "again", world.now())
    assert (batch.state, batch.attempt) == (BatchState.OPEN, 2)
    answer = world.seal(1)
    assert answer["datasets"] == [f"{world.flywheel_arn}/dataset/batch-1-2-train"]
    assert len(world.keys(f"batches/{NAME}/1-2/train/")) == 1
    assert world.known(upload).state is UploadState.SEALED
    assert world.row.train_datasets == 2


@pytest.mark.slow
def test_a_retry_is_refused_when_there_is_nothing_to_retry(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """No failed batch, a batch under way, and two people at once."""
    with pytest.raises(ActRefusedError, match="no batch of tickets has failed"):
        acts().retry(world.services.staging, None, "x", world.now())
    world.upload("monday.csv", documents(3))
    with pytest.raises(ActRefusedError, match="batch 1 is under way"):
        acts().retry(world.services.staging, 1, "x", world.now())
    world.sealed(1)
    world.close(1, error="Stopped")
    seen = world.batch(1)
    acts().retry(world.services.staging, 1, "x", world.now())
    with pytest.raises(ConcurrentChangeError):
        world.services.ledger.retries.reopen(
            seen,
            world.row,
            is_sealed=True,
            absent=[],
            refused=[],
            without={},
            reason="x",
            now=world.now(),
        )
    assert world.batch(1).attempt == 2


@pytest.mark.slow
def test_a_go_marker_opens_the_batch_when_our_minimum_is_not_met(world: World) -> None:
    """It overrides min_documents, never the service's minimum, and is used once."""
    world.configure(min_documents=1000)
    go = world.upload("_GO", b"")
    assert world.known(go).state is UploadState.MARKER
    assert world.cloud.executions() == []
    assert world.row.asked_by == f"{NAME}/train/_GO"
    world.upload("monday.csv", documents(2))
    assert world.cloud.executions() == [f"{NAME}-batch-1-1"]
    assert world.row.asked_by is None
    world.register(go)
    assert world.row.asked_by is None


@pytest.mark.slow
def test_rows_leave_when_an_upload_is_withdrawn_before_it_was_sent(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """They are in no later batch, and the flywheel is not tainted."""
    world.configure(min_documents=1000)
    upload = world.upload("wrong.csv", documents(3))
    done = acts().withdraw([world.known(upload)], "mislabeled", world.now())
    assert (done.left, done.kept) == ([f"{NAME}/train/wrong.csv"], [])
    assert world.known(upload).state is UploadState.WITHDRAWN
    assert world.staged() == []
    assert world.row.taint == ()
    world.register(upload)
    assert world.staged() == []
    with pytest.raises(ActRefusedError, match="was withdrawn already"):
        acts().withdraw([world.known(upload)], "again", world.now())


def test_the_flywheel_is_tainted_when_datasets_hold_what_was_withdrawn(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """All uploads of a batch, and people are told what that means."""
    world.upload("a.csv", documents(3))
    world.upload("b.csv", documents(3, first=30))
    world.sealed(1)
    world.close(1, error="Stopped")
    uploads = acts().uploads_of(world.services.staging, 1)
    done = acts().withdraw(uploads, "mislabeled", world.now())
    assert sorted(done.kept) == [f"{NAME}/train/a.csv", f"{NAME}/train/b.csv"]
    assert sorted(world.row.taint) == sorted(done.kept)
    assert done.notice.subject == f"[test] {NAME}: WITHDRAWN 2 uploads, TAINTED"
    with pytest.raises(ActRefusedError, match="no upload that can be withdrawn"):
        acts().uploads_of(world.services.staging, 1)


@pytest.mark.slow
def test_the_flywheel_is_tainted_when_the_upload_was_withdrawn_after_the_manifest(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """The manifest is the seal: the rows are sent, so nobody is told that they are not."""
    upload = world.upload("a.csv", documents(3))
    before = answering("dynamodb", "TransactWriteItems", code="ThrottlingException")
    with before, pytest.raises(Exception, match="busy"):
        world.seal(1)
    acts().withdraw([world.known(upload)], "mislabeled", world.now())
    world.seal(1)
    assert world.known(upload).state is UploadState.WITHDRAWN
    assert world.known(upload).batch == 1
    assert world.row.taint == [f"{NAME}/train/a.csv"]


@pytest.mark.slow
def test_drafts_are_frozen_when_somebody_asks_for_it(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """As the next version, with the next batch; until then they wait."""
    world.upload("test.csv", documents(2, first=90), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained(1)
    first = world.row.test_set
    world.compare(1)
    world.close(1)
    with pytest.raises(ActRefusedError, match="has no draft"):
        acts().freeze(world.now())
    world.upload("more.csv", documents(2, first=70), kind="test")
    assert acts().freeze(world.now()) == ()
    world.upload("tuesday.csv", documents(3, first=30))
    world.sealed(2)
    world.start(2)
    second = world.row.test_set
    assert first is not None
    assert second is not None
    assert (second.version, second.documents) == (2, 8)
    assert second.sha256 != first.sha256
    assert world.row.freeze_asked_by is None
    assert world.row.test_datasets == 2


@pytest.mark.slow
def test_freezing_is_refused_when_a_label_would_have_no_test_document(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """Unless the person says that it may be so."""
    rows = [row for row in documents(3, first=70) if row[0] == "billing"]
    world.upload("test.csv", rows, kind="test")
    with pytest.raises(ActRefusedError, match="no test document: delivery"):
        acts().freeze(world.now())
    assert acts().freeze(world.now(), is_partial_allowed=True) == ("delivery",)


@pytest.mark.slow
def test_training_rows_become_a_draft_when_a_test_set_is_split_off(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """Label by label, by hash; no row is lost and none is in both."""
    world.configure(min_documents=1000)
    world.upload("a.csv", documents(5))
    world.upload("b.csv", documents(5, first=30))
    counts = acts().split(world.services.staging, 0.2, world.now())
    assert counts == {"billing": 2, "delivery": 2}
    staged = world.services.ledger.uploads.staged(NAME)
    lines = {kind: set[str]() for kind in DatasetKind}
    for upload in staged:
        lines[upload.kind].update(world.lines(upload.staged_key))
    assert all(upload.documents == len(world.lines(upload.staged_key)) for upload in staged)
    assert len(lines[DatasetKind.TEST]) == 4
    assert len(lines[DatasetKind.TRAIN]) == 16
    assert not lines[DatasetKind.TEST] & lines[DatasetKind.TRAIN]
    world.upload("_GO", b"")
    world.sealed(1)
    assert len(world.sent(1, "test")) == 4
    assert len(world.sent(1)) == 16


@pytest.mark.slow
def test_splitting_is_refused_when_a_batch_is_open(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """Its manifest may name the whole upload already."""
    world.upload("a.csv", documents(5))
    with pytest.raises(ActRefusedError, match="batch 1 is under way"):
        acts().split(world.services.staging, 0.2, world.now())


@pytest.mark.slow
def test_rows_are_known_when_they_were_imported(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """They are not sent again, test rows never train, and the test set has a version."""
    staging = world.services.staging
    train, test = csv(documents(3)), csv(documents(3, first=90))
    acts().import_rows(staging, DatasetKind.TRAIN, "old.csv", body=train, now=world.now())
    acts().import_rows(staging, DatasetKind.TEST, "oldtest.csv", body=test, now=world.now())
    with pytest.raises(ActRefusedError, match="imported before"):
        acts().import_rows(staging, DatasetKind.TRAIN, "old.csv", body=train, now=world.now())
    assert world.row.test_set is not None
    assert (world.row.test_set.version, world.row.test_documents) == (1, 6)
    rows = [*documents(3), *documents(3, first=90), *documents(2, first=40)]
    world.upload("monday.csv", rows)
    world.seal(1)
    assert sorted(world.sent(1)) == sorted(csv(documents(2, first=40)).decode().splitlines())
    assert world.batch(1).left_out == {
        "rows that the flywheel holds already": 6,
        "rows of the test set": 6,
    }


@pytest.mark.slow
def test_a_retry_waits_when_a_dataset_is_still_being_taken_in(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """Nobody can say yet whether its rows are in the flywheel."""
    world.upload("monday.csv", documents(3))
    world.seal(1)
    with datasets_being("CREATING"):
        world.close(1, error="Stopped")
        with pytest.raises(ActRefusedError, match="still being taken in"):
            acts().retry(world.services.staging, 1, "x", world.now())


@pytest.mark.slow
def test_a_retry_waits_when_a_call_may_still_create_a_dataset(
    world: World, acts: Callable[[], OperatorCommands]
) -> None:
    """It would be in the flywheel beside the one of the next attempt, with the same rows."""
    world.upload("monday.csv", documents(3))
    busy = answering("comprehend", "CreateDataset", code="ResourceLimitExceededException")
    with busy, pytest.raises(ServiceRefusedError):
        world.seal(1)
    world.close(1, error="ServiceRefusedError")
    before = world.batch(1)
    closed_at = datetime.fromisoformat(before.closed_at or "")
    for moment in (closed_at, closed_at + LONGEST_CALL):
        with pytest.raises(ActRefusedError, match="a call that is still under way may create it"):
            acts().retry(world.services.staging, 1, "x", moment)
    assert (world.batch(1), world.row.is_idle) == (before, True)
    late = closed_at + LONGEST_CALL + timedelta(seconds=1)
    assert acts().retry(world.services.staging, 1, "x", late).attempt == 2


@pytest.mark.slow
def test_test_rows_count_when_their_dataset_is_complete_after_its_batch_failed(
    world: World,
) -> None:
    """Reconcile finds it, once; a retry counts them no second time."""
    failed_early(world)
    assert world.row.test_set is None
    assert settle_late_datasets(world.services, world.services.flywheel(NAME)) == 1
    assert settle_late_datasets(world.services, world.services.flywheel(NAME)) == 0
    counted = world.row.test_set
    assert counted is not None
    assert (counted.version, counted.documents, counted.groups) == (1, 8, 8)
    world.acts().retry(world.services.staging, 1, "again", world.now())
    assert world.row.test_set == counted


@pytest.mark.slow
@pytest.mark.parametrize("found_by", ["reconcile", "retry"])
def test_a_test_set_lets_go_of_rows_when_the_service_never_had_them(
    world: World, found_by: str
) -> None:
    """It was frozen while that was not certain; later verdicts can be judged on it by answers."""
    failed_early(world)
    before = frozen_since(world)
    with datasets_being("FAILED"):
        if found_by == "reconcile":
            assert settle_late_datasets(world.services, world.services.flywheel(NAME)) == 1
        else:
            world.acts().retry(world.services.staging, 1, "again", world.now())
    (segment,) = world.services.ledger.holdings.segments(NAME, 1)[DatasetKind.TEST]
    held = content_hash(world.services.staging.chunks(segment))
    assert before.sha256 != held
    assert world.row.test_set == replace(
        before, sha256=held, groups=4, label_groups={"billing": 2, "delivery": 2}
    )


@pytest.mark.slow
def test_rows_lost_since_are_in_no_test_set_when_a_batch_is_frozen_late(world: World) -> None:
    """It was sealed while they were known; its retry counts what the service holds."""
    for number in (1, 2):
        world.upload(f"test-{number}.csv", documents(number, first=90 * number), kind="test")
        world.upload(f"{number}.csv", documents(8, first=20 * number))
        world.sealed(number)
        with datasets_being("CREATING"):
            world.close(number, error="ExecutionAborted")
    ledger = world.services.ledger
    first = world.batch(1)
    lost = [DatasetKind.TEST]
    assert ledger.holdings.forget(first.name, world.row, lost, world.now(), without={})
    world.acts().retry(world.services.staging, 2, "again", world.now())
    (segment,) = ledger.holdings.segments(NAME, 1)[DatasetKind.TEST]
    assert world.row.test_set is not None
    assert world.row.test_set.documents == world.row.test_set.groups == 4
    assert world.row.test_set.sha256 == content_hash(world.services.staging.chunks(segment))


@pytest.mark.slow
def test_rows_can_be_sent_again_when_their_dataset_failed_after_its_batch(world: World) -> None:
    """Reconcile finds it, once."""
    world.upload("monday.csv", documents(3))
    world.sealed(1)
    world.close(1, error="Stopped")
    with datasets_being("FAILED"):
        assert settle_late_datasets(world.services, world.services.flywheel(NAME)) == 1
        assert settle_late_datasets(world.services, world.services.flywheel(NAME)) == 0
    world.upload("again.csv", documents(3))
    world.seal(2)
    assert len(world.sent(2)) == 6
