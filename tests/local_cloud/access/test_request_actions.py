import json

import pytest

from local_cloud.access.request_actions import CloudRequest, permissions_of
from local_cloud.settings import CloudSettings

PLACE = "us-east-1:123456789012"
TABLE = f"arn:aws:dynamodb:{PLACE}:table/ledger"
FLYWHEEL = f"arn:aws:comprehend:{PLACE}:flywheel/dev-intents-g1"
JOBS = f"arn:aws:comprehend:{PLACE}:document-classification-job"
MODEL = f"arn:aws:comprehend:{PLACE}:document-classifier/intents/version/v1"
ENDPOINT = f"arn:aws:comprehend:{PLACE}:document-classifier-endpoint/live"


def _needed(request: CloudRequest) -> set[tuple[str, str]]:
    return {(each.action, each.resource) for each in permissions_of(request, CloudSettings())}


def _json_request(service: str, operation: str, document: dict[str, object]) -> CloudRequest:
    headers = {"x-amz-target": f"Version_1.{operation}"}
    return CloudRequest(service, "POST", "/", {}, headers, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("service", "operation", "document", "expected"),
    [
        ("dynamodb", "GetItem", {"TableName": "ledger"}, {("dynamodb:GetItem", TABLE)}),
        (
            "dynamodb",
            "Query",
            {"TableName": "ledger", "IndexName": "by-state"},
            {("dynamodb:Query", f"{TABLE}/index/by-state")},
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "ledger"}},
                    {"ConditionCheck": {"TableName": "ledger"}},
                ]
            },
            {("dynamodb:PutItem", TABLE), ("dynamodb:ConditionCheckItem", TABLE)},
        ),
        (
            "sqs",
            "DeleteMessageBatch",
            {"QueueUrl": "http://127.0.0.1:1/123456789012/uploads"},
            {("sqs:DeleteMessage", f"arn:aws:sqs:{PLACE}:uploads")},
        ),
        (
            "cloudformation",
            "DescribeStacks",
            {"StackName": "loop"},
            {("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{PLACE}:stack/loop/id")},
        ),
        (
            "cloudformation",
            "DescribeStacks",
            {"StackName": f"arn:aws:cloudformation:{PLACE}:stack/loop/7"},
            {("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{PLACE}:stack/loop/7")},
        ),
        ("cloudformation", "ListStacks", {}, {("cloudformation:ListStacks", "*")}),
        (
            "states",
            "StartExecution",
            {"stateMachineArn": f"arn:aws:states:{PLACE}:stateMachine:m", "input": "{}"},
            {("states:StartExecution", f"arn:aws:states:{PLACE}:stateMachine:m")},
        ),
        (
            "ssm",
            "GetParameter",
            {"Name": "/dev/policy"},
            {("ssm:GetParameter", f"arn:aws:ssm:{PLACE}:parameter/dev/policy")},
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "slack"},
            {
                (
                    "secretsmanager:GetSecretValue",
                    f"arn:aws:secretsmanager:{PLACE}:secret:slack-AAAAAA",
                )
            },
        ),
        (
            "comprehend",
            "DescribeDocumentClassificationJob",
            {"JobId": "0a1b"},
            {("comprehend:DescribeDocumentClassificationJob", f"{JOBS}/0a1b")},
        ),
        (
            "comprehend",
            "StartDocumentClassificationJob",
            {"DocumentClassifierArn": MODEL, "DataAccessRoleArn": "arn:aws:iam::1:role/r"},
            {
                ("comprehend:StartDocumentClassificationJob", MODEL),
                ("comprehend:StartDocumentClassificationJob", f"{JOBS}/new"),
                ("iam:PassRole", "arn:aws:iam::1:role/r"),
            },
        ),
        (
            "comprehend",
            "UpdateFlywheel",
            {
                "ActiveModelArn": "arn:aws:comprehend:a:1:document-classifier/x",
                "FlywheelArn": FLYWHEEL,
            },
            {("comprehend:UpdateFlywheel", FLYWHEEL)},
        ),
        (
            "comprehend",
            "CreateFlywheel",
            {"FlywheelName": "dev-intents-g1", "DataAccessRoleArn": "arn:aws:iam::1:role/r"},
            {("comprehend:CreateFlywheel", FLYWHEEL), ("iam:PassRole", "arn:aws:iam::1:role/r")},
        ),
        (
            "comprehend",
            "CreateEndpoint",
            {"EndpointName": "live", "FlywheelArn": FLYWHEEL},
            {("comprehend:CreateEndpoint", ENDPOINT), ("comprehend:CreateEndpoint", FLYWHEEL)},
        ),
        (
            "comprehend",
            "UpdateEndpoint",
            {"EndpointArn": ENDPOINT, "FlywheelArn": FLYWHEEL},
            {("comprehend:UpdateEndpoint", ENDPOINT), ("comprehend:UpdateEndpoint", FLYWHEEL)},
        ),
        ("comprehend", "ListEndpoints", {}, {("comprehend:ListEndpoints", "*")}),
        ("cloudwatch", "PutMetricData", {}, {("cloudwatch:PutMetricData", "*")}),
    ],
)
def test_action_and_resource_are_found_when_the_protocol_is_json(
    service: str,
    operation: str,
    document: dict[str, object],
    expected: set[tuple[str, str]],
) -> None:
    """Each service's document names the resource in its own way."""
    assert _needed(_json_request(service, operation, document)) == expected


