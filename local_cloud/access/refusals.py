"""Responses to refused requests, in the protocol of the addressed service.

Decides status, code and form of the response. Must not know why a request is refused. Read next:
request_gate.py and iam_enforcement.py, which refuse.

Notes
-----
*Source*: AWS SDKs, error shapes of the protocols json 1.0/1.1, query, rest-json and rest-xml; API
references of IAM and S3, "Common errors" and "Error responses". Only S3 has its own errors for
a body; the other services share theirs.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from local_cloud.access.signatures import EXPIRED, MISMATCH, MISSING, NOT_SIGNED, UNKNOWN_KEY

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

ACCESS_DENIED = "AccessDenied"
MISSING_LENGTH = "MissingContentLength"
INCOMPLETE_BODY = "IncompleteBody"
TOO_LARGE = "EntityTooLarge"
SILENT_CLIENT = "RequestTimeout"
MALFORMED_REQUEST = "InvalidRequest"

_BODY_CODES = {
    MISSING_LENGTH: "MalformedHttpRequestException",
    INCOMPLETE_BODY: "RequestAbortedException",
    TOO_LARGE: "RequestEntityTooLargeException",
    SILENT_CLIENT: "RequestTimeoutException",
    MALFORMED_REQUEST: "MalformedHttpRequestException",
}
_JSON_CODES = {
    ACCESS_DENIED: "AccessDeniedException",
    MISSING: "MissingAuthenticationTokenException",
    UNKNOWN_KEY: "UnrecognizedClientException",
    MISMATCH: "InvalidSignatureException",
    EXPIRED: "InvalidSignatureException",
    NOT_SIGNED: "InvalidSignatureException",
    **_BODY_CODES,
}
_S3_CODES = {
    MISSING: ACCESS_DENIED,
    UNKNOWN_KEY: "InvalidAccessKeyId",
    EXPIRED: ACCESS_DENIED,
    NOT_SIGNED: ACCESS_DENIED,
}
_QUERY_CODES = {NOT_SIGNED: MISMATCH, **_BODY_CODES}
_STATUS_LINE = {400: "400 Bad Request", 403: "403 Forbidden", 411: "411 Length Required"}


def json_code(code: str) -> str:
    """Return the code of a refusal in services that speak JSON."""
    return _JSON_CODES[code]


def refused(
    environ: Environ, start_response: StartResponse, service: str, code: str, message: str
) -> Iterable[bytes]:
    """Respond to a request with a refusal.

    Parameters
    ----------
    environ, start_response
        Of WSGI.
    service : str
        The addressed service; empty where the request names none.
    code : str
        One of this module's, or of those of `local_cloud.access.signatures`.
    message : str
        The problem, and who can repair it.
    """
    is_json = "HTTP_X_AMZ_TARGET" in environ
    status = _status(code, is_json=is_json)
    if is_json or service == "lambda":
        kind, code = environ.get("CONTENT_TYPE", "application/json"), json_code(code)
        body = json.dumps({"__type": code, "message": message, "Message": message})
    elif service == "s3":
        kind, code = "application/xml", _S3_CODES.get(code, code)
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    else:
        if service == "sns" and code == ACCESS_DENIED:
            code = "AuthorizationError"
        kind, code = "text/xml", _QUERY_CODES.get(code, code)
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


def _status(code: str, *, is_json: bool) -> int:
    if code == MISSING_LENGTH:
        return 411
    return 400 if is_json or code in _BODY_CODES else 403
