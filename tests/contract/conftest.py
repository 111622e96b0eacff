"""The engine by itself, reached in both ways, and an account as the functions' tests use it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from engine_testing.rig import Rig, running
from engine_testing.s3_server import s3
from tests.functions.conftest import clock, cloud, engine, world

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

__all__ = ["clock", "cloud", "engine", "rig", "s3", "world"]


@pytest.fixture(scope="package", params=["over HTTP", "in process"])
def mode(request: pytest.FixtureRequest) -> str:
    """Return how the client reaches the engine."""
    way: str = request.param
    return way


def reached(rig: Rig, mode: str) -> None:
    """Have the calls of a rig's client travel as the mode says."""
    if mode == "in process":
        rig.engine.attach(rig.comprehend)


@pytest.fixture(scope="package")
def rig(mode: str, s3: "S3Client", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Run an engine, and reach it over a connection or without one."""
    with running(tmp_path_factory.mktemp("engine"), s3, allows_faults=True) as rig:
        reached(rig, mode)
        yield rig
