"""Where people drop labeled files, and how each drop becomes a message.

Bucket -> EventBridge rule "Object Created" -> queue with dead letters. Decides nothing about the
files; `functions/register_upload` reads the queue.
"""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.private_bucket import private_bucket
from infra.project_queue import ProjectQueue

_RETRIED_FOR = cdk.Duration.hours(24)
_RETRIES = 185


class Inbox(Construct):
    """The inbox bucket and the queue of its uploads."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        removal_policy: cdk.RemovalPolicy,
        visibility_timeout: cdk.Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = private_bucket(self, "Bucket", removal_policy=removal_policy)
        resource = self.bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        # Through the bucket's own property: the L2 switch would add a function and a role.
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )
        self.uploads = ProjectQueue(self, "Uploads", visibility_timeout=visibility_timeout)
        events.Rule(
            self,
            "ObjectCreated",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [self.bucket.bucket_name]}},
            ),
            targets=[
                targets.SqsQueue(
                    self.uploads.queue,
                    dead_letter_queue=self.uploads.dead_letters,
                    max_event_age=_RETRIED_FOR,
                    retry_attempts=_RETRIES,
                )
            ],
        )
