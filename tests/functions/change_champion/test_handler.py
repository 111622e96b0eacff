"""ChangeChampion on real clients: a person's rollback or promotion, once and verified."""

from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from application.champion_changes import change
from application.commands.operator_commands import OperatorCommands
from application.services import Services
from change_champion.handler import handler
from flywheel.batches.batches import BatchOutcome
from flywheel.errors import ActRefusedError
from flywheel.evaluation.champions import ChampionSource
from tests.functions.champions import changed
from tests.functions.cloud import altering, answering, before, crash, seeing
from tests.functions.conftest import Models
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, World, documents


@pytest.fixture
def promoted(live_world: World) -> World:
    """Have a flywheel whose first batch promoted a challenger over the champion before it."""
    world = live_world
    world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained()
    assert world.compare() == {"outcome": BatchOutcome.PROMOTED}
    world.close()
    world.cloud.told()
    world.comprehend_calls.clear()
    return world


def history(world: World) -> list[tuple[str | None, str, str]]:
    """Return who was live, by what and by whom."""
    found = world.services.ledger.champions.history(NAME)
    return [(item.model, item.how.value, item.by) for item in found]


def events(world: World) -> list[str]:
    """Return what the audit tells, in order."""
    return [entry["event"] for entry in world.services.ledger.audit.entries(NAME)]


def acts(world: World) -> OperatorCommands:
    """Open the acts as a person."""
    services: Services = world.services
    comprehend = services.comprehend(world.flywheel_arn)
    return OperatorCommands(
        "test", services.flywheel(NAME), services.ledger, comprehend, services.workflow
    )


def test_the_model_before_is_live_when_a_person_rolls_back(promoted: World, models: Models) -> None:
    """Told with who and why; the model that was left is barred, and verdicts promote nothing."""
    left = promoted.active_model
    assert changed(promoted, "rollback") == {"model": models.champion, "before": left}
    assert promoted.active_model == models.champion == promoted.row.expected_champion
    assert promoted.row.barred == [left]
    assert promoted.row.promotion_pause is not None
    assert promoted.row.pause is None
    (told,) = promoted.cloud.told()
    assert told.subject == f"[test] {NAME}: ROLLED BACK"
    body = " ".join(told.body.split())
    assert "ann rolled back: complaints" in body
    assert f"Live now: {models.champion}" in body
    assert "No endpoint follows the flywheel." in body
    assert history(promoted) == [
        (models.champion, "outside", "outside"),
        (left, "verdict", "test"),
        (models.champion, "rollback", "ann"),
    ]
    assert events(promoted)[-2:] == ["champion change began", "champion changed"]
    assert promoted.services.ledger.audit.entries(NAME)[-1]["actor"] == "ann"
    assert reconciled(promoted.services)["outside"] == 0


@pytest.mark.slow
def test_verdicts_go_on_and_are_held_when_somebody_rolled_back(promoted: World) -> None:
    """Until resume; then the next one is carried out."""
    changed(promoted, "rollback")
    promoted.upload("tuesday.csv", documents(8, first=40))
    promoted.trained(2)
    promoted.cloud.told()
    assert promoted.compare(2) == {"outcome": BatchOutcome.HELD}
    (told,) = promoted.cloud.told()
    assert "HELD, promotion is paused" in told.subject
    assert "rollback: complaints (by ann)" in " ".join(told.body.split())
    assert f"flywheel resume {NAME}" in " ".join(told.body.split())
    promoted.close(2)
    acts(promoted).resume("labels are right", promoted.now())
    with pytest.raises(ActRefusedError, match="is not paused"):
        acts(promoted).resume("labels are right", promoted.now())
    promoted.upload("wednesday.csv", documents(8, first=80))
    promoted.trained(3)
    assert promoted.compare(3) == {"outcome": BatchOutcome.PROMOTED}


@pytest.mark.slow
def test_a_barred_model_stays_out_when_a_verdict_would_promote_it(promoted: World) -> None:
    """Only a person lifts the bar, by making it active."""
    left = promoted.active_model or ""
    changed(promoted, "rollback")
    acts(promoted).resume("labels are right", promoted.now())
    promoted.upload("tuesday.csv", documents(8, first=40))
    promoted.trained(2)

    def as_before(answer: dict[str, Any]) -> None:
        answer["FlywheelIterationProperties"]["TrainedModelArn"] = left

    with altering("comprehend", "DescribeFlywheelIteration", as_before):
        assert promoted.compare(2) == {"outcome": BatchOutcome.HELD}
    assert any("barred" in told.subject for told in promoted.cloud.told())
    assert changed(promoted, "promote", "1")["model"] == left
    assert promoted.row.barred == ()
    assert promoted.active_model == left


