"""Jobs: the files that one reads, its request, its description, and the answers that it wrote."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from engine_testing.rig import BUCKET, ROLE, Rig, until

_numbers = count(1)


def put_files(rig: Rig, **contents: str) -> str:
    """Write files to a prefix of their own; return its URI."""
    prefix = f"jobs/{next(_numbers)}/"
    for name, content in contents.items():
        rig.s3.put_object(Bucket=BUCKET, Key=f"{prefix}{name}.txt", Body=content.encode())
    return f"s3://{BUCKET}/{prefix}"


def job_request(uri: str, layout: str = "ONE_DOC_PER_LINE", **more: Any) -> dict[str, Any]:
    """Return the request of a job."""
    return {
        "InputDataConfig": {"S3Uri": uri, "InputFormat": layout},
        "OutputDataConfig": {"S3Uri": f"s3://{BUCKET}/answers/"},
        "DataAccessRoleArn": ROLE,
        **more,
    }


def classification_job(rig: Rig, job: str) -> Mapping[str, Any]:
    """Describe a classification job."""
    answer = rig.comprehend.describe_document_classification_job(JobId=job)
    return answer["DocumentClassificationJobProperties"]


def entities_job(rig: Rig, job: str) -> Mapping[str, Any]:
    """Describe an entities job."""
    answer = rig.comprehend.describe_entities_detection_job(JobId=job)
    return answer["EntitiesDetectionJobProperties"]


def ended_job(look: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a job's description once it has ended."""
    return until(look, lambda seen: "EndTime" in seen)


def answer_lines(rig: Rig, job: Mapping[str, Any], name: str) -> Sequence[Any]:
    """Return the lines of the one file in a job's archive."""
    uri = job["OutputDataConfig"]["S3Uri"]
    key = uri.removeprefix(f"s3://{BUCKET}/")
    archive = rig.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        assert tar.getnames() == [name]
        content = tar.extractfile(name)
        assert content is not None
        return [json.loads(line) for line in content.read().decode().splitlines()]
