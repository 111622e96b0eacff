"""How notices reach people: a topic, e-mail subscriptions, and Slack through a queue."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from flywheel.settings import Notifications
from infra.project_queue import ProjectQueue


class NoticeTopic(Construct):
    """The topic that every outcome is published to.

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
        self.topic = sns.Topic(
            self,
            "Topic",
            enforce_ssl=True,
            master_key=kms.Alias.from_alias_name(self, "SnsKey", "alias/aws/sns"),
        )
        for email in notifications.emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        self.slack: ProjectQueue | None = None
        if notifications.slack_webhook_secret is not None:
            self.slack = ProjectQueue(self, "Slack", visibility_timeout=slack_visibility_timeout)
            self.topic.add_subscription(subscriptions.SqsSubscription(self.slack.queue))
