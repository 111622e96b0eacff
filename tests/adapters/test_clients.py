"""The clients' limits: a hanging call ends as an error, long before its function is killed."""

from typing import Any

from adapters.clients import client
from tests.functions.cloud import Cloud


def test_a_call_gives_up_in_time_when_nothing_answers(cloud: Cloud) -> None:
    """All tries of a call take less than the quickest function's two minutes."""
    assert cloud
    clients: list[Any] = [client("comprehend"), client("dynamodb"), client("s3"), client("sns")]
    for made in clients:
        limits = made.meta.config
        assert (limits.connect_timeout, limits.read_timeout) == (3, 10)
        assert limits.retries == {"mode": "standard", "total_max_attempts": 4}
