"""S3 as the engine uses it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.errors import StorageAccessError
from comprehend_engine.storage.data_lake import DataLake, S3Object
from engine_testing.rig import BUCKET, ROLE

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def test_named_files_alone_are_here_when_a_prefix_is_downloaded(
    s3: "S3Client", tmp_path: Path
) -> None:
    """No key that others wrote names a file of this machine."""
    lake = DataLake(lambda _: s3, ROLE)
    for name in ("b.csv", "a.csv", "other.csv", "../../up.csv", "..", "folder/a.csv"):
        s3.put_object(Bucket=BUCKET, Key=f"download/{name}", Body=name.encode())
    lake.download(f"s3://{BUCKET}/download/", ("a.csv", "b.csv"), tmp_path / "new" / "place")
    entry = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert entry == {"new/place/a.csv", "new/place/b.csv"}
    assert (tmp_path / "new" / "place" / "a.csv").read_text() == "a.csv"


@pytest.mark.parametrize("permission", ["s3:GetObject", "s3:PutObject", "s3:ListBucket"])
def test_the_permission_is_named_when_s3_refuses(s3: "S3Client", permission: str) -> None:
    """Each way to use S3 names its own, with bucket, key and role."""
    lake = DataLake(lambda _: s3, ROLE)
    (entry,) = _one_object(lake)
    absent = f"s3://absent-bucket/{entry.key}"
    uses: dict[str, Callable[[], object]] = {
        "s3:ListBucket": lambda: lake.objects(absent),
        "s3:PutObject": lambda: lake.write(absent, b""),
        "s3:GetObject": lambda: lake.read(absent),
    }
    with pytest.raises(StorageAccessError) as refusal:
        uses[permission]()
    for named in (permission, ROLE, "absent-bucket", entry.key, "NoSuchBucket"):
        assert named in str(refusal.value)


def test_the_role_is_named_when_it_cannot_be_assumed() -> None:
    """Who hands out clients may be refused as well."""

    def refuse(role_arn: str) -> "S3Client":
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": role_arn}}, "AssumeRole")

    with pytest.raises(StorageAccessError, match=r"sts:AssumeRole"):
        DataLake(refuse, ROLE)


def _one_object(lake: DataLake) -> list[S3Object]:
    lake.write(f"s3://{BUCKET}/one/object.csv", b"1")
    return lake.objects(f"s3://{BUCKET}/one/")
