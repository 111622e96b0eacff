"""The queues and the topic: uploads to register, digests that become due, notices to people."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.service_errors import translate_aws_errors
from flywheel.batches.uploads import ObjectVersion
from flywheel.notices.notice import Notice

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Queues:
    """Sends to the stack's queues.

    Parameters
    ----------
    uploads_url, notices_due_url : str
    sqs : SQSClient
    """

    uploads_url: str
    notices_due_url: str
    sqs: "SQSClient"

    def announce(self, flywheel: str, delay_seconds: int) -> None:
        """Have the flywheel's upload news looked at when the delay is over."""
        with translate_aws_errors("sqs:SendMessage"):
            self.sqs.send_message(
                QueueUrl=self.notices_due_url,
                MessageBody=json.dumps({"flywheel": flywheel}),
                DelaySeconds=delay_seconds,
            )

    def inject(self, upload: ObjectVersion, size_bytes: int) -> None:
        """Have an upload registered as if its event came now.

        Notes
        -----
        *Source*: EventBridge events reference, "Object Created" of Amazon S3.
        """
        detail = {
            "bucket": {"name": upload.bucket},
            "object": {
                "key": upload.key,
                "size": size_bytes,
                "version-id": upload.version_id,
            },
            "reason": "Reconcile",
        }
        event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
        with translate_aws_errors("sqs:SendMessage"):
            self.sqs.send_message(QueueUrl=self.uploads_url, MessageBody=json.dumps(event))

    def has_waiting_uploads(self) -> bool:
        """Say whether the uploads queue holds a message: visible, hidden or delayed."""
        with translate_aws_errors("sqs:GetQueueAttributes"):
            answer = self.sqs.get_queue_attributes(
                QueueUrl=self.uploads_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        return any(map(int, answer["Attributes"].values()))

    def deliver_later(self, receipt_handle: str, seconds: int) -> None:
        """Have a message of the uploads queue delivered again after so many seconds."""
        deliver_later(self.sqs, self.uploads_url, receipt_handle, seconds)


def deliver_later(sqs: "SQSClient", queue_url: str, receipt_handle: str, seconds: int) -> None:
    """Have a queue deliver a message again after so many seconds, and not before."""
    with translate_aws_errors("sqs:ChangeMessageVisibility"):
        sqs.change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )


@dataclass(frozen=True, slots=True)
class SnsTopic:
    """Publishes notices; their id travels with them, so that a repeat can be recognised."""

    arn: str
    sns: "SNSClient"

    def publish(self, flywheel: str, notice: Notice) -> None:
        """Publish one notice."""
        with translate_aws_errors("sns:Publish"):
            self.sns.publish(
                TopicArn=self.arn,
                Subject=notice.subject,
                Message=notice.body,
                MessageAttributes={
                    "flywheel": {"DataType": "String", "StringValue": flywheel},
                    "notice_id": {"DataType": "String", "StringValue": notice.id},
                },
            )
