"""The gate before moto's HTTP application: only signed requests of this machine pass.

The gap: moto serves every caller, allows pages of every site to read its responses, and lets every
caller reset it. It reads a body of whatever length a header names, without a time limit. Decides
which requests pass: none of a web page, none without the secret of a key, none on moto's own paths,
none with an incomplete body. Must not know permissions. Read next: signatures.py, then
iam_enforcement.py, which receives the requests.

Notes
-----
*Source*: RFC 9112, "Message Body Length"; Amazon S3 API Reference, "Error responses".
"""

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from moto.core.request import Request

from comprehend_engine.api.loopback import foreign_header
from local_cloud.access.refusals import (
    ACCESS_DENIED,
    INCOMPLETE_BODY,
    MALFORMED_REQUEST,
    MISSING_LENGTH,
    SILENT_CLIENT,
    TOO_LARGE,
    Application,
    Environ,
    StartResponse,
    refused,
)
from local_cloud.access.signatures import (
    CredentialsOf,
    ReceivedRequest,
    RefusedRequestError,
    Signer,
    claimed_service,
    verified_signer,
)

_SIGNER = "local.signer"
_CLOSED_PATHS = ("/moto-api", "/latest/", "/favicon.ico")
"""Paths of moto itself and of an instance's metadata; no service of AWS has them."""

_BROWSER_HEADERS = "access-control-"
_PIECE_BYTES = 1024 * 1024
_MOST_BYTES = {"s3": 5 * 1024**3}
_MOST_BYTES_ELSEWHERE = 96 * 1024**2
"""More than any other service accepts: CreateFunction has a zip file of 50 MB, as Base64."""

_METHODS_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})


class RequestGate:
    """A WSGI application that passes on the requests that a program of this machine signed.

    Parameters
    ----------
    application : Application
        Serves the requests that pass.
    credentials_of : callable
        Returns the credentials with an access key id.
    """

    def __init__(self, application: Application, credentials_of: CredentialsOf) -> None:
        self._application = application
        self._credentials_of = credentials_of

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if closed := _reason_to_refuse(environ):
            return refused(environ, start_response, "", ACCESS_DENIED, closed)
        request = received_request(environ)
        service = claimed_service(request)
        try:
            request = replace(request, body=_read_body(environ, service))
            environ[_SIGNER] = verified_signer(request, self._credentials_of)
        except RefusedRequestError as error:
            return refused(environ, start_response, service, error.code, str(error))
        _replace_body(environ, request.body)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            passed = [each for each in headers if not each[0].lower().startswith(_BROWSER_HEADERS)]
            return start_response(status, passed, *rest)

        return self._application(environ, start)


def signer_of(environ: Environ) -> Signer:
    """Return the signer of a request that passed the gate."""
    signer: Signer = environ[_SIGNER]
    return signer


def received_request(environ: Environ) -> ReceivedRequest:
    """Return a request as it arrived, without its body."""
    headers = tuple(Request(environ).headers)
    return ReceivedRequest(environ["REQUEST_METHOD"], environ["REQUEST_URI"], headers, b"")


def _replace_body(environ: Environ, body: bytes) -> None:
    """Give the next application the body unread, and in one piece."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _reason_to_refuse(environ: Environ) -> str:
    """Return why a request is refused for every signer; empty where it is not."""
    foreign = foreign_header(environ.get("HTTP_HOST"), environ.get("HTTP_ORIGIN"))
    if foreign:
        return f"{foreign}; the local cloud only serves programs on this machine."
    if environ["PATH_INFO"].startswith(_CLOSED_PATHS) or environ["REQUEST_URI"][:1] != "/":
        return f"{environ['PATH_INFO']} is not a path of an AWS service."
    return ""


def _read_body(environ: Environ, service: str) -> bytes:
    """Return a request's body: as much as was announced, at most what a service accepts."""
    announced = _announced_bytes(environ)
    most = _MOST_BYTES.get(service, _MOST_BYTES_ELSEWHERE)
    pieces: list[bytes] = []
    received = 0
    while announced is None or received < announced:
        if max(received, announced or 0) > most:
            raise RefusedRequestError(TOO_LARGE, f"The body has more than {most} bytes.")
        left = _PIECE_BYTES if announced is None else announced - received
        piece = _next_piece(environ, min(left, _PIECE_BYTES))
        if not piece:
            break
        pieces.append(piece)
        received += len(piece)
    if announced is not None and received < announced:
        message = f"The body has {received} bytes, where Content-Length announces {announced}."
        raise RefusedRequestError(INCOMPLETE_BODY, message)
    return b"".join(pieces)


def _announced_bytes(environ: Environ) -> int | None:
    """Return the body's length; None where it comes in chunks, which mark their end."""
    encoding = environ.get("HTTP_TRANSFER_ENCODING")
    if encoding is not None:
        if encoding.strip().lower() != "chunked":
            message = f"Transfer-Encoding {encoding!r} is not served; chunked is."
            raise RefusedRequestError(MALFORMED_REQUEST, message)
        return None
    length = environ.get("CONTENT_LENGTH")
    if length is None:
        if environ["REQUEST_METHOD"] in _METHODS_WITH_BODY:
            message = "You must provide the Content-Length HTTP header."
            raise RefusedRequestError(MISSING_LENGTH, message)
        return 0
    if not (length.isascii() and length.isdecimal()):
        message = f"Content-Length {length!r} is not a number of bytes."
        raise RefusedRequestError(MALFORMED_REQUEST, message)
    return int(length)


def _next_piece(environ: Environ, most_bytes: int) -> bytes:
    try:
        piece: bytes = environ["wsgi.input"].read(most_bytes)
    except TimeoutError as error:
        message = "The rest of the body did not arrive in time."
        raise RefusedRequestError(SILENT_CLIENT, message) from error
    except (OSError, ValueError) as error:  # werkzeug raises these for an invalid chunk
        message = f"The body cannot be read: {error}."
        raise RefusedRequestError(MALFORMED_REQUEST, message) from error
    return piece
