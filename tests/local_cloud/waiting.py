"""Waiting in tests: until a condition holds, or a deadline passes."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_STEP_SECONDS = 0.01


def eventually(look: Callable[[], T], *, seconds: float = 60.0) -> T:
    """Return what `look` returns as soon as it is true in a boolean sense.

    Raises
    ------
    TimeoutError
        When it never was.
    """
    never = threading.Event()
    ends_at = time.monotonic() + seconds
    while True:
        state = look()
        if state:
            return state
        if time.monotonic() > ends_at:
            raise TimeoutError(f"not within {seconds} seconds")
        never.wait(_STEP_SECONDS)
