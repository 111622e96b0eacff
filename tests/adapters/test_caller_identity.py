"""Proofs of who invokes a function, held against a cloud that verifies signatures."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials

from adapters import caller_identity
from adapters.caller_identity import actor_of, prove, sts_endpoint
from adapters.clients import client
from flywheel.errors import ServiceBusyError, UnprovenIdentityError
from local_cloud.cloud import Cloud, CloudSettings

FUNCTION = "stack-Operate-1"


def function_arn(name: str, account: str = "123456789012") -> str:
    """Return the ARN of a function."""
    return f"arn:aws:lambda:us-east-1:{account}:function:{name}"


FUNCTION_ARN = function_arn(FUNCTION)
COMMAND = {"act": "pause", "flywheel": "tickets", "reason": "labels are being checked"}

Signed = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run a cloud and give the variables that lead to it."""
    with Cloud(CloudSettings(data_directory=tmp_path_factory.mktemp("cloud"))) as cloud:
        yield cloud.environment()


@pytest.fixture(autouse=True)
def function_environment(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Be a function of that cloud."""
    made: Any = client
    made.cache_clear()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    yield
    client("sts").close()
    made.cache_clear()


@pytest.fixture
def signed(variables: dict[str, str]) -> Signed:
    """Return a function that signs the command, by default as the cloud's operator."""

    def sign(
        *,
        function: str = FUNCTION,
        secret: str = variables["AWS_SECRET_ACCESS_KEY"],
        region: str = variables["AWS_REGION"],
        credentials: ReadOnlyCredentials | None = None,
    ) -> dict[str, Any]:
        payload = {**COMMAND, "actor": "alice"}
        used = credentials or ReadOnlyCredentials(variables["AWS_ACCESS_KEY_ID"], secret, None)
        endpoint = sts_endpoint(region, variables)
        proof = prove(payload, function, credentials=used, region=region, endpoint=endpoint)
        return {**payload, "proof": proof}

    return sign


def now() -> datetime:
    """Return the time that signatures have, too."""
    return datetime.now(UTC)


def test_the_actor_is_verified_when_sts_knows_the_signature(signed: Signed) -> None:
    """As AWS names it, whatever the payload claims."""
    arn = client("sts").get_caller_identity()["Arn"]
    assert actor_of(signed(), FUNCTION_ARN, now()) == f"{arn} (verified)"


def test_a_session_of_a_role_is_verified_when_it_signs_with_its_token(signed: Signed) -> None:
    """People sign in by SSO, so most have temporary credentials."""
    trust = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    role = boto3.client("iam").create_role(
        RoleName="Operator", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]
    session = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="alice")
    keys = session["Credentials"]
    credentials = ReadOnlyCredentials(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    )
    actor = actor_of(signed(credentials=credentials), FUNCTION_ARN, now())
    assert actor == "arn:aws:sts::123456789012:assumed-role/Operator/alice (verified)"


def test_the_actor_is_claimed_when_there_is_no_proof() -> None:
    """A bare invocation is carried out, and the record says that nobody verified the name."""
    assert actor_of({**COMMAND, "actor": "alice"}, FUNCTION_ARN, now()) == "alice (claimed)"
    assert actor_of(COMMAND, FUNCTION_ARN, now()) == "somebody unnamed (claimed)"


@pytest.mark.parametrize(
    "claim",
    [
        "root (verified)",
        "root \uff08verified\uff09",
        "root \u276averified\u276b",
        "\u202eecila",
        "alice" + "\u00a0" * 60,
        "alice ",
        " ",
        "",
        "a" * 101,
        "two\nlines",
        "\ud800",
        7,
        ["alice"],
    ],
)
def test_a_claim_is_refused_when_it_is_no_name(claim: Any) -> None:
    """Nor may it look like a name that was verified."""
    with pytest.raises(UnprovenIdentityError, match="actor must be a name"):
        actor_of({**COMMAND, "actor": claim}, FUNCTION_ARN, now())


@pytest.mark.parametrize(
    ("name", "value"), [("act", "resume"), ("flywheel", "intents"), ("actor", "bob"), ("more", 1)]
)
def test_a_proof_is_refused_when_it_was_made_for_another_command(
    signed: Signed, name: str, value: Any
) -> None:
    """Whoever reads one command cannot send another in its sender's name."""
    with pytest.raises(UnprovenIdentityError, match="SignatureDoesNotMatch"):
        actor_of({**signed(), name: value}, FUNCTION_ARN, now())


def test_a_proof_is_refused_when_it_was_made_for_another_function(signed: Signed) -> None:
    """Such as that of another environment, which has a flywheel of the same name."""
    with pytest.raises(UnprovenIdentityError, match="SignatureDoesNotMatch"):
        actor_of(signed(), function_arn("other-stack-Operate-1"), now())


