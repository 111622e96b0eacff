"""The protocol: awsJson1.1 as boto3 speaks it, between bytes and operations.

Decides how a request is dispatched and validated, and how responses and errors are encoded.
Requests and responses are validated against botocore's model of the service, so the engine never
sends a response that the service could not send. Knows no rule of any operation. Read next:
`comprehend_engine.api.shapes`, and `comprehend_engine.engine` for what is served.

Notes
-----
*Source*: botocore comprehend/2017-11-27. It lists ``smithy-rpc-v2-cbor`` before ``json``, yet boto3
sends JSON with ``X-Amz-Target``: the request decides.
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

from comprehend_engine.api.faults import InjectedFault, InjectedFaults
from comprehend_engine.api.shapes import problems
from comprehend_engine.errors import DiskFullError, ServiceError

Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes a validated request, returns a response; raises ServiceError."""

Refusal = Callable[[str, str, dict[str, Any]], str | None]
"""Takes the caller's access key id, an operation and its request; returns why it is refused, or
None."""

Authentication = Callable[[str, str, Message, bytes], tuple[str, str] | None]
"""Takes a request's method, target, headers and body; returns the code and message of the error in
its signature, or None where it is valid."""

UNKNOWN_OPERATION = "UnknownOperationException"
"""The error of AWS services that speak JSON for an operation that they do not know."""

ACCESS_DENIED = "AccessDeniedException"
"""The error of every AWS service, declared or not, when a caller lacks a permission."""

INVALID_SIGNATURE = "InvalidSignatureException"
"""The error of AWS services that speak JSON for a signature that does not match the request."""

_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[^/,\s]+)/")
_LOG = logging.getLogger(__name__)
_TOO_MANY_REQUESTS = "TooManyRequestsException"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response.

    Parameters
    ----------
    status : int
        HTTP status.
    body : bytes
        JSON.
    content_type : str
        The media type of `body`.
    is_dropped : bool
        Whether the connection ends in place of it, because of an injected fault.
    allows : str
        The allowed methods, where the request's method is not allowed.
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
    """The protocol of one service.

    Parameters
    ----------
    operations : mapping of str to Operation
        The operations that are served, by name.
    region : str
        The region of the resources; a request that is signed for another region is refused.
    refusal : callable, optional
        Authorizes each request; without it every caller may do everything.
    faults : Faults, optional
        The faults to inject into calls.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        region: str,
        refusal: Refusal | None = None,
        faults: InjectedFaults | None = None,
    ) -> None:
        self._region = region
        self._refusal = refusal
        self._faults = faults or InjectedFaults()
        self._model = comprehend_model()
        self._operations = operations
        self._prefix = str(self._model.metadata["targetPrefix"])
        self._status_of = {
            shape.name: int(shape.metadata.get("error", {}).get("httpStatusCode", 400))
            for shape in self._model.error_shapes
        }

    def answer(self, headers: Message, body: bytes) -> HttpResponse:
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
            A response or an error, encoded as by the service.
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

    def refuse(self, refusal: ServiceError) -> HttpResponse:
        """Encode an error."""
        document = {"__type": refusal.code, "Message": refusal.message}
        return HttpResponse(self._status_of.get(refusal.code, 400), json.dumps(document).encode())

    def _respond(self, headers: Message, body: bytes) -> HttpResponse:
        model, operation = self._dispatch(headers)
        fault = self._faults.of_call(model.name)
        if fault is not None:
            self._inject(model, fault)
        response = self._performed(model, operation, headers, body)
        return HttpResponse(200, response, is_dropped=fault is not None and fault.fault == "drop")

    def _inject(self, model: OperationModel, fault: InjectedFault) -> None:
        """Refuse or delay a call."""
        if fault.fault == "throttle":
            # The error of a service where the operation declares none of its own.
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
        """Decode a request; refuse one that is not allowed or does not fit its shape."""
        request = _decoded(body)
        self._check_permission(model, headers, request)
        errors = list(problems(request, model.input_shape, "")) if model.input_shape else []
        if errors:
            noun = "validation error" if len(errors) == 1 else "validation errors"
            message = f"{len(errors)} {noun} detected: {'; '.join(errors)}"
            raise ServiceError("InvalidRequestException", message)
        members: dict[str, Any] = _without_nulls(request)
        return members

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
                f"{scope['region']}, but the resources here are in {self._region}: set "
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
            errors = list(problems(document, model.output_shape, ""))
            if errors:
                message = f"the response of {model.name} is invalid: {'; '.join(errors)}"
                raise RuntimeError(message)
        return json.dumps(document).encode()


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}", parse_constant=_refused_number)
        if b"\\u" in body:
            # Half of a surrogate pair is valid JSON but cannot be encoded or stored.
            json.dumps(request, ensure_ascii=False).encode()
    except ValueError as error:
        message = f"The body is not JSON: {error}"
        raise ServiceError("InvalidRequestException", message) from error
    if not isinstance(request, dict):
        raise ServiceError("InvalidRequestException", "The body is not a JSON object.")
    return request


def _refused_number(name: str) -> None:
    message = f"{name} is not a number"
    raise ValueError(message)


def _without_nulls(value: Any) -> Any:
    """Drop null members; in this protocol null and absent mean the same."""
    if isinstance(value, Mapping):
        return {
            name: _without_nulls(member) for name, member in value.items() if member is not None
        }
    if isinstance(value, (list, tuple)):
        return [_without_nulls(member) for member in value]
    return value
