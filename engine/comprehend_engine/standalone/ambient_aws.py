"""The S3 and the region of an engine that runs by itself, as boto3 finds them.

Decides how such an engine reaches S3: with the credentials of its process, whatever role a flywheel
names. Read next: `comprehend_engine.engine`, and the README for how the engine is used.
"""

import os
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from comprehend_engine.storage.data_lake import S3ClientForRole

DEFAULT_REGION = "us-east-1"
"""The region where neither AWS_REGION nor a profile names one."""


def ambient_s3(endpoint_url: str | None = None) -> "S3ClientForRole":
    """Return a function that gives the engine its S3 client, with the process's credentials.

    Parameters
    ----------
    endpoint_url : str, optional
        The S3 to use; boto3's own choice by default, AWS_ENDPOINT_URL_S3 included.
    """
    chosen = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3")
    # A server other than AWS's has no host name per bucket.
    style: Literal["path", "auto"] = "path" if chosen else "auto"
    client: S3Client = boto3.Session().client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=ambient_region(),
        config=Config(s3={"addressing_style": style}, retries={"mode": "standard"}),
    )
    return lambda role_arn: client


def ambient_region() -> str:
    """Return the region that boto3 would use, or the default one."""
    return boto3.Session().region_name or DEFAULT_REGION
