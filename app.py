"""Synthesize one environment's stack: ``cdk synth -c env=dev`` or ``python app.py``.

Reads ``environments/<env>.toml`` and asks nothing of any account or network.
Read next: `infra.stack`.
"""

import sys
from pathlib import Path

import aws_cdk as cdk

from flywheel.errors import SettingsError
from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment
from infra.stack import FlywheelLoopStack

_ROOT = Path(__file__).parent


def read_environment(app: cdk.App) -> Environment:
    """Parse the file of the environment that ``-c env=NAME`` names.

    ``-c environments=DIR`` takes another folder than ``environments/``.
    """
    name = app.node.try_get_context("env")
    folder = Path(app.node.try_get_context("environments") or _ROOT / "environments")
    known = sorted(path.stem for path in folder.glob("*.toml") if path.stem != "base")
    if name not in known:
        reason = f"there is no environment {name!r}." if name else "which environment?"
        raise SettingsError(str(folder), (f"{reason} Use -c env=NAME, one of: {', '.join(known)}",))
    try:
        return parse_environment(f"{name}.toml", lambda file: (folder / file).read_text("utf-8"))
    except SettingsError as error:
        raise SettingsError(str(folder / error.file), error.problems) from None


def main() -> int:
    """Write the cloud assembly; 2 when the environment's file is wrong."""
    app = cdk.App()
    try:
        environment = read_environment(app)
        FlywheelLoopStack(
            app,
            f"flywheel-loop-{environment.name}",
            environment=environment,
            asset_folder=_ROOT / "functions",
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is a command
        return 2
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
