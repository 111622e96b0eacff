"""The dataset operations and ingestion, over HTTP, from and to a real S3."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.clock import DrivenClock
from comprehend_engine.engine import Quotas
from comprehend_engine.storage.data_lake import bucket_and_key
from engine_testing.rig import BUCKET, Rig, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def test_documents_are_in_the_lake_when_a_dataset_is_completed(rig: Rig) -> None:
    """Unknown labels are ignored in silence, as documented; the rest is copied as it was."""
    flywheel = rig.flywheel()
    text = 'a "quoted", text\rwith a bare return'
    quoted = text.replace('"', '""')
    body = "".join(f"{label},{words}\n" for label, words in [*rows(10), ("praise", "nice")])
    key = "in/quoted/one.csv"
    rig.s3.put_object(Bucket=BUCKET, Key=key, Body=f'{body}billing,"{quoted}"\n'.encode())
    seen = rig.ended_dataset(rig.begin_dataset(flywheel, f"s3://{BUCKET}/{key}"))
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 21)
    assert seen["EndTime"] >= seen["CreationTime"]
    lake = rig.described(flywheel)["DataLakeS3Uri"]
    assert seen["DatasetS3Uri"].startswith(f"{lake}datasets/{seen['DatasetName']}/")
    bucket, prefix = bucket_and_key(seen["DatasetS3Uri"])
    (entry,) = rig.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    copy = rig.s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()
    assert f'"{quoted}"' in copy
    assert "praise" not in copy


def test_all_objects_are_read_when_the_uri_is_a_prefix(rig: Rig) -> None:
    """Folder markers are none of them."""
    flywheel = rig.flywheel()
    rig.put("in/many/a.csv", rows(6))
    rig.put("in/many/b.csv", rows(6, first=6))
    rig.s3.put_object(Bucket=BUCKET, Key="in/many/", Body=b"")
    seen = rig.ended_dataset(rig.begin_dataset(flywheel, f"s3://{BUCKET}/in/many/"))
    assert (seen["Status"], seen["NumberOfDocuments"]) == ("COMPLETED", 24)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([*rows(10), ("billing", "x")], None),
        ([*rows(12, labels=("billing",)), *rows(3, labels=("delivery",))], r"delivery \(3\)"),
        (
            [("praise", "nice"), ("blame", "bad")],
            r"labels of the documents: praise \(1\), blame \(1\)",
        ),
        ([("billing", "one, too many")], "3 columns"),
    ],
)
def test_a_dataset_fails_with_the_reason_when_its_documents_cannot_be_used(
    rig: Rig, documents: list[tuple[str, str]], expected: str | None
) -> None:
    """The message names labels and counts, or file and line."""
    seen = rig.dataset(rig.flywheel(), documents)
    if expected is None:
        assert seen["Status"] == "COMPLETED"
        return
    assert seen["Status"] == "FAILED"
    with pytest.raises(AssertionError, match=expected):
        raise AssertionError(seen["Message"])


def test_few_documents_of_a_label_are_enough_when_they_only_test(rig: Rig) -> None:
    """The minimum is a rule of training data."""
    assert rig.dataset(rig.flywheel(), rows(1), "TEST")["Status"] == "COMPLETED"


def test_a_dataset_fails_with_bucket_and_permission_when_s3_refuses(rig: Rig) -> None:
    """Whoever grants rights reads what to grant, and to whom."""
    flywheel = rig.flywheel()
    seen = rig.ended_dataset(rig.begin_dataset(flywheel, "s3://no-such-bucket/a.csv"))
    assert seen["Status"] == "FAILED"
    for named in ("'no-such-bucket'", "a.csv", "s3:ListBucket", "role/comprehend-data-access"):
        assert named in seen["Message"]
    absent = rig.ended_dataset(rig.begin_dataset(flywheel, f"s3://{BUCKET}/absent/"))
    assert f"no object whose key begins with s3://{BUCKET}/absent/" in absent["Message"]


def test_a_dataset_fails_when_it_is_larger_than_the_quotas(s3: "S3Client", tmp_path: Path) -> None:
    """Documents and bytes both have a limit."""
    with running(tmp_path, s3, quotas=Quotas(max_documents=25, max_file_size_bytes=2000)) as rig:
        flywheel = rig.flywheel()
        assert "More than 25 documents" in rig.dataset(flywheel, rows(13))["Message"]
        assert "a file may have at most 2000" in rig.dataset(flywheel, rows(50))["Message"]


def test_the_same_dataset_is_answered_when_a_token_is_repeated(rig: Rig) -> None:
    """With another token, the name is in use."""
    flywheel, uri = rig.flywheel(), rig.put("in/repeated.csv", rows(10))
    named = {"DatasetName": "repeated"}
    first = rig.begin_dataset(flywheel, uri, ClientRequestToken="once", **named)
    assert rig.begin_dataset(flywheel, uri, ClientRequestToken="once", **named) == first
    with pytest.raises(ClientError, match="ResourceInUseException"):
        rig.begin_dataset(flywheel, uri, **named)
    with pytest.raises(ClientError, match="used for a different request"):
        rig.begin_dataset(flywheel, uri, "TEST", ClientRequestToken="once", **named)


def test_a_dataset_is_refused_when_the_flywheel_has_used_its_slots(
    s3: "S3Client", tmp_path: Path
) -> None:
    """FAILED datasets use a slot too; TRAIN and TEST count apart."""
    quotas = Quotas(train_datasets_per_flywheel=1, test_datasets_per_flywheel=1)
    with running(tmp_path, s3, quotas=quotas) as rig:
        flywheel = rig.flywheel()
        assert rig.dataset(flywheel, rows(1))["Status"] == "FAILED"
        with pytest.raises(ClientError, match="ResourceLimitExceededException"):
            rig.dataset(flywheel, rows(10))
        assert rig.dataset(flywheel, rows(1), "TEST")["Status"] == "COMPLETED"


def test_a_dataset_is_creating_for_the_pace_when_its_work_is_quicker(
    s3: "S3Client", tmp_path: Path
) -> None:
    """A flywheel with such a dataset cannot be deleted, and a second one has to wait."""
    clock = DrivenClock()
    with running(
        tmp_path, s3, clock=clock, pace_seconds=5.0, quotas=Quotas(creating_datasets=1)
    ) as rig:
        flywheel, uri = rig.flywheel(waits=False), rig.put("in/paced.csv", rows(10))
        clock.advance(5.0)
        until(lambda: rig.described(flywheel), lambda seen: seen["Status"] == "ACTIVE")
        arn = rig.begin_dataset(flywheel, uri)
        describe = rig.comprehend.describe_dataset
        assert describe(DatasetArn=arn)["DatasetProperties"]["Status"] == "CREATING"
        with pytest.raises(ClientError, match="is CREATING"):
            rig.comprehend.delete_flywheel(FlywheelArn=flywheel)
        with pytest.raises(ClientError, match="datasets being created is 1"):
            rig.begin_dataset(flywheel, uri)
        clock.advance(5.0)
        seen = rig.ended_dataset(arn)
        assert seen["EndTime"] - seen["CreationTime"] == timedelta(seconds=5)


def test_datasets_are_filtered_and_paged_when_a_list_asks_so(rig: Rig) -> None:
    """Newest first, and only what was asked."""
    flywheel = rig.flywheel()
    train = [rig.dataset(flywheel, rows(10))["DatasetArn"] for _ in range(2)]
    test = rig.dataset(flywheel, rows(1), "TEST")["DatasetArn"]
    failed = rig.dataset(flywheel, rows(1))["DatasetArn"]
    list_datasets = rig.comprehend.list_datasets

    def arns(**filters: str) -> set[str]:
        answer = list_datasets(FlywheelArn=flywheel, Filter=filters)  # type: ignore[arg-type] # any
        return {item["DatasetArn"] for item in answer["DatasetPropertiesList"]}

    assert arns(DatasetType="TEST") == {test}
    assert arns(Status="FAILED") == {failed}
    assert arns(Status="COMPLETED", DatasetType="TRAIN") == set(train)
    first = list_datasets(FlywheelArn=flywheel, MaxResults=3)
    rest = list_datasets(FlywheelArn=flywheel, MaxResults=3, NextToken=first["NextToken"])
    returned = [*first["DatasetPropertiesList"], *rest["DatasetPropertiesList"]]
    assert [item["DatasetArn"] for item in returned] == [failed, test, *reversed(train)]
    assert "NextToken" not in rest
