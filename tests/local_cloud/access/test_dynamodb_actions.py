"""Each request to DynamoDB says which rows it is on, as `dynamodb:LeadingKeys`."""

from collections.abc import Iterator
from typing import Any

import pytest

from local_cloud.access.dynamodb_actions import dynamodb_permissions
from tests.functions.cloud import TABLE, running_cloud

PLACE = "us-east-1:123456789012"
ARN = f"arn:aws:dynamodb:{PLACE}:table/{TABLE}"
ROW = {"pk": {"S": "UPLOAD#1"}, "sk": {"S": "UPLOAD"}}
ENTRY = {"pk": {"S": "AUDIT#tickets#1"}, "sk": {"S": "AUDIT"}}


@pytest.fixture(scope="module", autouse=True)
def ledger() -> Iterator[None]:
    """Have a table with the ledger's keys and index."""
    with running_cloud():
        yield


def on(verb: str, *keys: str, index: str = "") -> tuple[str, str, dict[str, list[str]]]:
    """Return a permission on the table."""
    resource = f"{ARN}/index/{index}" if index else ARN
    return f"dynamodb:{verb}", resource, {"dynamodb:LeadingKeys": list(keys)} if keys else {}


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        ("GetItem", {"TableName": TABLE, "Key": ROW}, [on("GetItem", "UPLOAD#1")]),
        ("PutItem", {"TableName": TABLE, "Item": ENTRY}, [on("PutItem", "AUDIT#tickets#1")]),
        ("DeleteItem", {"TableName": ARN, "Key": ROW}, [on("DeleteItem", "UPLOAD#1")]),
        (
            "BatchGetItem",
            {"RequestItems": {TABLE: {"Keys": [ROW, ENTRY]}}},
            [on("BatchGetItem", "UPLOAD#1", "AUDIT#tickets#1")],
        ),
        (
            "BatchWriteItem",
            {
                "RequestItems": {
                    TABLE: [{"PutRequest": {"Item": ROW}}, {"DeleteRequest": {"Key": ENTRY}}]
                }
            },
            [on("BatchWriteItem", "UPLOAD#1", "AUDIT#tickets#1")],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": TABLE, "Item": ENTRY}},
                    {"Update": {"TableName": TABLE, "Key": ROW}},
                    {"Delete": {"TableName": TABLE, "Key": ENTRY}},
                    {"ConditionCheck": {"TableName": TABLE, "Key": ROW}},
                ]
            },
            [
                on("PutItem", "AUDIT#tickets#1"),
                on("UpdateItem", "UPLOAD#1"),
                on("DeleteItem", "AUDIT#tickets#1"),
                on("ConditionCheckItem", "UPLOAD#1"),
            ],
        ),
        (
            "Query",
            {
                "TableName": TABLE,
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
                "ExpressionAttributeValues": {":pk": {"S": "OUTBOX"}, ":sk": {"S": "N"}},
            },
            [on("Query", "OUTBOX")],
        ),
        (
            "Query",
            {
                "TableName": TABLE,
                "IndexName": "uploads-by-flywheel",
                "KeyConditionExpression": "#a = :v",
                "ExpressionAttributeNames": {"#a": "flywheel"},
                "ExpressionAttributeValues": {":v": {"S": "tickets"}},
            },
            [on("Query", "tickets", index="uploads-by-flywheel")],
        ),
        ("Scan", {"TableName": TABLE}, [on("Scan")]),
        (
            "PutItem",
            {"TableName": "other", "Item": ROW},
            [("dynamodb:PutItem", ARN[:-6] + "other", {})],
        ),
    ],
)
def test_the_rows_are_named_when_an_operation_is_sent(
    operation: str, document: dict[str, Any], expected: list[Any]
) -> None:
    """By the partition key of the table or the index, whatever else is in the document."""
    assert dynamodb_permissions(f"dynamodb:{operation}", document, PLACE) == expected


@pytest.mark.parametrize(
    ("statement", "given", "verb"),
    [
        (f"UPDATE \"{TABLE}\" SET actor = 'me' WHERE pk = 'AUDIT#tickets#1'", [], "Update"),
        (f"DELETE FROM {TABLE} WHERE sk = ? AND pk = ?", [{"S": "AUDIT"}, ENTRY["pk"]], "Delete"),
        (f"INSERT INTO \"{TABLE}\" VALUE {{'pk': 'AUDIT#tickets#1', 'sk': 'A'}}", [], "Insert"),
        (f'SELECT * FROM "{TABLE}" WHERE pk = ?', [ENTRY["pk"]], "Select"),
    ],
)
@pytest.mark.parametrize(
    "operation", ["ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"]
)
def test_the_rows_are_named_when_a_statement_is_sent(
    operation: str, statement: str, given: list[Any], verb: str
) -> None:
    """PartiQL has permissions of its own, one for each kind of statement."""
    one = {"Statement": statement, "Parameters": given}
    several = {"BatchExecuteStatement": "Statements", "ExecuteTransaction": "TransactStatements"}
    document = {several[operation]: [one]} if operation in several else one
    needed = dynamodb_permissions(f"dynamodb:{operation}", document, PLACE)
    assert needed == [on(f"PartiQL{verb}", "AUDIT#tickets#1")]
