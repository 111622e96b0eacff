"""Troubles on the wire below StartIteration, through the SDK's own retries."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from adapters.clients import client
from application.batches.close import close
from application.batches.seal import seal
from application.batches.start import start
from application.registration.register import register
from tests.adapters.test_service_errors import refusal
from tests.functions.cloud import answering, crash
from tests.functions.world import NAME, World, csv, documents


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK retry without waiting."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@contextmanager
def refusing(operation: str, times: int, code: str, status: int) -> Iterator[list[str]]:
    """Answer the first requests of an operation with an error; gives the tokens of all."""
    tokens: list[str] = []

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        body: Any = request.body
        tokens.append(json.loads(body).get("ClientRequestToken", ""))
        return refusal(code, status) if len(tokens) <= times else None

    events: Any = client("comprehend").meta.events
    name = f"before-send.comprehend.{operation}"
    events.register_first(name, send)
    try:
        yield tokens
    finally:
        events.unregister(name, send)


@pytest.mark.parametrize(
    ("times", "code", "status"),
    [(3, "TooManyRequestsException", 429), (2, "InternalServerException", 500)],
)
def test_one_iteration_is_started_when_the_service_answers_at_last(
    world: World, times: int, code: str, status: int
) -> None:
    """The SDK asks again under our token, and the ledger books one."""
    world.upload("monday.csv", documents(4))
    world.sealed()
    with refusing("StartFlywheelIteration", times, code, status) as tokens:
        assert world.start()["is_started"]
    assert len(tokens) == times + 1
    assert len(set(tokens)) == 1
    assert tokens[0]
    found = list(world.services.comprehend(world.flywheel_arn).iterations())
    assert [iteration.id for iteration in found] == [world.batch().iteration_id]


def test_our_iteration_is_adopted_when_our_clock_is_ahead_of_the_services(world: World) -> None:
    """Which iteration is ours is said by the ledger and the service, not by our clock."""
    ahead = replace(world.services, now=lambda: world.now() + timedelta(hours=1))
    for number in (1, 2):
        body = csv(documents(8, first=50 * number))
        register(ahead, world.put(f"{NAME}/train/{number}.csv", body), 1)
        seal(ahead, NAME, number)
        world.await_datasets(number)
        if number == 1:
            start(ahead, NAME, number)
            world.settle()
            close(ahead, NAME, number, error="Stopped")
            world.clock.advance(1)
    with crash("comprehend", "StartFlywheelIteration", when="after-call"):
        start(ahead, NAME, 2)
    with answering("comprehend", "StartFlywheelIteration", code="ResourceInUseException"):
        answer = start(ahead, NAME, 2)
    assert answer["is_started"]
    assert answer["iteration_id"] != world.batch(1).iteration_id