def test_a_proof_is_refused_when_the_secret_is_another(signed: Signed) -> None:
    """The key's id alone proves nothing."""
    with pytest.raises(UnprovenIdentityError, match="SignatureDoesNotMatch"):
        actor_of(signed(secret="guessed"), FUNCTION_ARN, now())


@pytest.mark.parametrize("seconds", [-61, 62])
def test_a_proof_is_refused_when_it_is_older_than_a_minute(signed: Signed, seconds: int) -> None:
    """AWS would take it for longer; and a clock that is ahead signs proofs for later."""
    with pytest.raises(UnprovenIdentityError, match="good for 60 seconds"):
        actor_of(signed(), FUNCTION_ARN, now() + timedelta(seconds=seconds))


def test_a_proof_is_refused_when_it_is_of_another_region(signed: Signed) -> None:
    """The function asks STS of its own region alone."""
    with pytest.raises(UnprovenIdentityError, match="no signature of GetCallerIdentity"):
        actor_of(signed(region="eu-west-1"), FUNCTION_ARN, now())


def altered(authorization: str, old: str, new: str) -> str:
    """Return a header with a part replaced."""
    assert old in authorization
    return authorization.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (";x-flywheel-command", ""),
        ("/sts/", "/iam/"),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256  "),
        ("Signature=", "Signature=\r\nX-Amz-Security-Token: x\r\n"),
    ],
)
def test_a_proof_is_refused_when_it_signs_something_else(
    signed: Signed, old: str, new: str
) -> None:
    """A signature of GetCallerIdentity for another purpose does not name the command."""
    payload = signed()
    payload["proof"]["authorization"] = altered(payload["proof"]["authorization"], old, new)
    with pytest.raises(UnprovenIdentityError, match="no signature of GetCallerIdentity"):
        actor_of(payload, FUNCTION_ARN, now())


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://sts.example.com/"},
        {"date": 20261130},
        {"token": "a b"},
        {"token": "x\r\nHost: example.com"},
        {"authorization": None},
    ],
)
def test_a_proof_is_refused_when_its_form_is_wrong(signed: Signed, changes: Any) -> None:
    """It has two or three texts; an address is none of them."""
    payload = signed()
    payload["proof"] |= changes
    with pytest.raises(UnprovenIdentityError, match="must hold authorization, date"):
        actor_of(payload, FUNCTION_ARN, now())


@pytest.mark.parametrize("proof", [None, "proof", [], {}])
def test_a_proof_is_refused_when_it_is_none(proof: Any) -> None:
    """What is given as proof is never left aside."""
    with pytest.raises(UnprovenIdentityError, match="must hold authorization, date"):
        actor_of({**COMMAND, "proof": proof}, FUNCTION_ARN, now())


def test_a_proof_is_refused_when_its_date_is_none(signed: Signed) -> None:
    """It is read before STS is asked."""
    payload = signed()
    payload["proof"]["date"] = "yesterday"
    with pytest.raises(UnprovenIdentityError, match="date of the proof"):
        actor_of(payload, FUNCTION_ARN, now())


def test_the_command_waits_when_sts_cannot_be_reached(
    signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is done under a name that could not be verified."""
    payload = signed()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    with pytest.raises(ServiceBusyError, match="sts:GetCallerIdentity"):
        actor_of(payload, FUNCTION_ARN, now())


@pytest.mark.parametrize(
    ("region", "variables", "endpoint"),
    [
        ("eu-west-1", {}, "https://sts.eu-west-1.amazonaws.com/"),
        ("us-gov-west-1", {}, "https://sts.us-gov-west-1.amazonaws.com/"),
        ("cn-north-1", {}, "https://sts.cn-north-1.amazonaws.com.cn/"),
        ("eu-west-1", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9/"}, "http://127.0.0.1:9/"),
    ],
)
def test_sts_is_asked_in_the_region_when_nothing_says_where_it_is(
    region: str, variables: dict[str, str], endpoint: str
) -> None:
    """Signer and sender come to the same address; the global one is none of them."""
    assert sts_endpoint(region, variables) == endpoint
    assert caller_identity.LONGEST_AGE.seconds == 60


def test_an_identity_is_refused_when_it_is_of_another_account(signed: Signed) -> None:
    """In an account of their own people may call themselves what they like."""
    elsewhere = function_arn(FUNCTION, account="999999999999")
    with pytest.raises(UnprovenIdentityError, match="another account than this environment"):
        actor_of(signed(), elsewhere, now())
