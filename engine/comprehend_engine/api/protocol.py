"""The wire: awsJson1.1 as boto3 speaks it, between bytes and operations.

Decides how a request is dispatched and validated and how answers and errors are spelled; both are
held against botocore's own model of the service, so an answer the service could not give never
leaves. Knows no rule of any operation. Read next: `comprehend_engine.api.shapes`, and
`comprehend_engine.engine` for what is served.

Notes
-----
*Source*: botocore comprehend/2017-11-27. It lists ``smithy-rpc-v2-cbor`` before ``json``, yet boto3
sends JSON with ``X-Amz-Target``: what arrives decides.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from comprehend_engine.api.faults import Fault, Faults
from comprehend_engine.api.shapes import problems
from comprehend_engine.errors import DiskFullError, ServiceError

Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes a validated request, returns a response; raises ServiceError."""

Refusal = Callable[[str, str, dict[str, Any]], str | None]
"""Takes the caller's access key id, an operation and its request; says why it is refused, if so."""

Authentication = Callable[[str, str, Message, bytes], tuple[str, str] | None]
"""Takes a request's method, target, headers and body; returns code and message of what is wrong
with its signature, None where it is right."""

UNKNOWN_OPERATION = "UnknownOperationException"
"""What AWS services that speak JSON answer to an operation they do not know."""

ACCESS_DENIED = "AccessDeniedException"
"""What every AWS service answers, declared or not, when a caller lacks a permission."""

INVALID_SIGNATURE = "InvalidSignatureException"
"""What AWS services that speak JSON answer to a signature that cannot be of this request."""

_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/,\s]+)/")
_LOG = logging.getLogger(__name__)
_TOO_MANY_REQUESTS = "TooManyRequestsException"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back.

    Parameters
    ----------
    status : int
        HTTP status.
    body : bytes
        JSON.
    content_type : str
        What `body` is.
    is_dropped : bool
        Whether the connection ends in place of it: a fault that was asked for.
    allows : str
        The methods that are allowed, where the request's was not.
    """

    status: int
    body: bytes
    content_type: str = "application/x-amz-json-1.1"
    is_dropped: bool = False
    allows: str = ""


@cache
def comprehend_model() -> ServiceModel:
    """Load botocore's model of the service."""
    return ServiceModel(Loader().load_service_model("comprehend", "service-2"), "comprehend")


