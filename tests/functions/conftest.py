"""The world that functions work in: real clients, moto in this process, our engine over HTTP."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from comprehend_engine.clock import DrivenClock
from comprehend_engine.engine import Engine, EngineSettings, Quotas
from tests.functions.cloud import Cloud, running_cloud
from tests.functions.world import World, documents, running_world

# Powertools reads these when a handler's module is imported.
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "FlywheelLoop")

_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Models:
    """Two models that exist already; each knows half of the words."""

    champion: str
    other: str


@pytest.fixture(scope="session")
def clock() -> DrivenClock:
    """Give the one clock of functions and engine."""
    return DrivenClock()


@pytest.fixture(scope="session")
def engine(clock: DrivenClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Run the engine; its states last one second of the driven clock."""
    settings = EngineSettings(
        tmp_path_factory.mktemp("engine"),
        pace_seconds=1.0,
        quotas=Quotas(
            flywheels=_MANY,
            active_iterations=_MANY,
            endpoints=_MANY,
            inference_units=_MANY,
            min_documents_per_label=2,
        ),
    )
    with Engine(settings, s3_client_for_role=lambda _: boto3.client("s3"), clock=clock) as engine:
        yield engine


@pytest.fixture(scope="session")
def models(engine: Engine, clock: DrivenClock) -> Models:
    """Train two models that get better when they see the other half of the words."""
    with running_cloud(engine.url) as cloud, running_world(cloud, clock) as world:
        world.upload("first.csv", documents(6, words=["early"]))
        world.trained(1)
        world.compare(1)
        world.close(1)
        world.upload("second.csv", documents(6, first=50, words=["early"]))
        world.trained(2)
        comprehend = world.services.comprehend(world.flywheel_arn)
        one, two = (item.trained_model or "" for item in comprehend.iterations())
        return Models(one, two)


@pytest.fixture
def cloud(engine: Engine) -> Iterator[Cloud]:
    """Have a cloud with nothing in it."""
    with running_cloud(engine.url) as cloud:
        yield cloud


@pytest.fixture
def world(cloud: Cloud, clock: DrivenClock) -> Iterator[World]:
    """Have a new flywheel without a model."""
    with running_world(cloud, clock) as world:
        yield world


@pytest.fixture
def live_world(models: Models, cloud: Cloud, clock: DrivenClock) -> Iterator[World]:
    """Have a flywheel whose active model knows half of the words."""
    with running_world(cloud, clock, models.champion) as world:
        yield world


@pytest.fixture
def context() -> LambdaContext:
    """Give what Lambda passes beside the event."""
    context = LambdaContext()
    context._function_name = "function"
    context._memory_limit_in_mb = 512
    context._invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    context._aws_request_id = "5e9b5b0e-0000-4000-8000-000000000000"
    return context
