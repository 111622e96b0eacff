"""Refuses, before moto's HTTP application, requests that the caller's role does not allow.

The gap: moto checks every call against the resource "*", so any role that is scoped to a resource
is refused. Decides which permissions a request is checked for. Must not know policies, nor how a
signature is verified. Read next: request_actions.py and authorization.py.
"""

import io
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.iam.access_control import PermissionResult
from moto.s3.models import s3_backends
from moto.sns.models import Subscription

from local_cloud.access.authorization import Authorization, Caller
from local_cloud.access.refusals import ACCESS_DENIED, Application, Environ, StartResponse, refused
from local_cloud.access.request_actions import CloudRequest, Permission, permissions_of
from local_cloud.access.request_gate import signer_of
from local_cloud.access.s3_actions import bucket_and_key
from local_cloud.access.signatures import UNKNOWN_KEY
from local_cloud.patches import Patches
from local_cloud.settings import CloudSettings

# S3 bodies are documents, not parameters; only a list of keys to delete is read.
_READ_S3_BODY = "delete"


class IamEnforcement:
    """A WSGI application that passes on the requests that their callers may make."""

    def __init__(
        self, application: Application, settings: CloudSettings, authorization: Authorization
    ) -> None:
        self._application = application
        self._settings = settings
        self._authorization = authorization

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        signer = signer_of(environ)
        caller = self._authorization.caller(signer.access_key_id)
        if caller is None:
            message = "The security token included in the request is invalid."
            return refused(environ, start_response, signer.service, UNKNOWN_KEY, message)
        request = _request(environ, signer.service)
        refusal = self._authorization.refusal(caller, permissions_of(request, self._settings))
        if refusal is None:
            refusal = self._refusal_of_absence(caller, request)
        if refusal is not None:
            return refused(environ, start_response, signer.service, ACCESS_DENIED, refusal)
        return self._application(environ, start_response)

    def _refusal_of_absence(self, caller: Caller, request: CloudRequest) -> str | None:
        """Return S3's refusal to report a missing key to a caller that may not list the bucket."""
        bucket, key = bucket_and_key(request.path)
        if request.service != "s3" or request.method not in ("GET", "HEAD") or not key:
            return None
        backend = s3_backends[self._settings.account_id]["aws"]
        if bucket not in backend.buckets or backend.get_object(bucket, key) is not None:
            return None
        listing = Permission("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key})
        return self._authorization.refusal(caller, [listing])


def install(patches: Patches, authorization: Authorization) -> None:
    """Let a topic send to a queue only if the queue's policy allows it; check buckets only here.

    moto checks a bucket's policy again without the request's headers. It would refuse every write
    under a policy that needs one of them.
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
