"""Stands in front of moto's HTTP application and refuses what the caller's role does not allow.

The gap: moto checks every call against the resource "*", so that any role scoped to a resource is
refused, and answers JSON services with XML. Decides who signed a request, and the shape of a
refusal in the protocol of the service. Must not know policies. Read next: request_actions.py and
authorization.py.

Notes
-----
*Source*: AWS SDKs, error shapes of the protocols json 1.0/1.1, query, rest-json and rest-xml.
Signatures are not verified: on one machine only the key tells who asks.
"""

import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.iam.access_control import PermissionResult
from moto.s3.models import s3_backends
from moto.sns.models import Subscription

from local.cloud.adapters_check import Patches
from local.cloud.authorization import Authorization, Caller
from local.cloud.request_actions import CloudRequest, Permission, permissions_of
from local.cloud.s3_actions import bucket_and_key
from local.cloud.settings import CloudSettings

ADAPTED = (
    "moto.sns.models:Subscription.publish",
    "moto.s3.models:S3Backend.get_object",
    "moto.s3.models:FakeBucket.get_permission",
)
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
_SCOPE = re.compile(r"Credential=([^/]+)/\d+/[^/]*/([^/]+)/aws4_request")
_JSON_CODE = "AccessDeniedException"
_XML_CODES = {"sns": "AuthorizationError"}
_STATUS_LINE = {400: "400 Bad Request", 403: "403 Forbidden"}
# S3 bodies are documents, not parameters; only a list of keys to delete is read.
_READ_S3_BODY = "delete"


class IamEnforcement:
    """A WSGI application that asks for permission before it passes a request on."""

    def __init__(
        self, application: Application, settings: CloudSettings, authorization: Authorization
    ) -> None:
        self._application = application
        self._settings = settings
        self._authorization = authorization

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        access_key_id, service = _signer(environ)
        if not service:
            return self._application(environ, start_response)
        caller = self._authorization.caller(access_key_id)
        if caller is None:
            message = "The security token included in the request is invalid."
            return _refused(environ, start_response, service, message)
        request = _request(environ, service)
        refusal = self._authorization.refusal(caller, permissions_of(request, self._settings))
        if refusal is None:
            refusal = self._refusal_to_tell_absence(caller, request)
        if refusal is not None:
            return _refused(environ, start_response, service, refusal)
        return self._application(environ, start_response)

    def _refusal_to_tell_absence(self, caller: Caller, request: CloudRequest) -> str | None:
        """Return S3's refusal of a missing key to a caller that may not list the bucket."""
        bucket, key = bucket_and_key(request.path)
        if request.service != "s3" or request.method not in ("GET", "HEAD") or not key:
            return None
        backend = s3_backends[self._settings.account_id]["aws"]
        if bucket not in backend.buckets or backend.get_object(bucket, key) is not None:
            return None
        listing = Permission("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key})
        return self._authorization.refusal(caller, [listing])


def install(patches: Patches, authorization: Authorization) -> None:
    """Let a topic send to a queue only if the queue's policy allows it, and judge buckets here.

    moto judges a bucket's policy again without the request's headers, and would refuse every
    write where one of them must be there.
    """

    def publish(subscription: Subscription, *args: Any, **kwargs: Any) -> None:
        is_allowed = subscription.protocol != "sqs" or authorization.service_is_allowed(
            "sns.amazonaws.com", "sqs:SendMessage", subscription.endpoint, subscription.topic.arn
        )
        if is_allowed:
            original(subscription, *args, **kwargs)

    def get_permission(*args: Any) -> PermissionResult:
        return PermissionResult.NEUTRAL

    original = patches.replace("moto.sns.models:Subscription.publish", publish)
    patches.replace("moto.s3.models:FakeBucket.get_permission", get_permission)


def _signer(environ: Environ) -> tuple[str, str]:
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope:
        return scope[1], scope[2]
    query = parse_qs(environ.get("QUERY_STRING", ""))
    parts = query.get("X-Amz-Credential", [""])[0].split("/")
    return (parts[0], parts[3]) if len(parts) > 3 else ("", "")  # noqa: PLR2004 - key/day/region/service


def _request(environ: Environ, service: str) -> CloudRequest:
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    body = b""
    if service not in ("s3", "lambda") or _READ_S3_BODY in query:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    # Not PATH_INFO, in which an escaped slash of a name looks like one between names.
    path = str(environ["REQUEST_URI"]).partition("?")[0]
    return CloudRequest(service, environ["REQUEST_METHOD"], path, query, headers, body)


def _refused(
    environ: Environ, start_response: StartResponse, service: str, message: str
) -> Iterable[bytes]:
    is_json = "HTTP_X_AMZ_TARGET" in environ
    if is_json or service == "lambda":
        status, kind = (400 if is_json else 403), environ.get("CONTENT_TYPE", "application/json")
        body = json.dumps({"__type": _JSON_CODE, "message": message, "Message": message})
        code = _JSON_CODE
    elif service == "s3":
        status, kind, code = 403, "application/xml", "AccessDenied"
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    else:
        status, kind, code = 403, "text/xml", _XML_CODES.get(service, "AccessDenied")
        error = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
        body = (
            f"<ErrorResponse><Error>{error}</Error><RequestId>refused</RequestId></ErrorResponse>"
        )
    content = b"" if environ["REQUEST_METHOD"] == "HEAD" else body.encode()
    headers = [
        ("Content-Type", kind or "application/json"),
        ("Content-Length", str(len(content))),
        ("x-amzn-errortype", code),
        ("x-amzn-requestid", "refused"),
    ]
    start_response(_STATUS_LINE[status], headers)
    return [content]
