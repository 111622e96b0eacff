"""Batches and retries: who may move a batch, and what a stale writer must not do."""

from application.ledger.batch_rows import BatchFailure
from flywheel.batches.batches import BatchOutcome
from tests.application.conditional_writes.case import Act, case
from tests.application.conditional_writes.story import (
    NAME,
    NOTICE,
    NOW,
    OTHER_NOTICE,
    TEST,
    TRAIN,
    Story,
    seal_facts,
)

# A batch opens.


@case("Batches.open: FLYWHEEL.open_batch", "a failed batch has another attempt")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.reopened(failed)
    return lambda: story.ledger.batches.open(row, 1, NOW)


@case(
    "Batches.open: FLYWHEEL.last_batch",
    "another batch came and went",
    beside="Batches.open: BATCH absent",
)
def _(story: Story) -> Act:
    row = story.row
    story.failed()
    return lambda: story.ledger.batches.open(row, 1, NOW)


@case("Batches.open: FLYWHEEL.pause", "a person pauses the flywheel")
def _(story: Story) -> Act:
    row = story.row
    story.paused()
    return lambda: story.ledger.batches.open(row, 1, NOW)


@case("Batches.open: FLYWHEEL.rebuild", "a person asks for a rebuild")
def _(story: Story) -> Act:
    row = story.row
    story.rebuild_asked()
    return lambda: story.ledger.batches.open(row, 1, NOW)


@case("Batches.open: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    row = story.row
    story.rebuilt()
    return lambda: story.ledger.batches.open(row, 1, NOW)


# It is sealed, and its datasets are created.


@case("Batches.seal: BATCH.state", "another sealer was first", beside="Batches.seal: KNOWN absent")
def _(story: Story) -> Act:
    batch, row = story.opened(), story.row
    story.seal(batch)
    return lambda: story.ledger.batches.seal(batch, row, seal_facts(batch), NOW)


@case("Batches.seal: BATCH.attempt", "it failed, and has another attempt")
def _(story: Story) -> Act:
    batch, row = story.opened(), story.row
    story.reopened(story.fail(batch))
    return lambda: story.ledger.batches.seal(batch, row, seal_facts(batch), NOW)


@case("Batches.record_datasets: BATCH.datasets", "another sealer was first")
def _(story: Story) -> Act:
    batch = story.sealed()
    story.ledger.batches.record_datasets(batch, ["train-arn"])
    return lambda: story.ledger.batches.record_datasets(batch, ["another-arn"])


@case("Batches.record_datasets: BATCH.attempt", "it failed, and has another attempt")
def _(story: Story) -> Act:
    batch = story.sealed()
    story.reopened(story.fail(batch))
    return lambda: story.ledger.batches.record_datasets(batch, ["train-arn"])


# Its iteration starts.


@case("Batches.announce: BATCH.announced_at", "another starter was first", ends="silent")
def _(story: Story) -> Act:
    batch, row = story.sealed(TRAIN, TEST), story.row
    story.ledger.batches.announce(batch, row, NOTICE, NOW)
    return lambda: story.ledger.batches.announce(batch, row, NOTICE, NOW)


@case("Batches.start: BATCH.state", "another starter was first")
def _(story: Story) -> Act:
    batch = story.sealed()
    story.start(batch)
    return lambda: story.ledger.batches.start(batch, "another iteration", NOW)


# Its models answer the test set.


@case("Batches.note_jobs: BATCH.answer_jobs", "another comparison started the jobs")
def _(story: Story) -> Act:
    batch = story.started()
    story.ledger.batches.note_jobs(batch, {"m/1": "job-1"})
    return lambda: story.ledger.batches.note_jobs(batch, {"m/1": "job-2"})


@case("Batches.note_jobs: BATCH.state", "the batch was judged")
def _(story: Story) -> Act:
    batch = story.started()
    story.store(batch)
    story.judge(batch)
    return lambda: story.ledger.batches.note_jobs(batch, {"m/1": "job-1"})


@case("Batches.note_jobs: BATCH.attempt", "it failed, and its next attempt is as far")
def _(story: Story) -> Act:
    batch = story.started()
    story.start(story.reopened(story.fail(batch), is_sealed=True))
    return lambda: story.ledger.batches.note_jobs(batch, {"m/1": "job-1"})


# It ends.


@case("Batches.close: BATCH.state", "another closer was first")
def _(story: Story) -> Act:
    batch = story.judged()
    story.ledger.batches.close(batch, BatchOutcome.PROMOTED, NOW)
    return lambda: story.ledger.batches.close(batch, BatchOutcome.PROMOTED, NOW)


@case("Batches.close_empty: BATCH.state", "the batch failed")
def _(story: Story) -> Act:
    batch = story.sealed()
    story.fail(batch)
    return lambda: story.ledger.batches.close_empty(batch, NOTICE, NOW)


@case("Batches.fail: BATCH.state", "a verdict was carried out")
def _(story: Story) -> Act:
    batch, row = story.started(), story.row
    story.store(batch)
    story.judge(batch)
    return lambda: story.ledger.batches.fail(batch, row, BatchFailure("E", "c"), NOTICE, NOW)


@case("Batches.fail: FLYWHEEL.pause", "a person pauses the flywheel")
def _(story: Story) -> Act:
    batch, row = story.sealed(), story.row
    ending = BatchFailure("E", "c", pause_reason="2 batches failed", pause_notice=NOTICE)
    story.paused()
    return lambda: story.ledger.batches.fail(batch, row, ending, OTHER_NOTICE, NOW)


@case("Flywheels.free: FLYWHEEL.open_batch", "another closer was first", ends="silent")
def _(story: Story) -> Act:
    story.failed()
    return lambda: story.ledger.flywheels.free(NAME, 1)


@case("Flywheels.free: FLYWHEEL.open_attempt", "the next attempt is open", ends="silent")
def _(story: Story) -> Act:
    story.reopened(story.failed())
    return lambda: story.ledger.flywheels.free(NAME, 1)
