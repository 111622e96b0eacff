"""Every expectation of the ledger's writes: where it alone does not hold, nothing is written."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from itertools import count

import pytest

from adapters.clients import client
from adapters.table import Table
from application.ledger.ledger import Ledger
from application.port_values import Write
from flywheel.errors import ConcurrentChangeError
from tests.application.conditional_writes import (  # noqa: F401 # they fill the table of cases
    batch_cases,
    flywheel_cases,
    rebuild_step_cases,
    retry_cases,
    upload_cases,
    verdict_cases,
)
from tests.application.conditional_writes.case import CASES, Case
from tests.application.conditional_writes.story import Story
from tests.application.conditional_writes.unconditional import IMPLIED, UNCONDITIONAL
from tests.application.conditional_writes.watched_rows import WatchedRows, expectations_of
from tests.functions.cloud import create_ledger, empty_cloud
from tests.simulation.history import play
from tests.simulation.memory.rows import MemoryRows
from tests.simulation.simulator import Simulator

COVERED = {name for case in CASES for name in case.violated} | set(IMPLIED)
_HISTORIES = 40
_numbers = count(1)


@pytest.fixture(scope="module")
def account() -> Iterator[None]:
    """Have an account for all ledgers of this module."""
    with empty_cloud():
        yield


@pytest.fixture
def table(account: None) -> Table:
    """Make a table with nothing in it, on a real client."""
    name = f"ledger-{next(_numbers)}"
    create_ledger(name)
    return Table(name, client("dynamodb"))


def rows_in_memory() -> WatchedRows:
    """Have a ledger with nothing in it that costs no time."""
    return WatchedRows(MemoryRows(Simulator(0, is_calm=True)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_nothing_is_written_when_one_expectation_does_not_hold(case: Case, table: Table) -> None:
    """The method says so, and the rows are as the neighbour left them."""
    rows = rows_in_memory()
    act = case.scene(Story(rows))
    rows.move_to(table)
    rows.refusals.clear()
    with pytest.raises(ConcurrentChangeError) if case.ends == "refused" else nullcontext():
        act()
    assert {*map(frozenset, rows.refusals)} == {frozenset(case.violated)}
    assert case.ends == "again" or rows.everything() == rows.at_refusal


@pytest.fixture(scope="module")
def played() -> list[WatchedRows]:
    """Play all cases, and the writes that expect nothing."""
    tables = []
    for case in CASES:
        tables.append(rows_in_memory())
        with suppress(ConcurrentChangeError):
            case.scene(Story(tables[-1]))()
    for act in UNCONDITIONAL:
        tables.append(rows_in_memory())
        act(Story(tables[-1]))
    return tables


def test_every_expectation_has_a_case_when_methods_write(played: list[WatchedRows]) -> None:
    """Whoever adds an expectation adds the neighbour that it is for; none is left without one."""
    expected = {name for rows in played for name in rows.expected}
    assert expected == COVERED


@pytest.mark.slow
def test_every_expectation_has_a_case_when_functions_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """In simulated histories handlers call the ledger in ways that no case here does."""
    expected, write = set[str](), MemoryRows.write

    def watched(rows: MemoryRows, writes: Sequence[Write]) -> None:
        expected.update(expectations_of(writes))
        write(rows, writes)

    monkeypatch.setattr(MemoryRows, "write", watched)
    for seed in range(_HISTORIES):
        play(seed)
    assert len(expected) > 120
    assert expected - COVERED == set()


def test_every_method_is_played_when_it_writes(played: list[WatchedRows]) -> None:
    """So that none has an expectation that nobody sees."""
    ledger = Ledger(rows_in_memory(), actor="x")
    parts = [type(getattr(ledger, name)) for name, _ in inspect.getmembers(Ledger, is_property)]
    writing = {
        f"{part.__name__}.{name}"
        for part in parts
        for name in vars(part)
        if not name.startswith("_") and writes(part, name)
    }
    assert len(writing) > 50
    assert writing - {name for rows in played for name in rows.methods} == set()


def is_property(member: object) -> bool:
    """Say whether a member of a class is a property."""
    return isinstance(member, property)


def writes(part: type, name: str) -> bool:
    """Say whether a method of the ledger writes, itself or by private ones of its class."""
    method = getattr(part, name, None)
    code = getattr(method, "__code__", None)
    if code is None:
        return False
    called = set(code.co_names)
    within = (other for other in called if other.startswith("_") and other != name)
    return bool(called & {"write", "act", "count_up"}) or any(writes(part, one) for one in within)
