"""Proof of who invokes a function: a request to STS that the invoker signs and the function sends.

The invoker signs GetCallerIdentity with its own credentials and sends the signature along; the
function makes the same request anew and asks STS, which answers whose signature it is. The
function builds the address and the request itself: a payload decides neither. A signed header
holds the hash of the payload, so the signature fits no other command; and it is good for a minute.

Notes
-----
*Source*: STS API Reference, "GetCallerIdentity" (needs no permission); IAM User Guide, "Create a
signed AWS API request".
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.parsers import ResponseParserError, create_parser

from adapters.clients import client
from adapters.service_errors import BUSY_CODES, translate_aws_errors
from flywheel.actors import PROOF, claimed_actor, payload_digest, verified_actor
from flywheel.errors import ServiceBusyError, UnprovenIdentityError

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

LONGEST_AGE = timedelta(seconds=60)

_OPERATION = "sts:GetCallerIdentity"
_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
_CONTENT_TYPE = "application/x-www-form-urlencoded"
_COMMAND = "X-Flywheel-Command"
_FIELDS = {"authorization", "date", "token"}
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.-]{1,8192}")
_SERVER_ERROR, _OK = 500, 200
_SECONDS = 10


def sts_endpoint(region: str, variables: Mapping[str, str]) -> str:
    """Return the address of STS in a region, or where variables say it is, as SDKs read them.

    Never the global address: whoever signs and whoever sends must mean the same host.
    """
    override = variables.get("AWS_ENDPOINT_URL_STS") or variables.get("AWS_ENDPOINT_URL")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return (override or f"https://sts.{region}.{suffix}").rstrip("/") + "/"


def prove(
    payload: Mapping[str, Any],
    function: str,
    *,
    credentials: "ReadOnlyCredentials",
    region: str,
    endpoint: str,
) -> dict[str, str]:
    """Return the proof that whoever holds these credentials sends this payload.

    Parameters
    ----------
    payload : mapping
        Without its proof.
    function : str
        The name of the function that is invoked.
    region, endpoint : str
        As `sts_endpoint` takes and gives them.
    """
    request = _request(endpoint, payload_digest(function, payload))
    SigV4Auth(credentials, "sts", region).add_auth(request)
    headers = request.headers
    proof = {"authorization": headers["Authorization"], "date": headers["X-Amz-Date"]}
    if credentials.token:
        proof["token"] = credentials.token
    return proof


def actor_of(payload: Mapping[str, Any], function_arn: str, now: datetime) -> str:
    """Return who sent a payload: verified where it has a proof, else as it claims.

    Parameters
    ----------
    function_arn : str
        Of the function that was invoked. An identity of another account than its own is refused:
        there anybody may be called like a colleague.
    now : datetime
        Aware.

    Raises
    ------
    UnprovenIdentityError
        There is a proof, and it proves nothing. Whoever sent it signs anew.
    ServiceBusyError
        STS does not answer for the moment.
    """
    if PROOF not in payload:
        return claimed_actor(payload.get("actor"))
    region = client("sts").meta.region_name
    proof = _checked(payload[PROOF], region, now)
    account, function = function_arn.split(":")[4], function_arn.split(":")[6]
    request = _request(sts_endpoint(region, os.environ), payload_digest(function, payload))
    request.headers["Authorization"] = proof["authorization"]
    request.headers["X-Amz-Date"] = proof["date"]
    if "token" in proof:
        request.headers["X-Amz-Security-Token"] = proof["token"]
    arn = _answered_arn(request)
    if arn.split(":")[4] != account:
        raise UnprovenIdentityError(
            f"{arn} belongs to another account than this environment, which is in {account}"
        )
    return verified_actor(arn)


def _request(endpoint: str, digest: str) -> AWSRequest:
    headers = {"Content-Type": _CONTENT_TYPE, _COMMAND: digest}
    return AWSRequest("POST", endpoint, data=_BODY, headers=headers)


def _checked(proof: Any, region: str, now: datetime) -> dict[str, str]:
    """Refuse what is no fresh signature of exactly the headers of this request."""
    if (
        not isinstance(proof, dict)
        or not {"authorization", "date"} <= proof.keys() <= _FIELDS
        or not all(isinstance(value, str) for value in proof.values())
        or ("token" in proof and not _TOKEN.fullmatch(proof["token"]))
    ):
        raise UnprovenIdentityError("the proof must hold authorization, date and at most a token")
    signed = ["content-type", "host", "x-amz-date", "x-flywheel-command"]
    signed[3:3] = ["x-amz-security-token"] if "token" in proof else []
    authorization = (
        r"AWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}/\d{8}/"
        rf"{re.escape(region)}/sts/aws4_request, "
        rf"SignedHeaders={';'.join(signed)}, Signature=[0-9a-f]{{64}}"
    )
    if not re.fullmatch(authorization, proof["authorization"], re.ASCII):
        raise UnprovenIdentityError(
            f"the proof is no signature of GetCallerIdentity in {region} and of this command"
        )
    try:
        signed_at = datetime.strptime(proof["date"], _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise UnprovenIdentityError("the date of the proof is none") from error
    if abs(now - signed_at) > LONGEST_AGE:
        raise UnprovenIdentityError(
            f"the proof was signed at {signed_at:%H:%M:%S} and it is {now:%H:%M:%S} UTC: it is "
            f"good for {LONGEST_AGE.seconds} seconds. Check the clock of your machine"
        )
    return proof


def _answered_arn(request: AWSRequest) -> str:
    """Ask STS, which follows no redirect and no address but this one."""
    with translate_aws_errors(_OPERATION):
        response = URLLib3Session(timeout=_SECONDS).send(request.prepare())
    status = response.status_code
    if status >= _SERVER_ERROR:
        raise ServiceBusyError(_OPERATION, str(status))
    model = client("sts").meta.service_model.operation_model("GetCallerIdentity")
    received = {
        "status_code": status,
        "headers": dict(response.headers),
        "body": response.content,
    }
    try:
        answer = create_parser("query").parse(received, model.output_shape)  # type: ignore[arg-type] # it has one
    except ResponseParserError:
        answer = {}
    if status != _OK or "Arn" not in answer:
        code = answer.get("Error", {}).get("Code", str(status))
        if code in BUSY_CODES:
            raise ServiceBusyError(_OPERATION, code)
        # Not the service's own message, which may quote the request and so the session token.
        raise UnprovenIdentityError(f"AWS does not confirm who acts ({code}): sign in again")
    return str(answer["Arn"])
