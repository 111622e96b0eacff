"""What a verb about one flywheel is: the options that all have, what it opens, and how it ends.

Decides no verb's words. Read next: `console.commands.control` (the plainest of them),
`console.commands.acting` (what an act is) and `console.commands.options`.
"""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any, Concatenate, ParamSpec

import typer

from application.configuration import KnownFlywheel
from console.commands.acting import Act
from console.commands.options import Env, Flywheel, Json, finish, opened_target, tell_where
from console.environment.target import LOCAL, Target
from console.flywheels.waiting import CommandResult
from console.terminal import Terminal, reporting

_Own = ParamSpec("_Own")


class Run:
    """One run of a verb, which opens its environment once what it was given is known to be right.

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
        self.terminal = terminal
        self.where: dict[str, Any] = {}
        self._context, self._flywheel, self._env = context, flywheel, env

    def look(self) -> tuple[Target, KnownFlywheel]:
        """Open the environment and the flywheel to read, by default the local one's."""
        return self._opened(LOCAL)

    def act(self) -> Act:
        """Open them to change something: the environment must be named, and is told first."""
        target, known = self._opened(None)
        self.where = tell_where(self.terminal, target, known.settings.name)
        return Act(target, known)

    def _opened(self, default: str | None) -> tuple[Target, KnownFlywheel]:
        target = opened_target(self._context, self._env, default=default)
        return target, target.flywheel(self._flywheel)


def flywheel_verb(
    verb: Callable[Concatenate[Run, _Own], CommandResult | None],
) -> Callable[..., None]:
    """Make a command of a verb: with FLYWHEEL after its own arguments, ``--env`` and ``--json``.

    Parameters
    ----------
    verb : callable
        Takes its run and its own arguments and options; returns how it ended, or nothing where it
        has answered itself.
    """

    @wraps(verb)
    def command(
        context: typer.Context,
        flywheel: str | None,
        env: str | None,
        json: bool,
        *arguments: _Own.args,
        **options: _Own.kwargs,
    ) -> None:
        with reporting(is_json=json) as terminal:
            run = Run(context, terminal, flywheel, env)
            ending = verb(run, *arguments, **options)
            if ending is not None:
                finish(terminal, CommandResult(ending.code, {**run.where, **ending.document}))

    _, *own = signature(verb).parameters.values()
    # Typer makes the command line of what it takes for the function's signature.
    vars(command)["__signature__"] = signature(verb).replace(
        parameters=[
            Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
            *(each for each in own if each.kind is not Parameter.KEYWORD_ONLY),
            Parameter(
                "flywheel", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Flywheel
            ),
            *(each for each in own if each.kind is Parameter.KEYWORD_ONLY),
            Parameter("env", Parameter.KEYWORD_ONLY, default=None, annotation=Env),
            Parameter("json", Parameter.KEYWORD_ONLY, default=False, annotation=Json),
        ]
    )
    return command
