"""Fixtures for the tests of other projects: a running engine, and boto3 clients that find it.

Decides nothing about the engine. A project can override two fixtures: the settings, and the S3 that
the engine reads. pytest imports this module wherever the package is installed, so the engine itself
is imported by the first test that uses a fixture. Read next: the README, which shows how.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from comprehend_engine.engine import Engine, EngineSettings
    from comprehend_engine.storage.data_lake import S3ClientForRole


@pytest.fixture(scope="session")
def comprehend_engine_settings(tmp_path_factory: pytest.TempPathFactory) -> "EngineSettings":
    """Set the engine: states last as long as their work, and faults can be injected."""
    from comprehend_engine.serving import ambient_region  # noqa: PLC0415 - see above
    from comprehend_engine.settings import EngineSettings  # noqa: PLC0415 - see above

    return EngineSettings(
        data_directory=tmp_path_factory.mktemp("comprehend-engine"),
        region=ambient_region(),
        pace_seconds=0.0,
        allows_faults=True,
    )


@pytest.fixture(scope="session")
def comprehend_engine_s3() -> "S3ClientForRole":
    """Give the engine its S3: the one that boto3 finds, AWS_ENDPOINT_URL_S3 included."""
    from comprehend_engine.serving import ambient_s3  # noqa: PLC0415 - see above

    return ambient_s3()


@pytest.fixture(scope="session")
def comprehend_engine(
    comprehend_engine_settings: "EngineSettings", comprehend_engine_s3: "S3ClientForRole"
) -> "Iterator[Engine]":
    """Run an engine for the session; AWS_ENDPOINT_URL_COMPREHEND has its address meanwhile."""
    from comprehend_engine.engine import Engine  # noqa: PLC0415 - see above

    with (
        Engine(comprehend_engine_settings, s3_client_for_role=comprehend_engine_s3) as engine,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL_COMPREHEND", engine.url)
        yield engine
