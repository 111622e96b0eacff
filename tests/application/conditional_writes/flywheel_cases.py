"""Flywheels, champions, holdings and rebuilds: who may change a flywheel's row."""

from dataclasses import replace

from application.ledger.flywheel_rows import ChampionChange, FlywheelRow, RebuildState
from tests.application.conditional_writes.case import Act, case
from tests.application.conditional_writes.story import (
    NAME,
    NOTICE,
    NOW,
    TEST,
    TRAIN,
    UPLOAD,
    Story,
    rejected,
    staged,
)

CHANGE = ChampionChange("promote", "m/7", "another person", "x", "now", "r0")


# A flywheel's row, and acts on it.


@case("Flywheels.ensure: FLYWHEEL absent", "another function made the row", ends="silent")
def _(story: Story) -> Act:
    ledger = story.ledger
    story.before_the_write(
        "Flywheels.ensure: FLYWHEEL absent", lambda: ledger.flywheels.ensure("other", "arn-9")
    )
    return lambda: ledger.flywheels.ensure("other", "arn-1")


@case("Flywheels.pause: FLYWHEEL.pause", "another person paused it")
def _(story: Story) -> Act:
    row = story.row
    story.paused()
    return lambda: story.ledger.flywheels.pause(row, "y", NOTICE, NOW)


@case("Flywheels.resume: FLYWHEEL.pause", "another person paused it")
def _(story: Story) -> Act:
    row = story.row
    story.paused()
    return lambda: story.ledger.flywheels.resume(row, "y", NOTICE, NOW)


@case("Flywheels.resume: FLYWHEEL.promotion_pause", "a person rolled back")
def _(story: Story) -> Act:
    row = story.row
    story.changed("rollback")
    return lambda: story.ledger.flywheels.resume(row, "y", NOTICE, NOW)


@case("Flywheels.note_outside_iteration: ITERATION absent", "another run of reconcile was first")
def _(story: Story) -> Act:
    story.ledger.flywheels.note_outside_iteration(NAME, "i", NOTICE, NOW)
    return lambda: story.ledger.flywheels.note_outside_iteration(NAME, "i", NOTICE, NOW)


def judge_outside(story: Story) -> Act:
    """Return the verdict about an iteration that no batch booked."""
    judge = story.ledger.flywheels.judge_outside_iteration
    return lambda: judge(NAME, "i", rejected(), NOTICE, NOW)


@case("Flywheels.judge_outside_iteration: ITERATION.judged_at", "another run was first")
def _(story: Story) -> Act:
    story.ledger.flywheels.note_outside_iteration(NAME, "i", NOTICE, NOW)
    judge_outside(story)()
    return judge_outside(story)


@case("Flywheels.judge_outside_iteration: ITERATION.batch", "a batch booked the iteration")
def _(story: Story) -> Act:
    story.ledger.flywheels.note_outside_iteration(NAME, "i", NOTICE, NOW)
    story.ledger.batches.start(story.sealed(), "i", NOW)
    return judge_outside(story)


# The champion changed outside.


def note_champion(story: Story, row: FlywheelRow) -> Act:
    """Return the write that takes a model of the console for the champion."""
    return lambda: story.ledger.champions.note_outside(row, "m/8", NOTICE, NOW)


@case("Champions.note_outside: FLYWHEEL.open_batch", "a batch opened")
def _(story: Story) -> Act:
    row = story.row
    story.opened()
    return note_champion(story, row)


