"""Put a labeled file into the inbox, where the environment takes it up.

Decides the key, as the inbox's layout asks. Checks nothing: `console.validate.validating` does that
before. Read next: `console.flywheels.following` (what becomes of the upload).
"""

from dataclasses import dataclass
from typing import IO

from adapters.service_errors import translate_aws_errors
from console.environment.target import Target
from flywheel.batches.uploads import DatasetKind, ObjectVersion


@dataclass(frozen=True, slots=True)
class Upload:
    """One object version that was put into the inbox."""

    key: str
    version_id: str
    uid: str
    kind: DatasetKind


def put(
    target: Target, flywheel: str, kind: DatasetKind, name: str, body: bytes | IO[bytes]
) -> Upload:
    """Put a file into a flywheel's folder of the inbox.

    Parameters
    ----------
    name : str
        The file's name, without folders.
    body : bytes or binary file
    """
    bucket, key = target.outputs["InboxBucket"], f"{flywheel}/{kind.value}/{name}"
    with translate_aws_errors("s3:PutObject"):
        answer = target.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    version = ObjectVersion(bucket, key, answer["VersionId"])
    return Upload(key, version.version_id, version.uid, kind)
