"""A verdict that waits for a person, and the workflow's task at the other end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from application.approvals import answer, ask
from application.ledger.approvals import Approval
from tests.functions.cloud import answering, seeing
from tests.functions.world import NAME, World, documents

TOKEN = "token-of-the-task"
ASKING = {"mode": "approve", "approval_timeout_hours": 2}


def asked_world(world: World, **policy: Any) -> World:
    """Bring batch 1 of a flywheel to a verdict that waits for a person."""
    world.configure(policy={**ASKING, **policy})
    world.upload("test.csv", documents(8, first=200), kind="test")
    world.upload("monday.csv", documents(8))
    world.trained()
    assert world.compare()["approval_seconds"] == 2 * 3600
    world.cloud.told()
    return world


def pending_world(world: World, **policy: Any) -> World:
    """Bring it to where people were asked."""
    asked_world(world, **policy)
    ask(world.services, NAME, 1, attempt=1, token=TOKEN)
    world.cloud.told()
    return world


def question(world: World) -> Approval:
    """Return the question about batch 1."""
    found = world.services.ledger.approvals.get(world.batch())
    assert found is not None
    return found


def answered(world: World, given: str, *, number: int = 1, actor: str = "ann") -> dict[str, Any]:
    """Let a person answer."""
    asked = {"flywheel": NAME, "batch": number, "answer": given, "reason": "looks good"}
    return answer(world.services, {**asked, "actor": actor})


@contextmanager
def waiting_task() -> Iterator[list[dict[str, Any]]]:
    """Have a task that waits; gives what it was told."""
    over = answering("stepfunctions", "SendTaskSuccess", code="", status=200)
    with seeing("stepfunctions", "SendTaskSuccess") as told, over:
        yield told


@contextmanager
def task_that_is_over() -> Iterator[list[dict[str, Any]]]:
    """Have a task whose time is over."""
    over = answering("stepfunctions", "SendTaskSuccess", code="TaskTimedOut")
    with seeing("stepfunctions", "SendTaskSuccess") as told, over:
        yield told
