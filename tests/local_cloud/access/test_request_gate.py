"""What a browser sends for a web page, and what programs sign, at the cloud's own port."""

import http.client
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local_cloud.cloud import Cloud

BUCKET = "inbox"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://elsewhere.example"}


def sent(
    cloud: Cloud, method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send a request as it stands and return status, headers and body of the answer."""
    with closing(http.client.HTTPConnection(urlsplit(cloud.url).netloc, timeout=30)) as connection:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def signed(
    cloud: Cloud, method: str, target: str, service: str, body: bytes = b"", **headers: str
) -> dict[str, str]:
    """Return the headers of a request that the operator signs."""
    variables = cloud.environment()
    request = AWSRequest(method, f"{cloud.url}{target}", data=body, headers=headers)
    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    return dict(request.headers)


@pytest.fixture
def inbox(cloud: Cloud) -> Cloud:
    """Return a cloud with one object in a bucket."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a.csv", Body=b"text")
    return cloud


def is_intact(cloud: Cloud) -> bool:
    """Say whether the bucket holds the one object and nothing else."""
    listed = cloud.client("s3").list_objects_v2(Bucket=BUCKET)
    return [entry["Key"] for entry in listed["Contents"]] == ["a.csv"]


@pytest.mark.parametrize(
    ("method", "target", "headers", "body"),
    [
        ("POST", "/moto-api/reset", FORM, b""),
        ("POST", "/moto-api/reset", {"Content-Type": "text/plain"}, b""),
        ("POST", "/%6doto-api/reset", {}, b""),
        ("GET", "/moto-api/data.json", {}, b""),
        ("GET", "/latest/meta-data/iam/security-credentials/", {}, b""),
        ("GET", "/", {}, b""),
        ("GET", f"/{BUCKET}/a.csv", {}, b""),
        ("PUT", f"/{BUCKET}/b.csv", {}, b"put"),
        ("DELETE", f"/{BUCKET}/a.csv", {}, b""),
        ("POST", f"/{BUCKET}", FORM, b"key=b.csv&file=text"),
        ("POST", "/", FORM, b"Action=CreateUser&UserName=mallory&Version=2010-05-08"),
        ("POST", "/sqs_us-east-1/", FORM, b"Action=ListQueues"),
        (
            "POST",
            "/",
            {"Content-Type": "text/plain", "X-Amz-Target": "DynamoDB_20120810.ListTables"},
            b"{}",
        ),
        ("OPTIONS", f"/{BUCKET}/a.csv", {"Origin": "https://elsewhere.example"}, b""),
        ("POST", "/2015-03-31/functions", {"Content-Type": "text/plain"}, b"{}"),
    ],
)
def test_nothing_happens_when_a_page_sends_what_it_can_send(
    inbox: Cloud, method: str, target: str, headers: dict[str, str], body: bytes
) -> None:
    """No answer but a refusal, and none that another site may read."""
    status, answered, content = sent(inbox, method, target, headers, body)

    assert status in {400, 403}
    assert b"text" not in content
    assert not [name for name in answered if name.lower().startswith("access-control-")]
    assert is_intact(inbox)


@pytest.mark.parametrize(
    "foreign",
    [
        {"Host": "rebound.example"},
        {"Host": "127.0.0.1.rebound.example"},
        {"Host": "["},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_a_signature_does_not_help_when_a_browser_was_led_here(
    inbox: Cloud, foreign: dict[str, str]
) -> None:
    """A page that has a signed request still is another site's."""
    target = "/?Action=GetCallerIdentity&Version=2011-06-15"
    headers = {**signed(inbox, "GET", target, "sts"), **foreign}

    status, _, content = sent(inbox, "GET", target, headers)

    assert status == 403
    assert b"only serves programs on this machine" in content


def test_no_site_may_read_when_an_answer_is_given(inbox: Cloud) -> None:
    """An answer to a signed request carries no header by which a browser shares it."""
    target = "/?Action=GetCallerIdentity&Version=2011-06-15"
    headers = {**signed(inbox, "GET", target, "sts"), "Origin": "http://localhost:3000"}

    status, answered, _ = sent(inbox, "GET", target, headers)

    assert status == 200
    assert not [name for name in answered if name.lower().startswith("access-control-")]


def test_the_reset_is_refused_when_the_operator_signs_it(inbox: Cloud) -> None:
    """Moto's own paths are closed to everybody."""
    headers = signed(inbox, "POST", "/moto-api/reset", "s3")

    assert sent(inbox, "POST", "/moto-api/reset", headers)[0] == 403
    absolute = f"{inbox.url}/moto-api/reset"
    assert sent(inbox, "POST", absolute, headers)[0] == 403
    assert is_intact(inbox)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("s3", "list_buckets", {}, "SignatureDoesNotMatch"),
        ("dynamodb", "list_tables", {}, "InvalidSignatureException"),
        ("sts", "get_caller_identity", {}, "SignatureDoesNotMatch"),
        ("lambda", "list_functions", {}, "InvalidSignatureException"),
        ("stepfunctions", "list_state_machines", {}, "InvalidSignatureException"),
        ("cloudformation", "describe_stacks", {}, "SignatureDoesNotMatch"),
    ],
)
def test_the_request_is_refused_when_the_secret_is_another(
    cloud: Cloud, service: str, operation: str, parameters: dict[str, str], code: str
) -> None:
    """Who knows the key's name and not its secret is nobody."""
    key = cloud.environment()["AWS_ACCESS_KEY_ID"]
    make: Any = boto3.Session(key, "another-secret", region_name="us-east-1").client
    client = make(service, endpoint_url=cloud.url)

    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**parameters)

    assert caught.value.response["Error"]["Code"] == code


