"""Who is answered while the local environment runs: the user's programs, and nobody else."""

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.environment import LocalEnvironment, LocalSettings

pytestmark = pytest.mark.slow

_LISTENING = "0A"


@pytest.fixture(scope="module")
def ports_before() -> set[int]:
    """Return the ports of other tests' servers, which this process may still hold open."""
    return listening_ports()


@pytest.fixture(scope="module")
def environment(ports_before: set[int]) -> Iterator[LocalEnvironment]:
    """Run the local environment."""
    with LocalEnvironment(LocalSettings()) as started:
        yield started


def listening_ports() -> set[int]:
    """Return the ports on which this process listens."""
    entries = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    links = [str(entry.readlink()) for entry in entries]
    own = {link.removeprefix("socket:[").removesuffix("]") for link in links if "socket:" in link}
    lines = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return {
        int(line[1].rpartition(":")[2], 16)
        for line in lines
        if line[3] == _LISTENING and line[9] in own
    }


def sent(port: int, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
    """Send a request to a port of this machine and return the answer's status."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        shared = [name for name, _ in answer.getheaders() if name.lower().startswith("access-")]
        assert not shared
        return answer.status


PAGES: list[tuple[str, str, dict[str, str], bytes]] = [
    ("POST", "/moto-api/reset", {"Content-Type": "application/x-www-form-urlencoded"}, b""),
    ("POST", "/moto-api/reset", {"Content-Type": "text/plain"}, b""),
    ("POST", "/INBOX", {"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
    ("PUT", "/INBOX/intents/train/page.csv", {}, b"billing,text"),
    (
        "POST",
        "/",
        {"Content-Type": "text/plain", "X-Amz-Target": "DynamoDB_20120810.Scan"},
        b'{"TableName": "LEDGER"}',
    ),
    (
        "POST",
        "/",
        {"Content-Type": "text/plain", "X-Amz-Target": "Comprehend_20171127.ListFlywheels"},
        b"{}",
    ),
    ("GET", "/2018-06-01/runtime/invocation/next", {}, b""),
    ("POST", "/2018-06-01/runtime/invocation/1/response", {"Content-Type": "text/plain"}, b"{}"),
    ("POST", "/_engine/faults", {"Content-Type": "text/plain"}, b"{}"),
]
SITES: list[dict[str, str]] = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Host": "rebound.example"},
    {},
]


def test_no_port_answers_when_a_page_or_another_process_asks(
    environment: LocalEnvironment, ports_before: set[int]
) -> None:
    """Every port, every request: refused, and ledger and inbox are as before."""
    outputs = environment.outputs
    ports = listening_ports() - ports_before
    assert len(ports) > 2  # the cloud, the engine, and the port of each function's process
    before = environment.client("dynamodb").scan(TableName=outputs["LedgerTable"])["Items"]

    answered = [
        (port, method, path, site, status)
        for port in ports
        for method, path, headers, body in PAGES
        for site in SITES
        if (
            status := sent(
                port,
                method,
                path.replace("INBOX", outputs["InboxBucket"]),
                {**headers, **site},
                body.replace(b"LEDGER", outputs["LedgerTable"].encode()),
            )
        )
        not in {400, 403, 501}
    ]

    assert not answered
    after = environment.client("dynamodb").scan(TableName=outputs["LedgerTable"])["Items"]
    assert after == before
    inbox = environment.client("s3").list_objects_v2(Bucket=outputs["InboxBucket"])
    assert inbox["KeyCount"] == 0


def test_every_service_answers_when_the_printed_credentials_are_used(
    environment: LocalEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that has the printed variables, and only them, uses what was deployed."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment.variables.items():
        monkeypatch.setenv(name, value)
    outputs = environment.outputs

    s3 = boto3.client("s3")
    s3.put_object(Bucket=outputs["StagingBucket"], Key="a b+c.txt", Body=b"text")
    with s3.get_object(Bucket=outputs["StagingBucket"], Key="a b+c.txt")["Body"] as body:
        assert body.read() == b"text"
    assert boto3.client("dynamodb").describe_table(TableName=outputs["LedgerTable"])["Table"]
    assert boto3.client("comprehend").list_flywheels()["FlywheelSummaryList"]
    states = boto3.client("stepfunctions")
    machine = outputs["StateMachineArn"]
    assert states.describe_state_machine(stateMachineArn=machine)["status"] == "ACTIVE"
    functions = boto3.client("lambda").list_functions()["Functions"]
    reconcile = next(each for each in functions if "Reconcile" in each["FunctionName"])
    answer = boto3.client("lambda").invoke(
        FunctionName=reconcile["FunctionName"], Payload=json.dumps({})
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def flywheels(endpoint: str, variables: dict[str, str], **other: str) -> Any:
    """List the flywheels that an endpoint shows to the holder of credentials."""
    given = {**variables, **other}
    client = boto3.client(
        "comprehend",
        endpoint_url=endpoint,
        region_name=given["AWS_REGION"],
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
    )
    return client.list_flywheels()["FlywheelSummaryList"]


def test_one_set_of_flywheels_is_seen_when_either_endpoint_is_asked(
    environment: LocalEnvironment,
) -> None:
    """With AWS_ENDPOINT_URL alone, Comprehend is the engine as well."""
    variables = environment.variables
    direct = flywheels(variables["AWS_ENDPOINT_URL_COMPREHEND"], variables)

    assert direct
    assert flywheels(variables["AWS_ENDPOINT_URL"], variables) == direct


@pytest.mark.parametrize("endpoint", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_COMPREHEND"])
@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "another"}, "InvalidSignatureException"),
        ({"AWS_ACCESS_KEY_ID": "AKIAANOTHER"}, "UnrecognizedClientException"),
        ({"AWS_REGION": "eu-west-1"}, "InvalidSignatureException"),
    ],
)
def test_the_engine_refuses_when_key_secret_or_region_is_another(
    environment: LocalEnvironment, endpoint: str, other: dict[str, str], code: str
) -> None:
    """Both ways to the engine ask for the secret, and for its region."""
    variables = environment.variables

    with pytest.raises(ClientError) as refused:
        flywheels(variables[endpoint], variables, **other)

    assert refused.value.response["Error"]["Code"] == code
