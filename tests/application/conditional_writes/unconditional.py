"""Writes that expect nothing, and expectations that no neighbour can violate alone.

What expects nothing is played too: an expectation that it gets one day asks for a case.
"""

from collections.abc import Callable
from dataclasses import replace

from application.ledger.audit import FIRST_HEAD
from flywheel.batches.uploads import ObjectVersion, Place
from flywheel.intake.pairs import pair_place
from flywheel.settings.data_format import DataFormat
from tests.application.conditional_writes.story import NAME, NOTICE, NOW, TRAIN, Story

IMPLIED = {
    "Retries.reopen: BATCH.state": "only a batch that is CLOSED has the outcome FAILED",
}
"""Expectations that hold whenever another one of the same write does, each with the reason."""


def _give_way(story: Story) -> None:
    older = ObjectVersion("inbox", f"{NAME}/train/documents.txt", "v1")
    half = pair_place(older.key, DataFormat(task="entities"))
    assert half is not None
    story.received(older)
    story.received(replace(older, version_id="v2"))
    story.ledger.pairs.wait(Place(NAME, TRAIN), half, older, NOW)
    story.ledger.pairs.give_way(Place(NAME, TRAIN), half, older)


UNCONDITIONAL: list[Callable[[Story], object]] = [
    lambda story: story.ledger.approvals.note_refusal(NAME, {"act": "approve"}, "late", NOW),
    lambda story: story.ledger.champions.note_refusal(NAME, {"act": "rollback"}, "no", NOW),
    lambda story: story.ledger.flywheels.ask_to_freeze(story.row, NOW),
    lambda story: story.ledger.flywheels.count_registration(NAME),
    lambda story: story.ledger.flywheels.note_stop(story.row, "m/1", "x", NOW),
    lambda story: story.ledger.flywheels.note_withdrawal(NAME, {}, NOTICE, NOW),
    lambda story: story.ledger.outbox.forget([NOTICE.id]),
    lambda story: story.ledger.outbox.release([NOTICE.id]),
    lambda story: story.ledger.runs.note({"uploads": 1}, NOW),
    lambda story: story.ledger.runs.note_head(NAME, FIRST_HEAD),
    lambda story: story.ledger.runs.note_whole(NOW),
    _give_way,
]
