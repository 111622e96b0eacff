"""The HTTP server, asked without boto3."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from email.message import Message
from urllib.parse import urlsplit

import pytest

from comprehend_engine.api.protocol import Operation, Protocol
from comprehend_engine.api.server import MAX_BODY_BYTES, Server, _Handler

HEADERS = {"X-Amz-Target": "Comprehend_20171127.ListFlywheels"}


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve one operation that answers an empty list."""
    operations: dict[str, Operation] = {"ListFlywheels": lambda _: {"FlywheelSummaryList": []}}
    server = Server(Protocol(operations, "us-east-1"), 0)
    server.start()
    yield server
    server.stop()


def connection(server: Server) -> http.client.HTTPConnection:
    """Connect to a server."""
    return http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)


def test_a_connection_is_kept_when_it_is_used_again(server: Server) -> None:
    """Each answer has its own request id."""
    with closing(connection(server)) as client:
        ids, sockets = set(), set()
        for _ in range(2):
            client.request("POST", "/", body=b"{}", headers=HEADERS)
            answer = client.getresponse()
            assert (answer.status, json.loads(answer.read())) == (200, {"FlywheelSummaryList": []})
            ids.add(answer.headers["x-amzn-RequestId"])
            sockets.add(client.sock)
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


def exchanged(server: Server, request: bytes) -> bytes:
    """Send bytes, and no more; return all that is answered until the connection ends."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connected:
        connected.sendall(request)
        connected.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connected.recv(65536), b""))


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        (b"POST", CHUNKED),
        (b"GET", CHUNKED),
        (b"POST", b"Content-Length: 2\r\n" + CHUNKED),
        (b"POST", b"Transfer-Encoding: gzip\r\n\r\n{}"),
        (b"POST", b"Content-Length: 10\r\n\r\n{}"),
        (b"POST", b"Content-Length: -2\r\n\r\n{}"),
        (b"POST", b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        (b"POST", b"\r\n{}"),
    ],
)
def test_one_request_is_refused_when_its_end_is_not_known(
    server: Server, method: bytes, rest: bytes
) -> None:
    """What follows is no second request: the connection ends after the refusal."""
    answer = exchanged(server, method + b" / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + rest)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"InvalidRequestException" in answer


def test_a_client_is_not_waited_for_when_it_falls_silent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that is shorter than announced holds no thread for ever."""
    monkeypatch.setattr(_Handler, "timeout", 0.01)
    with closing(connection(server)) as silent:
        silent.putrequest("POST", "/")
        silent.putheader("Content-Length", "10")
        silent.endheaders(b"{}")
        answer = silent.getresponse()
        assert (answer.status, b"in time" in answer.read()) == (400, True)


def test_the_refusal_arrives_when_the_body_is_too_large(server: Server) -> None:
    """A client that sends all of it before it reads is answered, and not cut off."""
    body = b"x" * (MAX_BODY_BYTES + 4 * 1024 * 1024)
    with closing(connection(server)) as refused:
        refused.request("POST", "/", body=body, headers=HEADERS)
        answer = refused.getresponse()
        document = json.loads(answer.read())
    assert (answer.status, document["__type"]) == (400, "InvalidRequestException")


def test_a_request_is_refused_by_name_when_it_is_signed_for_another_region(
    server: Server,
) -> None:
    """The answer names both regions, and what to set."""
    scope = "AKIA/20261130/eu-west-1/comprehend/aws4_request"
    headers = {**HEADERS, "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0"}
    with closing(connection(server)) as refused:
        refused.request("POST", "/", body=b"{}", headers=headers)
        answer = refused.getresponse()
        document = json.loads(answer.read())
    assert (answer.status, document["__type"]) == (400, "InvalidSignatureException")
    assert "eu-west-1" in document["Message"]
    assert "us-east-1" in document["Message"]


def test_everybody_is_refused_when_no_signature_is_right() -> None:
    """What verifies signatures is asked with the request as it was sent, and its answer counts."""
    asked = []

    def fault(method: str, target: str, headers: Message, body: bytes) -> tuple[str, str]:
        asked.append((method, target, headers["X-Amz-Target"], body))
        return "MissingAuthenticationTokenException", "The request is not signed."

    server = Server(Protocol({}, "us-east-1"), 0, authentication=fault)
    server.start()
    with closing(connection(server)) as refused:
        refused.request("POST", "/?a=b", body=b"{}", headers=HEADERS)
        document = json.loads(refused.getresponse().read())
    server.stop()
    assert asked == [("POST", "/?a=b", HEADERS["X-Amz-Target"], b"{}")]
    assert document["__type"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    "foreign",
    [
        {"Host": "elsewhere.example:4577"},
        {"Host": "127.0.0.1.elsewhere.example"},
        {"Host": "["},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_a_request_is_refused_when_a_browser_was_led_here(
    server: Server, foreign: dict[str, str]
) -> None:
    """Neither from another site, nor under another site's name."""
    (name,) = foreign
    with closing(connection(server)) as refused:
        refused.request("POST", "/", body=b"{}", headers={**HEADERS, **foreign})
        answer = refused.getresponse()
        document = json.loads(answer.read())
    assert (answer.status, document["__type"]) == (400, "AccessDeniedException")
    assert f"{name} is {foreign[name]!r}" in document["Message"]


@pytest.mark.parametrize(
    "foreign", [{"Host": "localhost:4577"}, {"Host": "[::1]"}, {"Origin": "http://localhost:3000"}]
)
def test_a_request_is_answered_when_it_names_this_machine(
    server: Server, foreign: dict[str, str]
) -> None:
    """By any of its names, from any of its ports."""
    with closing(connection(server)) as client:
        client.request("POST", "/", body=b"{}", headers={**HEADERS, **foreign})
        assert client.getresponse().status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "OPTIONS"])
def test_a_method_is_refused_in_json_when_it_is_not_post(server: Server, method: str) -> None:
    """The connection stays open: a response to HEAD has no body."""
    with closing(connection(server)) as client:
        for _ in range(2):
            client.request(method, "/")
            answer = client.getresponse()
            body = answer.read()
            assert (answer.status, answer.headers["Content-Type"]) == (
                400,
                "application/x-amz-json-1.1",
            )
            assert bool(body) != (method == "HEAD")


def test_open_connections_end_when_the_server_stops() -> None:
    """A client with an open connection cannot delay a stop."""
    server = Server(Protocol({}, "us-east-1"), 0)
    server.start()
    with closing(connection(server)) as client:
        client.request("POST", "/", body=b"{}")
        client.getresponse().read()
        idle = client.sock
        server.stop()
        assert idle.recv(1) == b""


def test_starting_is_refused_when_the_port_is_taken(server: Server) -> None:
    """Two engines never answer at one address."""
    with pytest.raises(OSError, match="in use"):
        Server(Protocol({}, "us-east-1"), urlsplit(server.url).port or 0)
