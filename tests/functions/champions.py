"""Changes of the champion by a person."""

from itertools import count
from typing import Any

from application.champion_changes import change
from tests.functions.world import NAME, World

_requests = count(1)


def changed(world: World, act: Any, model: str = "", request: str = "") -> dict[str, Any]:
    """Let a person change the champion."""
    asked = {
        "flywheel": NAME,
        "act": act,
        "model": model,
        "reason": "complaints",
        "actor": "ann",
        "request": request or f"request-{next(_requests)}",
    }
    return change(world.services, asked)
