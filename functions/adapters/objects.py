"""Objects that are created once and never overwritten: the staging bucket.

A reader streams; nothing here holds a whole upload in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.service_errors import error_code, explained

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 1 << 16
GONE_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})
_EXISTS_CODE = "PreconditionFailed"


@dataclass(frozen=True, slots=True)
class Objects:
    """Reads and writes objects of one bucket."""

    bucket: str
    s3: "S3Client"

    def chunks(self, key: str) -> Iterator[bytes]:
        """Give an object's bytes in pieces."""
        with explained("s3:GetObject"):
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
            yield from body.iter_chunks(CHUNK_BYTES)

    def lines(self, key: str) -> Iterator[str]:
        r"""Give the lines of a text object that ends its lines with ``\n``, ends included."""
        rest = b""
        for chunk in self.chunks(key):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode() + "\n"
        if rest:
            yield rest.decode()

    def text(self, key: str) -> str | None:
        """Return a small text object, or None where there is none."""
        with explained("s3:GetObject"):
            try:
                body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
            except ClientError as error:
                if error_code(error) in GONE_CODES:
                    return None
                raise
            return body.read().decode()

    def create(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Write an object that is never overwritten; False where it was there already."""
        with explained("s3:PutObject"):
            try:
                self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
            except ClientError as error:
                if error_code(error) == _EXISTS_CODE:
                    return False
                raise
            return True
