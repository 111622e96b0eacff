"""Whoever holds a function's role cannot forge the record unseen.

Each forgery is tried with the roles of the synthesized template under the enforced IAM: it is
denied, or `flywheel audit verify` names the entry. A chain of its own for each test, which no
function works on.
"""

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.environment.target import local_target
from console.record.audit_record import read_record
from infra.ledger_rights import WRITTEN_BY
from local_cloud.environment import LocalEnvironment, LocalSettings
from tests.end_to_end.forged_record import Record, attributes

pytestmark = pytest.mark.slow

HEAD_WRITERS = ("CompareModels", "CloseBatch", "ChangeChampion", "Reconcile")
_numbers = count(1)


@pytest.fixture(scope="module")
def environment() -> Iterator[LocalEnvironment]:
    """Run a local environment."""
    with LocalEnvironment(LocalSettings()) as started:
        yield started


@pytest.fixture
def record(environment: LocalEnvironment) -> Record:
    """Have a chain with a head at its third entry, and a fourth."""
    made = Record(environment, local_target(environment.variables), f"chain-{next(_numbers)}")
    for _ in range(3):
        made.append()
    made.put_head("Reconcile", 3, made.head().hash, IfNoneMatch="*")
    made.append()
    counts = read_record(made.target, made.name).verify()
    assert (counts.entries, counts.covered) == (4, 3)
    return made


def entry_key(record: Record, seq: int = 2) -> dict[str, Any]:
    """Return the key of an entry."""
    return attributes({"pk": f"AUDIT#{record.name}#{seq}", "sk": "AUDIT"})


def changed(record: Record) -> dict[str, Any]:
    """Return an update of an entry."""
    return {
        "TableName": record.table,
        "Key": entry_key(record),
        "UpdateExpression": "SET actor = :a",
        "ExpressionAttributeValues": attributes({":a": "somebody else"}),
    }


def statement(record: Record, text: str) -> dict[str, Any]:
    """Return a PartiQL statement on an entry."""
    where = f"WHERE pk = 'AUDIT#{record.name}#2' AND sk = 'AUDIT'"
    return {"Statement": text.format(table=f'"{record.table}"', where=where)}


UPDATE = "UPDATE {table} SET actor = 'somebody else' {where}"
DELETE = "DELETE FROM {table} {where}"

CHANGES_OF_ENTRIES: dict[str, Callable[[Record, Any], object]] = {
    "UpdateItem": lambda record, dynamodb: dynamodb.update_item(**changed(record)),
    "DeleteItem": lambda record, dynamodb: dynamodb.delete_item(
        TableName=record.table, Key=entry_key(record)
    ),
    "a transaction's update": lambda record, dynamodb: dynamodb.transact_write_items(
        TransactItems=[{"Update": changed(record)}]
    ),
    "a transaction's delete, behind a put": lambda record, dynamodb: dynamodb.transact_write_items(
        TransactItems=[
            {
                "Put": {
                    "TableName": record.table,
                    "Item": attributes({"pk": f"FLYWHEEL#{record.name}", "sk": "GATHER"}),
                }
            },
            {"Delete": {"TableName": record.table, "Key": entry_key(record)}},
        ]
    ),
    "BatchWriteItem": lambda record, dynamodb: dynamodb.batch_write_item(
        RequestItems={record.table: [{"DeleteRequest": {"Key": entry_key(record)}}]}
    ),
    "PartiQL's UPDATE": lambda record, dynamodb: dynamodb.execute_statement(
        **statement(record, UPDATE)
    ),
    "PartiQL's DELETE": lambda record, dynamodb: dynamodb.execute_statement(
        **statement(record, DELETE)
    ),
    "PartiQL's batch": lambda record, dynamodb: dynamodb.batch_execute_statement(
        Statements=[statement(record, UPDATE)]
    ),
    "PartiQL's transaction": lambda record, dynamodb: dynamodb.execute_transaction(
        TransactStatements=[statement(record, DELETE)]
    ),
}


@pytest.mark.parametrize("act", CHANGES_OF_ENTRIES)
def test_no_role_changes_or_removes_an_entry_when_it_tries(record: Record, act: str) -> None:
    """Whatever the operation, each function's role is refused, and the chain stays whole."""
    for function in WRITTEN_BY:
        with pytest.raises(ClientError, match="not authorized to perform: dynamodb:") as refused:
            CHANGES_OF_ENTRIES[act](record, record.client(function))
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert read_record(record.target, record.name).verify().entries == 4


def test_the_denial_stands_when_a_later_permission_allows_everything(record: Record) -> None:
    """What is denied stays denied, whoever adds a permission to the role."""
    iam = record.environment.client("iam")
    (role,) = {
        role["RoleName"]
        for role in iam.list_roles()["Roles"]
        if "RegisterUpload" in role["RoleName"]
    }
    everything = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=document)
    try:
        dynamodb = record.client("RegisterUpload")
        dynamodb.describe_table(TableName=record.table)
        for act in CHANGES_OF_ENTRIES.values():
            with pytest.raises(ClientError, match="not authorized"):
                act(record, dynamodb)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="more")


