"""Lists in responses: filtered, newest first, page by page.

Decides the order, the pages and their tokens. Knows no resource. Read next:
`comprehend_engine.operations.flywheels`.

Notes
-----
*Source*: botocore, MaxResults (1 to 500, "The default is 100"); ListFlywheels, ListEndpoints and
those of models and jobs ("You can only set one filter at a time").
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from comprehend_engine.errors import ServiceError

T = TypeVar("T")
Position = tuple[float, str]
"""The sort key of an item in a list: its creation, epoch s, and its key."""

DEFAULT_PAGE = 100
"""Items per page where MaxResults is not given."""


def page(
    request: Mapping[str, Any], items: Sequence[T], position: Callable[[T], Position]
) -> tuple[list[T], str | None]:
    """Return the requested page of a list, newest first.

    A page continues after the last item of the previous one, not at a number. So a resource that is
    created meanwhile neither repeats nor hides an item.

    Parameters
    ----------
    request : mapping
        With ``MaxResults`` and ``NextToken`` or without.
    items : sequence
        All items that pass the filter.
    position : callable
        Returns the sort key of an item.

    Returns
    -------
    tuple of list and str or None
        The page, and the token of the next one if there is more.

    Raises
    ------
    ServiceError
        InvalidRequestException: no list call returned the token.
    """
    ordered = sorted(items, key=position, reverse=True)
    if token := request.get("NextToken"):
        last = _position(token)
        ordered = [item for item in ordered if position(item) < last]
    size = request.get("MaxResults", DEFAULT_PAGE)
    cut = ordered[:size]
    return cut, _token(position(cut[-1])) if len(ordered) > size else None


def _token(last: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode()


def _position(token: str) -> Position:
    try:
        moment, key = json.loads(base64.urlsafe_b64decode(token.encode()))
        return float(moment), str(key)
    except (binascii.Error, ValueError, TypeError) as error:
        message = f"NextToken {token!r} was not returned by a list call."
        raise ServiceError("InvalidRequestException", message) from error


def created_within(
    request_filter: Mapping[str, Any], moment: float, *, time: str = "CreationTime"
) -> bool:
    """Return whether a moment passes the time members of a filter, both ends exclusive."""
    after = request_filter.get(f"{time}After")
    before = request_filter.get(f"{time}Before")
    return (after is None or moment > after) and (before is None or moment < before)


def single_member_filter(
    request: Mapping[str, Any], *, refused_as: str = "InvalidFilterException"
) -> Mapping[str, Any]:
    """Return the filter of a call that accepts one member at a time.

    Raises
    ------
    ServiceError
        InvalidFilterException, or the error that the call declares instead: the filter has more.
    """
    chosen: Mapping[str, Any] = request.get("Filter", {})
    if len(chosen) > 1:
        names = ", ".join(chosen)
        message = f"Filter takes one member at a time; it has {len(chosen)}: {names}."
        raise ServiceError(refused_as, message)
    return chosen


def multi_member_filter(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the filter of a call that accepts several members.

    Raises
    ------
    ServiceError
        InvalidFilterException: no moment is within its times.
    """
    chosen: Mapping[str, Any] = request.get("Filter", {})
    after, before = chosen.get("CreationTimeAfter"), chosen.get("CreationTimeBefore")
    if after is not None and before is not None and after >= before:
        message = f"CreationTimeAfter {after} is not before CreationTimeBefore {before}."
        raise ServiceError("InvalidFilterException", message)
    return chosen
