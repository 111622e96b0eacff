"""An engine that tests with names of their own may use together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from comprehend_engine.settings import Quotas
from engine_testing.rig import Rig, running
from engine_testing.s3_server import s3

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

__all__ = ["rig", "s3"]


@pytest.fixture(scope="package")
def rig(s3: "S3Client", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Run an engine whose states pass as fast as its work, for tests that use no quota up."""
    # All these tests together have more flywheels than an account may.
    quotas = Quotas(flywheels=1000)
    with running(tmp_path_factory.mktemp("engine"), s3, quotas=quotas) as rig:
        yield rig
