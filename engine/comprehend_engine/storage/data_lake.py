"""S3 as the engine uses it: it reads datasets, and reads and writes the data lake.

Decides how S3 is accessed. Each error names bucket, key, permission and role. Knows neither
datasets nor iterations. Read next: `comprehend_engine.lifecycles.dataset_ingestion`.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from comprehend_engine.errors import StorageAccessError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    S3ClientForRole = Callable[[str], S3Client]


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object under a prefix."""

    bucket: str
    key: str
    size_bytes: int

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"s3://{self.bucket}/{self.key}"


class DataLake:
    """S3, with the rights of one role.

    Parameters
    ----------
    s3_client_for_role : callable
        Takes a role's ARN, returns an S3 client with its rights.
    role_arn : str
        A flywheel's data access role.

    Raises
    ------
    StorageAccessError
        From every method: S3 refuses or fails; the message says who must grant what.
    """

    def __init__(self, s3_client_for_role: "S3ClientForRole", role_arn: str) -> None:
        self._role_arn = role_arn
        with self._translated_errors("assume the role for", "", "sts:AssumeRole"):
            self._s3 = s3_client_for_role(role_arn)

    def objects(self, uri: str) -> list[S3Object]:
        """Return the objects whose key begins with the URI's, by key; folder markers left out.

        Notes
        -----
        *Source*: botocore, DatasetDocumentClassifierInputDataConfig: "If more than one file begins
        with the prefix, Amazon Comprehend uses all of them as input."
        """
        bucket, prefix = bucket_and_key(uri)
        with self._translated_errors("list", uri, "s3:ListBucket"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return [
                S3Object(bucket, entry["Key"], entry["Size"])
                for page in pages
                for entry in page.get("Contents", [])
                if not (entry["Key"].endswith("/") and entry["Size"] == 0)
            ]

    def read(self, uri: str) -> bytes:
        """Return an object's content."""
        bucket, key = bucket_and_key(uri)
        with self._translated_errors("read", uri, "s3:GetObject"):
            return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def download(self, uri: str, names: Iterable[str], directory: Path) -> None:
        """Copy the named objects of a prefix into a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        for name in names:
            (directory / name).write_bytes(self.read(f"{uri}{name}"))

    def write(self, uri: str, content: bytes | IO[bytes]) -> None:
        """Write an object."""
        bucket, key = bucket_and_key(uri)
        with self._translated_errors("write", uri, "s3:PutObject"):
            self._s3.put_object(Bucket=bucket, Key=key, Body=content)

    def write_document(self, uri: str, document: Any) -> None:
        """Write a JSON document."""
        self.write(uri, json.dumps(document, indent=1).encode())

    @contextmanager
    def _translated_errors(self, action: str, uri: str, permission: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            bucket, key = bucket_and_key(uri) if uri else ("", "")
            place = f" {uri} (bucket {bucket!r}, key {key!r})" if uri else " access to S3"
            message = (
                f"Cannot {action}{place}: {error}. "
                f"The data access role {self._role_arn} needs {permission}."
            )
            raise StorageAccessError(message) from error


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Split an S3 URI.

    Examples
    --------
    >>> bucket_and_key("s3://inbox/tickets/train/")
    ('inbox', 'tickets/train/')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
