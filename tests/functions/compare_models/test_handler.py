"""CompareModels on real clients: what goes live, and what a crash or an outsider cannot change."""

from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from compare_models.handler import handler
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.errors import ConcurrentChangeError
from flywheel.evaluation.verdict import Decision
from tests.functions.cloud import altering, answering, crash
from tests.functions.conftest import Models
from tests.functions.world import NAME, Document, World, documents, swapped


def train(world: World, given: list[Document], *, has_test_set: bool = True) -> World:
    """Bring batch 1 to where its iteration has ended."""
    if has_test_set:
        world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", given)
    world.trained()
    world.cloud.told()
    return world


@pytest.fixture
def better(live_world: World) -> World:
    """Have a challenger that knows all the words."""
    return train(live_world, documents(8))


def promotions(world: World) -> int:
    """Return how often the active model was written."""
    return world.comprehend_calls.count("UpdateFlywheel")


def test_the_first_model_goes_live_when_it_meets_the_floor(
    world: World, context: LambdaContext
) -> None:
    """Without a champion floors alone decide, and the notice says so."""
    train(world, documents(8))
    assert world.active_model is None
    assert handler({"flywheel": NAME, "batch": 1}, context) == {"outcome": "PROMOTED"}
    assert world.active_model is not None
    assert world.row.expected_champion == world.active_model
    (told,) = world.cloud.told()
    assert "PROMOTED" in told.subject
    assert "BOOTSTRAP" in told.subject
    assert f"Live now: {world.active_model}" in told.body
    assert len(world.row.past_seconds) == 1


def test_the_challenger_goes_live_when_it_is_better(better: World, models: Models) -> None:
    """The verdict, the write and the notice agree."""
    assert better.active_model == models.champion
    assert better.compare() == {"outcome": BatchOutcome.PROMOTED}
    stored = better.services.ledger.verdicts.get(better.batch(1))
    assert stored is not None
    assert stored.verdict.decision is Decision.PROMOTE
    assert better.active_model == stored.verdict.evidence.challenger_arn
    assert (stored.expected_champion, stored.outcome) == (models.champion, BatchOutcome.PROMOTED)
    assert better.batch().state is BatchState.JUDGED
    (told,) = better.cloud.told()
    assert "PROMOTED, F1 0." in told.subject
    events = [entry["event"] for entry in better.services.ledger.audit.entries(NAME)]
    assert events[-2:] == ["verdict", "verdict carried out"]
    assert better.compare() == {"outcome": BatchOutcome.PROMOTED}
    assert better.cloud.told() == []
    assert promotions(better) == 1


def test_the_champion_stays_when_the_challenger_is_worse(live_world: World, models: Models) -> None:
    """Nothing is written; people learn that the rows are in the flywheel now."""
    train(live_world, swapped(documents(8)))
    assert live_world.compare() == {"outcome": BatchOutcome.REJECTED}
    assert live_world.active_model == models.champion
    assert promotions(live_world) == 0
    (told,) = live_world.cloud.told()
    assert "REJECTED" in told.subject
    assert "no call that takes a dataset back" in " ".join(told.body.split())


def test_the_champion_stays_when_the_flywheel_has_no_test_set(live_world: World) -> None:
    """Numbers from the service's own split are no evidence against a live model."""
    train(live_world, documents(40), has_test_set=False)
    assert live_world.compare() == {"outcome": BatchOutcome.HELD}
    assert promotions(live_world) == 0


@pytest.mark.parametrize("member", ["TrainedModelMetrics", "EvaluatedModelMetrics"])
def test_the_verdict_is_hold_when_metrics_are_missing(better: World, member: str) -> None:
    """Metrics are optional even of a completed iteration; what is not known promotes nothing."""
    with altering(
        "comprehend",
        "DescribeFlywheelIteration",
        lambda answer: answer["FlywheelIterationProperties"].pop(member),
    ):
        assert better.compare() == {"outcome": BatchOutcome.HELD}
    assert promotions(better) == 0
    (told,) = better.cloud.told()
    assert "HELD" in told.subject
    assert "no usable AverageF1Score" in " ".join(told.body.split())


