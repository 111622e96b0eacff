"""The control of faults over HTTP, beside the service's own API: /_engine/faults.

Decides how a fault is asked for and told: each with the members that mean something to it, and no
other. POST adds one, GET tells them, DELETE removes all. It is
served only where the engine's settings say so, and JSON alone is taken, which no web page can send
across sites unasked. Read next: `comprehend_engine.api.faults`.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from email.message import Message
from typing import Any

from comprehend_engine.api.faults import CALL_FAULTS, ITERATION_FAULTS, Fault, Faults
from comprehend_engine.api.protocol import Answer

CONTROL_PATH = "/_engine/"
"""What the paths begin with that are not the service's."""

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
_MEANT_FOR = {
    "operation": CALL_FAULTS,
    "flywheel": ITERATION_FAULTS,
    "code": ("error",),
    "message": ("throttle", "error", "fail_iteration"),
    "seconds": ("delay",),
}
"""The faults to which a member means something, where it does not to all."""

_METHODS = ("GET", "POST", "DELETE")
_FITS: dict[str, Callable[[Any], bool]] = {
    _TEXT: lambda value: isinstance(value, str),
    _COUNT: lambda value: type(value) is int and value >= 1,
    _NUMBER: lambda value: type(value) in (int, float) and value >= 0,
}


class FaultControl:
    """The control's wire.

    Parameters
    ----------
    faults : Faults or None
        What is controlled; None where the control is off.
    served : collection of str
        The operations whose calls a fault may meet.
    """

    def __init__(self, faults: Faults | None, served: Collection[str] = ()) -> None:
        self._faults = faults
        self._served = served

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        """Answer one request to the control."""
        if self._faults is None:
            return _told(404, problem="The control of faults is off; set allows_faults.")
        if path != _FAULTS_PATH:
            return _told(404, problem=f"There is {_FAULTS_PATH} alone.")
        if method not in _METHODS:
            allowed = ", ".join(_METHODS)
            answer = _told(405, problem=f"{method} means nothing here; these do: {allowed}.")
            return replace(answer, allows=allowed)
        if method == "POST":
            if headers.get_content_type() != "application/json":
                return _told(415, problem="The Content-Type must be application/json.")
            problem, fault = self._read(body)
            if fault is None:
                return _told(400, problem=problem)
            self._faults.add(fault)
        elif method == "DELETE":
            self._faults.clear()
        return _told(200, faults=[_shown(fault) for fault in self._faults.all()])

    def _read(self, body: bytes) -> tuple[str, Fault | None]:
        """Return a fault, or what is wrong with it."""
        try:
            document = json.loads(body or b"{}")
        except ValueError as error:
            return f"The body is not JSON: {error}", None
        problem = _problem(document) or self._problem_of_operation(document)
        return problem, None if problem else Fault(**document)

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
            return f"{name} is not known; a fault may have: {', '.join(_MEMBERS)}."
        if document["fault"] not in _MEANT_FOR.get(name, _KINDS):
            meant_for = ", ".join(_MEANT_FOR[name])
            return f"{name} means nothing to {document['fault']}; it is of: {meant_for}."
        if not _FITS[_MEMBERS[name]](value):
            return f"{name} must be {_MEMBERS[name]}, not {value!r}."
    return ""


def _shown(fault: Fault) -> dict[str, Any]:
    return {
        name: value
        for name, value in asdict(fault).items()
        if fault.fault in _MEANT_FOR.get(name, _KINDS)
    }


def _told(status: int, **document: Any) -> Answer:
    return Answer(status, json.dumps(document).encode(), content_type="application/json")
