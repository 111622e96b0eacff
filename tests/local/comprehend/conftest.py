"""A real S3 server, and an engine that tests with names of their own may use together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from local.comprehend.settings import Quotas
from tests.local.comprehend.rig import BUCKET, Rig, client, running

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture(scope="package")
def s3() -> "Iterator[S3Client]":
    """Serve S3 for real, with the bucket that all data is in; yield a client."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    s3: S3Client = client("s3", f"http://{host}:{port}")
    s3.create_bucket(Bucket=BUCKET)
    yield s3
    s3.close()
    server.stop()


@pytest.fixture(scope="package")
def rig(s3: "S3Client", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Run an engine whose states pass as fast as its work, for tests that use no quota up."""
    # All these tests together have more flywheels than an account may.
    quotas = Quotas(flywheels=1000)
    with running(tmp_path_factory.mktemp("engine"), s3, quotas=quotas) as rig:
        yield rig
