import sys
from collections import defaultdict
from collections.abc import Sequence
from fnmatch import fnmatchcase
from types import FrameType
from typing import Any

import pytest

from application.ledger.uploads import BY_FLYWHEEL_INDEX
from application.port_values import Change, Key, Put, Write
from infra import ledger
from infra.ledger_rights import (
    AUDIT,
    CHECK,
    DELETE,
    DONE_TO_ROWS,
    NEVER_DONE_TO_ENTRIES,
    PUT,
    UPDATE,
    WRITTEN_BY,
)
from tests.infra.synthesis import FUNCTIONS, Synthesized, joined, listed, plain
from tests.simulation.history import play
from tests.simulation.memory.rows import MemoryRows

KEYS = "dynamodb:LeadingKeys"
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


def test_the_index_is_the_one_that_is_asked_when_the_table_is_made(each: Synthesized) -> None:
    """Stack and functions name the index alike, though neither may import the other."""
    (table,) = each.properties("AWS::DynamoDB::Table").values()
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == ledger.BY_FLYWHEEL_INDEX == BY_FLYWHEEL_INDEX


def on_ledger(stack: Synthesized) -> dict[str, list[dict[str, Any]]]:
    """Return the statements about the ledger, by the function whose role has them."""
    found = defaultdict(list)
    for role, statement in stack.statements():
        if any("LedgerTable" in joined(resource) for resource in listed(statement["Resource"])):
            found[plain(role).removesuffix("ServiceRole")].append(statement)
    return found


def test_a_function_writes_its_own_rows_when_it_uses_the_ledger(each: Synthesized) -> None:
    """Each key of a row that it may write, and what it may do to it, is in the one table."""
    found = on_ledger(each)
    assert found.keys() - WRITTEN_BY.keys() == {"IterationWorkflowStateMachineRole"}
    for function, keys in WRITTEN_BY.items():
        allowed = set()
        for statement in found[function]:
            actions = set(listed(statement["Action"]))
            if statement["Effect"] == "Deny" or actions == READS:
                continue
            condition = statement["Condition"]
            assert condition["Null"] == {KEYS: "false"}
            named = listed(condition["ForAllValues:StringLike"][KEYS])
            allowed |= {(key, action) for key in named for action in actions}
        assert allowed == {(key, action) for key in keys for action in DONE_TO_ROWS[key]}


def test_an_entry_is_only_put_when_a_role_may_use_the_ledger(each: Synthesized) -> None:
    """Every function's role denies the rest; the workflow's may only read."""
    for function, statements in on_ledger(each).items():
        denied = [each for each in statements if each["Effect"] == "Deny"]
        if function not in WRITTEN_BY:
            assert {listed(each["Action"])[0] for each in statements} == {"dynamodb:GetItem"}
            continue
        (denial,) = denied
        assert denial["Action"] == list(NEVER_DONE_TO_ENTRIES)
        assert denial["Condition"] == {"ForAnyValue:StringLike": {KEYS: [AUDIT]}}
    assert set(DONE_TO_ROWS[AUDIT]) == {"dynamodb:PutItem"}


_HISTORIES = 80
"""So many that each function has to do with each kind of row, e.g. CloseBatch with a question."""


def writing_function() -> str:
    """Return the function that calls, by its construct id; people's acts are Operate's."""
    frame: FrameType | None = sys._getframe(1)
    folders = {f"{FUNCTIONS}/{_folder(name)}/": name for name in WRITTEN_BY}
    # Histories call this use case without its handler.
    folders[f"{FUNCTIONS}/application/reconciliation/"] = "Reconcile"
    while frame is not None:
        for folder, name in folders.items():
            if frame.f_code.co_filename.startswith(folder):
                return name
        frame = frame.f_back
    return "Operate"


def _folder(construct_id: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in construct_id).strip("_")


def done_by(write: Write) -> str:
    """Return the permission that a write in a transaction takes."""
    if isinstance(write, Change):
        return UPDATE if write.set else CHECK
    return PUT if isinstance(write, Put) else DELETE


@pytest.mark.slow
def test_a_function_may_write_what_it_writes_when_histories_are_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The table of rights has all that handlers do to rows, whatever goes wrong around them."""
    done = set[tuple[str, str, str]]()
    write, count_up = MemoryRows.write, MemoryRows.count_up

    def watched_write(rows: MemoryRows, writes: Sequence[Write]) -> None:
        done.update((writing_function(), one.key.pk, done_by(one)) for one in writes)
        write(rows, writes)

    def watched_count(rows: MemoryRows, key: Key, attribute: str) -> int:
        done.add((writing_function(), key.pk, UPDATE))
        return count_up(rows, key, attribute)

    monkeypatch.setattr(MemoryRows, "write", watched_write)
    monkeypatch.setattr(MemoryRows, "count_up", watched_count)
    for seed in range(_HISTORIES):
        play(seed)
    assert {function for function, _, _ in done} == {*WRITTEN_BY}
    lacking = {
        (function, pk.partition("#")[0], action)
        for function, pk, action in done
        if not any(
            fnmatchcase(pk, key) and action in DONE_TO_ROWS[key] for key in WRITTEN_BY[function]
        )
    }
    assert lacking == set()
