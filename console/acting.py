"""One act on one flywheel: where it happens is told first, and a refusal has its exit code.

Used by the verbs that act. Knows no act; those are in `adapters.acts`.
"""

from typing import Any

import typer

from adapters.configuration import KnownFlywheel
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.target import Target
from console.terminal import Terminal
from console.verb_options import opened_target, tell_where
from flywheel.errors import ActRefusedError, ConcurrentChangeError
from flywheel.notices import Notice


class Act:
    """Opens an environment and a flywheel for an act.

    Parameters
    ----------
    context : typer.Context
    terminal : Terminal
    flywheel, env : str or None
        As they were given.
    """

    def __init__(
        self, context: typer.Context, terminal: Terminal, flywheel: str | None, env: str | None
    ) -> None:
        self.target: Target = opened_target(context, env, default=None)
        self.known: KnownFlywheel = self.target.flywheel(flywheel)
        self.document: dict[str, Any] = tell_where(terminal, self.target, self.known.settings.name)
        self.acts = self.target.acts(self.known, self.target.identity.arn)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ActRefusedError):
            raise CommandError(
                ExitCode.HELD, self.acts.name, str(error), f"See flywheel status {self.acts.name}"
            ) from error
        if isinstance(error, ConcurrentChangeError):
            problem = "it changed in this moment"
            raise CommandError(ExitCode.HELD, self.acts.name, problem, "Try again") from error

    def publish(self, notice: Notice) -> None:
        """Publish a notice that the act left; what cannot go out now goes with the schedule."""
        self.target.notices(self.acts.ledger).publish(self.acts.name, notice)
