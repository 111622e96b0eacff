"""An audit chain on the local environment, and the ways to forge it with a function's role."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from adapters.table import Table
from application.ledger.audit import Audit, AuditHead, entry_hash
from console.environment.target import Target
from console.record.audit_record import read_record
from console.record.offline_verifier import RecordBrokenError, canonical
from local_cloud.environment import LocalEnvironment

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def attributes(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as DynamoDB takes them."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Record:
    """A chain of four entries, with a head at the third, and who tries to forge it.

    Parameters
    ----------
    environment : LocalEnvironment
    target : Target
        The operator's view.
    name : str
        The chain's.
    """

    environment: LocalEnvironment
    target: Target
    name: str

    @property
    def table(self) -> str:
        """The ledger's table."""
        return self.target.outputs["LedgerTable"]

    @property
    def bucket(self) -> str:
        """The bucket of verdicts."""
        return self.target.outputs["VerdictsBucket"]

    def client(self, function: str, service: str = "dynamodb") -> Any:
        """Return a client with a function's role."""
        functions = self.environment.client("lambda").list_functions()["Functions"]
        (role,) = {each["Role"] for each in functions if f"-{function}" in each["FunctionName"]}
        return self.environment.cloud.client_for_role(service, role)

    def append(self) -> None:
        """Have one more entry."""
        table = Table(self.table, self.target.client("dynamodb"))
        Audit(table, "reconcile").act(self.name, "looked at", {"batch": 1}, now=NOW)

    def head(self) -> AuditHead:
        """Return where the chain ends."""
        found = self.target.ledger().audit.head(self.name)
        assert found is not None
        return found

    def head_path(self, seq: int) -> str:
        """Return the key of a head."""
        return f"chain/{self.name}/{seq:08}.json"

    def head_body(self, seq: int, entry: str) -> bytes:
        """Return a head as functions write it."""
        return canonical({"at": NOW.isoformat(), "flywheel": self.name, "hash": entry, "seq": seq})

    def put_head(self, function: str, seq: int, entry: str, **more: Any) -> None:
        """Write a head with a function's role."""
        body = self.head_body(seq, entry)
        self.client(function, "s3").put_object(
            Bucket=self.bucket, Key=self.head_path(seq), Body=body, **more
        )

    def entries(self) -> list[dict[str, Any]]:
        """Return the chain as it stands."""
        return self.target.ledger().audit.entries(self.name)

    def rewrite(self, function: str, seq: int, *, is_chained: bool = False) -> None:
        """Put an entry with another actor in the place of one; with every later hash, if asked."""
        chain = self.entries()[seq - 1 :]
        before = chain[0]["previous"]
        dynamodb = self.client(function)
        for entry in chain if is_chained else chain[:1]:
            entry |= {"actor": "somebody else", "previous": before}
            before = entry["hash"] = entry_hash(entry)
            dynamodb.put_item(TableName=self.table, Item=attributes(entry))
        if is_chained:
            self.move_head(function, self.head().seq, before)

    def move_head(self, function: str, seq: int, entry: str) -> None:
        """Let the ledger say that the chain ends elsewhere."""
        self.client(function).update_item(
            TableName=self.table,
            Key=attributes({"pk": f"FLYWHEEL#{self.name}", "sk": "AUDIT_HEAD"}),
            UpdateExpression="SET seq = :s, #h = :h",
            ExpressionAttributeNames={"#h": "hash"},
            ExpressionAttributeValues=attributes({":s": seq, ":h": entry}),
        )

    def problem(self) -> str:
        """Return what `flywheel audit verify` says is wrong."""
        with pytest.raises(RecordBrokenError) as broken:
            read_record(self.target, self.name).verify()
        return str(broken.value)
