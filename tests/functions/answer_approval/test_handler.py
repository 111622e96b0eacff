"""AnswerApproval on real clients: one answer counts, and nothing else changes anything."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from answer_approval.handler import handler
from application.approvals import ask, send_again
from application.ledger.approvals import ApprovalState
from application.port_values import Change, Key
from flywheel.batches.batches import BatchOutcome
from tests.functions.asked import (
    TOKEN,
    answered,
    pending_world,
    question,
    task_that_is_over,
    waiting_task,
)
from tests.functions.cloud import before, crash
from tests.functions.conftest import Models
from tests.functions.world import NAME, World


@pytest.fixture
def asking(live_world: World) -> World:
    """Have people who were asked about batch 1."""
    return pending_world(live_world)


def events(world: World) -> list[str]:
    """Return what the audit tells, in order."""
    return [entry["event"] for entry in world.services.ledger.audit.entries(NAME)]


def test_the_challenger_goes_live_when_a_person_approves(asking: World) -> None:
    """The workflow is told; the comparison looks again and acts; the audit names the person."""
    with waiting_task() as told:
        given = answered(asking, "approve", actor="arn:ann")
    assert given == {"answer": "APPROVED", "is_delivered": True}
    (sent,) = told
    assert (sent["taskToken"], json.loads(sent["output"])) == (TOKEN, {"answer": "APPROVED"})
    assert asking.compare() == {"outcome": BatchOutcome.PROMOTED}
    assert asking.active_model == question(asking).challenger
    assert question(asking).token is None
    entry = asking.services.ledger.audit.entries(NAME)[-2]
    assert (entry["event"], entry["actor"]) == ("approval answered", "arn:ann")
    assert entry["details"] == {"batch": 1, "answer": "APPROVED", "reason": "looks good"}


def test_the_function_takes_both_when_it_is_invoked(asking: World, context: LambdaContext) -> None:
    """A person's answer, here long after its time, and what reconcile asks for."""
    event = {"flywheel": NAME, "batch": 1, "answer": "approve", "reason": "ok", "actor": "ann"}
    assert "was over" in handler(event, context)["refused"]
    assert handler({"flywheel": NAME, "batch": 1}, context) == {"is_delivered": False}
    assert question(asking).state is ApprovalState.PENDING


@pytest.mark.slow
def test_the_champion_stays_when_a_person_rejects(asking: World, models: Models) -> None:
    """The outcome and its notice say who said no, and why."""
    with waiting_task():
        answered(asking, "reject")
    assert asking.compare() == {"outcome": BatchOutcome.REJECTED}
    assert asking.active_model == models.champion
    (told,) = asking.cloud.told()
    assert "REJECTED by a person" in told.subject
    assert "looks good (by ann)" in " ".join(told.body.split())


def _late(world: World) -> None:
    world.clock.advance(timedelta(hours=3).total_seconds())


def _closed(world: World) -> None:
    world.close(error="Stopped")


def _answered(world: World) -> None:
    with waiting_task():
        answered(world, "approve", actor="bob")


def _about_another(world: World) -> None:
    table = world.services.ports.table
    table.write([Change(Key(f"APPROVAL#{NAME}#1", "APPROVAL"), {"challenger": "arn:another"})])


@pytest.mark.parametrize(
    ("happens", "number", "given", "why"),
    [
        (_about_another, 1, "approve", "verdict 1 of tickets is about another model by now"),
        (_late, 1, "approve", "the time to answer verdict 1 of tickets was over"),
        (_closed, 1, "approve", "batch 1 of tickets is CLOSED already"),
        (_answered, 1, "approve", "verdict 1 of tickets was approved by bob"),
        (_answered, 1, "reject", "verdict 1 of tickets was approved by bob"),
        (lambda world: None, 7, "approve", "no batch 7 of flywheel tickets"),
        (lambda world: None, 1, "perhaps", "'perhaps' is no answer"),
    ],
    ids=[
        "of another model",
        "late",
        "of a closed batch",
        "repeated",
        "another",
        "of no batch",
        "no answer",
    ],
)
def test_an_answer_is_refused_when_it_does_not_fit(
    asking: World, happens: Callable[[World], None], number: int, given: str, why: str
) -> None:
    """It is written down with its reason; the question, the model and the task are untouched."""
    happens(asking)
    was, entries = question(asking), len(events(asking))
    with waiting_task() as told:
        refused = answered(asking, given, number=number)
    assert why in refused["refused"]
    assert question(asking) == was
    assert told == []
    assert events(asking)[entries:] == ["answer refused"]
    assert why in asking.services.ledger.audit.entries(NAME)[-1]["details"]["why"]


def test_an_answer_is_refused_when_nobody_was_asked(live_world: World) -> None:
    """A verdict that needs no person cannot be answered."""
    live_world.upload(
        "monday.csv",
        [("billing", "one"), ("billing", "two"), ("delivery", "three"), ("delivery", "four")],
    )
    assert "nobody is asked about verdict 1" in answered(live_world, "approve")["refused"]


