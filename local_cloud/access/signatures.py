"""The signer of a request, proven with the signer's secret.

Decides whether a signature is valid: Signature Version 4 in the Authorization header or in a
presigned URL of S3, and the older presigned URL of S3, which boto3 creates where no signature
version is configured. botocore computes each, as clients do. Must not know permissions, nor HTTP
servers. Read next: request_gate.py.

Notes
-----
*Source*: IAM User Guide, "Create a signed AWS API request"; Amazon S3 API Reference,
"Authenticating Requests". For a body in signed chunks, the first signature is verified, not that of
each chunk; for other bodies, the signed hash.
"""

import hmac
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials as SigningCredentials

from local_cloud.sessions import Credentials

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+), ?"
    r"SignedHeaders=(?P<signed_headers>[^,\s]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_CREDENTIAL = re.compile(
    r"(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request"
)
_SCOPE = re.compile(r"/(?P<service>[a-z0-9-]+)/aws4_request")
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_GREATEST_SKEW = timedelta(minutes=15)
_LONGEST_EXPIRY_SECONDS = 7 * 24 * 3600
_CONTENT_HASH = "x-amz-content-sha256"
_HASH = re.compile(r"[0-9a-f]{64}")
_OLD_PRESIGNED = ("AWSAccessKeyId", "Signature", "Expires")
_OLD_SIGNED_HEADERS = ("content-md5", "content-type")
_EPOCH_DIGITS = 11

