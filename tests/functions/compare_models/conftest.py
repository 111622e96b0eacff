"""A challenger on which the averages say too little, so that both models must answer."""

import pytest

from tests.functions.world import ANSWERS_WANTED, World, csv, documents

TESTED = 20
"""Test documents of each label, beside one whose text has two lines."""


@pytest.fixture
def guarded(live_world: World) -> World:
    """Have a better challenger, and a guard of which the averages say nothing."""
    live_world.configure(policy=ANSWERS_WANTED)
    broken_lines = [("delivery", '"parcel late\ncourier address"')]
    given = csv([*documents(TESTED, first=200), *broken_lines])
    live_world.upload("test.csv", given, kind="test")
    live_world.upload("monday.csv", documents(8))
    live_world.trained()
    live_world.cloud.told()
    return live_world
