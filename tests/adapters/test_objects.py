"""S3 on a real client: create-only objects and lines."""

import io

import pytest

from adapters.clients import client
from adapters.objects import Objects
from flywheel.errors import ServiceBusyError
from tests.functions.cloud import STAGING, Cloud, answering


@pytest.fixture
def staging(cloud: Cloud) -> Objects:
    """Open the staging bucket."""
    return Objects(STAGING, client("s3"))


def test_the_first_writer_wins_when_an_object_is_created_twice(staging: Objects) -> None:
    """An object that a dataset points at is never overwritten."""
    assert staging.create("a", io.BytesIO(b"first"))
    assert not staging.create("a", b"second")
    assert staging.text("a") == "first"
    assert staging.text("b") is None


def test_the_call_is_made_again_when_two_writers_met(staging: Objects) -> None:
    """S3 answers 409 to a conditional write that another one is in the middle of."""
    conflict = answering("s3", "PutObject", code="ConditionalRequestConflict", status=409)
    with conflict, pytest.raises(ServiceBusyError):
        staging.create("a", b"first")


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"", []),
        (b"one", ["one"]),
        (b"one\ntwo\n", ["one\n", "two\n"]),
        (b"a\r\n\x0b\xe2\x80\xa8b\n", ["a\r\n", "\x0b\u2028b\n"]),
        ("ü\n".encode() * 60_000, ["ü\n"] * 60_000),
        (b"x" * 200_000 + b"\ny", ["x" * 200_000 + "\n", "y"]),
    ],
    ids=["empty", "no end", "two", "only newline ends a line", "many chunks", "long"],
)
def test_lines_are_whole_when_they_cross_chunks(
    staging: Objects, body: bytes, lines: list[str]
) -> None:
    r"""Only ``\n`` ends a line; a character is never divided."""
    staging.create("a", body)
    assert list(staging.lines("a")) == lines
