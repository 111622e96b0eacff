"""The form of every verb about one flywheel: its shared options, what it opens, and how it ends.

Decides no verb's words. Read next: `console.commands.control` (the plainest verbs),
`console.flywheels.operating` (the client) and `console.commands.options`.
"""

from typing import Any, cast

import typer
from typer.core import TyperCommand
from typer.main import get_command

from console.commands.options import Env, Flywheel, Json, finish, opened_target, show_environment
from console.environment.target import LOCAL
from console.errors import CommandResult
from console.flywheels.operating import FlywheelClient
from console.terminal import Terminal, reporting

_shared = typer.Typer(add_completion=False)


@_shared.command()
def _declare(flywheel: Flywheel = None, env: Env = None, *, json: Json = False) -> None:
    """Declare the parameters that every verb about one flywheel has."""


_SHARED_PARAMETERS = get_command(_shared).params


class FlywheelRun(typer.Context):
    """One run of a verb about a flywheel.

    The verb opens the environment, once it has checked its own arguments.
    """

    terminal: Terminal
    flywheel_name: str | None
    env: str | None
    document: dict[str, Any]
    """The first members of the document of a verb that changes something."""

    def reading_client(self) -> FlywheelClient:
        """Return a client to read the flywheel, by default the local environment's."""
        return self._client(LOCAL)

    def changing_client(self) -> FlywheelClient:
        """Return a client to change it: the environment must be named, and is shown first."""
        client = self._client(None)
        self.document = show_environment(self.terminal, client.target, client.name)
        return client

    def _client(self, default: str | None) -> FlywheelClient:
        target = opened_target(self, self.env, default=default)
        return FlywheelClient(target, target.flywheel(self.flywheel_name))


class FlywheelCommand(TyperCommand):
    """A verb that takes a `FlywheelRun` and has FLYWHEEL, ``--env`` and ``--json``.

    The verb returns its result, or None where it has printed its answer.
    """

    context_class = FlywheelRun

    def __init__(
        self, name: str | None, *, params: list[Any] | None = None, **options: Any
    ) -> None:
        # FLYWHEEL comes after the verb's own arguments, --env and --json after its own options.
        every = sorted(
            [*(params or ()), *_SHARED_PARAMETERS], key=lambda each: each.param_type_name
        )
        super().__init__(name, params=every, **options)

    def invoke(self, ctx: Any) -> None:
        """Run the verb, and end as its result or its error says."""
        run = cast(FlywheelRun, ctx)
        run.flywheel_name, run.env = run.params.pop("flywheel"), run.params.pop("env")
        run.document = {}
        with reporting(is_json=run.params.pop("json")) as run.terminal:
            result: CommandResult | None = super().invoke(ctx)
            if result is not None:
                document = {**run.document, **result.document}
                finish(run.terminal, CommandResult(result.code, document))
