"""How a command ends: its exit code and document, or the error that stopped it.

Decides the words for errors of AWS and of the local cloud; nothing here prints. The errors of one
concern, such as `ConversionError`, are subclasses that stand with it.
Read next: `console.terminal`, which shows them.
"""

import os
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from flywheel.batches.batches import BatchOutcome
from flywheel.errors import (
    BatchNotFoundError,
    FlywheelLoopError,
    ServiceBusyError,
    ServiceRefusedError,
    SettingsError,
)

_EXPIRED_CODES = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
_DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
SIGN_IN = "Sign in to AWS (aws sso login, or set AWS_PROFILE) and run it again"
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound)


class ExitCode(IntEnum):
    """The command's exit codes; scripts rely on them."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    HELD = 3
    REJECTED = 4
    CLOUD = 5
    TIMED_OUT = 6
    INTERRUPTED = 130


OF_OUTCOME = {
    BatchOutcome.PROMOTED: ExitCode.DONE,
    BatchOutcome.REJECTED: ExitCode.REJECTED,
    BatchOutcome.HELD: ExitCode.HELD,
    BatchOutcome.SHADOW: ExitCode.HELD,
    BatchOutcome.FAILED: ExitCode.CLOUD,
    BatchOutcome.EMPTY: ExitCode.DONE,
}
"""The exit code of `--wait` by the batch's outcome."""


@dataclass(slots=True)
class CommandResult:
    """How a command ended.

    Parameters
    ----------
    code : ExitCode
    document : dict
        The command's JSON document, or a part of it.
    """

    code: ExitCode
    document: dict[str, Any] = field(default_factory=dict)


class CommandError(Exception):
    """A command cannot go on; the message says what to do.

    Parameters
    ----------
    code : ExitCode
    where : str
        The file, environment, flywheel or call that is meant.
    problem : str
        What is wrong with it.
    remedy : str
        What to do about it.
    """

    def __init__(self, code: ExitCode, where: str, problem: str, remedy: str) -> None:
        self.code = code
        self.where = where
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{where}: {problem}. {remedy}.")


def command_error(error: Exception) -> CommandError:
    """Return any error as the command reports it."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, SettingsError):
        problem = "; ".join(error.problems)
        return CommandError(ExitCode.USAGE, error.file, problem, "Repair that file")
    if isinstance(error, BotoCoreError):
        return _unreachable("AWS", error)
    if isinstance(error, FlywheelLoopError):
        return _loop_error(error)
    where = type(error).__name__
    remedy = "Set FLYWHEEL_DEBUG=1 to see where it comes from, and report it"
    return CommandError(ExitCode.CLOUD, where, str(error) or "no message", remedy)


def is_debugged() -> bool:
    """Return whether the user asked for the traceback of an error."""
    return bool(os.environ.get("FLYWHEEL_DEBUG"))


def _loop_error(error: FlywheelLoopError) -> CommandError:
    if isinstance(error, ServiceRefusedError):
        return _refused(error)
    if isinstance(error, ServiceBusyError):
        if isinstance(error.__cause__, BotoCoreError):
            return _unreachable(error.operation, error.__cause__)
        return CommandError(
            ExitCode.CLOUD,
            error.operation,
            f"the service is busy for the moment ({error.code})",
            "Run it again in a minute",
        )
    if isinstance(error, BatchNotFoundError):
        return CommandError(ExitCode.USAGE, "ledger", str(error), "See flywheel history")
    return CommandError(ExitCode.CLOUD, "ledger", str(error), "Run it again")


def _refused(error: ServiceRefusedError) -> CommandError:
    problem, remedy = f"{error.code}: {error.detail.rstrip('.')}", "Repair what it names"
    if error.code in _EXPIRED_CODES:
        remedy = SIGN_IN
    elif error.code in _DENIED_CODES:
        remedy = f"Ask for the permission {error.operation}, or use a role that has it"
    return CommandError(ExitCode.CLOUD, error.operation, problem, remedy)


def _unreachable(where: str, error: BotoCoreError) -> CommandError:
    problem = str(error).rstrip(".")
    remedy = SIGN_IN
    if isinstance(error, NoRegionError):
        remedy = "Set AWS_REGION, or region in the environment's file"
    elif isinstance(error, ConnectionError | HTTPClientError):
        remedy = "Check the network, or start the local environment with: flywheel up"
    elif not isinstance(error, (*_NO_CREDENTIALS, TokenRetrievalError)):
        remedy = "Check the AWS configuration (aws configure list)"
    return CommandError(ExitCode.CLOUD, where, problem, remedy)
