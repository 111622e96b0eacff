"""The HTTP server, asked without boto3."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from local.comprehend.protocol import Protocol
from local.comprehend.server import MAX_BODY_BYTES, Server

HEADERS = {"X-Amz-Target": "Comprehend_20171127.ListFlywheels"}


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve one operation that answers an empty list."""
    server = Server(Protocol({"ListFlywheels": lambda _: {"FlywheelSummaryList": []}}), 0)
    server.start()
    yield server
    server.stop()


def connection(server: Server) -> http.client.HTTPConnection:
    """Connect to a server."""
    return http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)


def test_a_connection_is_kept_when_it_is_used_again(server: Server) -> None:
    """Each answer has its own request id."""
    with closing(connection(server)) as kept:
        ids, sockets = set(), set()
        for _ in range(2):
            kept.request("POST", "/", body=b"{}", headers=HEADERS)
            answer = kept.getresponse()
            assert (answer.status, json.loads(answer.read())) == (200, {"FlywheelSummaryList": []})
            ids.add(answer.headers["x-amzn-RequestId"])
            sockets.add(kept.sock)
    assert (len(ids), len(sockets)) == (2, 1)


@pytest.mark.parametrize("length", ["", "many", "\xb2", str(MAX_BODY_BYTES + 1)])
def test_a_request_is_refused_when_its_length_is_not_accepted(server: Server, length: str) -> None:
    """The body is not read, and the connection ends."""
    with closing(connection(server)) as refused:
        refused.putrequest("POST", "/")
        refused.putheader("Content-Length", length)
        refused.endheaders()
        answer = refused.getresponse()
        assert answer.status == 400
        assert "Content-Length" in json.loads(answer.read())["Message"]


@pytest.mark.parametrize(
    "told",
    [
        {"Host": "elsewhere.example:4577"},
        {"Host": "127.0.0.1.elsewhere.example"},
        {"Host": "["},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_a_request_is_refused_when_a_browser_was_led_here(
    server: Server, told: dict[str, str]
) -> None:
    """Neither from another site, nor under another site's name."""
    (name,) = told
    with closing(connection(server)) as refused:
        refused.request("POST", "/", body=b"{}", headers={**HEADERS, **told})
        answer = refused.getresponse()
        document = json.loads(answer.read())
    assert (answer.status, document["__type"]) == (400, "AccessDeniedException")
    assert f"{name} is {told[name]!r}" in document["Message"]


@pytest.mark.parametrize(
    "told", [{"Host": "localhost:4577"}, {"Host": "[::1]"}, {"Origin": "http://localhost:3000"}]
)
def test_a_request_is_answered_when_it_names_this_machine(
    server: Server, told: dict[str, str]
) -> None:
    """By any of its names, from any of its ports."""
    with closing(connection(server)) as kept:
        kept.request("POST", "/", body=b"{}", headers={**HEADERS, **told})
        assert kept.getresponse().status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "OPTIONS"])
def test_a_method_is_refused_in_json_when_it_is_not_post(server: Server, method: str) -> None:
    """And the connection is kept: an answer to HEAD has no body that the next one would follow."""
    with closing(connection(server)) as kept:
        for _ in range(2):
            kept.request(method, "/")
            answer = kept.getresponse()
            body = answer.read()
            assert (answer.status, answer.headers["Content-Type"]) == (
                400,
                "application/x-amz-json-1.1",
            )
            assert bool(body) != (method == "HEAD")


def test_open_connections_end_when_the_server_stops() -> None:
    """A client that keeps its connection cannot hold up a stop."""
    server = Server(Protocol({}), 0)
    server.start()
    with closing(connection(server)) as kept:
        kept.request("POST", "/", body=b"{}")
        kept.getresponse().read()
        idle = kept.sock
        server.stop()
        assert idle.recv(1) == b""


def test_starting_is_refused_when_the_port_is_taken(server: Server) -> None:
    """Two engines never answer at one address."""
    with pytest.raises(OSError, match="in use"):
        Server(Protocol({}), urlsplit(server.url).port or 0)
