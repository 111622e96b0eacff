"""Steps of a rebuild: each expects the step before it, an idle flywheel, and the same champion.

The same neighbours may come before each step, so the cases are made of both.
"""

from collections.abc import Callable

from tests.application.conditional_writes.case import Act, Scene, case
from tests.application.conditional_writes.story import NOTICE, NOW, Story

Step = Callable[[Story], Act]
"""Brings a rebuild to where a step is due, and returns the step, with the row as it was read."""


def switch(story: Story) -> Act:
    """Be about to send batches to the new generation."""
    row = story.rebuild_created()
    return lambda: story.ledger.rebuilds.switch(row, None, NOW)


def give_up(story: Story) -> Act:
    """Be about to give the new generation up."""
    row = story.switched()
    return lambda: story.ledger.rebuilds.give_up(row, "y", NOTICE, NOW)


def stay(story: Story) -> Act:
    """Be about to end a rebuild that never switched."""
    story.rebuild_created()
    row = story.given_up()
    return lambda: story.ledger.rebuilds.stay(row, [], NOW)


def go_back(story: Story) -> Act:
    """Be about to make the earlier generation the flywheel again."""
    story.switched()
    row, past = story.given_up(), story.earlier()
    return lambda: story.ledger.rebuilds.go_back(row, past, [], NOW)


def _with_neighbour(step: Step, neighbour: Callable[[Story], object]) -> Scene:
    def scene(story: Story) -> Act:
        act = step(story)
        neighbour(story)
        return act

    return scene


def _add(step: Step, attribute: str, words: str, neighbour: Callable[[Story], object]) -> None:
    expectation = f"Rebuilds.{step.__name__}: FLYWHEEL.{attribute}"
    case(expectation, words)(_with_neighbour(step, neighbour))


for _step in (switch, give_up, stay, go_back):
    _add(_step, "rebuild", "a person asks for another one", Story.rebuild_asked)
    _add(_step, "open_batch", "a batch opened", Story.opened)
    _add(_step, "champions", "the champion changed in the console", Story.changed_outside)
    _add(_step, "change", "a person is about to change the champion", Story.begun)
for _step in (stay, go_back):
    _add(_step, "taint", "an upload was withdrawn", Story.tainted)


@case(
    "Rebuilds.switch: FLYWHEEL.rebuild",
    "another run took the step",
    beside="Rebuilds.switch: GENERATION absent",
)
def _(story: Story) -> Act:
    act = switch(story)
    story.ledger.rebuilds.switch(story.row, None, NOW)
    return act


@case(
    "Rebuilds.go_back: FLYWHEEL.rebuild",
    "another run took the step",
    beside="Rebuilds.go_back: GENERATION absent",
)
def _(story: Story) -> Act:
    act = go_back(story)
    story.ledger.rebuilds.go_back(story.row, story.earlier(), [], NOW)
    return act
