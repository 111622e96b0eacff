"""An account as the stack lays it out, and the ledger in it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from adapters.clients import client
from adapters.table import Table
from application.ledger.ledger import Ledger
from tests.functions.cloud import TABLE, Cloud, running_cloud


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """Have a cloud with nothing in it."""
    with running_cloud() as cloud:
        yield cloud


@pytest.fixture
def table(cloud: Cloud) -> Table:
    """Open the ledger's table."""
    return Table(TABLE, client("dynamodb"))


@pytest.fixture
def ledger(cloud: Cloud) -> Ledger:
    """Open the ledger as a person."""
    return Ledger(Table(TABLE, client("dynamodb")), actor="somebody")


@pytest.fixture
def now() -> datetime:
    """Give a moment."""
    return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
