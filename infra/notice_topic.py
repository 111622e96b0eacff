"""How notices and alarms reach people: a topic, e-mail subscriptions, and Slack through a queue.

The topic has a key of its own, since CloudWatch cannot use the one that SNS brings
(docs/decisions/0006-a-key-for-the-topic.md).
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from flywheel.settings.environment import Notifications
from infra.project_queue import ProjectQueue


class NoticeTopic(Construct):
    """The topic that every outcome and every alarm is published to.

    Parameters
    ----------
    notifications : Notifications
    slack_visibility_timeout : Duration
        At least six times the time-out of the function that reads the Slack queue.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        notifications: Notifications,
        slack_visibility_timeout: cdk.Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        # No message rests in a topic for long, so its key is not kept when the stack goes.
        self.key = kms.Key(
            self,
            "Key",
            description="Notices of comprehend-flywheel-loop",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True, master_key=self.key)
        self._let_alarms_in()
        for email in notifications.emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        self.slack: ProjectQueue | None = None
        if notifications.slack_webhook_secret is not None:
            self.slack = ProjectQueue(self, "Slack", visibility_timeout=slack_visibility_timeout)
            self.topic.add_subscription(subscriptions.SqsSubscription(self.slack.queue))

    def _let_alarms_in(self) -> None:
        """Let this account's alarms publish, which takes leave of the topic and of its key.

        *Source*: CloudWatch User Guide, "Notifying users on alarm changes"; SNS Developer Guide,
        "Enable compatibility between event sources from AWS services and encrypted topics".
        """
        alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        ours = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[alarms],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=ours,
            )
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[alarms],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions=ours,
            )
        )
