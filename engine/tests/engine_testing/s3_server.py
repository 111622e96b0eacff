"""A real S3 server for an engine, as a fixture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from engine_testing.rig import BUCKET, client

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
