"""Two promoters at once, a promotion that may not be made, and clocks that are wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from application.batches.close import close
from application.batches.seal import seal
from application.batches.start import start
from application.comparison.compare import compare
from application.services import Services
from flywheel.batches.batches import BatchOutcome
from flywheel.errors import ConcurrentChangeError, ServiceRefusedError
from tests.functions.cloud import altering, answering
from tests.functions.conftest import Models
from tests.functions.world import NAME, World, documents


@pytest.fixture
def better(live_world: World) -> World:
    """Have a challenger that knows all the words."""
    live_world.upload("test.csv", documents(8, first=200), kind="test")
    live_world.upload("monday.csv", documents(8))
    live_world.trained()
    live_world.cloud.told()
    return live_world


def test_one_outcome_is_recorded_when_two_promoters_overlap(better: World) -> None:
    """Whoever is second finds the state changed, and what is told is told once."""
    others = iter([better])

    def overtake(_: object) -> None:
        for other in others:
            assert other.compare()["outcome"] is BatchOutcome.PROMOTED

    with altering("comprehend", "UpdateFlywheel", overtake), pytest.raises(ConcurrentChangeError):
        better.compare()
    assert better.compare() == {"outcome": BatchOutcome.PROMOTED}
    assert len(better.cloud.told()) == 1
    events = [entry["event"] for entry in better.services.ledger.audit.entries(NAME)]
    assert events.count("verdict") == 1


def test_the_champion_stays_when_the_promotion_may_not_be_made(
    better: World, models: Models
) -> None:
    """The service's reason reaches people, and nothing is called live."""
    code = "KmsKeyValidationException"
    with answering("comprehend", "UpdateFlywheel", code=code):
        with pytest.raises(ServiceRefusedError, match=code):
            better.compare()
        better.close(error="ServiceRefusedError", cause=f"comprehend:UpdateFlywheel: {code}")
    assert better.active_model == models.champion
    assert better.batch().outcome is BatchOutcome.FAILED
    (told,) = better.cloud.told()
    assert code in told.body
    assert better.row.is_idle


@pytest.mark.slow
@pytest.mark.parametrize("time", ["an hour behind", "an hour ahead", "leap day"])
def test_the_outcome_is_the_same_when_the_functions_clock_is_wrong(
    live_world: World, time: str
) -> None:
    """What is decided and told does not depend on what time it is."""
    world = live_world

    def skewed() -> Services:
        wrong = {
            "an hour behind": world.now() - timedelta(hours=1),
            "an hour ahead": world.now() + timedelta(hours=1),
            "leap day": datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC),
        }[time]
        return replace(world.services, now=lambda: wrong)

    world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    seal(skewed(), NAME, 1)
    world.await_datasets()
    assert start(skewed(), NAME, 1)["is_started"]
    world.await_iteration()
    assert compare(skewed(), NAME, 1)["outcome"] is BatchOutcome.PROMOTED
    assert close(skewed(), NAME, 1)["is_freed"]
    assert [notice.notice_id for notice in world.cloud.told()] == [
        f"{NAME}-batch-1-started",
        f"{NAME}-batch-1-verdict",
    ]
