"""Show a status again and again until nothing is under way.

Decides how it refreshes: in place on a terminal, and elsewhere a new picture for each change.
"""

from collections.abc import Callable, Sequence

from rich.live import Live

from console.environment.target import Target
from console.flywheels.following import Patience, patience
from console.flywheels.status import FlywheelStatus
from console.terminal import Terminal
from console.views.status import status_view

_LONGEST_MINUTES = 7 * 24 * 60.0


def watched(
    terminal: Terminal,
    target: Target,
    look: Callable[[], list[FlywheelStatus]],
    unconfirmed: Sequence[str],
) -> list[FlywheelStatus]:
    """Show the status until all flywheels are idle, and return the last one.

    Parameters
    ----------
    look : callable
        Gives the status as it is now.
    unconfirmed : sequence of str
        E-mail addresses that get no notices.
    """
    wait = patience(target, _LONGEST_MINUTES)
    if terminal.people.is_terminal:
        return _in_place(terminal, target, look, unconfirmed, wait)
    shown: list[FlywheelStatus] = []
    while True:
        found = look()
        if found != shown:
            terminal.show(status_view(target.environment, found, unconfirmed))
            shown = found
        if not any(status.is_busy for status in found):
            return found
        wait.pause("status")


def _in_place(
    terminal: Terminal,
    target: Target,
    look: Callable[[], list[FlywheelStatus]],
    unconfirmed: Sequence[str],
    wait: Patience,
) -> list[FlywheelStatus]:
    with Live(console=terminal.people, auto_refresh=False) as live:
        while True:
            found = look()
            live.update(status_view(target.environment, found, unconfirmed), refresh=True)
            if not any(status.is_busy for status in found):
                return found
            wait.pause("status")