@case("Champions.note_outside: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    row = story.row
    story.rebuilt()
    return note_champion(story, row)


@case("Champions.note_outside: FLYWHEEL.change", "a person is about to change it")
def _(story: Story) -> Act:
    row = story.row
    story.begun()
    return note_champion(story, row)


@case(
    "Champions.note_outside: FLYWHEEL.champions",
    "it changed, and changed back",
    beside="Champions.note_outside: CHAMPION absent",
)
def _(story: Story) -> Act:
    story.changed_outside("m/1")
    row = story.row
    story.changed_outside("m/2")
    story.changed_outside("m/1")
    return note_champion(story, row)


@case("Champions.note_outside: FLYWHEEL.expected_champion", "it changed unnoticed")
def _(story: Story) -> Act:
    # No method changes it without the history; who would must be noticed all the same.
    row = replace(story.row, expected_champion="m/1")
    return note_champion(story, row)


# A verdict, or a person, changes the champion.


@case("Champions.claim: FLYWHEEL.change", "a person is about to change it")
def _(story: Story) -> Act:
    batch = story.started()
    story.begun()
    return lambda: story.ledger.champions.claim(story.row, batch)


@case("Champions.claim: BATCH.state", "the batch failed")
def _(story: Story) -> Act:
    batch = story.started()
    story.fail(batch)
    return lambda: story.ledger.champions.claim(story.row, batch)


@case("Champions.claim: BATCH.attempt", "it failed, and its next attempt is as far")
def _(story: Story) -> Act:
    batch = story.started()
    story.start(story.reopened(story.fail(batch), is_sealed=True))
    return lambda: story.ledger.champions.claim(story.row, batch)


def begin(story: Story, row: FlywheelRow) -> Act:
    """Return the write by which a person begins a change, as the flywheel was read."""
    return lambda: story.ledger.champions.begin(row, CHANGE, NOW)


@case("Champions.begin: FLYWHEEL.champions", "somebody changed it in the console")
def _(story: Story) -> Act:
    row = story.row
    story.changed_outside()
    return begin(story, row)


@case("Champions.begin: FLYWHEEL.change", "another person is about to")
def _(story: Story) -> Act:
    row = story.row
    story.begun()
    return begin(story, row)


@case("Champions.begin: FLYWHEEL.promoting", "a verdict is about to")
def _(story: Story) -> Act:
    batch, row = story.started(), story.row
    story.ledger.champions.claim(row, batch)
    return begin(story, row)


@case("Champions.begin: FLYWHEEL.rebuild", "a person asks for a rebuild")
def _(story: Story) -> Act:
    row = story.row
    story.rebuild_asked()
    return begin(story, row)


@case("Champions.begin: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    row = story.row
    story.rebuilt()
    return begin(story, row)


@case("Champions.complete: FLYWHEEL.change", "it was given up, and another person began")
def _(story: Story) -> Act:
    change, row = story.begun(), story.row
    story.ledger.champions.abandon(row, change, "x", NOW)
    story.begun()
    return lambda: story.ledger.champions.complete(row, change, NOTICE, NOW)


@case(
    "Champions.complete: FLYWHEEL.change",
    "another run completed it",
    beside="Champions.complete: CHAMPION absent",
)
def _(story: Story) -> Act:
    change, row = story.begun(), story.row
    story.ledger.champions.complete(row, change, NOTICE, NOW)
    return lambda: story.ledger.champions.complete(row, change, NOTICE, NOW)


@case("Champions.abandon: FLYWHEEL.change", "it was made")
def _(story: Story) -> Act:
    change, row = story.begun(), story.row
    story.ledger.champions.complete(row, change, NOTICE, NOW)
    return lambda: story.ledger.champions.abandon(row, change, "x", NOW)


# Rows that the flywheel holds.


@case("DatasetSlots.note_import: UPLOAD absent", "it was imported before a rebuild")
def _(story: Story) -> Act:
    story.note_import(story.row, staged())
    story.rebuilt()
    row = story.row
    return lambda: story.note_import(row, staged())


@case(
    "DatasetSlots.note_import: UPLOAD absent",
    "another person imported the same file",
    beside="DatasetSlots.note_import: KNOWN absent",
)
def _(story: Story) -> Act:
    row = story.row
    story.note_import(row, staged())
    return lambda: story.note_import(row, staged())


@case("DatasetSlots.note_import: FLYWHEEL.open_batch", "a batch opened")
def _(story: Story) -> Act:
    row = story.row
    story.opened()
    return lambda: story.note_import(row, staged())


@case("DatasetSlots.note_import: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    row = story.row
    story.rebuilt()
    return lambda: story.note_import(row, staged())


@case("DatasetSlots.note_import: FLYWHEEL.test_set", "other test rows were imported")
def _(story: Story) -> Act:
    row = story.row
    story.imported()
    return lambda: story.note_import(row, staged(UPLOAD, TEST))


def forget(story: Story, row: FlywheelRow) -> Act:
    """Return the write that forgets a failed batch's rows, as the flywheel was read."""
    name = story.batch(1).name
    return lambda: story.ledger.holdings.forget(name, row, [TRAIN], NOW, without={})


@case("DatasetSlots.forget: FLYWHEEL.open_batch", "another batch opened")
def _(story: Story) -> Act:
    story.failed()
    row = story.row
    story.opened()
    return forget(story, row)


@case("DatasetSlots.forget: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    story.failed()
    row = story.row
    story.rebuilt()
    return forget(story, row)


@case("DatasetSlots.forget: FLYWHEEL.test_set", "test rows were imported")
def _(story: Story) -> Act:
    story.failed()
    row = story.row
    story.imported()
    return forget(story, row)


# Rebuilds. Each step expects the step before it, an idle flywheel, and the champion as it was.


@case("Rebuilds.ask: FLYWHEEL.open_batch", "a batch opened")
def _(story: Story) -> Act:
    row = story.row
    story.opened()
    return lambda: story.ledger.rebuilds.ask(
        row, RebuildState("REQUESTED", "y", "a", 0), NOTICE, NOW
    )


@case("Rebuilds.ask: FLYWHEEL.rebuild", "another person asked")
def _(story: Story) -> Act:
    row = story.row
    story.rebuild_asked()
    return lambda: story.ledger.rebuilds.ask(
        row, RebuildState("REQUESTED", "y", "a", 0), NOTICE, NOW
    )


@case("Rebuilds.ask: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    row = story.row
    story.rebuilt()
    return lambda: story.ledger.rebuilds.ask(
        row, RebuildState("REQUESTED", "y", "a", 0), NOTICE, NOW
    )


@case("Rebuilds.note_created: FLYWHEEL.rebuild", "a person gave it up")
def _(story: Story) -> Act:
    row = story.rebuild_asked()
    story.given_up()
    return lambda: story.ledger.rebuilds.note_created(row, "arn-2")


@case("Rebuilds.abandon: FLYWHEEL.rebuild", "its flywheel was made")
def _(story: Story) -> Act:
    row = story.rebuild_asked()
    story.ledger.rebuilds.note_created(row, "arn-2")
    return lambda: story.ledger.rebuilds.abandon(row, "x", NOTICE, NOW)


@case("Rebuilds.end: FLYWHEEL.rebuild", "a person gave it up")
def _(story: Story) -> Act:
    row = story.switched()
    story.given_up()
    return lambda: story.ledger.rebuilds.end(row, [], NOTICE, NOW)
