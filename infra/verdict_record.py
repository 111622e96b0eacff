"""Where verdicts and daily heads are kept: a bucket that nobody may delete from or read back.

Decides who may write what in it, and for how long it is locked. docs/audit.md says what is in it.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from flywheel.settings import Verdicts
from infra.private_bucket import private_bucket


class VerdictRecord(Construct):
    """The bucket of verdicts.

    Parameters
    ----------
    settings : Verdicts
        How long what is written is kept from deletion.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Verdicts,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = private_bucket(
            self,
            "Bucket",
            removal_policy=removal_policy,
            # Always, so that a retention can be asked for later: whether a bucket can lock is
            # said when it is made, and another bucket would be another record.
            can_lock=True,
            retention=_retention(settings),
        )

    def grant_verdicts(self, grantee: iam.IGrantable) -> None:
        """Let a function keep documents of verdicts."""
        self._grant(grantee, "verdicts/*")

    def grant_heads(self, grantee: iam.IGrantable) -> None:
        """Let a function keep daily heads of the audit's chains."""
        self._grant(grantee, "chain/*")

    def _grant(self, grantee: iam.IGrantable, keys: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:PutObject"],
            resource_arns=[self.bucket.arn_for_objects(keys)],
        )


def _retention(settings: Verdicts) -> s3.ObjectLockRetention | None:
    if settings.object_lock_days is None:
        return None
    duration = cdk.Duration.days(settings.object_lock_days)
    if settings.object_lock_mode == "COMPLIANCE":
        return s3.ObjectLockRetention.compliance(duration)
    return s3.ObjectLockRetention.governance(duration)
