"""What people ask the stack's functions to do, each request with proof of who asks.

Decides how a refusal ends a command. Knows no command; those are `application.commands.payloads`.
Read next: `console.environment.target` (the invocation).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from application.commands.payloads import OperatorCommand
from console.environment.target import Target
from console.errors import CommandError
from console.exit_codes import ExitCode
from flywheel.errors import (
    ActRefusedError,
    BatchNotFoundError,
    ConcurrentChangeError,
    InvalidCommandError,
    UnprovenIdentityError,
)


def operate(target: Target, command: OperatorCommand) -> dict[str, Any]:
    """Have a command carried out and return what came of it.

    Raises
    ------
    CommandError
        It was refused, or the function failed.
    """
    answer = ask(target, "OperateFunction", command.flywheel, asdict(command))
    if "refused" in answer:
        raise refused(command.flywheel, answer["error"], answer["refused"])
    return answer


def ask(target: Target, output: str, flywheel: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Have a function act as whoever runs this command, and return its answer.

    Parameters
    ----------
    output : str
        The stack's output that names the function.

    Raises
    ------
    CommandError
        The function failed.
    """
    signed = target.signed(output, {"flywheel": flywheel, **payload})
    remedy = f"See flywheel status {flywheel}, then try again"
    return target.invoked(output, signed, what=flywheel, remedy=remedy)


def refused(flywheel: str, error_class: str, message: str) -> CommandError:
    """Return how a command ends that was refused by an error of this class."""
    if error_class == ConcurrentChangeError.__name__:
        return CommandError(ExitCode.HELD, flywheel, "it changed meanwhile", "Try again")
    if error_class == BatchNotFoundError.__name__:
        return CommandError(ExitCode.USAGE, "ledger", message, "See flywheel history")
    if error_class == InvalidCommandError.__name__:
        remedy = "Use the release of this command that the stack was deployed from"
        return CommandError(ExitCode.USAGE, flywheel, message, remedy)
    if error_class == UnprovenIdentityError.__name__:
        return CommandError(ExitCode.CLOUD, "identity", message, "Sign in anew and run it again")
    assert error_class == ActRefusedError.__name__, error_class
    return CommandError(ExitCode.HELD, flywheel, message, f"See flywheel status {flywheel}")