@pytest.mark.slow
def test_any_trained_model_is_live_when_a_person_promotes_it(live_world: World) -> None:
    """By its ARN or its verdict's number, rejected as it was; it is in the history with its act."""
    world = live_world
    world.configure(policy={"rules": [{"metric": "AverageF1Score", "min_improvement": 1.0}]})
    world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained()
    assert world.compare() == {"outcome": BatchOutcome.REJECTED}
    world.close()
    world.cloud.told()
    stored = world.services.ledger.verdicts.get(world.batch())
    assert stored is not None
    model = stored.verdict.evidence.challenger_arn or ""
    assert changed(world, "promote", model)["model"] == model
    assert world.active_model == model
    (told,) = world.cloud.told()
    assert "PROMOTED by a person" in told.subject
    assert "is active already" in changed(world, "promote", "1")["refused"]
    assert history(world)[-1] == (model, "promote", "ann")


@pytest.mark.slow
def test_a_rejected_model_is_not_gone_back_to_when_somebody_rolls_back(
    promoted: World, models: Models
) -> None:
    """Only what was live counts, however many were trained since; twice goes further back."""
    left = promoted.active_model or ""
    promoted.configure(policy={"rules": [{"metric": "AverageF1Score", "min_improvement": 1.0}]})
    promoted.upload("tuesday.csv", documents(8, first=40))
    promoted.trained(2)
    assert promoted.compare(2) == {"outcome": BatchOutcome.REJECTED}
    promoted.close(2)
    client("comprehend").update_flywheel(
        FlywheelArn=promoted.flywheel_arn, ActiveModelArn=models.other
    )
    assert reconciled(promoted.services)["outside"] == 1
    assert changed(promoted, "rollback")["model"] == left
    assert changed(promoted, "rollback")["model"] == models.champion
    refused = changed(promoted, "rollback")["refused"]
    assert refused.startswith(f"{NAME} has no earlier champion to go back to: all others were")
    assert refused.endswith(f"flywheel promote {left} {NAME} --reason TEXT")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("7", "no batch 7"),
        ("nonsense", "neither a model's ARN nor a verdict's number"),
        ("arn:aws:comprehend:us-east-1:123456789012:document-classifier/none", "there is no model"),
    ],
)
def test_a_promotion_is_refused_when_there_is_no_such_model(
    promoted: World, model: str, why: str
) -> None:
    """The refusal is written down; nothing else changes."""
    was = promoted.row
    assert why in changed(promoted, "promote", model)["refused"]
    assert promoted.row == was
    assert events(promoted)[-1] == "act refused"
    assert promoted.comprehend_calls.count("UpdateFlywheel") == 0


def test_a_promotion_is_refused_when_another_flywheel_trained_it(
    promoted: World, models: Models
) -> None:
    """A model of a stranger's flywheel may know other labels."""
    refused = changed(promoted, "promote", models.other)["refused"]
    assert f"is no version that {NAME} trained" in refused


@pytest.mark.slow
@pytest.mark.parametrize("status", ["DELETING", "IN_ERROR", "gone"])
def test_a_rollback_is_refused_when_the_model_cannot_be_live(promoted: World, status: str) -> None:
    """It is looked at before anything is written."""
    if status == "gone":
        looked = answering(
            "comprehend", "DescribeDocumentClassifier", code="ResourceNotFoundException"
        )
        why = "does not exist any more"
    else:
        looked = altering(
            "comprehend",
            "DescribeDocumentClassifier",
            lambda answer: answer["DocumentClassifierProperties"].update(Status=status),
        )
        why = f"is {status}: only a trained model can be active"
    with looked:
        assert why in changed(promoted, "rollback")["refused"]
    assert promoted.row.change is None


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before-call", "after-call"])
def test_the_change_is_completed_when_a_crash_cut_it_off(
    promoted: World, models: Models, when: str
) -> None:
    """By the schedule: it is live once, told once, and in the history once."""
    with crash("comprehend", "UpdateFlywheel", when=when):
        changed(promoted, "rollback")
    assert promoted.row.change is not None
    assert "is under way" in changed(promoted, "rollback")["refused"]
    assert change(promoted.services, {"flywheel": NAME})["model"] == models.champion
    assert change(promoted.services, {"flywheel": NAME}) == {}
    assert promoted.active_model == models.champion
    assert history(promoted)[-1] == (models.champion, "rollback", "ann")
    assert len(history(promoted)) == 3
    assert len(promoted.cloud.told()) == 1


