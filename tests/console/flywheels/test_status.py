import boto3
from botocore.stub import Stubber

from console.flywheels.status import unconfirmed_emails

TOPIC = "arn:aws:sns:eu-west-1:123456789012:notices"


def subscription(arn: str, address: str) -> dict[str, str]:
    """Return a subscription as the service lists it."""
    return {
        "SubscriptionArn": arn,
        "Owner": "123456789012",
        "Protocol": "email",
        "Endpoint": address,
        "TopicArn": TOPIC,
    }


def test_addresses_are_named_when_nobody_confirmed_them() -> None:
    """An address that was confirmed has an ARN; moto confirms by itself, so answers are stubbed."""
    sns = boto3.client(
        "sns", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    listed = [
        subscription("PendingConfirmation", "b@example.com"),
        subscription(f"{TOPIC}:1", "yes@example.com"),
        subscription("PendingConfirmation", "a@example.com"),
    ]
    with Stubber(sns) as stub:
        stub.add_response(
            "list_subscriptions_by_topic", {"Subscriptions": listed}, {"TopicArn": TOPIC}
        )
        assert unconfirmed_emails(sns, TOPIC) == ["a@example.com", "b@example.com"]
    sns.close()
