"""The inbox bucket: what people dropped, by exact version.

Knows versions and never "the object": what an event names is what is read, whatever came after.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.objects import CHUNK_BYTES, GONE_CODES
from adapters.service_errors import error_code, translate_aws_errors
from application.service_values import FoundVersion
from flywheel.batches.uploads import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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

    def versions(self) -> Iterator[FoundVersion]:
        """Give every object version that is there; delete markers are none."""
        with translate_aws_errors("s3:ListObjectVersions"):
            pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
            for page in pages:
                for found in page.get("Versions", []):
                    upload = ObjectVersion(self.bucket, found["Key"], found["VersionId"])
                    yield FoundVersion(upload, found["Size"], found["LastModified"])