CredentialsOf = Callable[[str], Credentials | None]
"""Takes an access key id; returns its credentials, None for one that was never issued."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it arrived.

    Parameters
    ----------
    method : str
    target : str
        Path and query, as sent.
    headers : tuple of (str, str)
        Names and values.
    body : bytes
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's first value by its name in lower case."""
        return next((value for each, value in self.headers if each.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signed a request, and the service and region that it is signed for."""

    access_key_id: str
    service: str
    region: str


class RefusedRequestError(Exception):
    """A request is refused before anybody looks at permissions; its sender can repair it.

    Parameters
    ----------
    code : str
        One of this module's codes, or of those of `local_cloud.access.refusals`.
    message : str
        The problem, for the sender of the request.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


MISSING = "MissingAuthenticationToken"
UNKNOWN_KEY = "InvalidClientTokenId"
MISMATCH = "SignatureDoesNotMatch"
EXPIRED = "RequestExpired"
NOT_SIGNED = "HeadersNotSigned"


def verified_signer(
    request: ReceivedRequest, credentials_of: CredentialsOf, *, now: datetime | None = None
) -> Signer:
    """Return the signer of a request.

    Parameters
    ----------
    request : ReceivedRequest
    credentials_of : callable
        Returns the credentials with an access key id.
    now : datetime, optional
        Aware; the system's time by default.

    Raises
    ------
    RefusedRequestError
        It is not signed, or not all of it, or with an unknown key, with another secret, or too long
        ago. The sender must use the credentials of the running cloud.
    """
    now = now or datetime.now(UTC)
    query = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    authorization = request.header("authorization")
    if authorization is not None:
        return _signer_by_header(request, authorization, credentials_of, now)
    if "X-Amz-Signature" in query:
        return _signer_by_query(request, query, credentials_of, now)
    if all(name in query for name in _OLD_PRESIGNED):
        return _signer_by_old_query(request, query, credentials_of, now)
    raise RefusedRequestError(MISSING, "The request is not signed.")


def claimed_service(request: ReceivedRequest) -> str:
    """Return the service that a request is signed for, unverified; empty where it names none."""
    scope = _SCOPE.search(request.header("authorization") or unquote(request.target))
    if scope is None:
        return "s3" if f"{_OLD_PRESIGNED[0]}=" in request.target else ""
    return scope["service"]


class _SignedHeaders:
    """Canonicalizes the headers that the signer chose, where botocore would choose again."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers


class _HeaderSignature(_SignedHeaders, SigV4Auth):
    pass


class _S3HeaderSignature(_SignedHeaders, S3SigV4Auth):
    pass


class _S3QuerySignature(_SignedHeaders, S3SigV4QueryAuth):
    pass


class _S3OldQuerySignature(HmacV1QueryAuth):
    """Signs a given end of validity, where botocore would count from now."""

    def __init__(self, credentials: SigningCredentials, ends_at: str) -> None:
        super().__init__(credentials)
        self._ends_at = ends_at

    def _get_date(self) -> str:
        return self._ends_at


def _signer_by_header(
    request: ReceivedRequest, authorization: str, credentials_of: CredentialsOf, now: datetime
) -> Signer:
    parts = _AUTHORIZATION.fullmatch(authorization)
    signed_at = _time(request.header("x-amz-date"))
    if parts is None or signed_at is None:
        message = "The Authorization header is not Signature Version 4 with X-Amz-Date."
        raise RefusedRequestError(MISSING, message)
    signer = _signer(parts["credential"], signed_at)
    credentials = _credentials(signer, request.header("x-amz-security-token"), credentials_of)
    if abs(now - signed_at) > _GREATEST_SKEW:
        message = f"The request was signed at {signed_at:%H:%M:%S}, and it is {now:%H:%M:%S} UTC."
        raise RefusedRequestError(EXPIRED, message)
    make = _S3HeaderSignature if signer.service == "s3" else _HeaderSignature
    signature = make(_for_botocore(credentials), signer.service, signer.region)
    names = parts["signed_headers"].split(";")
    _compare(_version_4(signature, request, request.target, names, signed_at), parts["signature"])
    _check_content(request)
    return signer


def _signer_by_query(
    request: ReceivedRequest,
    query: Mapping[str, str],
    credentials_of: CredentialsOf,
    now: datetime,
) -> Signer:
    signed_at, seconds = _time(query.get("X-Amz-Date")), query.get("X-Amz-Expires", "")
    if signed_at is None or not seconds.isdecimal() or int(seconds) > _LONGEST_EXPIRY_SECONDS:
        raise RefusedRequestError(MISSING, "X-Amz-Date or X-Amz-Expires is missing or wrong.")
    signer = _signer(query.get("X-Amz-Credential", ""), signed_at)
    if signer.service != "s3":
        raise RefusedRequestError(MISSING, "Presigned requests are only served for S3.")
    credentials = _credentials(signer, query.get("X-Amz-Security-Token"), credentials_of)
    _check_not_expired(signed_at + timedelta(seconds=int(seconds)), now)
    signature = _S3QuerySignature(_for_botocore(credentials), signer.service, signer.region)
    path, _, signed = request.target.partition("?")
    parts = [part for part in signed.split("&") if not part.startswith("X-Amz-Signature=")]
    names = query.get("X-Amz-SignedHeaders", "").split(";")
    expected = _version_4(signature, request, f"{path}?{'&'.join(parts)}", names, signed_at)
    _compare(expected, query["X-Amz-Signature"])
    return signer


def _signer_by_old_query(
    request: ReceivedRequest,
    query: Mapping[str, str],
    credentials_of: CredentialsOf,
    now: datetime,
) -> Signer:
    signer = Signer(query["AWSAccessKeyId"], "s3", "")
    credentials = _credentials(signer, query.get("x-amz-security-token"), credentials_of)
    expires = query["Expires"]
    if not expires.isdecimal() or len(expires) > _EPOCH_DIGITS:
        raise RefusedRequestError(MISSING, "Expires is not a time.")
    _check_not_expired(datetime.fromtimestamp(int(expires), UTC), now)
    headers = HTTPHeaders()
    # botocore may send a signed header in the query.
    for name, value in {**{n.lower(): v for n, v in request.headers}, **query}.items():
        if name in _OLD_SIGNED_HEADERS or name.startswith("x-amz-"):
            headers[name] = value
    signature = _S3OldQuerySignature(_for_botocore(credentials), expires)
    split = urlsplit(f"http://localhost{request.target}")
    expected = signature.get_signature(request.method, split, headers)  # type: ignore[arg-type] # botocore changes them, and its stubs do not know
    _compare(expected, query["Signature"])
    return signer


def _version_4(
    signature: SigV4Auth,
    request: ReceivedRequest,
    target: str,
    names: Collection[str],
    signed_at: datetime,
) -> str:
    _check_all_signed(request, names)
    host = request.header("host") or "localhost"
    signable = AWSRequest(request.method, f"http://{host}{target}", data=request.body)
    for name, value in request.headers:
        if name.lower() in names:
            signable.headers.add_header(name.lower(), value)
    signable.context["timestamp"] = signed_at.strftime(_TIME_FORMAT)
    to_sign = signature.string_to_sign(signable, signature.canonical_request(signable))
    return signature.signature(to_sign, signable)


def _check_all_signed(request: ReceivedRequest, names: Collection[str]) -> None:
    """Refuse an unsigned header that changes the meaning of a request: another may have added it.

    Content-Type is not checked, as in AWS: presigned URLs leave it open.
    """
    received = {name.lower() for name, _ in request.headers}
    needed = {"host", *(name for name in received if name.startswith("x-amz-"))}
    if unsigned := sorted(needed.difference(names)):
        message = (
            "There were headers present in the request which were not signed: "
            f"{', '.join(unsigned)}."
        )
        raise RefusedRequestError(NOT_SIGNED, message)


def _signer(credential: str, signed_at: datetime) -> Signer:
    parts = _CREDENTIAL.fullmatch(credential)
    if parts is None or parts["day"] != f"{signed_at:%Y%m%d}":
        message = "The credential is not KEY/DAY/REGION/SERVICE/aws4_request of the day signed."
        raise RefusedRequestError(MISSING, message)
    return Signer(parts["key"], parts["service"], parts["region"])


def _credentials(
    signer: Signer, session_token: str | None, credentials_of: CredentialsOf
) -> Credentials:
    credentials = credentials_of(signer.access_key_id)
    if credentials is None or not hmac.compare_digest(
        credentials.session_token.encode(), (session_token or "").encode()
    ):
        message = "The security token included in the request is invalid."
        raise RefusedRequestError(UNKNOWN_KEY, message)
    return credentials


def _for_botocore(credentials: Credentials) -> SigningCredentials:
    return SigningCredentials(
        credentials.access_key_id, credentials.secret_access_key, credentials.session_token or None
    )


def _compare(expected: str, signature: str) -> None:
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        message = (
            "The signature does not match the request and the key's secret. "
            "Check the secret access key; each start of the cloud creates a new one."
        )
        raise RefusedRequestError(MISMATCH, message)


def _check_content(request: ReceivedRequest) -> None:
    signed_hash = request.header(_CONTENT_HASH) or ""
    if _HASH.fullmatch(signed_hash) and sha256(request.body).hexdigest() != signed_hash:
        raise RefusedRequestError(MISMATCH, f"{_CONTENT_HASH} is not the hash of the body.")


def _check_not_expired(ends_at: datetime, now: datetime) -> None:
    if now > ends_at:
        raise RefusedRequestError(EXPIRED, f"Request has expired at {ends_at.isoformat()}.")


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