def test_action_and_resource_are_found_when_the_protocol_is_query() -> None:
    """SNS sends a form."""
    body = b"Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A1%3Anotices&Message=x"
    request = CloudRequest("sns", "POST", "/", {}, {}, body)

    assert _needed(request) == {("sns:Publish", "arn:aws:sns:us-east-1:1:notices")}


def test_the_function_is_found_when_it_is_invoked() -> None:
    """Lambda takes a name or an ARN in the path."""
    function = f"arn:aws:lambda:{PLACE}:function:compare"
    for name in ("compare", function.replace(":", "%3A")):
        path = f"/2015-03-31/functions/{name}/invocations"
        request = CloudRequest("lambda", "POST", path, {}, {}, b"")
        assert _needed(request) == {("lambda:InvokeFunction", function)}


@pytest.mark.parametrize(
    ("line", "headers", "expected"),
    [
        ("GET /", {}, {("s3:ListAllMyBuckets", "*")}),
        ("GET /inbox/a/b.csv", {}, {("s3:GetObject", "inbox/a/b.csv")}),
        ("HEAD /inbox/a%20b.csv", {}, {("s3:GetObject", "inbox/a b.csv")}),
        ("GET /inbox/a.csv?versionId=1", {}, {("s3:GetObjectVersion", "inbox/a.csv")}),
        ("PUT /inbox/a.csv", {}, {("s3:PutObject", "inbox/a.csv")}),
        ("POST /inbox/a.csv?uploads=", {}, {("s3:PutObject", "inbox/a.csv")}),
        ("DELETE /inbox/a.csv?uploadId=1", {}, {("s3:AbortMultipartUpload", "inbox/a.csv")}),
        ("DELETE /inbox/a.csv?versionId=1", {}, {("s3:DeleteObjectVersion", "inbox/a.csv")}),
        ("PUT /inbox/a.csv?tagging=", {}, {("s3:PutObjectTagging", "inbox/a.csv")}),
        ("GET /inbox?list-type=2&prefix=a", {}, {("s3:ListBucket", "inbox")}),
        ("GET /inbox?versions=", {}, {("s3:ListBucketVersions", "inbox")}),
        ("GET /inbox?policy=", {}, {("s3:GetBucketPolicy", "inbox")}),
        (
            "PUT /lake/b.csv",
            {"x-amz-copy-source": "inbox/a.csv?versionId=7"},
            {("s3:PutObject", "lake/b.csv"), ("s3:GetObjectVersion", "inbox/a.csv")},
        ),
    ],
)
def test_action_and_resource_are_found_when_the_service_is_s3(
    line: str, headers: dict[str, str], expected: set[tuple[str, str]]
) -> None:
    """S3's actions follow from method, path and query."""
    method, _, target = line.partition(" ")
    path, _, text = target.partition("?")
    query = {part.partition("=")[0]: ["x"] for part in text.split("&") if part}
    request = CloudRequest("s3", method, path, query, headers, b"")

    needed = {(action, name.removeprefix("arn:aws:s3:::")) for action, name in _needed(request)}
    assert needed == expected


@pytest.mark.parametrize(
    ("line", "is_condition"),
    [
        ("PUT /verdicts/a.json", True),
        ("POST /verdicts/a.json?uploadId=1", True),
        ("PUT /verdicts/a.json?uploadId=1&partNumber=1", False),
        ("GET /verdicts/a.json", False),
    ],
)
def test_the_condition_is_told_when_a_write_must_not_replace(line: str, is_condition: bool) -> None:
    """Only what makes an object has the condition; a part of an upload and a read have none."""
    method, _, target = line.partition(" ")
    path, _, text = target.partition("?")
    query = {part.partition("=")[0]: ["1"] for part in text.split("&") if part}
    request = CloudRequest("s3", method, path, query, {"if-none-match": "*"}, b"")

    (needed,) = permissions_of(request, CloudSettings())
    assert needed.context == ({"s3:if-none-match": "*"} if is_condition else {})


def test_every_key_is_asked_for_when_several_are_deleted() -> None:
    """The keys are in the body, and each needs permission."""
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>"
    request = CloudRequest("s3", "POST", "/inbox", {"delete": [""]}, {}, body)

    assert _needed(request) == {
        ("s3:DeleteObject", "arn:aws:s3:::inbox/a"),
        ("s3:DeleteObject", "arn:aws:s3:::inbox/b"),
    }
