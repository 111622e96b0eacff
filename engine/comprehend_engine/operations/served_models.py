"""The model that an endpoint or a job uses: a named one, or a flywheel's active one.

Decides which models may be used. Read next: `comprehend_engine.operations.endpoints` and
`comprehend_engine.operations.jobs`.

Notes
-----
*Source*: developer guide, "Using flywheels for analysis": the ARN of a flywheel can replace that of
a model. No page names the error for one that is not ready; the engine uses ResourceUnavailable.
"""

from collections.abc import Mapping
from typing import Any

from comprehend_engine.errors import ServiceError
from comprehend_engine.operations.request_checks import requested_flywheel, requested_resource
from comprehend_engine.storage.records import ModelRecord
from comprehend_engine.storage.store import Store


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
    return _trained_model(store, request[model_member]) if model_member in request else None


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


def _trained_model(store: Store, arn: str) -> str:
    model = requested_resource(store, ModelRecord, arn)
    if model.status != "TRAINED":
        message = f"Model {arn} is {model.status}; it must be TRAINED to be served."
        raise ServiceError("ResourceUnavailableException", message)
    return arn
