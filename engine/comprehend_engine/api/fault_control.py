"""Fault injection over HTTP, beside the service's own API: /_engine/faults.

Decides which members each fault has. POST adds a fault, GET lists them, DELETE removes all. It is
served only where the engine's settings allow it. It only accepts JSON, which no web page can send
across sites unasked. Read next: `comprehend_engine.api.faults`.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from email.message import Message
from typing import Any

from comprehend_engine.api.faults import (
    CALL_FAULTS,
    ITERATION_FAULTS,
    InjectedFault,
    InjectedFaults,
)
from comprehend_engine.api.protocol import HttpResponse

CONTROL_PATH = "/_engine/"
"""The prefix of the paths that are not the service's."""

_FAULTS_PATH = f"{CONTROL_PATH}faults"
_KINDS = (*CALL_FAULTS, *ITERATION_FAULTS)
_TEXT, _NUMBER, _COUNT = "a text", "a number from 0", "a whole number from 1"
_MEMBERS = {
    "fault": _TEXT,
    "operation": _TEXT,
    "flywheel": _TEXT,
    "times": _COUNT,
    "code": _TEXT,
    "message": _TEXT,
    "seconds": _NUMBER,
}
_APPLIES_TO = {
    "operation": CALL_FAULTS,
    "flywheel": ITERATION_FAULTS,
    "code": ("error",),
    "message": ("throttle", "error", "fail_iteration"),
    "seconds": ("delay",),
}
"""The faults that have a member, where not all have it."""

_METHODS = ("GET", "POST", "DELETE")
_FITS: dict[str, Callable[[Any], bool]] = {
    _TEXT: lambda value: isinstance(value, str),
    _COUNT: lambda value: type(value) is int and value >= 1,
    _NUMBER: lambda value: type(value) in (int, float) and value >= 0,
}


class FaultControl:
    """The HTTP interface of fault injection.

    Parameters
    ----------
    faults : Faults or None
        The faults; None where fault injection is off.
    served : collection of str
        The operations that a fault can affect.
    """

    def __init__(self, faults: InjectedFaults | None, served: Collection[str] = ()) -> None:
        self._faults = faults
        self._served = served

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> HttpResponse:
        """Answer one request."""
        if self._faults is None:
            return _json_response(404, problem="Fault injection is off; set allows_faults.")
        if path != _FAULTS_PATH:
            return _json_response(404, problem=f"The only path is {_FAULTS_PATH}.")
        if method not in _METHODS:
            allowed = ", ".join(_METHODS)
            answer = _json_response(
                405, problem=f"{method} is not allowed; these methods are: {allowed}."
            )
            return replace(answer, allows=allowed)
        if method == "POST":
            if headers.get_content_type() != "application/json":
                return _json_response(415, problem="The Content-Type must be application/json.")
            problem, fault = self._read(body)
            if fault is None:
                return _json_response(400, problem=problem)
            self._faults.add(fault)
        elif method == "DELETE":
            self._faults.clear()
        return _json_response(200, faults=[_shown(fault) for fault in self._faults.all()])

    def _read(self, body: bytes) -> tuple[str, InjectedFault | None]:
        """Return the fault, or why there is none."""
        try:
            document = json.loads(body or b"{}")
        except ValueError as error:
            return f"The body is not JSON: {error}", None
        problem = _problem(document) or self._problem_of_operation(document)
        return problem, None if problem else InjectedFault(**document)

    def _problem_of_operation(self, document: Mapping[str, Any]) -> str:
        if "operation" not in document or document["operation"] in self._served:
            return ""
        served = ", ".join(sorted(self._served))
        return f"operation {document['operation']!r} is not served; these are: {served}."


def _problem(document: Any) -> str:
    if not isinstance(document, Mapping) or document.get("fault") not in _KINDS:
        return f"The body must be an object whose fault is one of: {', '.join(_KINDS)}."
    for name, value in document.items():
        if name not in _MEMBERS:
            return f"{name} is unknown; a fault can have: {', '.join(_MEMBERS)}."
        if document["fault"] not in _APPLIES_TO.get(name, _KINDS):
            applies_to = ", ".join(_APPLIES_TO[name])
            return f"{name} does not apply to {document['fault']}; it applies to: {applies_to}."
        if not _FITS[_MEMBERS[name]](value):
            return f"{name} must be {_MEMBERS[name]}, not {value!r}."
    return ""


def _shown(fault: InjectedFault) -> dict[str, Any]:
    return {
        name: value
        for name, value in asdict(fault).items()
        if fault.fault in _APPLIES_TO.get(name, _KINDS)
    }


def _json_response(status: int, **document: Any) -> HttpResponse:
    return HttpResponse(status, json.dumps(document).encode(), content_type="application/json")
