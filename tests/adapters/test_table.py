"""The table on a real client: what values become, and what a condition prevents."""

import pytest

from adapters.table import Table
from application.port_values import Change, Delete, Key, Put, Write
from flywheel.errors import ConcurrentChangeError, ServiceBusyError, ServiceRefusedError
from tests.functions.cloud import answering, seeing

KEY = Key("A", "1")
OTHER = Key("A", "2")


def test_values_are_the_same_when_they_come_back(table: Table) -> None:
    """Floats to the last digit, whole numbers as int, nested values, text of any script."""
    values = {
        "float": 0.1 + 0.2,
        "small": 1e-12,
        "whole": 3,
        "text": 'grüße "日本"\n',
        "flag": True,
        "list": [0.5, "a", {"n": 1}],
        "map": {"billing": 3, "F1": 0.884},
        "empty": {},
    }
    table.write([Put(KEY, {**values, "absent": None})])
    assert table.get(KEY) == {**values, "pk": "A", "sk": "1"}
    assert table.get(OTHER) is None


def test_a_put_is_refused_when_the_row_exists(table: Table) -> None:
    """Only a put that says so replaces."""
    table.write([Put(KEY, {"value": 1})])
    with pytest.raises(ConcurrentChangeError):
        table.write([Put(KEY, {"value": 2})])
    table.write([Put(KEY, {"value": 3}, replaces=True)])
    assert table.get(KEY) == {"pk": "A", "sk": "1", "value": 3}


@pytest.mark.parametrize(
    "change",
    [
        Change(OTHER, {"value": 2}),
        Change(KEY, {"value": 2}, {"state": "SEALED"}),
        Change(KEY, {"value": 2}, {"state": None}),
        Change(KEY, {"value": 2}, {"state": "OPEN", "absent": 1}),
    ],
    ids=["no such row", "another value", "not absent", "not there"],
)
def test_nothing_is_written_when_an_expectation_does_not_hold(table: Table, change: Change) -> None:
    """The other writes of the transaction are not carried out either."""
    table.write([Put(KEY, {"state": "OPEN", "value": 1})])
    with pytest.raises(ConcurrentChangeError):
        table.write([Put(Key("B", "1"), {}), change])
    assert table.get(KEY) == {"pk": "A", "sk": "1", "state": "OPEN", "value": 1}
    assert table.get(Key("B", "1")) is None


def test_a_row_is_only_checked_when_a_change_sets_nothing(table: Table) -> None:
    """The transaction depends on it, and the row stays as it is."""
    table.write([Put(KEY, {"state": "OPEN"})])
    table.write([Change(KEY, {}, {"state": "OPEN"}), Put(OTHER, {})])
    table.write([Change(KEY, {}), Put(OTHER, {"value": 1}, replaces=True)])
    with pytest.raises(ConcurrentChangeError):
        table.write([Change(KEY, {}, {"state": "SEALED"}), Put(Key("B", "1"), {})])
    assert table.get(KEY) == {"pk": "A", "sk": "1", "state": "OPEN"}
    assert table.get(Key("B", "1")) is None


def test_attributes_are_set_and_removed_when_expectations_hold(table: Table) -> None:
    """None removes; an attribute that is expected absent may be set; reserved words are fine."""
    table.write([Put(KEY, {"state": "OPEN", "name": "x", "gone": 1})])
    table.write([Change(KEY, {"state": "SEALED", "gone": None, "size": 0.5}, {"size": None})])
    assert table.get(KEY) == {"pk": "A", "sk": "1", "state": "SEALED", "name": "x", "size": 0.5}


def test_a_row_is_removed_when_it_is_there_or_not(table: Table) -> None:
    """A repeat of a delete is no error."""
    table.write([Put(KEY, {})])
    table.write([Delete(KEY)])
    table.write([Delete(KEY)])
    assert table.get(KEY) is None


def test_rows_come_in_order_when_a_prefix_is_queried(table: Table) -> None:
    """One partition, and only sort keys that begin so; more than a page of them."""
    text = "x" * 300_000
    table.write([Put(Key("A", f"NOTICE#{n}"), {"text": text}) for n in (3, 1, 2, 5, 4)])
    table.write([Put(Key("A", "OTHER#1"), {}), Put(Key("B", "NOTICE#9"), {})])
    assert [row["sk"] for row in table.query("A", "NOTICE#")] == [
        f"NOTICE#{number}" for number in range(1, 6)
    ]


def test_reads_are_consistent_when_decisions_rest_on_them(table: Table) -> None:
    """A row, several rows and a partition are read as the last write left them."""
    table.write([Put(KEY, {"value": 1})])
    with (
        seeing("dynamodb", "GetItem") as rows,
        seeing("dynamodb", "BatchGetItem") as several,
        seeing("dynamodb", "Query") as partitions,
    ):
        table.get(KEY)
        list(table.get_many([KEY]))
        list(table.query("A", "1"))
    (several_of_ours,) = several
    asked = [*rows, *several_of_ours["RequestItems"].values(), *partitions]
    assert [call["ConsistentRead"] for call in asked] == [True, True, True]


def test_counting_begins_at_one_when_there_was_no_counter(table: Table) -> None:
    """And goes on from there."""
    assert [table.count_up(KEY, "seen") for _ in range(3)] == [1, 2, 3]


def test_a_transaction_is_refused_when_it_is_larger_than_the_service_takes(table: Table) -> None:
    """Before it is sent, with the number."""
    writes: list[Write] = [Put(Key("A", str(number)), {}) for number in range(101)]
    with pytest.raises(ValueError, match="101 writes"):
        table.write(writes)


def test_the_caller_reads_again_when_a_transaction_was_cancelled(table: Table) -> None:
    """Another writer at the same rows is no refusal; a throttle is one that passes."""
    expected = {
        "TransactionConflict": ConcurrentChangeError,
        "ConditionalCheckFailed": ConcurrentChangeError,
        "ThrottlingError": ServiceBusyError,
        "ValidationError": ServiceRefusedError,
    }
    for reason, error in expected.items():
        cancelled = answering(
            "dynamodb",
            "TransactWriteItems",
            code="TransactionCanceledException",
            CancellationReasons=[{"Code": "None"}, {"Code": reason}],
        )
        with cancelled, pytest.raises(error):
            table.write([Put(KEY, {})])
    refused = answering("dynamodb", "TransactWriteItems", code="ValidationException")
    with refused, pytest.raises(ServiceRefusedError):
        table.write([Put(KEY, {})])
