"""An environment's file as this machine runs it: its flywheels, with short waits and minimums.

Decides which values of a file are replaced, and which keys are left out because the local cloud has
no counterpart. The short values are those of ``local.toml``. Read next: `console.commands.up`.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console.environment.environments import environment_settings
from console.environment.target import LOCAL
from console.environment.toml_text import toml_text
from console.errors import CommandError, ExitCode
from flywheel.settings.environment import Environment, FlywheelSettings
from flywheel.settings.environment_file import parse_environment
from flywheel.settings.policy import Section

_FILE = f"{LOCAL}.toml"
_POLICY_WAIT, _NOTICE_WAIT = "approval_timeout_hours", "notice_window_seconds"


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """An environment's file, adapted to this machine.

    Parameters
    ----------
    source : str
        The environment whose file it is.
    environment : Environment
        The settings that run.
    text : str
        The same as a file.
    replaced : tuple of str
        Keys with the value that runs and the file's.
    left_out : tuple of str
        What the local cloud does not have.
    """

    source: str
    environment: Environment
    text: str
    replaced: tuple[str, ...]
    left_out: tuple[str, ...]

    @contextmanager
    def folder(self) -> Generator[Path, None, None]:
        """Yield an environments' folder that holds the copy as ``local.toml``."""
        with TemporaryDirectory(prefix="flywheel-environment-") as name:
            folder = Path(name)
            (folder / _FILE).write_text(self.text, "utf-8")
            yield folder


def local_copy(name: str, environments: Path) -> LocalCopy:
    """Return an environment's file as this machine runs it.

    Parameters
    ----------
    name : str
        The environment.
    environments : Path
        The folder of files.

    Raises
    ------
    CommandError
        None of its flywheels can run here.
    SettingsError
        The file is wrong; its author repairs it.
    """
    file, local = environment_settings(name, environments), environment_settings(LOCAL)
    flywheels = [each for each in file.flywheels if each.adopt is None]
    if not flywheels:
        raise CommandError(
            ExitCode.USAGE,
            f"{name}.toml",
            "all its flywheels are adopted, and those exist only on AWS",
            "Describe one with task, language and labels in another file",
        )
    short = _short(local)
    document = _stated(file, leave_out={"name", "account", "region", "notifications", "flywheels"})
    document |= {
        "keep_data": False,
        "notifications": {_NOTICE_WAIT: short["notifications"][_NOTICE_WAIT]},
        "flywheels": {each.name: _shortened(each, short) for each in flywheels},
    }
    text = toml_text(document)
    return LocalCopy(
        source=name,
        environment=parse_environment(_FILE, lambda _: text),
        text=text,
        replaced=tuple(_replaced(file, short)),
        left_out=tuple(_left_out(file)),
    )


def _stated(settings: Section, leave_out: set[str]) -> dict[str, Any]:
    """Return the keys that a file states, without those that it leaves to the defaults."""
    return settings.model_dump(
        mode="json", exclude=leave_out, exclude_unset=True, exclude_none=True
    )


def _short(local: Environment) -> dict[str, dict[str, Any]]:
    """Return the waits and minimums of ``local.toml``, by section."""
    flywheel = local.flywheels[0]
    return {
        "batch": _stated(flywheel.batch, leave_out=set()),
        "policy": {_POLICY_WAIT: flywheel.policy.approval_timeout_hours},
        "notifications": {_NOTICE_WAIT: local.notifications.notice_window_seconds},
    }


def _shortened(flywheel: FlywheelSettings, short: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    table = _stated(flywheel, leave_out={"name"})
    return table | {
        section: table.get(section, {}) | short[section] for section in ("batch", "policy")
    }


def _replaced(file: Environment, short: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Yield each key whose value differs here, with the file's."""
    for section, shortened in short.items():
        holders = [file] if section == "notifications" else file.flywheels
        for key, value in shortened.items():
            values = {getattr(getattr(holder, section), key): None for holder in holders}
            if set(values) != {value}:
                yield f"{key} = {value} ({file.name}.toml: {', '.join(map(str, values))})"


def _left_out(file: Environment) -> Iterator[str]:
    """Yield the keys of the file that the local cloud has nothing for."""
    for name in ("account", "region"):
        if getattr(file, name) is not None:
            yield f"{name}: this machine has its own account and region"
    if file.notifications.emails:
        yield "emails: no mail leaves this machine; notices are shown here"
    if file.notifications.slack_webhook_secret is not None:
        yield "slack_webhook_secret: nothing goes to Slack from this machine"
    for flywheel in file.flywheels:
        if flywheel.adopt is not None:
            yield f"flywheels.{flywheel.name}: it is adopted, and exists only on AWS"
