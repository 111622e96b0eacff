"""Every request is judged by the policies of its caller and of the resource."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import Cloud
from tests.local_cloud.waiting import eventually

ACCOUNT = "123456789012"


def _create_role(cloud: Cloud, name: str, *statements: dict[str, Any]) -> str:
    iam = cloud.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    return arn


def _allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _code(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error.get("Message", "")


@pytest.mark.parametrize(
    ("service", "call", "code", "action"),
    [
        (
            "dynamodb",
            ("get_item", {"TableName": "t", "Key": {}}),
            "AccessDeniedException",
            "GetItem",
        ),
        ("s3", ("put_object", {"Bucket": "b", "Key": "k"}), "AccessDenied", "PutObject"),
        ("s3", ("head_object", {"Bucket": "b", "Key": "k"}), "403", ""),
        (
            "sns",
            ("publish", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "m"}),
            "AuthorizationError",
            "Publish",
        ),
        (
            "sqs",
            ("receive_message", {"QueueUrl": "http://127.0.0.1/1/q"}),
            "AccessDeniedException",
            "ReceiveMessage",
        ),
        ("lambda", ("invoke", {"FunctionName": "f"}), "AccessDeniedException", "InvokeFunction"),
        (
            "stepfunctions",
            ("list_state_machines", {}),
            "AccessDeniedException",
            "ListStateMachines",
        ),
        ("ssm", ("get_parameter", {"Name": "p"}), "AccessDeniedException", "GetParameter"),
        (
            "secretsmanager",
            ("get_secret_value", {"SecretId": "s"}),
            "AccessDeniedException",
            "GetSecretValue",
        ),
        ("cloudformation", ("describe_stacks", {}), "AccessDenied", "DescribeStacks"),
    ],
)
def test_the_denial_has_the_services_shape_when_a_role_has_no_rights(
    cloud: Cloud, service: str, call: tuple[str, dict[str, Any]], code: str, action: str
) -> None:
    """boto3 reads code and message of a refusal from every protocol."""
    client = cloud.client_for_role(service, _create_role(cloud, "nobody"))

    refused_with, message = _code(lambda: getattr(client, call[0])(**call[1]))

    assert refused_with == code
    assert action in message


def test_a_missing_key_is_a_denial_when_the_role_may_not_list(cloud: Cloud) -> None:
    """Only a caller that may list a bucket learns that a key is missing, as on AWS."""
    cloud.client("s3").create_bucket(Bucket="inbox")
    reading = _allow("s3:GetObject", "arn:aws:s3:::inbox/*")
    reader = _create_role(cloud, "reader", reading)
    lister = _create_role(cloud, "lister", reading, _allow("s3:ListBucket", "arn:aws:s3:::inbox"))

    def read(role_arn: str) -> tuple[str, str]:
        client = cloud.s3_client_for_role(role_arn)
        return _code(lambda: client.get_object(Bucket="inbox", Key="missing.csv"))

    assert read(reader)[0] == "AccessDenied"
    assert read(lister)[0] == "NoSuchKey"


def test_a_role_may_read_when_the_buckets_policy_names_it(cloud: Cloud) -> None:
    """Within an account the policy of the bucket is enough."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="staging")
    s3.put_object(Bucket="staging", Key="batches/intents/1.csv", Body=b"rows")
    s3.put_object(Bucket="staging", Key="other/1.csv", Body=b"rows")
    role_arn = _create_role(cloud, "adopted")
    statement = {
        **_allow("s3:GetObject", "arn:aws:s3:::staging/batches/intents/*"),
        "Principal": {"AWS": role_arn},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket="staging", Policy=policy)
    client = cloud.s3_client_for_role(role_arn)

    body = client.get_object(Bucket="staging", Key="batches/intents/1.csv")["Body"]
    with body:
        assert body.read() == b"rows"
    assert (
        _code(lambda: client.get_object(Bucket="staging", Key="other/1.csv"))[0] == "AccessDenied"
    )


def test_a_denial_wins_when_another_statement_allows(cloud: Cloud) -> None:
    """An explicit denial is stronger than any permission."""
    cloud.client("s3").create_bucket(Bucket="inbox")
    everything = _allow("s3:*", "*")
    denial = {"Effect": "Deny", "Action": "s3:DeleteObject*", "Resource": "*"}
    client = cloud.s3_client_for_role(_create_role(cloud, "writer", everything, denial))
    client.put_object(Bucket="inbox", Key="a.csv", Body=b"x")

    assert _code(lambda: client.delete_object(Bucket="inbox", Key="a.csv"))[0] == "AccessDenied"


def test_the_request_is_refused_when_the_key_is_unknown(cloud: Cloud) -> None:
    """A key that was never given out opens nothing."""
    session = boto3.Session("AKIAUNKNOWN", "secret", region_name="us-east-1")
    client = session.client("sqs", endpoint_url=cloud.url)

    assert "token" in _code(client.list_queues)[1]


def test_nothing_is_delivered_when_the_queues_policy_does_not_allow_it(cloud: Cloud) -> None:
    """A rule reaches a queue through the queue's own policy alone."""
    sqs, events = cloud.client("sqs"), cloud.client("events")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("open", "closed")}
    arns = {name: f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}" for name in urls}
    rule_arn = events.put_rule(Name="all", EventPattern='{"source": ["mine"]}')["RuleArn"]
    statement = {
        **_allow("sqs:SendMessage", arns["open"]),
        "Principal": {"Service": "events.amazonaws.com"},
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=urls["open"], Attributes={"Policy": policy})
    targets = [
        {"Id": name, "Arn": arn, "RetryPolicy": {"MaximumRetryAttempts": 0}}
        for name, arn in arns.items()
    ]
    events.put_targets(Rule="all", Targets=targets)

    events.put_events(Entries=[{"Source": "mine", "DetailType": "d", "Detail": "{}"}])

    assert eventually(lambda: sqs.receive_message(QueueUrl=urls["open"]).get("Messages"))
    assert eventually(lambda: len(cloud.decisions()) == 2)
    by_resource = {decision.resource: decision.is_allowed for decision in cloud.decisions()}
    assert by_resource == {arns["open"]: True, arns["closed"]: False}
    assert "Messages" not in sqs.receive_message(QueueUrl=urls["closed"])


def test_another_server_can_ask_when_it_has_received_a_request(cloud: Cloud) -> None:
    """The Comprehend engine judges its requests with the same policies."""
    arn = f"arn:aws:comprehend:us-east-1:{ACCOUNT}:flywheel/dev-intents-g1"
    role_arn = _create_role(cloud, "compare", _allow("comprehend:DescribeFlywheel", arn))
    key = cloud.client_for_role("comprehend", role_arn)._request_signer._credentials.access_key

    assert cloud.refusal(key, "comprehend", "DescribeFlywheel", {"FlywheelArn": arn}) is None
    refusal = cloud.refusal(key, "comprehend", "UpdateFlywheel", {"FlywheelArn": arn})
    assert refusal is not None
    assert "comprehend:UpdateFlywheel" in refusal