@pytest.mark.slow
@pytest.mark.parametrize("is_contradicted", [False, True])
def test_the_same_answer_is_sent_again_when_a_crash_kept_it(
    asking: World, is_contradicted: bool
) -> None:
    """What is written down holds: the same answer goes on from there, another is refused."""
    with crash("stepfunctions", "SendTaskSuccess"):
        answered(asking, "approve")
    if is_contradicted:
        assert "was approved by ann" in answered(asking, "reject")["refused"]
    with waiting_task() as told:
        assert answered(asking, "approve", actor="bob")["is_delivered"]
    assert len(told) == 1
    assert question(asking).by == "ann"
    assert events(asking).count("approval answered") == 1


def test_reconcile_has_it_sent_when_nobody_answers_again(asking: World) -> None:
    """By the same function, which alone may; a second time there is nothing to send."""
    with crash("stepfunctions", "SendTaskSuccess"):
        answered(asking, "approve")
    with waiting_task() as told:
        assert send_again(asking.services, NAME, 1)["is_delivered"]
        assert not send_again(asking.services, NAME, 1)["is_delivered"]
    assert len(told) == 1


def test_the_answer_counts_when_the_task_timed_out_in_this_moment(asking: World) -> None:
    """It was in the ledger first: the comparison finds it, whatever became of the task."""
    with task_that_is_over():
        assert answered(asking, "approve") == {"answer": "APPROVED", "is_delivered": False}
    _late(asking)
    assert asking.compare() == {"outcome": BatchOutcome.PROMOTED}


def test_the_answer_is_refused_when_the_time_ended_in_this_moment(asking: World) -> None:
    """The comparison wrote the end of its time first: the answer changes nothing."""

    def end() -> None:
        ledger = asking.services.ledger
        ledger.approvals.expire(asking.batch(), question(asking), asking.now())

    with before("dynamodb", "TransactWriteItems", end), waiting_task() as told:
        refused = answered(asking, "approve")
    assert "meanwhile" in refused["refused"]
    assert told == []
    assert question(asking).state is ApprovalState.EXPIRED


def test_nothing_goes_live_when_the_champion_changed_after_the_answer(
    asking: World, models: Models
) -> None:
    """A yes was to what was live then."""
    with waiting_task():
        answered(asking, "approve")
    arguments: dict[str, Any] = {"FlywheelArn": asking.flywheel_arn}
    client("comprehend").update_flywheel(**arguments, ActiveModelArn=models.other)
    assert asking.compare() == {"outcome": BatchOutcome.HELD}
    assert asking.active_model == models.other


def test_the_answer_counts_when_the_chain_moves_in_this_moment(asking: World) -> None:
    """Somebody else's refused answer is no answer: nobody was first."""

    def refuse() -> None:
        assert "is no answer" in answered(asking, "perhaps", actor="bob")["refused"]

    with before("dynamodb", "TransactWriteItems", refuse), waiting_task():
        given = answered(asking, "approve")
    assert given == {"answer": "APPROVED", "is_delivered": True}
    assert events(asking)[-2:] == ["answer refused", "approval answered"]


@pytest.mark.slow
def test_both_are_written_down_when_two_answers_are_refused_at_once(asking: World) -> None:
    """Each has its entry, and each person is told why."""
    others: list[dict[str, Any]] = []
    entries = len(events(asking))
    with before("dynamodb", "TransactWriteItems", lambda: others.append(answered(asking, "no"))):
        refused = answered(asking, "perhaps")
    assert "'no' is no answer" in others[0]["refused"]
    assert "'perhaps' is no answer" in refused["refused"]
    assert events(asking)[entries:] == ["answer refused", "answer refused"]


@pytest.mark.slow
def test_the_answer_counts_when_the_workflow_was_faster(asking: World) -> None:
    """It had gone on, and forgotten the token, before it was noted that it was told."""
    with (
        waiting_task(),
        before("dynamodb", "TransactWriteItems", asking.compare, at=2),
    ):
        given = answered(asking, "approve")
    assert given == {"answer": "APPROVED", "is_delivered": True}
    assert question(asking).token is None
    assert asking.batch().outcome is BatchOutcome.PROMOTED


@pytest.mark.slow
def test_the_answer_reaches_the_newer_task_when_one_took_its_place(asking: World) -> None:
    """The workflow tried its task again while the answer was sent to the one before."""

    def ask_again() -> None:
        ask(asking.services, NAME, 1, attempt=1, token="a newer token")

    with (
        waiting_task() as told,
        before("dynamodb", "TransactWriteItems", ask_again, at=2),
    ):
        assert answered(asking, "approve")["is_delivered"]
    assert [sent["taskToken"] for sent in told] == [TOKEN, "a newer token"]
    assert question(asking).sent_at is not None
