"""AskApproval on real clients: people are asked once, and the token stays in the ledger."""

import logging

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from application.approvals import ask
from application.ledger.approvals import ApprovalState
from ask_approval.handler import handler
from flywheel.batches.batches import BatchOutcome
from tests.functions.asked import TOKEN, asked_world, question
from tests.functions.cloud import TABLE
from tests.functions.world import NAME, World

EVENT = {"flywheel": NAME, "batch": 1, "attempt": 1, "token": TOKEN}


@pytest.fixture
def asking(live_world: World) -> World:
    """Have a verdict that waits for a person."""
    return asked_world(live_world)


def test_people_are_asked_when_the_policy_says_so(asking: World, context: LambdaContext) -> None:
    """With the deadline and both commands; nothing is live by it."""
    before = asking.active_model
    assert handler(EVENT, context) == {"is_asked": True}
    (told,) = asking.cloud.told()
    assert told.subject.startswith(f"[test] {NAME}: ACTION NEEDED: approve batch 1, F1 0.")
    body = " ".join(told.body.split())
    assert f"flywheel approve 1 {NAME} --env test --reason TEXT" in body
    assert f"flywheel reject 1 {NAME} --env test --reason TEXT" in body
    assert f"until {question(asking).until:%Y-%m-%d %H:%M} UTC" in body
    assert "the champion stays" in body
    assert asking.active_model == before
    assert question(asking).state is ApprovalState.PENDING


@pytest.mark.slow
def test_the_token_is_nowhere_else_when_people_were_asked(
    asking: World,
    context: LambdaContext,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not in a notice, a log, the verdict, the audit, or in what is printed of the question."""
    with caplog.at_level(logging.DEBUG, logger="ask_approval"):
        handler(EVENT, context)
    (told,) = asking.cloud.told()
    printed = capsys.readouterr()
    rows = client("dynamodb").scan(TableName=TABLE)["Items"]
    holding = [row["pk"]["S"] for row in rows if TOKEN in str(row)]
    assert holding == [f"APPROVAL#{NAME}#1"]
    for text in (told.body, told.subject, printed.out, printed.err, repr(question(asking))):
        assert TOKEN not in text


def test_only_the_token_changes_when_the_task_is_tried_again(asking: World) -> None:
    """No second notice and no second entry: people answer once."""
    ask(asking.services, NAME, 1, attempt=1, token=TOKEN)
    asking.cloud.told()
    assert ask(asking.services, NAME, 1, attempt=1, token="newer") == {"is_asked": True}
    assert question(asking).token == "newer"
    assert asking.cloud.told() == []
    events = [entry["event"] for entry in asking.services.ledger.audit.entries(NAME)]
    assert events.count("approval asked for") == 1


@pytest.mark.parametrize("attempt", [1, 2])
def test_nobody_is_asked_when_the_attempt_is_over(asking: World, attempt: int) -> None:
    """A closed batch, or another attempt: an execution that outlived it asks for nothing."""
    if attempt == 1:
        asking.close(error="Stopped")
        assert asking.batch().outcome is BatchOutcome.FAILED
        asking.cloud.told()
    answer = ask(asking.services, NAME, 1, attempt=attempt, token=TOKEN)
    assert answer == {"is_asked": False}
    assert asking.cloud.told() == []
