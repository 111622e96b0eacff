"""Objects of the staging and verdicts buckets, created once, and versions of the inbox.

A reader streams; nothing here holds a whole upload in memory. Of the inbox exactly the version that
an event names is read, whatever came after.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.service_errors import error_code, translate_aws_errors
from application.port_values import ListedVersion
from flywheel.batches.uploads import ObjectVersion

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client


CHUNK_BYTES = 1 << 16
GONE_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})
_EXISTS_CODE = "PreconditionFailed"
_READ_AHEAD = 8
"""Below the ten connections that a client keeps."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Reads and writes objects of one bucket."""

    bucket: str
    s3: "S3Client"

    def chunks(self, key: str) -> Iterator[bytes]:
        """Give an object's bytes in pieces."""
        yield from self._opened(key)

    def lines(self, key: str) -> Iterator[str]:
        r"""Give the lines of a text object that ends its lines with ``\n``, ends included."""
        return _lines(self.chunks(key))

    def all_lines(self, keys: Iterable[str]) -> Iterator[Iterator[str]]:
        """Give the lines of several text objects, one object after the other.

        Small ones are read ahead: each costs a call, and ten thousand of them one by one would
        outlast a function.
        """
        with ThreadPoolExecutor(_READ_AHEAD) as pool:
            ahead: deque[Future[Iterator[bytes]]] = deque()
            for key in keys:
                ahead.append(pool.submit(self._opened, key))
                if len(ahead) > _READ_AHEAD:
                    yield _lines(ahead.popleft().result())
            while ahead:
                yield _lines(ahead.popleft().result())

    def _opened(self, key: str) -> Iterator[bytes]:
        """Ask for an object and return its bytes; of a small one they are here already."""
        with translate_aws_errors("s3:GetObject"):
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
            if answer["ContentLength"] <= CHUNK_BYTES:
                return iter([answer["Body"].read()])
        return _pieces(answer["Body"])

    def text(self, key: str) -> str | None:
        """Return a small text object, or None where there is none."""
        with translate_aws_errors("s3:GetObject"):
            try:
                body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
            except ClientError as error:
                if error_code(error) in GONE_CODES:
                    return None
                raise
            return body.read().decode()

    def keys(self, prefix: str) -> Iterator[str]:
        """Give the keys of the objects whose key begins so, in order."""
        with translate_aws_errors("s3:ListBucket"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix
            )
            for page in pages:
                yield from (listed["Key"] for listed in page.get("Contents", []))

    def create(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Write an object that is never overwritten; False where it was there already."""
        with translate_aws_errors("s3:PutObject"):
            try:
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
            except ClientError as error:
                if error_code(error) == _EXISTS_CODE:
                    return False
                raise
            return True


def _pieces(body: "StreamingBody") -> Iterator[bytes]:
    with translate_aws_errors("s3:GetObject"):
        yield from body.iter_chunks(CHUNK_BYTES)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode() + "\n"
    if rest:
        yield rest.decode()


@dataclass(frozen=True, slots=True)
class InboxBucket:
    """Reads and lists object versions of the inbox.

    Parameters
    ----------
    bucket : str
        What is listed; a version is read from the bucket that it names.
    s3 : S3Client
    """

    bucket: str
    s3: "S3Client"

    def version_chunks(self, upload: ObjectVersion) -> Iterator[bytes] | None:
        """Return the bytes of exactly this version in pieces, or None where it is gone."""
        with translate_aws_errors("s3:GetObjectVersion"):
            try:
                answer = self.s3.get_object(
                    Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id
                )
            except ClientError as error:
                if error_code(error) in GONE_CODES:
                    return None
                raise
            return answer["Body"].iter_chunks(CHUNK_BYTES)

    def versions(self) -> Iterator[ListedVersion]:
        """Give every object version that is there; delete markers are none."""
        with translate_aws_errors("s3:ListObjectVersions"):
            pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
            for page in pages:
                for version in page.get("Versions", []):
                    upload = ObjectVersion(self.bucket, version["Key"], version["VersionId"])
                    yield ListedVersion(upload, version["Size"], version["LastModified"])
