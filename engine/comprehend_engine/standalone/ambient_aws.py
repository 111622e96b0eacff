"""The engine by itself, on any S3: that of AWS, or what AWS_ENDPOINT_URL_S3 leads to.

Decides how S3 is reached where nobody stands between: with the credentials of the process that
runs the engine, whatever role a flywheel names. Read next: `comprehend_engine.engine`, and
docs/engine.md for how it is used.
"""

import os
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from comprehend_engine.storage.data_lake import S3ClientForRole

DEFAULT_REGION = "us-east-1"
"""Where neither AWS_REGION nor a profile names one."""


def ambient_s3(endpoint_url: str | None = None) -> "S3ClientForRole":
    """Return what gives an engine its S3 clients: one client, with the process's credentials.

    Parameters
    ----------
    endpoint_url : str, optional
        The S3 to use; without it boto3's own choice, AWS_ENDPOINT_URL_S3 included.
    """
    chosen = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3")
    # A bucket's name is no host name of a server that is not AWS's.
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
