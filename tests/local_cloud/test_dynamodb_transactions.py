from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import Cloud

TABLE = "ledger"


def _key(number: int) -> dict[str, Any]:
    return {"pk": {"S": "FLYWHEEL#intents"}, "sk": {"S": f"ROW#{number}"}}


def _put(number: int, text: str) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {**_key(number), "text": {"S": text}}}}


def _update(number: int, text: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": _key(number),
            "UpdateExpression": "SET #t = :t",
            "ExpressionAttributeNames": {"#t": "text"},
            "ExpressionAttributeValues": {":t": {"S": text}},
        }
    }


@pytest.fixture
def ledger(cloud: Cloud) -> Any:
    """Return a DynamoDB client with a table of two rows."""
    dynamodb = cloud.client("dynamodb")
    names = ("pk", "sk")
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.transact_write_items(TransactItems=[_put(1, "one"), _put(2, "two")])
    return dynamodb


def _rows(dynamodb: Any) -> dict[str, str]:
    items = dynamodb.scan(TableName=TABLE)["Items"]
    return {item["sk"]["S"]: item["text"]["S"] for item in items}


def test_all_items_are_written_when_the_conditions_hold(ledger: Any) -> None:
    """Put, update and delete take effect together."""
    delete = {"Delete": {"TableName": TABLE, "Key": _key(2)}}

    ledger.transact_write_items(TransactItems=[_put(3, "three"), _update(1, "ONE"), delete])

    assert _rows(ledger) == {"ROW#1": "ONE", "ROW#3": "three"}


def test_no_item_is_written_when_one_condition_fails(ledger: Any) -> None:
    """What the transaction had already changed is put back, each kind of change."""
    delete = {"Delete": {"TableName": TABLE, "Key": _key(2)}}
    refused = _put(4, "four")
    refused["Put"]["ConditionExpression"] = "attribute_exists(pk)"

    with pytest.raises(ClientError) as caught:
        ledger.transact_write_items(
            TransactItems=[_put(3, "three"), _update(1, "ONE"), delete, refused]
        )

    assert caught.value.response["Error"]["Code"] == "TransactionCanceledException"
    codes = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert codes == ["None", "None", "None", "ConditionalCheckFailed"]
    assert _rows(ledger) == {"ROW#1": "one", "ROW#2": "two"}
