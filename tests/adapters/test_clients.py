"""The clients' limits: a hanging call ends as an error, long before its function is killed."""

from typing import Any

from adapters.clients import client
from tests.functions.cloud import Cloud
from tests.stack_template import function_timeouts


def test_a_call_gives_up_in_time_when_nothing_answers(cloud: Cloud) -> None:
    """All tries of a call take less time than any function has."""
    assert cloud
    clients: list[Any] = [client("comprehend"), client("dynamodb"), client("s3"), client("sns")]
    for made in clients:
        limits = made.meta.config
        assert limits.retries["mode"] == "standard"
        seconds = limits.connect_timeout + limits.read_timeout
        assert seconds * limits.retries["total_max_attempts"] < min(function_timeouts().values())
