"""Play histories, with all safeguards or without one, and say what broke."""

import importlib
import os
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "FlywheelLoop")

from tests.simulation.history import History  # noqa: E402 - after what Powertools reads
from tests.simulation.safeguards import CRASHES, SAFEGUARDS  # noqa: E402 - as above

_LOGGING_MODULES = (
    "reconcile.handler",
    "register_upload.handler",
    "close_batch.handler",
    "adapters.notices",
)


@dataclass(frozen=True, slots=True)
class Caught:
    """What a missing safeguard broke first."""

    seed: int
    invariant: str


class _Silent:
    def __getattr__(self, name: str) -> Any:
        return lambda *args, **details: None


def quiet() -> None:
    """Have functions neither log nor measure: histories are many."""
    for name in _LOGGING_MODULES:
        setattr(importlib.import_module(name), "logger", _Silent())  # noqa: B010 - modules by name
    handler: Any = importlib.import_module("reconcile.handler")
    handler._measure_slots = lambda *_: None


def played(seed: int) -> History:
    """Play one history with all safeguards."""
    history = History(seed)
    history.run()
    return history


def caught_by(safeguard: str, most: int, first: int = 0) -> Caught | None:
    """Switch a safeguard off and return the first seed that shows it, or None."""
    for seed in range(first, first + most):
        with SAFEGUARDS[safeguard]():
            history = History(seed)
            try:
                broken = history.run()
            except CRASHES as error:
                broken = [f"{type(error).__name__} in a handler"]
        if broken:
            return Caught(seed, broken[0])
    return None
