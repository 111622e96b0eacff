"""Checks that several operations make of a request: tokens, resources, models, quotas, keys.

Decides the error of each check. A repeated call, which has the client token of an earlier one, gets
the response of the first. The engine looks no key up and encrypts nothing. Knows no rule of any one
resource. Read next: `comprehend_engine.storage.store`.

Notes
-----
*Source*: botocore, ClientRequestToken of CreateFlywheel, CreateDataset, CreateEndpoint,
StartFlywheelIteration; DataSecurityConfig and OutputDataConfig: a key's id or ARN, or an alias or
its ARN. Its pattern takes any ASCII; KmsKeyValidationException is for "a key that cannot be
validated", as any value of another form. Developer guide, "Using flywheels for analysis": the ARN
of a flywheel can replace that of a model. No page names the error for one that is not ready; the
engine uses ResourceUnavailable.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from comprehend_engine.errors import ServiceError
from comprehend_engine.storage.records import FlywheelRecord, ModelRecord
from comprehend_engine.storage.store import R, Store

_MEMBER_END = "KmsKeyId"
_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}"
_ALIAS = r"alias/[a-zA-Z0-9/_-]+"
_KEY = re.compile(
    rf"({_ID}|{_ALIAS}|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{{12}}:(key/({_ID})|{_ALIAS}))"
)


def recorded_response(
    store: Store, operation: str, request: Mapping[str, Any], *, parent: str = "*"
) -> str | None:
    """Return the response to an earlier equal call with this token, if there was one.

    Parameters
    ----------
    store : Store
    operation : str
        The operation; a token is only valid for it.
    request : mapping
        The whole request.
    parent : str
        The ARN of the flywheel in which the resource is created, if any; a token is only valid
        there.

    Raises
    ------
    ServiceError
        InvalidRequestException: the token was used for a different request.
    """
    token = request.get("ClientRequestToken")
    stored = store.response_to_token(f"{operation} {parent}", token) if token else None
    if stored is None:
        return None
    earlier_request, response = stored
    if earlier_request != json.dumps(request, sort_keys=True):
        message = f"ClientRequestToken {token!r} was used for a different request."
        raise ServiceError("InvalidRequestException", message)
    return response


def record_response(
    store: Store, operation: str, owner: str, request: Mapping[str, Any], response: str
) -> None:
    """Store the response to a call, in the transaction that carries it out.

    The token is deleted with its owner, the resource with that ARN.
    """
    if token := request.get("ClientRequestToken"):
        scope = f"{operation} {owner}"
        store.save_token(scope, token, json.dumps(request, sort_keys=True), response)


def requested_resource(store: Store, kind: type[R], arn: str) -> R:
    """Return the record with an ARN.

    Raises
    ------
    ServiceError
        ResourceNotFoundException: there is none of this kind.
    """
    record = store.find(kind, arn)
    if record is None:
        noun = kind.__name__.removesuffix("Record").lower()
        message = f"There is no {noun} {arn}."
        raise ServiceError("ResourceNotFoundException", message)
    return record


def requested_flywheel(store: Store, request: Mapping[str, Any]) -> FlywheelRecord:
    """Return the flywheel that a request names.

    Raises
    ------
    ServiceError
        ResourceNotFoundException: there is none.
    """
    return requested_resource(store, FlywheelRecord, request["FlywheelArn"])


def check_flywheel_active(flywheel: FlywheelRecord, operation: str) -> None:
    """Refuse an operation that needs an ACTIVE flywheel.

    Raises
    ------
    ServiceError
        InvalidRequestException: it is not ACTIVE. The guide names no error; all these operations
        declare this one.
    """
    if flywheel.status != "ACTIVE":
        message = f"{operation} needs an ACTIVE flywheel; {flywheel.arn} is {flywheel.status}."
        raise ServiceError("InvalidRequestException", message)


def check_quota(quota: str, used: int, limit: int) -> None:
    """Refuse one more resource where the limit is reached.

    Raises
    ------
    ServiceError
        ResourceLimitExceededException: the limit is reached.
    """
    if used >= limit:
        message = f"The limit of {quota} is {limit}; {used} are in use."
        raise ServiceError("ResourceLimitExceededException", message)


def served_model(store: Store, request: Mapping[str, Any], model_member: str) -> str | None:
    """Return the model that a request names directly or through a flywheel, if any.

    Parameters
    ----------
    store : Store
    request : mapping
        With `model_member`, or ``FlywheelArn``, or neither.
    model_member : str
        The member for a model's ARN.

    Raises
    ------
    ServiceError
        InvalidRequestException: both are there. ResourceNotFoundException: the resource does not
        exist. ResourceUnavailableException: it cannot be used now.
    """
    if model_member in request and "FlywheelArn" in request:
        message = f"Give one of {model_member} and FlywheelArn, not both."
        raise ServiceError("InvalidRequestException", message)
    if "FlywheelArn" in request:
        return _active_model(store, request)
    if model_member in request:
        return trained_model(store, request[model_member], purpose="served").arn
    return None


def _active_model(store: Store, request: Mapping[str, Any]) -> str:
    flywheel = requested_flywheel(store, request)
    if flywheel.status != "ACTIVE" or flywheel.active_model_arn is None:
        model = flywheel.active_model_arn or "no active model"
        message = (
            f"Flywheel {flywheel.arn} is {flywheel.status} with {model}; it must be ACTIVE and "
            "have an active model."
        )
        raise ServiceError("ResourceUnavailableException", message)
    return flywheel.active_model_arn


def trained_model(
    store: Store,
    arn: str,
    *,
    purpose: str,
    refused_as: str = "ResourceUnavailableException",
) -> ModelRecord:
    """Return a model that is TRAINED.

    Raises
    ------
    ServiceError
        ResourceNotFoundException: there is none. `refused_as`: it is not TRAINED.
    """
    model = requested_resource(store, ModelRecord, arn)
    if model.status != "TRAINED":
        message = f"Model {arn} is {model.status}; it must be TRAINED to be {purpose}."
        raise ServiceError(refused_as, message)
    return model


def check_keys(request: Mapping[str, Any]) -> None:
    """Refuse a request with an invalid key.

    Parameters
    ----------
    request : mapping
        A whole request; each member whose name ends with KmsKeyId is checked.

    Raises
    ------
    ServiceError
        KmsKeyValidationException: the message names the member and the valid forms.
    """
    for path, key in _keys(request, ""):
        if not _KEY.fullmatch(key):
            message = (
                f"{path} {key!r} cannot be validated; give the id or the ARN of a KMS key, or an "
                "alias (alias/name) or its ARN."
            )
            raise ServiceError("KmsKeyValidationException", message)


def _keys(members: Mapping[str, Any], before: str) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{before}{name}.")
        elif name.endswith(_MEMBER_END):
            yield f"{before}{name}", value
