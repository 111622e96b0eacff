"""Forwards the requests of a service to the server that serves it.

The gap: with one endpoint for all services, moto also receives requests to services of another
server, and would answer from a state of its own. Decides by the service that a request is signed
for. The request is sent unchanged, so that its signature stays valid, and is authorized where it
arrives. Must not know any operation. Read next: request_gate.py, which verifies it before.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from local_cloud.access.refusals import Application, Environ, StartResponse
from local_cloud.access.request_gate import received_request, signer_of

_NOT_FORWARDED = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_NOT_RETURNED = frozenset({"connection", "keep-alive", "date", "server"})


class Forwarding:
    """A WSGI application that forwards the requests of some services.

    Parameters
    ----------
    application : Application
        Serves all other requests.
    endpoints : mapping of str to str
        The URL of the server, by the name of the service in a signature.
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
                if name.lower() not in _NOT_FORWARDED:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", environ["CONTENT_LENGTH"])
            connection.endheaders(environ["wsgi.input"].read())
            # A response that never comes ends the caller's connection, too.
            answer = connection.getresponse()
            body = answer.read()
        headers = [each for each in answer.getheaders() if each[0].lower() not in _NOT_RETURNED]
        start_response(f"{answer.status} {answer.reason}", headers)
        return [body]