def test_the_credentials_are_new_when_a_cloud_starts() -> None:
    """What opened one cloud does not open the next."""
    with Cloud() as first:
        before = first.environment()
    with Cloud() as second:
        after = second.environment()
        session = boto3.Session(
            before["AWS_ACCESS_KEY_ID"], before["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1"
        )
        client = session.client("sts", endpoint_url=second.url)
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            client.get_caller_identity()

    assert before["AWS_SECRET_ACCESS_KEY"] != after["AWS_SECRET_ACCESS_KEY"]


@pytest.mark.parametrize("version", [None, "s3", "s3v4"])
def test_a_presigned_url_serves_when_the_secret_signed_it(
    inbox: Cloud, version: str | None
) -> None:
    """boto3's default, which is the older kind, and both kinds by name; and no other key."""
    variables = inbox.environment()

    def presigned(secret: str, method: str, **parameters: str) -> str:
        session = boto3.Session(
            variables["AWS_ACCESS_KEY_ID"], secret, region_name=variables["AWS_REGION"]
        )
        config = Config(signature_version=version, s3={"addressing_style": "path"})
        client = session.client("s3", endpoint_url=inbox.url, config=config)
        url: str = client.generate_presigned_url(method, {"Bucket": BUCKET, **parameters})
        return url.removeprefix(inbox.url)

    secret = variables["AWS_SECRET_ACCESS_KEY"]
    reading = presigned(secret, "get_object", Key="a.csv")
    writing = presigned(secret, "put_object", Key="b c+ü.csv", ContentType="text/csv")
    forged = presigned("another-secret", "get_object", Key="a.csv")

    assert sent(inbox, "GET", reading, {})[::2] == (200, b"text")
    assert sent(inbox, "GET", reading.replace("a.csv", "other.csv"), {})[0] == 403
    assert sent(inbox, "GET", forged, {})[0] == 403
    assert sent(inbox, "PUT", writing, {"Content-Type": "text/csv"}, b"put")[0] == 200
    stored = inbox.client("s3").get_object(Bucket=BUCKET, Key="b c+ü.csv")
    with stored["Body"] as body:
        assert body.read() == b"put"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_is_refused_when_it_has_expired(inbox: Cloud, version: str) -> None:
    """A URL that lasts no second is over when it arrives."""
    variables = inbox.environment()
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    config = Config(signature_version=version, s3={"addressing_style": "path"})
    client = session.client("s3", endpoint_url=inbox.url, config=config)
    url = client.generate_presigned_url(
        "get_object", {"Bucket": BUCKET, "Key": "a.csv"}, ExpiresIn=-1
    )

    status, _, content = sent(inbox, "GET", url.removeprefix(inbox.url), {})

    assert status == 403
    assert b"<Code>AccessDenied<" in content


@pytest.mark.parametrize(
    ("service", "target", "code"),
    [
        ("s3", f"/{BUCKET}/a.csv", b"<Code>AccessDenied<"),
        ("sts", "/?Action=GetCallerIdentity&Version=2011-06-15", b"<Code>SignatureDoesNotMatch<"),
    ],
)
def test_the_request_is_refused_when_a_header_was_added_to_it(
    inbox: Cloud, service: str, target: str, code: bytes
) -> None:
    """What changes a request's meaning is signed, or anybody may have changed it."""
    headers = signed(inbox, "GET", target, service)
    added = {**headers, "x-amz-server-side-encryption": "aws:kms"}

    assert sent(inbox, "GET", target, {**headers, "x-amzn-trace-id": "Root=1"})[0] == 200
    status, _, content = sent(inbox, "GET", target, added)

    assert (status, code in content) == (403, True)
    assert b"not signed: x-amz-server-side-encryption" in content


def test_the_operation_is_refused_when_it_was_not_signed(cloud: Cloud) -> None:
    """The header that names it decides everything."""
    headers = signed(cloud, "POST", "/", "dynamodb", b"{}")
    headers |= {"X-Amz-Target": "DynamoDB_20120810.ListTables"}

    status, _, content = sent(cloud, "POST", "/", headers, b"{}")

    assert status == 400
    assert b"InvalidSignatureException" in content
    assert b"not signed: x-amz-target" in content


def test_the_request_is_refused_when_its_host_was_not_signed(inbox: Cloud) -> None:
    """A signature of Version 4 is for one server."""
    target = f"/{BUCKET}/a.csv"
    headers = signed(inbox, "GET", target, "s3")
    headers["Authorization"] = headers["Authorization"].replace("host;", "")

    assert b"not signed: host" in sent(inbox, "GET", target, headers)[2]


def test_a_presigned_url_is_refused_when_a_header_is_added(inbox: Cloud) -> None:
    """But for the content's type, which whoever signs may leave open."""
    variables = inbox.environment()
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    client = session.client("s3", endpoint_url=inbox.url, config=config)
    place = {"Bucket": BUCKET, "Key": "b.csv"}
    url = client.generate_presigned_url("put_object", place).removeprefix(inbox.url)

    status, _, content = sent(inbox, "PUT", url, {"x-amz-meta-owner": "mallory"}, b"put")
    assert (status, b"not signed: x-amz-meta-owner" in content) == (403, True)
    assert is_intact(inbox)
    assert sent(inbox, "PUT", url, {"Content-Type": "text/csv"}, b"put")[0] == 200
