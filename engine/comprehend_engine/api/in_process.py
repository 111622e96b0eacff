"""A client's calls answered in its own process: the same wire, without a connection.

boto3 spells, signs and reads every call as ever; in place of a socket the request goes to the
protocol. For programs that make many calls, or may open no socket. Read next:
`comprehend_engine.api.protocol`.
"""

from collections.abc import Iterator
from email.message import Message
from typing import TYPE_CHECKING

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from comprehend_engine.api.protocol import Protocol

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient


def attach(client: "ComprehendClient", protocol: Protocol) -> None:
    """Have a protocol answer a client's calls; for as long as the client lives."""

    def answered(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        headers = Message()
        for name, value in request.headers.items():
            headers[name] = value.decode() if isinstance(value, bytes) else value
        answer = protocol.answer(headers, _content(request.body))
        if answer.is_dropped:
            raise ConnectionClosedError(endpoint_url=request.url)
        told = HTTPHeaders()
        told["Content-Type"] = answer.content_type
        return AWSResponse(request.url, answer.status, told, _Body(answer.body))

    client.meta.events.register_first("before-send.comprehend", answered)  # type: ignore[arg-type] # botocore takes what a handler returns for the answer


def _content(body: object) -> bytes:
    """Return a request's body: JSON, which botocore has as text or as bytes."""
    return body.encode() if isinstance(body, str) else bytes(body or b"")  # type: ignore[call-overload] # no file is ever sent


class _Body:
    """What botocore reads an answer from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content