def test_nothing_is_written_when_the_champion_was_changed_outside(
    better: World, models: Models
) -> None:
    """The verdict stands, but it was about another model than the one that is live now."""
    with crash("comprehend", "UpdateFlywheel"):
        better.compare()
    client("comprehend").update_flywheel(
        FlywheelArn=better.flywheel_arn, ActiveModelArn=models.other
    )
    before = promotions(better)
    assert better.compare() == {"outcome": BatchOutcome.HELD}
    assert promotions(better) == before
    assert better.active_model == models.other
    (told,) = better.cloud.told()
    assert "HELD, CHAMPION_CHANGED" in told.subject


def test_a_stored_verdict_stands_when_the_policy_was_changed(better: World) -> None:
    """What was decided is carried out; a new policy is for the next batch."""
    with crash("comprehend", "UpdateFlywheel"):
        better.compare()
    better.configure(policy={"rules": [{"metric": "AverageF1Score", "min_improvement": 1.0}]})
    assert better.compare() == {"outcome": BatchOutcome.PROMOTED}


def test_the_policy_decides_when_it_asks_for_more_than_the_gain(better: World) -> None:
    """The same models under a stricter policy are rejected."""
    better.configure(policy={"rules": [{"metric": "AverageF1Score", "min_improvement": 1.0}]})
    assert better.compare() == {"outcome": BatchOutcome.REJECTED}


def test_live_is_never_said_when_the_write_cannot_be_verified(better: World) -> None:
    """The service accepted UpdateFlywheel, and yet another model is live."""
    accepted = answering("comprehend", "UpdateFlywheel", code="", status=200)
    with accepted, pytest.raises(ConcurrentChangeError):
        better.compare()
    assert better.cloud.told() == []
    assert better.batch().state is BatchState.STARTED


def test_the_notice_waits_when_it_cannot_be_published(better: World) -> None:
    """The outcome and its notice are one transaction; publishing is not."""
    with answering("sns", "Publish", code="InternalError", status=500):
        assert better.compare() == {"outcome": BatchOutcome.PROMOTED}
    assert better.cloud.told() == []
    (waiting,) = better.waiting()
    assert "PROMOTED" in waiting


def test_the_verdict_is_hold_when_the_iteration_names_no_evaluated_model(
    better: World, models: Models
) -> None:
    """An active model is the champion even then; the challenger is no first model."""

    def forget(answer: dict[str, Any]) -> None:
        for member in ("EvaluatedModelArn", "EvaluatedModelMetrics"):
            answer["FlywheelIterationProperties"].pop(member)

    with altering("comprehend", "DescribeFlywheelIteration", forget):
        assert better.compare() == {"outcome": BatchOutcome.HELD}
    assert better.active_model == models.champion
    (told,) = better.cloud.told()
    assert "BOOTSTRAP" not in told.subject


def test_people_are_warned_when_a_rejected_model_is_live_already(live_world: World) -> None:
    """Somebody else made it active: the notice says so instead of calling it kept out."""
    train(live_world, swapped(documents(8)))
    iteration = live_world.services.comprehend(live_world.flywheel_arn).iteration(
        live_world.batch().iteration_id or ""
    )
    client("comprehend").update_flywheel(
        FlywheelArn=live_world.flywheel_arn, ActiveModelArn=str(iteration.trained_model)
    )
    assert live_world.compare() == {"outcome": BatchOutcome.REJECTED}
    (told,) = live_world.cloud.told()
    assert "The challenger is active already" in " ".join(told.body.split())
    assert "ACTION NEEDED" in told.body


def test_a_promotion_stands_when_the_function_died_after_it(better: World) -> None:
    """The batch is closed as PROMOTED, with the notice of a promotion, not as FAILED."""
    with crash("comprehend", "UpdateFlywheel", when="after-call"):
        better.compare()
    answer = better.close(error="Lambda.Unknown", cause="time-out")
    assert answer["outcome"] is BatchOutcome.PROMOTED
    (told,) = better.cloud.told()
    assert "PROMOTED, F1" in told.subject
    events = [entry["event"] for entry in better.services.ledger.audit.entries(NAME)]
    assert events[-2:] == ["verdict carried out", "batch closed"]


def test_the_batch_fails_when_the_function_died_before_the_promotion(
    better: World, models: Models
) -> None:
    """A promotion that was meant but not made is not made by closing the batch."""
    with crash("comprehend", "UpdateFlywheel"):
        better.compare()
    assert better.close(error="Lambda.Unknown")["outcome"] is BatchOutcome.FAILED
    assert better.active_model == models.champion
