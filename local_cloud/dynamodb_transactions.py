"""Adapter of moto.dynamodb: a transaction copies the items that it names, not the whole table.

The gap: before each TransactWriteItems moto copies every table that is named. So a transaction
takes a tenth of a second at a thousand rows, and longer with each further row. Decides what is
restored when a transaction is refused. Must not know conditions or expressions, which moto
evaluates. Read next: service_locks.py, which serializes the requests.
"""

import copy
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from local_cloud.patches import Patches

_TRANSACT = "moto.dynamodb.models:DynamoDBBackend.transact_write_items"
_COPY = "moto.dynamodb.models:copy"


@dataclass(frozen=True, slots=True)
class _Before:
    """An item before a transaction; None where there was none."""

    table: Table
    hash_key: DynamoType
    range_key: DynamoType | None
    item: Item | None

    def restore(self) -> None:
        if self.item is None:
            self.table.delete_item(self.hash_key, self.range_key)
        elif self.range_key is not None:
            self.table.items[self.hash_key][self.range_key] = self.item
        else:
            self.table.items[self.hash_key] = self.item


class _CopyOfItemsAlone:
    """Stands for the module `copy` in moto's backend: a table is not copied."""

    @staticmethod
    def deepcopy(value: Any) -> Any:
        return value if isinstance(value, Table) else copy.deepcopy(value)

    copy = staticmethod(copy.copy)


def install(patches: Patches) -> None:
    """Make transactions cheap."""

    def transact(backend: Any, transact_items: list[dict[str, Any]]) -> None:
        before = [item for each in transact_items if (item := _before(backend, each))]
        try:
            original(backend, transact_items)
        except BaseException:
            for item in before:
                item.restore()
            raise

    patches.replace(_COPY, _CopyOfItemsAlone)
    original = patches.replace(_TRANSACT, transact)


def _before(backend: Any, transact_item: dict[str, Any]) -> _Before | None:
    kind, operation = next(iter(transact_item.items()))
    table = backend.tables.get(operation.get("TableName"))
    key = operation.get("Item" if kind == "Put" else "Key", {})
    if table is None or table.hash_key_attr not in key:
        return None
    hash_key = DynamoType(key[table.hash_key_attr])
    range_key = DynamoType(key[table.range_key_attr]) if table.has_range_key else None
    return _Before(table, hash_key, range_key, copy.deepcopy(table.get_item(hash_key, range_key)))
