"""The permissions that a request to DynamoDB needs, and the rows that it names.

Decides this from the request's document. Only the name of the partition key comes from the table.
Must not know the caller. Read next: request_actions.py.

Notes
-----
*Source*: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
DynamoDB" (`dynamodb:LeadingKeys` holds the partition keys that a request names); DynamoDB
Developer Guide, "Using IAM with DynamoDB transactions" (each item needs the permission of its own
operation) and "IAM security policies with PartiQL for DynamoDB".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends

LEADING_KEYS = "dynamodb:LeadingKeys"
_IN_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_STATEMENT = re.compile(r'\s*(\w+)\s+(?:.*?FROM|INTO)?\s*"?([\w.-]+)', re.I | re.S)
_VALUE = r"(?:'((?:[^']|'')*)'|(\?))"

Context = dict[str, list[str]]
Needed = tuple[str, str, Context]
Document = Mapping[str, Any]


def dynamodb_permissions(action: str, parameters: dict[str, Any], place: str) -> list[Needed]:
    """Return action, ARN and condition keys of each permission that a request needs.

    Parameters
    ----------
    action : str
        Such as ``dynamodb:PutItem``.
    parameters : dict
        The request's document.
    place : str
        Region and account, as in an ARN.
    """
    if "TransactItems" in parameters:
        return [
            _item(f"dynamodb:{_IN_TRANSACTION[kind]}", operation, place)
            for item in parameters["TransactItems"]
            for kind, operation in item.items()
        ]
    if "RequestItems" in parameters:
        return [
            (action, _table(name, place), _context(_partition_key(name, place), _rows(named)))
            for name, named in parameters["RequestItems"].items()
        ]
    statements = _statements(parameters)
    if statements:
        return [_partiql(statement, place) for statement in statements]
    return [_item(action, parameters, place)]


def _item(action: str, operation: Document, place: str) -> Needed:
    """Return the permission that an operation on one table needs."""
    name = operation.get("TableName")
    if name is None:
        return action, "*", {}
    index = operation.get("IndexName")
    key = _partition_key(name, place, index)
    resource = _table(name, place) + (f"/index/{index}" if index else "")
    if "KeyConditionExpression" in operation:
        return action, resource, _queried(key, operation)
    given = operation.get("Item") or operation.get("Key") or {}
    return action, resource, _context(key, [given])


def _rows(named: Any) -> list[Document]:
    """Return the rows of one table in a batch: keys to get, or rows to put and delete."""
    if isinstance(named, list):
        requests = [request for each in named for request in each.values()]
        return [request.get("Item") or request.get("Key") or {} for request in requests]
    return list(named.get("Keys", []))


def _context(key: str | None, rows: Iterable[Document]) -> Context:
    named = [row[key] for row in rows if key is not None and key in row]
    values = [str(value) for typed in named for value in typed.values()]
    return {LEADING_KEYS: values} if values else {}


def _queried(key: str | None, operation: Document) -> Context:
    names = operation.get("ExpressionAttributeNames", {})
    given = operation.get("ExpressionAttributeValues", {})
    equal = re.findall(r"([#\w.-]+)\s*=\s*(:\w+)", operation["KeyConditionExpression"])
    rows = [{names.get(name, name): given[value]} for name, value in equal if value in given]
    return _context(key, rows)


def _statements(parameters: Document) -> list[Document]:
    """Return the statements of a PartiQL request: one, a batch, or a transaction."""
    if "Statement" in parameters:
        return [parameters]
    several = parameters.get("Statements") or parameters.get("TransactStatements") or []
    return list(several)


def _partiql(statement: Document, place: str) -> Needed:
    text, given = statement["Statement"], statement.get("Parameters", [])
    parts = _STATEMENT.match(text)
    if parts is None:
        return "dynamodb:PartiQLSelect", "*", {}
    verb, name = parts[1].title(), parts[2]
    key = _partition_key(name, place)
    rows: list[Document] = []
    if key is not None:
        for value in re.finditer(rf"""['"]?\b{re.escape(key)}['"]?\s*[=:]\s*{_VALUE}""", text):
            number = text[: value.start(2)].count("?") if value[2] else 0
            rows.append({key: given[number] if value[2] else {"S": value[1].replace("''", "'")}})
    return f"dynamodb:PartiQL{verb}", _table(name, place), _context(key, rows)


def _table(name: str, place: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{place}:table/{name}"


def _partition_key(name: str, place: str, index: str | None = None) -> str | None:
    """Return the attribute that a table, or an index of it, is partitioned by, if there is one."""
    region, _, account = place.partition(":")
    table = dynamodb_backends[account][region].tables.get(name.rpartition("/")[2])
    if table is None:
        return None
    schema = table.schema if index is None else table.get_index(index).schema
    return next((str(key["AttributeName"]) for key in schema if key["KeyType"] == "HASH"), None)
