"""The one place that makes a bucket: versioned, encrypted, TLS only, closed to the public."""

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

_ABORT_UPLOADS_AFTER = cdk.Duration.days(7)


def private_bucket(
    scope: Construct,
    construct_id: str,
    *,
    removal_policy: cdk.RemovalPolicy,
    can_lock: bool = False,
    retention: s3.ObjectLockRetention | None = None,
) -> s3.Bucket:
    """Return a bucket with this project's settings.

    Parameters
    ----------
    can_lock : bool
        Whether Object Lock is on. It can only be set at creation; without a retention it locks
        nothing.
    retention : ObjectLockRetention, optional
        How long each new object is protected from deletion.
    """
    return s3.Bucket(
        scope,
        construct_id,
        versioned=True,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=removal_policy,
        object_lock_enabled=True if can_lock else None,
        object_lock_default_retention=retention,
        lifecycle_rules=[
            s3.LifecycleRule(abort_incomplete_multipart_upload_after=_ABORT_UPLOADS_AFTER)
        ],
    )