def test_reconcile_calls_for_it_when_a_change_was_cut_off(promoted: World) -> None:
    """The one function that may carries it on."""
    with crash("comprehend", "UpdateFlywheel"):
        changed(promoted, "rollback")
    over = answering("lambda", "Invoke", code="", status=202)
    with seeing("lambda", "Invoke") as calls, over:
        assert reconciled(promoted.services)["acts"] == 1
    (call,) = calls
    assert (call["FunctionName"], call["InvocationType"]) == ("ChangeChampion", "Event")
    # What is under way is not taken for somebody else's.
    assert "champion changed outside" not in events(promoted)


def test_the_same_request_is_one_change_when_it_comes_twice(
    promoted: World, models: Models
) -> None:
    """An SDK that lost the answer asks again; a rollback is not made two of."""
    first = changed(promoted, "rollback", request="r1")
    assert first["model"] == models.champion
    assert changed(promoted, "rollback", request="r1") == {
        "model": models.champion,
        "is_repeated": True,
    }
    assert len(history(promoted)) == 3


def test_nothing_is_overwritten_when_somebody_else_was_faster(
    promoted: World, models: Models
) -> None:
    """Between the intent and the write another model went live: it stays, and the act ends."""
    with crash("comprehend", "UpdateFlywheel"):
        changed(promoted, "rollback")
    client("comprehend").update_flywheel(
        FlywheelArn=promoted.flywheel_arn, ActiveModelArn=models.other
    )
    refused = change(promoted.services, {"flywheel": NAME})["refused"]
    assert "nothing was overwritten" in refused
    assert promoted.active_model == models.other
    assert promoted.row.change is None
    assert promoted.row.barred == ()


def test_the_act_ends_when_the_service_refuses_it(promoted: World, context: LambdaContext) -> None:
    """The service's reason reaches the person; the champion is as it was."""
    live = promoted.active_model
    event = {
        "flywheel": NAME,
        "act": "rollback",
        "reason": "complaints",
        "actor": "ann",
        "request": "r1",
    }
    with answering("comprehend", "UpdateFlywheel", code="KmsKeyValidationException"):
        refused = handler(event, context)["refused"]
    assert "KmsKeyValidationException" in refused
    assert promoted.active_model == live
    assert promoted.row.change is None
    assert events(promoted)[-1] == "champion change abandoned"


def test_an_entry_says_how_when_models_went_live(promoted: World) -> None:
    """The verdict's number is in it, so that history leads to reasons."""
    *_, last = promoted.services.ledger.champions.history(NAME)
    assert (last.how, last.batch, last.number) == (ChampionSource.VERDICT, 1, 2)


def test_both_are_written_down_when_two_changes_are_refused_at_once(promoted: World) -> None:
    """Each has its entry, and each person is told why."""
    others: list[dict[str, Any]] = []

    def refuse() -> None:
        others.append(changed(promoted, "promote", "1"))

    with before("dynamodb", "TransactWriteItems", refuse):
        refused = changed(promoted, "promote", "1")
    assert "is active already" in refused["refused"]
    assert others == [refused]
    assert events(promoted)[-2:] == ["act refused", "act refused"]


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2], ids=["begun", "completed"])
def test_the_change_is_made_when_the_chain_moves_in_this_moment(
    promoted: World, models: Models, at: int
) -> None:
    """A refused act changes nothing, so nobody was first."""

    def refuse() -> None:
        assert "is active already" in changed(promoted, "promote", "1")["refused"]

    def note() -> None:
        ledger = promoted.services.ledger
        ledger.champions.note_refusal(NAME, {"act": "rollback"}, "no", promoted.now())

    with before("dynamodb", "TransactWriteItems", refuse if at == 1 else note, at=at):
        assert changed(promoted, "rollback")["model"] == models.champion
    assert events(promoted).count("champion changed") == 1
    assert events(promoted).count("act refused") == 1


@pytest.mark.parametrize("act", ["outside", "verdict", "", None])
def test_a_change_is_refused_when_it_claims_to_be_no_persons(promoted: World, act: Any) -> None:
    """The history says how a model went live; a person cannot make it say anything else."""
    before = history(promoted)
    answer = changed(promoted, act, "1")
    assert answer == {"refused": "act: a person may ask for rollback or promote"}
    assert history(promoted) == before


@pytest.mark.parametrize("reason", [None, "", " \u200b", "a" * 1001, 7])
def test_a_change_is_refused_when_its_reason_is_none(promoted: World, reason: Any) -> None:
    """The audit, the notice and the row hold it, so it has words and an end."""
    asked = {"flywheel": NAME, "act": "rollback", "reason": reason, "actor": "ann", "request": "r"}
    assert change(promoted.services, asked)["refused"].startswith("reason: ")
