"""How tests ask for faults: over HTTP, beside the service's own calls."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from engine_testing.rig import Rig


def control(
    rig: Rig,
    method: str,
    body: Any = None,
    *,
    path: str = "faults",
    kind: str = "application/json",
    **headers: str,
) -> Mapping[str, Any]:
    """Ask the control; return its answer, with the status where it refuses."""
    request = urllib.request.Request(
        f"{rig.engine.url}/_engine/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": kind, **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            returned: Mapping[str, Any] = json.loads(answer.read())
            return returned
    except urllib.error.HTTPError as refusal:
        with refusal:
            return {"status": refusal.code, **json.loads(refusal.read())}


def ask_for(rig: Rig, **fault: Any) -> None:
    """Ask for a fault."""
    assert control(rig, "POST", fault)["faults"]
