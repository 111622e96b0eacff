"""What verbs share: their options, which environment they open, and how they end.

Read next: `console.command` (the verbs) and `console.commands.flywheel_command` (those about one
flywheel).
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from console.environment.environments import known_environments, open_target
from console.environment.running_environment import local_file
from console.environment.target import Target
from console.errors import CommandError, CommandResult, ExitCode
from console.terminal import Terminal
from flywheel.settings.data_format import DataFormat, LabelDelimiter

LONGEST_MINUTES = 24 * 60.0

Env = Annotated[
    str | None,
    typer.Option("--env", metavar="ENV", help="The environment; or set FLYWHEEL_ENV."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Flywheel = Annotated[
    str | None, typer.Argument(help="May be omitted if the environment has only one.")
]

_PLACEHOLDERS = frozenset({"TEXT", "REASON", "WHY", "..."})
"""Placeholders for a reason in the commands that notices and help print."""


def _checked_reason(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("give the reason in a few words: the audit and the notice show it")
    if reason.strip(" <>[]\"'") in _PLACEHOLDERS:
        raise typer.BadParameter(
            f"{reason.strip()} is a placeholder: give the reason in your own words"
        )
    return reason


Reason = Annotated[
    str,
    typer.Option(
        "--reason", help="The reason, for the audit and the notice.", callback=_checked_reason
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the batch until it is closed.")]
Yes = Annotated[bool, typer.Option("--yes", help="Answer yes to every question of the verb.")]
Timeout = Annotated[
    float, typer.Option("--timeout", min=0, metavar="MINUTES", help="How long to wait.")
]
BatchNumber = Annotated[int, typer.Argument(min=1, metavar="N", help="The batch's number.")]

DataTask = Literal["multi-class", "multi-label", "entities"]
"""The task of a person's own rows."""


def data_format(task: DataTask, delimiter: LabelDelimiter) -> DataFormat:
    """Return the format of a person's own rows."""
    if task == "entities":
        return DataFormat(task=task)
    return DataFormat(mode=task, delimiter=delimiter)


def check_file(file: Path) -> None:
    """Refuse a path that is no file, before anything is done with it."""
    if not file.is_file():
        problem = "it is a folder" if file.is_dir() else "there is no such file"
        raise CommandError(ExitCode.USAGE, str(file), problem, "Check the path")


def check_new_file(out: Path, suffix: str) -> None:
    """Refuse a path that cannot be a new file with this suffix."""
    if out.suffix != suffix or out.exists() or not out.parent.is_dir():
        problem = "it exists already" if out.exists() else f"it must be a {suffix} in a folder"
        remedy = f"Name a new file that ends in {suffix}"
        raise CommandError(ExitCode.USAGE, str(out), problem, remedy)


def chosen_environment(context: typer.Context, env: str | None) -> str | None:
    """Return the environment's name, from --env before or after the verb or FLYWHEEL_ENV."""
    before = context.find_root().obj
    if env is not None and before is not None and env != before:
        problem = f"--env is given twice, as {before} and {env}"
        raise CommandError(ExitCode.USAGE, "--env", problem, "Give it once")
    return env or before or os.environ.get("FLYWHEEL_ENV")


def opened_target(context: typer.Context, env: str | None, *, default: str | None) -> Target:
    """Return the chosen environment; without a default, one must be named."""
    name = chosen_environment(context, env) or default
    if name is None:
        raise CommandError(
            ExitCode.USAGE,
            "--env",
            "this verb changes something, so the environment must be named",
            f"Use --env or FLYWHEEL_ENV, one of: {', '.join(known_environments())}",
        )
    target = open_target(name, local_file())
    context.call_on_close(target.close)
    return target


def show_environment(
    terminal: Terminal, target: Target, flywheel: str | None = None
) -> dict[str, Any]:
    """Show first what is about to be changed: one flywheel's data, or the environment's."""
    identity = target.identity
    terminal.print_unwrapped(
        f"Environment {target.environment}, account {identity.account}, region "
        f"{identity.region}{f', flywheel {flywheel}' if flywheel else ''}"
    )
    where = {
        "environment": target.environment,
        "account": identity.account,
        "region": identity.region,
    }
    return {**where, "flywheel": flywheel} if flywheel else where


def finish(terminal: Terminal, result: CommandResult) -> None:
    """Print the document where one is wanted, and exit with the code."""
    terminal.answer(result.document)
    raise typer.Exit(result.code)
