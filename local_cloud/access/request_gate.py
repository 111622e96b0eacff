"""Stands in front of moto's HTTP application: only signed requests of this machine pass.

The gap: moto answers everybody, tells browsers that every site may read its answers, and lets
every caller reset it. Decides who is answered at all: no web page that a browser shows, nobody
without the secret of a key, and nobody on moto's own paths. Must not know who may do what.
Read next: signatures.py, then iam_enforcement.py, which this passes requests on to.
"""

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from moto.core.request import Request

from comprehend_engine.api.loopback import foreign_header
from local_cloud.access.refusals import ACCESS_DENIED, Application, Environ, StartResponse, refused
from local_cloud.access.request_bodies import UnreadableBodyError, read_body
from local_cloud.access.signatures import (
    CredentialsOf,
    ReceivedRequest,
    Signer,
    UnverifiedRequestError,
    claimed_service,
    verified_signer,
)

ADAPTED = ("moto.core.request:Request",)
_SIGNER = "local.signer"
_CLOSED_PATHS = ("/moto-api", "/latest/", "/favicon.ico")
"""What moto answers for itself, or as the metadata of a machine: no service of AWS has them."""

_BROWSER_HEADERS = "access-control-"


class RequestGate:
    """A WSGI application that passes on what a program of this machine has signed.

    Parameters
    ----------
    application : Application
        What serves the requests that pass.
    credentials_of : callable
        Gives the credentials of an access key id.
    """

    def __init__(self, application: Application, credentials_of: CredentialsOf) -> None:
        self._application = application
        self._credentials_of = credentials_of

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        closed = _reason_to_refuse_anybody(environ)
        if closed:
            return refused(environ, start_response, "", ACCESS_DENIED, closed)
        request = received_request(environ)
        service = claimed_service(request)
        try:
            request = replace(request, body=read_body(environ, service))
            environ[_SIGNER] = verified_signer(request, self._credentials_of)
        except (UnreadableBodyError, UnverifiedRequestError) as error:
            return refused(environ, start_response, service, error.code, str(error))
        _put_back(environ, request.body)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept = [each for each in headers if not each[0].lower().startswith(_BROWSER_HEADERS)]
            return start_response(status, kept, *rest)

        return self._application(environ, start)


def signer_of(environ: Environ) -> Signer:
    """Return who signed a request that has passed the gate."""
    signer: Signer = environ[_SIGNER]
    return signer


def received_request(environ: Environ) -> ReceivedRequest:
    """Return a request as it arrived, but for its body."""
    headers = tuple(Request(environ).headers)
    return ReceivedRequest(environ["REQUEST_METHOD"], environ["REQUEST_URI"], headers, b"")


def _put_back(environ: Environ, body: bytes) -> None:
    """Let what comes after find the body unread, and in one piece."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _reason_to_refuse_anybody(environ: Environ) -> str:
    """Return why a request is refused whoever signed it; empty where nothing speaks against it."""
    foreign = foreign_header(environ.get("HTTP_HOST"), environ.get("HTTP_ORIGIN"))
    if foreign:
        return f"{foreign}; the local cloud answers programs of this machine alone."
    if environ["PATH_INFO"].startswith(_CLOSED_PATHS) or environ["REQUEST_URI"][:1] != "/":
        return f"{environ['PATH_INFO']} is no path of a service of AWS."
    return ""
