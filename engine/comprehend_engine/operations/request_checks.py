"""Checks that several operations make: a resource exists, is ready, and fits its quota.

Decides the error of each check. Knows no rule of any one resource. Read next:
`comprehend_engine.storage.store`.
"""

from collections.abc import Mapping
from typing import Any

from comprehend_engine.errors import ServiceError
from comprehend_engine.storage.records import FlywheelRecord
from comprehend_engine.storage.store import R, Store


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
