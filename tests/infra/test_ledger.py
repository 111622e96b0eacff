from collections import defaultdict
from typing import Any

from adapters.ledger.uploads import BY_FLYWHEEL_INDEX
from infra import ledger
from infra.ledger_rights import AUDIT, DONE_TO_ROWS, NEVER_DONE_TO_ENTRIES, WRITTEN_BY
from tests.infra.synthesis import Synthesized, joined, listed, plain

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
