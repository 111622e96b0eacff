"""A failed batch and a rebuild: once a rebuild began, its uploads wait again, and no retry."""

import pytest

from flywheel.errors import ActRefusedError
from tests.functions.rebuild_flywheel.rebuilding import acts, switched
from tests.functions.world import World, documents


@pytest.fixture
def failed(named_world: World) -> World:
    """Have a batch that failed after its datasets were complete."""
    named_world.upload("monday.csv", documents(10))
    named_world.sealed(1)
    named_world.close(1, error="Stopped")
    return named_world


def test_a_retry_is_refused_when_a_rebuild_is_under_way(failed: World) -> None:
    """Its rows are about to go to another flywheel."""
    acts(failed).rebuild("withdrawn rows", (), (), failed.now())
    before = failed.batch(1)
    with pytest.raises(ActRefusedError, match="its uploads will wait again"):
        acts(failed).retry(failed.services.staging, 1, "x", failed.now())
    assert (failed.batch(1), failed.row.is_idle) == (before, True)


def test_a_retry_is_refused_when_the_flywheel_was_rebuilt_since(failed: World) -> None:
    """Its rows wait for the new generation's batch, and its datasets are the earlier one's."""
    acts(failed).rebuild("withdrawn rows", (), (), failed.now())
    switched(failed)
    failed.close(2, error="Stopped")
    before = failed.batch(1)
    with pytest.raises(ActRefusedError, match="was rebuilt since batch 1 failed"):
        acts(failed).retry(failed.services.staging, 1, "x", failed.now())
    assert (failed.batch(1), failed.row.is_idle) == (before, True)
