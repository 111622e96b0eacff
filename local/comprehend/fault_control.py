"""The control of faults over HTTP, beside the service's own API: /_engine/faults.

Decides how a fault is asked for and told. POST adds one, GET tells them, DELETE removes all. It is
served only where the engine's settings say so, and JSON alone is taken, which no web page can send
across sites unasked. Read next: `local.comprehend.faults`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from email.message import Message
from typing import Any

from local.comprehend.faults import CALL_FAULTS, ITERATION_FAULTS, Fault, Faults
from local.comprehend.protocol import Answer

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
    """

    def __init__(self, faults: Faults | None) -> None:
        self._faults = faults

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        """Answer one request to the control."""
        if self._faults is None:
            return _told(404, problem="The control of faults is off; set allows_faults.")
        if path != _FAULTS_PATH:
            return _told(404, problem=f"There is {_FAULTS_PATH} alone.")
        if method == "POST":
            if headers.get_content_type() != "application/json":
                return _told(415, problem="The Content-Type must be application/json.")
            problem, fault = _read(body)
            if fault is None:
                return _told(400, problem=problem)
            self._faults.add(fault)
        elif method == "DELETE":
            self._faults.clear()
        return _told(200, faults=[asdict(fault) for fault in self._faults.all()])


def _read(body: bytes) -> tuple[str, Fault | None]:
    """Return a fault, or what is wrong with it."""
    try:
        document = json.loads(body or b"{}")
    except ValueError as error:
        return f"The body is not JSON: {error}", None
    problem = _problem(document)
    return problem, None if problem else Fault(**document)


def _problem(document: Any) -> str:
    if not isinstance(document, Mapping) or document.get("fault") not in _KINDS:
        return f"The body must be an object whose fault is one of: {', '.join(_KINDS)}."
    for name, value in document.items():
        if name not in _MEMBERS:
            return f"{name} is not known; a fault may have: {', '.join(_MEMBERS)}."
        if not _FITS[_MEMBERS[name]](value):
            return f"{name} must be {_MEMBERS[name]}, not {value!r}."
    return ""


def _told(status: int, **document: Any) -> Answer:
    return Answer(status, json.dumps(document).encode(), content_type="application/json")