class Protocol:
    """One service's wire.

    Parameters
    ----------
    operations : mapping of str to Operation
        What is served, by the operation's name.
    region : str
        Where the resources are: a request that is signed for another region is refused.
    refusal : callable, optional
        Judges each request; without it every caller may do everything.
    faults : Faults, optional
        Faults that calls meet.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        region: str,
        refusal: Refusal | None = None,
        faults: Faults | None = None,
    ) -> None:
        self._region = region
        self._refusal = refusal
        self._faults = faults or Faults()
        self._model = comprehend_model()
        self._operations = operations
        self._prefix = str(self._model.metadata["targetPrefix"])
        self._status_of = {
            shape.name: int(shape.metadata.get("error", {}).get("httpStatusCode", 400))
            for shape in self._model.error_shapes
        }

    def answer(self, headers: Message, body: bytes) -> Answer:
        """Answer one request.

        Parameters
        ----------
        headers : Message
            The request's headers; looked up without regard to case.
        body : bytes
            Its body.

        Returns
        -------
        Answer
            A response or an error, both as the service would spell them.
        """
        try:
            return self._respond(headers, body)
        except ServiceError as refusal:
            return self.refuse(refusal)
        except DiskFullError as failure:
            _LOG.error("%s", failure)
            return self.refuse(ServiceError("InternalServerException", str(failure)))
        except Exception:  # a defect must reach the caller as the service's own 500, and the log
            _LOG.exception("the engine failed to answer %s", headers.get("X-Amz-Target"))
            return self.refuse(
                ServiceError("InternalServerException", "The engine failed; its log says why.")
            )

    def refuse(self, refusal: ServiceError) -> Answer:
        """Spell an error."""
        document = {"__type": refusal.code, "Message": refusal.message}
        return Answer(self._status_of.get(refusal.code, 400), json.dumps(document).encode())

    def _respond(self, headers: Message, body: bytes) -> Answer:
        model, operation = self._dispatch(headers)
        fault = self._faults.of_call(model.name)
        if fault is not None:
            self._meet(model, fault)
        response = self._performed(model, operation, headers, body)
        return Answer(200, response, is_dropped=fault is not None and fault.fault == "drop")

    def _meet(self, model: OperationModel, fault: Fault) -> None:
        """Have a call refused, or be late, because a fault was asked for."""
        if fault.fault == "throttle":
            # What a service answers where an operation declares nothing of its own.
            declares = any(shape.name == _TOO_MANY_REQUESTS for shape in model.error_shapes)
            code = _TOO_MANY_REQUESTS if declares else "ThrottlingException"
            raise ServiceError(code, fault.message)
        if fault.fault == "error":
            raise ServiceError(fault.code, fault.message)
        if fault.fault == "delay":
            self._faults.wait(fault.seconds)

    def _performed(
        self, model: OperationModel, operation: Operation, headers: Message, body: bytes
    ) -> bytes:
        try:
            request = self._request(model, headers, body)
        except RecursionError as error:
            message = "The body is nested too deeply."
            raise ServiceError("InvalidRequestException", message) from error
        try:
            response = operation(request)
        except ServiceError as refusal:
            self._check_declared(model, refusal)
            raise
        return self._encoded(model, response)

    def _request(self, model: OperationModel, headers: Message, body: bytes) -> dict[str, Any]:
        """Return a request that its caller may make and that fits the operation's shape."""
        request = _decoded(body)
        self._check_permission(model, headers, request)
        found = list(problems(request, model.input_shape, "")) if model.input_shape else []
        if found:
            noun = "validation error" if len(found) == 1 else "validation errors"
            message = f"{len(found)} {noun} detected: {'; '.join(found)}"
            raise ServiceError("InvalidRequestException", message)
        given: dict[str, Any] = _without_nulls(request)
        return given

    def _dispatch(self, headers: Message) -> tuple[OperationModel, Operation]:
        if protocol := headers.get("smithy-protocol"):
            raise ServiceError(UNKNOWN_OPERATION, f"AWS JSON 1.1 is served here, not {protocol}.")
        target = headers.get("X-Amz-Target") or ""
        served = f"Served here, as AWS JSON 1.1: {', '.join(sorted(self._operations))}."
        prefix, _, name = target.partition(".")
        if prefix != self._prefix or name not in self._model.operation_names:
            message = f"X-Amz-Target {target!r} names no operation of Amazon Comprehend. {served}"
            raise ServiceError(UNKNOWN_OPERATION, message)
        if name not in self._operations:
            raise ServiceError(UNKNOWN_OPERATION, f"{name} is not served here. {served}")
        return self._model.operation_model(name), self._operations[name]

    def _check_permission(
        self, model: OperationModel, headers: Message, request: dict[str, Any]
    ) -> None:
        scope = _SCOPE.search(headers.get("Authorization") or "")
        if scope and scope["region"] != self._region:
            message = (
                f"Credential should be scoped to a valid region. The request is signed for "
                f"{scope['region']}, and what is here is in {self._region}: set "
                f"AWS_REGION={self._region}, or start the engine for {scope['region']}."
            )
            raise ServiceError(INVALID_SIGNATURE, message)
        if self._refusal is None:
            return
        reason = self._refusal(scope["key"] if scope else "", model.name, request)
        if reason is not None:
            raise ServiceError(ACCESS_DENIED, reason)

    def _check_declared(self, model: OperationModel, refusal: ServiceError) -> None:
        declared = {shape.name for shape in model.error_shapes}
        if refusal.code not in declared:
            message = f"{model.name} does not declare {refusal.code}"
            raise RuntimeError(message) from refusal

    def _encoded(self, model: OperationModel, response: Mapping[str, Any]) -> bytes:
        document = _without_nulls(response)
        if model.output_shape is not None:
            found = list(problems(document, model.output_shape, ""))
            if found:
                message = f"{model.name} would answer what it cannot: {'; '.join(found)}"
                raise RuntimeError(message)
        return json.dumps(document).encode()


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}", parse_constant=_refused_number)
        if b"\\u" in body:
            # Half of a surrogate pair is valid in JSON, and no text: nothing could keep it.
            json.dumps(request, ensure_ascii=False).encode()
    except ValueError as error:
        message = f"The body is not JSON: {error}"
        raise ServiceError("InvalidRequestException", message) from error
    if not isinstance(request, dict):
        raise ServiceError("InvalidRequestException", "The body is not a JSON object.")
    return request


def _refused_number(name: str) -> None:
    message = f"{name} is no number"
    raise ValueError(message)


def _without_nulls(value: Any) -> Any:
    """Drop absent members; in this protocol null and absent mean the same."""
    if isinstance(value, Mapping):
        return {
            name: _without_nulls(member) for name, member in value.items() if member is not None
        }
    if isinstance(value, (list, tuple)):
        return [_without_nulls(member) for member in value]
    return value
