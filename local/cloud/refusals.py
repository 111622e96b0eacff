"""How a refused request is answered: in the protocol of the service that it was meant for.

Decides status, code and form of the answer. Must not know why a request is refused. Read next:
request_gate.py and iam_enforcement.py, which refuse.

Notes
-----
*Source*: AWS SDKs, error shapes of the protocols json 1.0/1.1, query, rest-json and rest-xml; API
references of IAM and S3, "Common errors" and "Error responses".
"""

import json
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from local.cloud.signatures import EXPIRED, MISMATCH, MISSING, UNKNOWN_KEY

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

ACCESS_DENIED = "AccessDenied"
_JSON_CODES = {
    ACCESS_DENIED: "AccessDeniedException",
    MISSING: "MissingAuthenticationTokenException",
    UNKNOWN_KEY: "UnrecognizedClientException",
    MISMATCH: "InvalidSignatureException",
    EXPIRED: "InvalidSignatureException",
}
_S3_CODES = {
    MISSING: ACCESS_DENIED,
    UNKNOWN_KEY: "InvalidAccessKeyId",
    EXPIRED: ACCESS_DENIED,
}
_STATUS_LINE = {400: "400 Bad Request", 403: "403 Forbidden"}


def json_code(code: str) -> str:
    """Return the code by which services that speak JSON call a refusal."""
    return _JSON_CODES[code]


def refused(
    environ: Environ, start_response: StartResponse, service: str, code: str, message: str
) -> Iterable[bytes]:
    """Answer a request with a refusal.

    Parameters
    ----------
    environ, start_response
        Of WSGI.
    service : str
        The service that the request was meant for; empty where it tells none.
    code : str
        ``AccessDenied``, or one of those of `local.cloud.signatures`.
    message : str
        What is wrong and who can repair it.
    """
    is_json = "HTTP_X_AMZ_TARGET" in environ
    if is_json or service == "lambda":
        status, kind = (400 if is_json else 403), environ.get("CONTENT_TYPE", "application/json")
        code = json_code(code)
        body = json.dumps({"__type": code, "message": message, "Message": message})
    elif service == "s3":
        status, kind, code = 403, "application/xml", _S3_CODES.get(code, code)
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    else:
        if service == "sns" and code == ACCESS_DENIED:
            code = "AuthorizationError"
        status, kind = 403, "text/xml"
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
