"""The record of verdicts and heads of the audit's chains: a bucket in which nothing is replaced.

Decides who may write what in it, and for how long it is locked. docs/audit.md says what is in it.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from flywheel.settings.environment import VerdictsSettings
from infra.private_bucket import private_bucket
from infra.project_function import ProjectFunction

_VERDICTS, _HEADS = "verdicts/*", "chain/*"


class VerdictRecord(Construct):
    """The bucket of verdicts.

    Parameters
    ----------
    settings : VerdictsSettings
        How long objects are protected from deletion.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: VerdictsSettings,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = private_bucket(
            self,
            "Bucket",
            removal_policy=removal_policy,
            # Always, so that a retention can be set later: a bucket can lock only if it was created
            # so, and another bucket would be another record.
            can_lock=True,
            retention=_retention(settings),
        )
        self._deny_overwriting()

    def grant_verdicts(self, function: ProjectFunction) -> None:
        """Let a function create documents of verdicts."""
        function.allow(["s3:PutObject"], [self.bucket.arn_for_objects(_VERDICTS)])

    def grant_heads(self, function: ProjectFunction) -> None:
        """Let a function create heads of the audit's chains, and read one that is there already.

        Only by reading it can a function distinguish a repeat from a head of another entry.
        """
        function.allow(["s3:PutObject", "s3:GetObject"], [self.bucket.arn_for_objects(_HEADS)])

    def _deny_overwriting(self) -> None:
        """Refuse everybody a write that could replace an object.

        Notes
        -----
        *Source*: Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets". A copy
        and the parts of a multipart upload have no such header, and are refused as well.
        """
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                resources=[self.bucket.arn_for_objects(keys) for keys in (_HEADS, _VERDICTS)],
                conditions={"Null": {"s3:if-none-match": "true"}},
            )
        )


def _retention(settings: VerdictsSettings) -> s3.ObjectLockRetention | None:
    if settings.object_lock_days is None:
        return None
    duration = cdk.Duration.days(settings.object_lock_days)
    if settings.object_lock_mode == "COMPLIANCE":
        return s3.ObjectLockRetention.compliance(duration)
    return s3.ObjectLockRetention.governance(duration)
