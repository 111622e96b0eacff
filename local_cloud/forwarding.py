"""Hands the requests of a service on to the server that serves it.

The gap: with one endpoint for all services a client sends to moto also what another server has,
and moto would answer from a second state. Decides by the service that a request is signed for.
The request goes on as it came, so that its signature stays right, and is judged where it arrives.
Must not know what is asked. Read next: request_gate.py, which verifies it before.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from local_cloud.access.refusals import Application, Environ, StartResponse
from local_cloud.access.request_gate import received_request, signer_of

_SENT_ANEW = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_ANSWERED_ANEW = frozenset({"connection", "keep-alive", "date", "server"})


class Forwarding:
    """A WSGI application that passes on what other servers do not serve.

    Parameters
    ----------
    application : Application
        What serves the rest.
    endpoints : mapping of str to str
        URL of the server, by the service as requests are signed for it.
    """

    def __init__(self, application: Application, endpoints: Mapping[str, str]) -> None:
        self._application = application
        self._endpoints = endpoints

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        endpoint = self._endpoints.get(signer_of(environ).service)
        if endpoint is None:
            return self._application(environ, start_response)
        request = received_request(environ)
        with closing(HTTPConnection(urlsplit(endpoint).netloc)) as connection:
            connection.putrequest(
                request.method, request.target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers:
                if name.lower() not in _SENT_ANEW:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", environ["CONTENT_LENGTH"])
            connection.endheaders(environ["wsgi.input"].read())
            # An answer that never comes ends the caller's connection, too.
            answer = connection.getresponse()
            body = answer.read()
        headers = [each for each in answer.getheaders() if each[0].lower() not in _ANSWERED_ANEW]
        start_response(f"{answer.status} {answer.reason}", headers)
        return [body]
