"""What becomes of a failed batch: given back, counted late, or opened again; once."""

from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from flywheel.batches.uploads import DatasetKind
from tests.application.conditional_writes.case import Act, case
from tests.application.conditional_writes.story import NOW, TEST, TRAIN, Story


def give_back(story: Story, batch: BatchRow, row: FlywheelRow, kind: DatasetKind = TRAIN) -> Act:
    """Return the write that gives a slot back, as batch and flywheel were read."""
    return lambda: story.ledger.retries.give_back(batch, row, [kind], NOW, without={})


def count_late(story: Story, batch: BatchRow, row: FlywheelRow) -> Act:
    """Return the write that counts test rows late, as batch and flywheel were read."""
    return lambda: story.ledger.retries.count_test_rows(batch, row, NOW)


# Slots are given back.


@case("Retries.give_back: BATCH.given_back", "it was done, and another batch took the slot")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    give_back(story, failed, row)()
    story.failed()
    return give_back(story, failed, row)


@case("Retries.give_back: BATCH.outcome", "the batch did not fail")
def _(story: Story) -> Act:
    return give_back(story, story.closed(), story.row)


@case("Retries.give_back: BATCH.attempt", "its next attempt has failed, too")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.fail(story.reopened(failed))
    return give_back(story, failed, row)


@case("Retries.give_back: FLYWHEEL.open_batch", "another batch opened")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.opened()
    return give_back(story, failed, row)


@case("Retries.give_back: FLYWHEEL.train_datasets", "another batch took a slot")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.failed()
    return give_back(story, failed, row)


@case("Retries.give_back: FLYWHEEL.test_datasets", "another batch took a slot")
def _(story: Story) -> Act:
    failed, row = story.failed(TEST), story.row
    story.failed(TEST)
    return give_back(story, failed, row, TEST)


@case("Retries.give_back: FLYWHEEL.arn", "a whole rebuild went by, and a batch took a slot")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.rebuilt()
    story.failed()
    return give_back(story, failed, row)


@case("Retries.give_back: FLYWHEEL.test_set", "test rows were imported")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.imported()
    return give_back(story, failed, row)


# Test rows are counted late.


@case("Retries.count_test_rows: BATCH.is_test_frozen", "another run of reconcile was first")
def _(story: Story) -> Act:
    failed = story.failed(TEST)
    count_late(story, failed, story.row)()
    return count_late(story, failed, story.row)


@case("Retries.count_test_rows: BATCH.outcome", "the batch did not fail")
def _(story: Story) -> Act:
    return count_late(story, story.closed(), story.row)


@case("Retries.count_test_rows: BATCH.attempt", "its next attempt has failed, too")
def _(story: Story) -> Act:
    failed, row = story.failed(TEST), story.row
    story.fail(story.reopened(failed, refused=[TEST]))
    return count_late(story, failed, row)


@case("Retries.count_test_rows: FLYWHEEL.open_batch", "another batch opened")
def _(story: Story) -> Act:
    failed, row = story.failed(TEST), story.row
    story.opened()
    return count_late(story, failed, row)


@case("Retries.count_test_rows: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    failed, row = story.failed(TEST), story.row
    story.rebuilt()
    return count_late(story, failed, row)


@case("Retries.count_test_rows: FLYWHEEL.test_set", "test rows were imported")
def _(story: Story) -> Act:
    failed, row = story.failed(TEST), story.row
    story.imported()
    return count_late(story, failed, row)


# Another attempt.


@case("Retries.reopen: BATCH.outcome", "the batch did not fail")
def _(story: Story) -> Act:
    closed, row = story.closed(), story.row
    return lambda: story.reopen(closed, row)


@case("Retries.reopen: BATCH.attempt", "another person's attempt has failed, too")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.fail(story.reopened(failed))
    return lambda: story.reopen(failed, row)


@case("Retries.reopen: BATCH.given_back", "reconcile gave its slot back")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    give_back(story, failed, row)()
    return lambda: story.reopen(failed, row, refused=[TRAIN])


@case("Retries.reopen: FLYWHEEL.open_batch", "another batch opened")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.opened()
    return lambda: story.reopen(failed, row)


@case("Retries.reopen: FLYWHEEL.rebuild", "a person asks for a rebuild")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.rebuild_asked()
    return lambda: story.reopen(failed, row)


@case("Retries.reopen: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.rebuilt()
    return lambda: story.reopen(failed, row)


@case("Retries.reopen: FLYWHEEL.test_set", "test rows were imported")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.imported()
    return lambda: story.reopen(failed, row)


@case("Retries.reopen: FLYWHEEL.train_datasets", "another batch took a slot")
def _(story: Story) -> Act:
    failed, row = story.failed(), story.row
    story.failed()
    return lambda: story.reopen(failed, row, absent=[TRAIN])


@case("Retries.reopen: FLYWHEEL.test_datasets", "another batch took a slot")
def _(story: Story) -> Act:
    failed, row = story.failed(TEST), story.row
    story.failed(TEST)
    return lambda: story.reopen(failed, row, absent=[TEST])
