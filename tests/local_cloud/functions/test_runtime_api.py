"""Requests of other processes and of web pages to the port of a function's process."""

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest

from local_cloud.functions.runtime_api import Invocation, RuntimeApi

RUNTIME = "/2018-06-01/runtime"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    """Serve one execution environment."""
    api = RuntimeApi()
    yield api
    api.stop()


@pytest.fixture
def invocation(api: RuntimeApi) -> Invocation:
    """Return an event that waits for its process."""
    invocation = Invocation(b'{"secret": "event"}', "arn:aws:lambda:x", timeout_seconds=60)
    api.hand_over(invocation)
    return invocation


def sent(
    api: RuntimeApi,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Send a request and return the answer's status and body."""
    address = api.address.partition("/")[0]
    with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()


def own_path(api: RuntimeApi, call: str) -> str:
    """Return the path that the function's own process asks for."""
    return f"/{api.address.partition('/')[2]}{RUNTIME}/{call}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{RUNTIME}/invocation/next"),
        ("GET", f"/guess{RUNTIME}/invocation/next"),
        ("POST", f"{RUNTIME}/invocation/ID/response"),
        ("POST", f"{RUNTIME}/invocation/ID/error"),
        ("POST", f"{RUNTIME}/init/error"),
        ("POST", "/init/error"),
        ("POST", "/"),
    ],
)
def test_a_process_is_refused_when_it_has_not_the_secret(
    api: RuntimeApi, invocation: Invocation, method: str, path: str
) -> None:
    """It neither gets the event nor answers it."""
    status, body = sent(api, method, path.replace("ID", invocation.request_id), b'"forged"')

    assert status == 403
    assert b"event" not in body
    assert not invocation.received.is_set()
    assert not api.is_initialized.is_set()


@pytest.mark.parametrize(
    "foreign", [{"Host": "rebound.example"}, {"Origin": "https://elsewhere.example"}]
)
def test_a_page_is_refused_when_it_has_the_secret(
    api: RuntimeApi, invocation: Invocation, foreign: dict[str, str]
) -> None:
    """A function's process is no page of a site."""
    status, _ = sent(api, "GET", own_path(api, "invocation/next"), headers=foreign)

    assert status == 403
    assert not invocation.received.is_set()


def test_an_answer_counts_when_it_names_the_event(api: RuntimeApi, invocation: Invocation) -> None:
    """An answer to another event is refused, and the event still waits for its own."""
    status, body = sent(api, "GET", own_path(api, "invocation/next"))
    assert (status, body) == (200, b'{"secret": "event"}')

    late = own_path(api, "invocation/00000000-0000-0000-0000-000000000000/response")
    assert sent(api, "POST", late, b'"late"')[0] == 400
    assert not invocation.ended.is_set()

    own = own_path(api, f"invocation/{invocation.request_id}/response")
    assert sent(api, "POST", own, b'"own"')[0] == 202
    assert invocation.answer is not None
    assert invocation.answer.payload == b'"own"'


def test_the_secret_is_another_when_another_environment_starts(api: RuntimeApi) -> None:
    """One process of a function cannot answer for the next."""
    other = RuntimeApi()
    try:
        path = own_path(api, "init/error")
        assert sent(other, "POST", path, b"{}")[0] == 403
    finally:
        other.stop()
