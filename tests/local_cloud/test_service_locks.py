import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table
from moto.s3.models import S3Backend

from local_cloud.cloud import Cloud

SLOW_SECONDS = 0.02


def _slow(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Make a method of moto take its time between reading and writing, so that a race shows."""
    original = getattr(owner, name)

    def slow(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        threading.Event().wait(SLOW_SECONDS)
        return result

    monkeypatch.setattr(owner, name, slow)


def _at_once(works: list[Callable[[], Any]]) -> list[str]:
    """Run all on threads of their own and return what each ended with."""
    ends: list[str] = []
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        ready.wait()
        try:
            work()
            ends.append("done")
        except ClientError as error:
            ends.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def test_one_writer_wins_when_many_put_if_none_match(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conditional put succeeds once, whatever the threads do."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="seals")
    _slow(monkeypatch, S3Backend, "get_object")

    def put() -> None:
        s3.put_object(Bucket="seals", Key="manifest", Body=b"x", IfNoneMatch="*")

    ends = _at_once([put] * 6)

    assert sorted(ends) == ["PreconditionFailed"] * 5 + ["done"]


def test_one_writer_wins_when_many_put_the_same_item(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A conditional item, alone or in a transaction, is written once."""
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    _slow(monkeypatch, Table, "get_item")
    put = {
        "TableName": "ledger",
        "Item": {"id": {"S": "batch"}},
        "ConditionExpression": "attribute_not_exists(id)",
    }

    def write() -> None:
        dynamodb.put_item(**put)

    def transact() -> None:
        dynamodb.transact_write_items(TransactItems=[{"Put": put}])

    assert _at_once([write, transact] * 3).count("done") == 1


@pytest.mark.slow
def test_every_message_arrives_when_many_send_and_receive(cloud: Cloud) -> None:
    """Nothing is lost or doubled between senders and receivers at once."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="busy")["QueueUrl"]
    seen: list[str] = []

    def send(sender: int) -> Callable[[], None]:
        def work() -> None:
            for number in range(10):
                sqs.send_message(QueueUrl=url, MessageBody=f"{sender}-{number}")

        return work

    def receive() -> None:
        for _ in range(20):
            answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                seen.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if len(seen) >= 40:
                return

    assert set(_at_once([send(sender) for sender in range(4)] + [receive] * 4)) == {"done"}
    assert sorted(seen) == sorted(
        f"{sender}-{number}" for sender in range(4) for number in range(10)
    )
