"""How what a service answers becomes this project's errors, over the whole way of a response."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from adapters.service_errors import translate_aws_errors
from flywheel.errors import ServiceBusyError, ServiceRefusedError
from tests.functions.cloud import empty_cloud


class _Raw:
    """A body as it comes from a connection."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Give the body."""
        yield self._body


@contextmanager
def comprehend_answering(answer: AWSResponse | Exception) -> Iterator[Any]:
    """Have a client that asks once and gets this answer from the wire."""

    def send(**_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with empty_cloud("http://127.0.0.1:9"):
        comprehend = boto3.client("comprehend", config=Config(retries={"total_max_attempts": 1}))
        comprehend.meta.events.register_first("before-send.comprehend", send)
        yield comprehend
        comprehend.close()


def refusal(code: str, status: int, member: str = "Message") -> AWSResponse:
    """Return an error as Comprehend sends it."""
    body = json.dumps({"__type": code, member: "told by the service"}).encode()
    headers = HTTPHeaders()
    headers["Content-Type"] = "application/x-amz-json-1.1"
    return AWSResponse("http://127.0.0.1:9/", status, headers, _Raw(body))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("TooManyRequestsException", 429),
        ("InternalServerException", 500),
        ("SomethingNew", 503),
        ("ServiceUnavailable", 503),
        ("RequestTimeout", 400),
    ],
)
def test_it_is_busy_when_the_same_call_may_succeed_later(code: str, status: int) -> None:
    """By its code, or by a server's status."""
    answer = refusal(code, status)
    with (
        comprehend_answering(answer) as comprehend,
        pytest.raises(ServiceBusyError) as busy,
        translate_aws_errors("comprehend:DescribeFlywheel"),
    ):
        comprehend.describe_flywheel(FlywheelArn="x")
    assert (busy.value.operation, busy.value.code) == ("comprehend:DescribeFlywheel", code)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url="http://127.0.0.1:9/"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:9/"),
    ],
)
def test_it_is_busy_when_no_answer_came(error: Exception) -> None:
    """Nobody knows whether the call was carried out; every call may be repeated."""
    with (
        comprehend_answering(error) as comprehend,
        pytest.raises(ServiceBusyError) as busy,
        translate_aws_errors("comprehend:DescribeFlywheel"),
    ):
        comprehend.describe_flywheel(FlywheelArn="x")
    assert busy.value.code == type(error).__name__


@pytest.mark.parametrize("member", ["Message", "message"])
@pytest.mark.parametrize(
    "code",
    ["ResourceNotFoundException", "AccessDeniedException", "ResourceLimitExceededException"],
)
def test_it_is_refused_when_a_person_must_act(code: str, member: str) -> None:
    """The code and the service's own message are passed on, however it is spelled."""
    answer = refusal(code, 400, member)
    with (
        comprehend_answering(answer) as comprehend,
        pytest.raises(ServiceRefusedError) as refused,
        translate_aws_errors("comprehend:DescribeFlywheel"),
    ):
        comprehend.describe_flywheel(FlywheelArn="x")
    assert (refused.value.code, refused.value.detail) == (code, "told by the service")


def test_other_errors_pass_when_no_service_raised_them() -> None:
    """A defect is not turned into trouble of a service."""
    with pytest.raises(KeyError), translate_aws_errors("comprehend:DescribeFlywheel"):
        raise KeyError("defect")


def test_a_request_is_refused_when_the_sdk_does_not_send_it() -> None:
    """It would be no better the next time."""
    with empty_cloud("http://127.0.0.1:9"), pytest.raises(ServiceRefusedError, match="FlywheelArn"):
        comprehend: Any = boto3.client("comprehend")
        with translate_aws_errors("comprehend:DescribeFlywheel"):
            comprehend.describe_flywheel()
