"""How a PROMOTE is carried out: at once, after a person, or not at all; and what keeps it back."""

from datetime import timedelta
from functools import partial

import pytest

from adapters.clients import client
from application.ledger.approvals import ApprovalState
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.champions import ChampionSource
from tests.functions.asked import TOKEN, answered, pending_world, question, waiting_task
from tests.functions.champions import changed
from tests.functions.cloud import answering, before, crash
from tests.functions.conftest import Models
from tests.functions.world import NAME, World, documents


def trained(world: World, number: int = 1) -> World:
    """Bring a batch with a better challenger to where its iteration has ended."""
    if number == 1:
        world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload(f"{number}.csv", documents(8, first=20 * number))
    world.trained(number)
    world.cloud.told()
    return world


@pytest.mark.slow
def test_the_first_ones_are_asked_about_when_the_policy_says_how_many(live_world: World) -> None:
    """Then the policy acts by itself; a verdict that promotes nothing does not count."""
    world = trained(live_world)
    world.configure(policy={"approve_first": 1, "approval_timeout_hours": 3})
    assert world.compare() == {"outcome": None, "approval_seconds": 3 * 3600}
    assert world.row.promote_verdicts == 1
    world.close(error="Stopped")
    rules = [{"metric": "AverageF1Score", "min_improvement": 0.001}]
    world.configure(policy={"approve_first": 1, "rules": rules})
    trained(world, 2)
    assert world.compare(2) == {"outcome": BatchOutcome.PROMOTED}


@pytest.mark.slow
@pytest.mark.parametrize("answer", [None, "approve"])
def test_people_are_asked_again_when_nobody_said_yes_before_the_execution_ended(
    live_world: World, answer: str | None
) -> None:
    """The question counts as one of the policy's, but the same model needs its own answer."""
    world = pending_world(live_world, mode="auto", approve_first=1)
    if answer is not None:
        with waiting_task():
            answered(world, answer)
    world.close(error="Stopped")
    world.acts().retry(world.services.staging, 1, "it was stopped", world.now())
    world.seal()
    world.start()
    world.await_iteration()
    outcome = {"outcome": BatchOutcome.PROMOTED} if answer else {"outcome": None}
    assert world.compare().items() >= outcome.items()


@pytest.mark.slow
def test_nothing_is_done_when_the_policy_is_a_shadow(live_world: World, models: Models) -> None:
    """The verdict is written down and told, and that it was not carried out."""
    world = trained(live_world)
    world.configure(policy={"mode": "shadow"})
    assert world.compare() == {"outcome": BatchOutcome.SHADOW}
    assert world.active_model == models.champion
    assert world.comprehend_calls.count("UpdateFlywheel") == 0
    (told,) = world.cloud.told()
    assert "SHADOW, would be PROMOTED, F1 0." in told.subject
    stored = world.services.ledger.verdicts.get(world.batch())
    assert stored is not None
    assert (stored.kept, stored.verdict.decision) == ("SHADOW", "PROMOTE")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("silence", "outcome"),
    [("keep", BatchOutcome.HELD), ("promote", BatchOutcome.PROMOTED)],
)
def test_silence_means_what_the_policy_says_when_the_time_is_over(
    live_world: World, silence: str, outcome: BatchOutcome
) -> None:
    """Until then the workflow is sent back to wait for what is left."""
    world = pending_world(live_world, on_approval_timeout=silence)
    until = question(world).until
    world.clock.advance(3600)
    left = world.compare()["approval_seconds"]
    assert timedelta(seconds=left - 1) < until - world.now() <= timedelta(seconds=left)
    world.clock.advance(3700)
    with crash("dynamodb", "TransactWriteItems", when="after-call"):
        world.compare()
    assert question(world).state is ApprovalState.EXPIRED
    assert world.compare() == {"outcome": outcome}
    (told,) = world.cloud.told()
    assert ("nobody answered" in told.subject) is (silence == "keep")


@pytest.mark.slow
def test_a_late_answer_is_refused_when_silence_was_carried_out(live_world: World) -> None:
    """Neither lost nor doubled: what was done stands."""
    world = pending_world(live_world, on_approval_timeout="promote")
    world.clock.advance(7300)
    world.compare()
    with waiting_task() as told:
        assert "refused" in answered(world, "reject")
    assert told == []
    assert world.active_model == question(world).challenger


