"""The one place that makes a queue: encrypted, TLS only, with a dead-letter queue."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_DELIVERIES = 5
_KEPT = cdk.Duration.days(14)


class ProjectQueue(Construct):
    """A queue that one function reads.

    Parameters
    ----------
    visibility_timeout : Duration
        At least six times the reading function's time-out.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, visibility_timeout: cdk.Duration
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=_KEPT,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=_KEPT,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=_DELIVERIES
            ),
        )

    def feed(
        self, function: lambda_.Function, *, batch_size: int, reports_items: bool = False
    ) -> None:
        """Let a function read the queue, at most two at a time.

        Parameters
        ----------
        batch_size : int
            Most messages a call; more than one only for a function that reports items.
        reports_items : bool
            Whether the function's answer names the messages that failed.
        """
        function.add_event_source(
            event_sources.SqsEventSource(
                self.queue,
                batch_size=batch_size,
                max_concurrency=2,
                report_batch_item_failures=reports_items,
            )
        )
