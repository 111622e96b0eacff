"""Named places between two effects, where a process may die and the next one must go on.

Production never arms them: a crash point is then one look at a module's variable. The sweep in
`tests/functions/test_crash_points.py` kills each handler at every one of them.
"""

from collections.abc import Callable

_armed: Callable[[str], None] | None = None


def crash_point(name: str) -> None:
    """Mark a place; ``<function>.<what was just done>``."""
    if _armed is not None:
        _armed(name)


def arm(hook: Callable[[str], None] | None) -> None:
    """Have a hook called with each name that is reached; None disarms."""
    global _armed  # noqa: PLW0603 - one process is killed, so one hook is all there is
    _armed = hook