@pytest.mark.parametrize(
    ("function", "pk"),
    [
        ("RegisterUpload", "VERDICT#tickets#9"),
        ("RegisterUpload", "APPROVAL#tickets#9"),
        ("RegisterUpload", "RECONCILE"),
        ("SealBatch", "OUTBOX"),
        ("StartIteration", "UPLOAD#9"),
        ("CompareModels", "UPLOAD#9"),
        ("CompareModels", "RECONCILE"),
        ("AnswerApproval", "VERDICT#tickets#9"),
        ("Reconcile", "VERDICT#tickets#9"),
    ],
)
def test_a_row_of_another_function_is_refused_when_a_role_writes_it(
    record: Record, function: str, pk: str
) -> None:
    """A role writes only the kinds of rows that its function writes."""
    dynamodb = record.client(function)
    row = attributes({"pk": pk, "sk": "FORGED"})
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:PutItem"):
        dynamodb.put_item(TableName=record.table, Item=row)
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:UpdateItem"):
        dynamodb.update_item(TableName=record.table, Key=row, UpdateExpression="REMOVE outcome")


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_the_entry_is_named_when_a_role_replaces_it_by_a_put(record: Record, seq: int) -> None:
    """A put may replace, and its hash fits; the entry after it no longer follows."""
    record.rewrite("RegisterUpload", seq)
    words = "differs from chain/" if seq == 3 else f"does not follow entry {seq}"
    assert f"entry {3 if seq == 3 else seq + 1} (looked at of batch 1) {words}" in record.problem()


@pytest.mark.parametrize("seq", [1, 3])
def test_the_entry_is_named_when_the_chain_and_its_end_are_written_anew(
    record: Record, seq: int
) -> None:
    """Every hash fits, and the ledger's head too; what lies in the bucket does not."""
    record.rewrite("RegisterUpload", seq, is_chained=True)
    words = f"entry 3 (looked at of batch 1) differs from {record.head_path(3)}"
    assert record.problem().startswith(words)


def test_the_entry_is_named_when_the_end_of_the_chain_is_cut_off(record: Record) -> None:
    """The head in the bucket knows more entries."""
    record.move_head("RegisterUpload", 2, record.entries()[1]["hash"])
    assert record.problem() == f"entry 3 is missing: {record.head_path(3)} knows 3 of them"


def test_the_youngest_entries_are_named_when_only_the_ledger_speaks_for_them(
    record: Record,
) -> None:
    """Until the next head, at the next run of Reconcile, this is not detected: verify says so."""
    record.rewrite("RegisterUpload", 4, is_chained=True)
    counts = read_record(record.target, record.name).verify()
    assert counts.beyond() == "Entry 4 is younger than the last head."


def test_the_entry_is_named_when_a_head_of_something_else_is_planted(record: Record) -> None:
    """Whoever may create heads may create a false one, and it does not fit the chain."""
    record.put_head("CompareModels", 4, "0" * 64, IfNoneMatch="*")
    assert f"entry 4 (looked at of batch 1) differs from {record.head_path(4)}" in record.problem()


@pytest.mark.parametrize("function", HEAD_WRITERS)
def test_a_head_stays_when_a_role_that_writes_heads_tries_to_replace_it(
    record: Record, function: str
) -> None:
    """Without the condition S3 refuses the write to everybody, with it because it is there."""
    s3, place = record.client(function, "s3"), {"Bucket": record.bucket, "Key": record.head_path(3)}
    forgery = record.head_body(3, "0" * 64)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(**place, Body=forgery)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**place, Body=forgery, IfNoneMatch="*")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.copy_object(**place, CopySource=place)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.create_multipart_upload(**place)
    listed = {"Objects": [{"Key": place["Key"]}]}
    for operation, given in (
        ("delete_object", place),
        ("delete_objects", {"Bucket": record.bucket, "Delete": listed}),
        ("delete_bucket_policy", {"Bucket": record.bucket}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(s3, operation)(**given)
    assert read_record(record.target, record.name).verify().covered == 3


def test_a_head_needs_the_condition_when_it_is_new(record: Record) -> None:
    """Reconcile's own role, and the operator too, create a head only if there is none."""
    new = record.head().hash
    with pytest.raises(ClientError, match="AccessDenied"):
        record.put_head("Reconcile", 4, new)
    with pytest.raises(ClientError, match="AccessDenied"):
        record.target.client("s3").put_object(
            Bucket=record.bucket, Key=record.head_path(4), Body=record.head_body(4, new)
        )
    record.put_head("Reconcile", 4, new, IfNoneMatch="*")
    assert read_record(record.target, record.name).verify().covered == 4


def test_no_head_and_no_verdict_is_written_when_a_role_is_not_meant_to(record: Record) -> None:
    """A function that reads strangers' files has no way to the bucket."""
    for function in set(WRITTEN_BY) - set(HEAD_WRITERS):
        with pytest.raises(ClientError, match="AccessDenied"):
            record.put_head(function, 4, "0" * 64, IfNoneMatch="*")
        with pytest.raises(ClientError, match="AccessDenied"):
            record.client(function, "s3").put_object(
                Bucket=record.bucket, Key="verdicts/tickets/9.json", Body=b"{}", IfNoneMatch="*"
            )