@pytest.mark.slow
def test_the_policy_of_the_verdict_counts_when_another_was_deployed(live_world: World) -> None:
    """Who is asked, and until when, was decided with the verdict."""
    world = pending_world(live_world)
    world.configure(policy={"approve_first": 0})
    assert world.compare()["outcome"] is None
    assert question(world).token == TOKEN


@pytest.mark.slow
def test_it_is_held_when_somebody_makes_the_challenger_active_meanwhile(live_world: World) -> None:
    """It is live, and not by us: the notice says so and asks for a look."""
    world = pending_world(live_world)
    challenger = question(world).challenger
    client("comprehend").update_flywheel(FlywheelArn=world.flywheel_arn, ActiveModelArn=challenger)
    assert world.compare() == {"outcome": BatchOutcome.HELD}
    (told,) = world.cloud.told()
    assert "The challenger is active already" in " ".join(told.body.split())
    (*_, last) = world.services.ledger.champions.history(NAME)
    assert (last.model, last.how, last.by) == (challenger, ChampionSource.OUTSIDE, "outside")


@pytest.mark.slow
def test_nobody_is_asked_when_the_champion_is_another_already(
    live_world: World, models: Models
) -> None:
    """What cannot be carried out is no question."""
    world = trained(live_world)
    client("comprehend").update_flywheel(
        FlywheelArn=world.flywheel_arn, ActiveModelArn=models.other
    )
    world.configure(policy={"mode": "approve"})
    assert world.compare() == {"outcome": BatchOutcome.HELD}
    assert world.active_model == models.other
    assert world.row.expected_champion == models.other


def test_a_person_is_not_overtaken_when_both_change_the_champion(live_world: World) -> None:
    """While a verdict is being carried out nobody else changes the model, and is told so."""
    world = trained(live_world)
    refused: list[str] = []

    def meanwhile() -> None:
        refused.append(changed(world, "promote", "1")["refused"])

    with before("comprehend", "UpdateFlywheel", meanwhile):
        assert world.compare() == {"outcome": BatchOutcome.PROMOTED}
    assert refused == [f"batch 1 of {NAME} is being promoted: try again"]
    assert world.row.promoting is None


@pytest.mark.slow
def test_followers_are_told_when_a_model_goes_live(live_world: World, models: Models) -> None:
    """Which endpoint follows and whether it is there, and which is pinned to an earlier model."""
    world, comprehend = trained(live_world), client("comprehend")
    follower = comprehend.create_endpoint(
        EndpointName="follower", DesiredInferenceUnits=1, FlywheelArn=world.flywheel_arn
    )
    pinned = comprehend.create_endpoint(
        EndpointName="pinned", DesiredInferenceUnits=1, ModelArn=models.champion
    )
    made = [follower["EndpointArn"], pinned["EndpointArn"]]
    assert world.compare() == {"outcome": BatchOutcome.PROMOTED}
    (told,) = world.cloud.told()
    body = " ".join(told.body.split())
    assert f"Endpoint {made[0]} follows the flywheel: the new model is on its way" in body
    assert f"Endpoint {made[1]} is pinned to {models.champion} and does not follow." in body
    for arn in made:
        world.until(partial(_status, arn), lambda status: status == "IN_SERVICE")
        comprehend.delete_endpoint(EndpointArn=arn)


def _status(arn: str) -> str:
    answer = client("comprehend").describe_endpoint(EndpointArn=arn)
    return answer["EndpointProperties"]["Status"]


@pytest.mark.slow
def test_a_promotion_stands_when_endpoints_cannot_be_listed(live_world: World) -> None:
    """It says that they are not known, and why."""
    world = trained(live_world)
    with answering("comprehend", "ListEndpoints", code="AccessDeniedException"):
        assert world.compare() == {"outcome": BatchOutcome.PROMOTED}
    (told,) = world.cloud.told()
    body = " ".join(told.body.split())
    assert "Which endpoints follow the flywheel is not known" in body
    assert "AccessDeniedException" in body
