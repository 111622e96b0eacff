"""The topic on which people are told."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.service_errors import translate_aws_errors
from flywheel.notices.notice import Notice

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


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
