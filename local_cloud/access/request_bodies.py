"""Reads a request's body: as much as was announced, at most what a service takes.

The gap: moto's server reads whatever length a header names, and waits for it for ever. Decides
which lengths are none. Must not know who sends, nor how a refusal is spelled. Read next:
request_gate.py, which refuses, and server.py, which ends the wait for a silent client.

Notes
-----
*Source*: RFC 9112, "Message Body Length"; Amazon S3 API Reference, "Error responses".
"""

from local_cloud.access.refusals import (
    INCOMPLETE_BODY,
    MALFORMED_REQUEST,
    MISSING_LENGTH,
    SILENT_CLIENT,
    TOO_LARGE,
    Environ,
)

_PIECE_BYTES = 1024 * 1024
_MOST_BYTES = {"s3": 5 * 1024**3}
_MOST_BYTES_ELSEWHERE = 96 * 1024**2
"""More than any other service takes: CreateFunction has a zip file of 50 MB, as Base64."""

_METHODS_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})


class UnreadableBodyError(Exception):
    """A request's body is not what its headers announce; whoever sends it repairs it.

    Parameters
    ----------
    code : str
        One of those of `local_cloud.access.refusals`.
    message : str
        What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_body(environ: Environ, service: str) -> bytes:
    """Return a request's body.

    Parameters
    ----------
    environ
        Of WSGI.
    service : str
        The service that the request is meant for.

    Raises
    ------
    UnreadableBodyError
        Its length is missing, wrong or too large, or less came than was announced.
    """
    announced = _announced_bytes(environ)
    most = _MOST_BYTES.get(service, _MOST_BYTES_ELSEWHERE)
    pieces: list[bytes] = []
    received = 0
    while announced is None or received < announced:
        if max(received, announced or 0) > most:
            raise UnreadableBodyError(TOO_LARGE, f"The body has more than {most} bytes.")
        left = _PIECE_BYTES if announced is None else announced - received
        piece = _next_piece(environ, min(left, _PIECE_BYTES))
        if not piece:
            break
        pieces.append(piece)
        received += len(piece)
    if announced is not None and received < announced:
        message = f"The body has {received} bytes, where Content-Length announces {announced}."
        raise UnreadableBodyError(INCOMPLETE_BODY, message)
    return b"".join(pieces)


def _announced_bytes(environ: Environ) -> int | None:
    """Return the body's length; None where it comes in chunks, of which the last one says so."""
    encoding = environ.get("HTTP_TRANSFER_ENCODING")
    if encoding is not None:
        if encoding.strip().lower() != "chunked":
            message = f"Transfer-Encoding {encoding!r} is not served; chunked is."
            raise UnreadableBodyError(MALFORMED_REQUEST, message)
        return None
    length = environ.get("CONTENT_LENGTH")
    if length is None:
        if environ["REQUEST_METHOD"] in _METHODS_WITH_BODY:
            message = "You must provide the Content-Length HTTP header."
            raise UnreadableBodyError(MISSING_LENGTH, message)
        return 0
    if not (length.isascii() and length.isdecimal()):
        message = f"Content-Length {length!r} is not a number of bytes."
        raise UnreadableBodyError(MALFORMED_REQUEST, message)
    return int(length)


def _next_piece(environ: Environ, most_bytes: int) -> bytes:
    try:
        piece: bytes = environ["wsgi.input"].read(most_bytes)
    except TimeoutError as error:
        message = "The rest of the body did not come in time."
        raise UnreadableBodyError(SILENT_CLIENT, message) from error
    except (OSError, ValueError) as error:  # what werkzeug raises of a chunk
        message = f"The body cannot be read: {error}."
        raise UnreadableBodyError(MALFORMED_REQUEST, message) from error
    return piece
