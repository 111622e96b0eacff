"""A boto3 client's calls answered in its own process: the same protocol, without a connection.

boto3 builds, signs and parses every call as usual, but the request goes to the protocol in place of
a socket. For programs that make many calls, or must not open a socket. Read next:
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
    """Answer all calls of a client with a protocol, from now on."""

    def answered(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        headers = Message()
        for name, value in request.headers.items():
            headers[name] = value.decode() if isinstance(value, bytes) else value
        answer = protocol.answer(headers, _content(request.body))
        if answer.is_dropped:
            raise ConnectionClosedError(endpoint_url=request.url)
        response_headers = HTTPHeaders()
        response_headers["Content-Type"] = answer.content_type
        return AWSResponse(request.url, answer.status, response_headers, _Body(answer.body))

    client.meta.events.register_first("before-send.comprehend", answered)  # type: ignore[arg-type] # botocore uses the handler's return value as the response


def _content(body: object) -> bytes:
    """Return a request's body as bytes; botocore has JSON as text or as bytes."""
    return body.encode() if isinstance(body, str) else bytes(body or b"")  # type: ignore[call-overload] # the body is never a file


class _Body:
    """The raw response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content
