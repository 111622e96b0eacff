"""Worlds in which a flywheel is rebuilt."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from adapters.parameters import configuration
from flywheel.batches.batches import BatchOutcome
from tests.functions.rebuild_flywheel.rebuilding import acts, closed
from tests.functions.world import World, documents, swapped

_environments = count(1)


@pytest.fixture
def named_world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Have an environment of its own name for each test: they share one engine."""
    name = f"t{next(_environments)}"
    monkeypatch.setenv("ENVIRONMENT", name)
    forget: Any = configuration
    forget.cache_clear()
    settings = replace(world.cloud.configuration, environment=name)
    world.cloud = replace(world.cloud, configuration=settings)
    world.upload("test.csv", documents(6, first=900), kind="test")
    return world


@pytest.fixture
def tainted(named_world: World) -> World:
    """Have a live model, and a rejected file in the flywheel that was withdrawn since."""
    world = named_world
    world.upload("monday.csv", documents(10))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    wrong = world.upload("wrong.csv", swapped(documents(12, first=100)))
    closed(world, 2)
    acts(world).withdraw([world.known(wrong)], "mislabeled", world.now())
    return world
