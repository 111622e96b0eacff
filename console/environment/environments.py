"""The environments that have a file: their settings, and opening one by name.

Local and AWS differ only in where the session comes from. Read next:
`console.environment.target` (an opened environment) and `console.environment.running_environment`
(the file of the local one).
"""

import os
from pathlib import Path

import boto3

from adapters.service_errors import translate_aws_errors
from console.environment.running_environment import LocalFile, local_file
from console.environment.target import (
    ENVIRONMENTS_FOLDER,
    LOCAL,
    Target,
    local_target,
    where_deployed,
)
from console.errors import SIGN_IN, CommandError, ExitCode
from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment


def known_environments(folder: Path = ENVIRONMENTS_FOLDER) -> list[str]:
    """Return the names of the environments that have a file."""
    return sorted(path.stem for path in folder.glob("*.toml") if path.stem != "base")


def open_target(environment: str, file: LocalFile | None = None) -> Target:
    """Return an environment by name, ready to be used.

    Raises
    ------
    CommandError
        There is no such environment, or it is the local one and none runs.
    SettingsError
        The environment's file is wrong.
    """
    _require_known(environment, ENVIRONMENTS_FOLDER)
    if environment == LOCAL:
        return _running(file or local_file())
    settings = environment_settings(environment)
    with translate_aws_errors("the AWS configuration"):
        region = settings.region or os.environ.get("AWS_REGION")
        session = boto3.Session(region_name=region)
        _require_account(environment, session)
        target = Target(environment, session)
    _check_account(target, settings)
    return target


def _running(file: LocalFile) -> Target:
    running = file.read()
    if running is None:
        raise CommandError(
            ExitCode.CLOUD,
            f"environment {LOCAL}",
            "none is running",
            "Start it with: flywheel up (in another terminal)",
        )
    return local_target(running.variables)


def environment_settings(environment: str, folder: Path = ENVIRONMENTS_FOLDER) -> Environment:
    """Return the settings in an environment's file.

    Raises
    ------
    CommandError
        There is no such file.
    SettingsError
        The file is wrong.
    """
    _require_known(environment, folder)
    return parse_environment(f"{environment}.toml", lambda file: (folder / file).read_text("utf-8"))


def _require_known(environment: str, folder: Path) -> None:
    known = known_environments(folder)
    if environment not in known:
        raise CommandError(
            ExitCode.USAGE,
            f"--env {environment}",
            "there is no such environment",
            f"Use one of: {', '.join(known)}",
        )


def _require_account(environment: str, session: boto3.Session) -> None:
    """Refuse to look for a deployment without an account or a region."""
    if session.region_name is None:
        lacks, remedy = "no AWS region is set", "Set AWS_REGION, or region in its file"
    elif session.get_credentials() is None:
        lacks, remedy = "there are no AWS credentials", SIGN_IN
    else:
        return
    raise CommandError(
        ExitCode.CLOUD,
        f"environment {environment}",
        f"{lacks}, so its stack cannot be found",
        f"{remedy}. {where_deployed(environment)}",
    )


def _check_account(target: Target, settings: Environment) -> None:
    if settings.account is not None and target.identity.account != settings.account:
        raise CommandError(
            ExitCode.CLOUD,
            f"environment {target.environment}",
            f"it belongs to account {settings.account}, but the credentials belong to "
            f"{target.identity.account}",
            "Use credentials of that account (AWS_PROFILE)",
        )
