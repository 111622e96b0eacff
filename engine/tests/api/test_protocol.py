"""The wire, without a socket."""

import json
from collections.abc import Mapping
from email.message import Message
from typing import Any

import pytest

from comprehend_engine.api.protocol import HttpResponse, Operation, Protocol
from comprehend_engine.errors import ServiceError

ARN = "arn:aws:comprehend:us-east-1:123456789012:flywheel/f"


def ask(
    operation: Operation,
    *,
    target: str = "Comprehend_20171127.DescribeFlywheel",
    body: str = json.dumps({"FlywheelArn": ARN}),
    **headers: str,
) -> HttpResponse:
    """Call a protocol that only serves DescribeFlywheel."""
    message = Message()
    message["X-Amz-Target"] = target
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return Protocol({"DescribeFlywheel": operation}, "us-east-1").answer(message, body.encode())


def error(answer: HttpResponse) -> tuple[int, str, str]:
    """Return status, code and message of an error."""
    document = json.loads(answer.body)
    return answer.status, document["__type"], document["Message"]


def answers(response: Mapping[str, Any]) -> Operation:
    """Make an operation that always answers the same."""
    return lambda _: response


def refuses(code: str) -> Operation:
    """Make an operation that always refuses."""

    def operation(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ServiceError(code, "no")

    return operation


def test_absent_members_are_left_out_when_a_response_is_spelled() -> None:
    """Null never travels."""
    answer = ask(answers({"FlywheelProperties": {"FlywheelArn": ARN, "Message": None}}))
    assert (answer.status, json.loads(answer.body)) == (
        200,
        {"FlywheelProperties": {"FlywheelArn": ARN}},
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [("ResourceNotFoundException", 404), ("TooManyRequestsException", 429)],
)
def test_the_status_is_the_models_when_an_operation_refuses(code: str, status: int) -> None:
    """It comes with the error's shape."""
    assert error(ask(refuses(code))) == (status, code, "no")


def test_the_engine_fails_loudly_when_an_error_is_not_declared() -> None:
    """DescribeFlywheel declares no ResourceInUseException."""
    assert error(ask(refuses("ResourceInUseException")))[:2] == (500, "InternalServerException")


@pytest.mark.parametrize(
    "response", [{"FlywheelProperties": {"Status": "READY"}}, {"Flywheel": {}}, {"a": object()}]
)
def test_the_engine_fails_loudly_when_a_response_has_not_its_shape(
    response: Mapping[str, Any],
) -> None:
    """A response that the service could not send is never sent."""
    assert error(ask(answers(response)))[:2] == (500, "InternalServerException")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"target": "Comprehend_20171127.DetectSentiment"}, "DetectSentiment is not served here"),
        ({"target": "Comprehend_20171127.Nothing"}, "names no operation"),
        ({"target": "Other_1.DescribeFlywheel"}, "names no operation"),
        ({"target": ""}, "names no operation"),
    ],
)
def test_what_is_served_is_told_when_a_request_asks_for_something_else(
    request_: dict[str, Any], expected: str
) -> None:
    """Unknown and unserved operations have different messages."""
    status, code, message = error(ask(answers({}), **request_))
    assert (status, code) == (400, "UnknownOperationException")
    assert expected in message
    assert "Served here, as AWS JSON 1.1: DescribeFlywheel." in message


def test_the_protocol_is_named_when_another_one_is_spoken() -> None:
    """CBOR, which botocore's model lists before JSON, is refused in words."""
    assert error(ask(answers({}), smithy_protocol="rpc-v2-cbor")) == (
        400,
        "UnknownOperationException",
        "AWS JSON 1.1 is served here, not rpc-v2-cbor.",
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, "nested too deeply"),
        ('{"FlywheelArn": NaN}', "NaN is not a number"),
        ('{"FlywheelArn": "\\ud800"}', "surrogates not allowed"),
        ("{}", "1 validation error detected: Value 'null' at 'FlywheelArn'"),
        ('{"FlywheelArn": "x", "More": 1}', "2 validation errors detected"),
    ],
)
def test_a_request_is_invalid_when_it_does_not_fit_the_model(body: str, expected: str) -> None:
    """The response has all problems at once."""
    status, code, message = error(ask(answers({}), body=body))
    assert (status, code) == (400, "InvalidRequestException")
    assert expected in message
