"""The ledger's table: typed rows in, conditional writes out.

Decides how values become DynamoDB attributes and that every write is conditional or part of a
transaction. Knows no row by name; those are in the modules beside it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from adapters.service_errors import translate_aws_errors
from application.port_values import Change, Delete, Item, Key, Put, Write
from flywheel.errors import ConcurrentChangeError, ServiceBusyError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_TRANSACTION_ITEMS = 100
_MAX_BATCH_ITEMS = 100
_CONCURRENT_CODES = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_NO_REASON = "None"
"""The code of a write that did not cancel its transaction."""
_THROTTLE_CODES = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})
"""*Source*: API reference, TransactWriteItems, cancellation reasons."""


class Table:
    """Reads and conditional writes on the one table.

    Parameters
    ----------
    name : str
    dynamodb : DynamoDBClient
    """

    def __init__(self, name: str, dynamodb: "DynamoDBClient") -> None:
        self._name = name
        self._dynamodb = dynamodb

    def get(self, key: Key) -> Item | None:
        """Return a row by strongly consistent read, or None."""
        with translate_aws_errors("dynamodb:GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._name,
                Key=_attributes({"pk": key.pk, "sk": key.sk}),
                ConsistentRead=True,
            )
        return _values(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key]) -> Iterator[Item]:
        """Give the rows of those keys that have one, in any order, consistently read."""
        for start in range(0, len(keys), _MAX_BATCH_ITEMS):
            wanted = [
                _attributes({"pk": key.pk, "sk": key.sk})
                for key in keys[start : start + _MAX_BATCH_ITEMS]
            ]
            # What a throttled table leaves out is asked for again, as long as some of it comes.
            while wanted:
                asked = {self._name: {"Keys": wanted, "ConsistentRead": True}}
                with translate_aws_errors("dynamodb:BatchGetItem"):
                    answer = self._dynamodb.batch_get_item(RequestItems=asked)  # type: ignore[arg-type] # plain mappings are taken
                items = answer["Responses"].get(self._name, [])
                yield from map(_values, items)
                unprocessed: Any = answer.get("UnprocessedKeys", {})
                left = unprocessed.get(self._name, {}).get("Keys", [])
                if len(left) == len(wanted):
                    raise ServiceBusyError("dynamodb:BatchGetItem", "UnprocessedKeys")
                wanted = left

    def query(self, pk: str, sk_prefix: str) -> Iterator[Item]:
        """Give the rows of one partition whose sort key begins so, in order, consistently read."""
        with translate_aws_errors("dynamodb:Query"):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues=_attributes({":pk": pk, ":sk": sk_prefix}),
                ConsistentRead=True,
            )
            for page in pages:
                yield from (_values(item) for item in page["Items"])

    def query_index(self, index: str, attribute: str, value: str, newest: int) -> list[Item]:
        """Return the newest rows of an index's partition, newest first; eventually consistent."""
        with translate_aws_errors("dynamodb:Query"):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._name,
                IndexName=index,
                KeyConditionExpression="#a = :v",
                ExpressionAttributeNames={"#a": attribute},
                ExpressionAttributeValues=_attributes({":v": value}),
                ScanIndexForward=False,
                PaginationConfig={"MaxItems": newest},
            )
            return [_values(item) for page in pages for item in page["Items"]]

    def count_up(self, key: Key, attribute: str) -> int:
        """Add one to a counter, which begins at 0, and return it."""
        with translate_aws_errors("dynamodb:UpdateItem"):
            answer = self._dynamodb.update_item(
                TableName=self._name,
                Key=_attributes({"pk": key.pk, "sk": key.sk}),
                UpdateExpression="ADD #a :one",
                ExpressionAttributeNames={"#a": attribute},
                ExpressionAttributeValues=_attributes({":one": 1}),
                ReturnValues="UPDATED_NEW",
            )
        return int(_values(answer["Attributes"])[attribute])

    def write(self, writes: Sequence[Write]) -> None:
        """Carry out all the writes or none.

        Raises
        ------
        ConcurrentChangeError
            A condition did not hold, or another writer was at the same rows: read again and retry.
        ServiceBusyError, ServiceRefusedError
            The table was throttled, or a row is wrong, e.g. larger than 400 KB.
        """
        if len(writes) > _MAX_TRANSACTION_ITEMS:
            raise ValueError(f"{len(writes)} writes; a transaction takes {_MAX_TRANSACTION_ITEMS}")
        items = [self._request(write) for write in writes]
        with translate_aws_errors("dynamodb:TransactWriteItems"):
            try:
                self._dynamodb.transact_write_items(TransactItems=items)
            except ClientError as error:
                codes = _cancellation_codes(error)
                reasons = {*codes} - {_NO_REASON}
                if reasons and reasons <= _CONCURRENT_CODES:
                    rows = zip(codes, writes, strict=False)
                    changed = {
                        (write.key.pk, write.key.sk) for code, write in rows if code != _NO_REASON
                    }
                    raise ConcurrentChangeError(f"{error}", frozenset(changed)) from error
                if reasons & _THROTTLE_CODES:
                    raise ServiceBusyError("dynamodb:TransactWriteItems", str(error)) from error
                raise

    def _request(self, write: Write) -> Any:
        key = {"pk": write.key.pk, "sk": write.key.sk}
        if isinstance(write, Delete):
            return {"Delete": {"TableName": self._name, "Key": _attributes(key)}}
        if isinstance(write, Put):
            values = {name: value for name, value in write.values.items() if value is not None}
            put: Item = {"TableName": self._name, "Item": _attributes({**values, **key})}
            if not write.replaces:
                put["ConditionExpression"] = "attribute_not_exists(pk)"
            return {"Put": put}
        kind, expressions = _change(write)
        return {kind: {"TableName": self._name, "Key": _attributes(key), **expressions}}


def _cancellation_codes(error: ClientError) -> list[str]:
    """Return why a transaction was cancelled, write by write; empty where it failed otherwise."""
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment] # botocore's type knows only some members
    return [reason.get("Code", _NO_REASON) for reason in reasons]


def _change(change: Change) -> tuple[str, Item]:
    """Return what a transaction calls a change, and its expressions."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    sets, removes, conditions = [], [], ["attribute_exists(pk)"]
    for number, (name, value) in enumerate(change.set.items()):
        names[f"#s{number}"] = name
        if value is None:
            removes.append(f"#s{number}")
        else:
            values[f":s{number}"] = value
            sets.append(f"#s{number} = :s{number}")
    for number, (name, value) in enumerate(change.expect.items()):
        names[f"#e{number}"] = name
        if value is None:
            conditions.append(f"attribute_not_exists(#e{number})")
        else:
            values[f":e{number}"] = value
            conditions.append(f"#e{number} = :e{number}")
    expression = f"SET {', '.join(sets)} " if sets else ""
    expression += f"REMOVE {', '.join(removes)}" if removes else ""
    expressions: Item = {"ConditionExpression": " AND ".join(conditions)}
    if names:
        expressions["ExpressionAttributeNames"] = names
    if values:
        expressions["ExpressionAttributeValues"] = _attributes(values)
    if not expression:
        return "ConditionCheck", expressions
    return "Update", {"UpdateExpression": expression, **expressions}


def _attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {name: serializer.serialize(_storable(value)) for name, value in values.items()}


def _storable(value: Any) -> Any:
    """Return the value with floats as the decimals that DynamoDB takes."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def _values(item: Mapping[str, Any]) -> Item:
    deserializer = TypeDeserializer()
    return {name: _plain(deserializer.deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
