"""The view of a running local environment: its settings, its flywheels, a first upload.

Decides words and looks only. Read next: `console.commands.up`.
"""

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.environment.local_copy import LocalCopy
from console.environment.running_environment import PROJECT_ROOT
from console.environment.target import LOCAL
from console.terminal import Terminal
from flywheel.notices.notice import shown
from flywheel.number_words import number_of
from flywheel.settings.environment import FlywheelSettings

if TYPE_CHECKING:
    from local_cloud.environment import LocalEnvironment

Samples = Mapping[str, Path | None]
"""Sample files by flywheel; None where an upload is always two files."""

_LABELS_SHOWN = 12


def show_copy(terminal: Terminal, copy: LocalCopy) -> None:
    """Show which keys of an environment's file do not apply on this machine."""
    if copy.replaced:
        terminal.print(f"{copy.source}.toml runs here with the short waits and minimums of local:")
        for line in copy.replaced:
            terminal.print(line, indent=2)
    for line in copy.left_out:
        terminal.print(f"Left out: {line}", style="yellow")


def show_running(
    terminal: Terminal,
    environment: "LocalEnvironment",
    copy: LocalCopy,
    samples: Samples,
) -> None:
    """Show that the environment is ready, and the command for a first upload."""
    variables, outputs = environment.variables, environment.outputs
    terminal.print()
    terminal.print("The local environment runs.", style="bold green")
    terminal.print_unwrapped(f"  Cloud endpoint   {variables['AWS_ENDPOINT_URL']}")
    terminal.print_unwrapped(f"  Comprehend       {variables['AWS_ENDPOINT_URL_COMPREHEND']}")
    terminal.print_unwrapped(f"  Inbox            s3://{outputs['InboxBucket']}/")
    for flywheel in copy.environment.flywheels:
        terminal.print_unwrapped(f"  Flywheel         {flywheel.name}: {_labels(flywheel)}")
    terminal.print()
    terminal.print("For the aws command and any AWS SDK, in another terminal:")
    for name, value in variables.items():
        terminal.print_unwrapped(f"  export {name}={value}")
    terminal.print()
    terminal.print("Try it, in another terminal:")
    terminal.print_unwrapped(f"  {_first_upload(samples)}")
    if copy.source != LOCAL:
        terminal.print(
            f"Commands reach it with --env local; --env {copy.source} means the one on AWS."
        )
    terminal.print(
        "Its state is in a temporary folder and is lost when it stops. Stop it with Ctrl-C."
    )


def _first_upload(samples: Samples) -> str:
    """Return the command that uploads a sample file, or the user's own where there is none."""
    usable = ((name, sample) for name, sample in samples.items() if sample is not None)
    name, sample = next(usable, (next(iter(samples)), Path("FILE")))
    return upload_command(name, sample)


def upload_command(flywheel: str, file: Path, annotations: Path | None = None) -> str:
    """Return the command that uploads a file to a flywheel of the local environment."""
    beside = [] if annotations is None else ["--annotations", _path(annotations)]
    command = [
        flywheel_command(), "upload", _path(file), flywheel, *beside,
        "--kind", "train", "--wait", "--env", LOCAL,
    ]  # fmt: skip
    return shlex.join(command)


def flywheel_command() -> str:
    """Return the shortest form of the `flywheel` command in this folder."""
    if shutil.which("flywheel") is not None:
        return "flywheel"
    own = PROJECT_ROOT / ".venv" / "bin" / "flywheel"
    return _path(own if own.is_file() else Path(sys.executable).parent / "flywheel")


def flywheel_documents(copy: LocalCopy, samples: Samples) -> list[dict[str, Any]]:
    """Return the flywheels with their labels and upload commands as JSON values."""
    documents = []
    for flywheel in copy.environment.flywheels:
        sample = samples[flywheel.name]
        documents.append(
            {
                "name": flywheel.name,
                "labels": list(flywheel.labels or flywheel.entity_types or ()),
                "sample": sample and str(sample),
                "upload": sample and upload_command(flywheel.name, sample),
            }
        )
    return documents


def _path(path: Path) -> str:
    """Return the shortest form of a path in the folder that the command runs in."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _labels(flywheel: FlywheelSettings) -> str:
    names = flywheel.labels or flywheel.entity_types or ()
    is_entities = flywheel.task == "entities"
    count = number_of(len(names), "entity type" if is_entities else "label")
    mode = "" if is_entities else f", {flywheel.mode}"
    shown_names = ", ".join(shown(name, 40) for name in names[:_LABELS_SHOWN])
    more = f" and {len(names) - _LABELS_SHOWN} more" if names[_LABELS_SHOWN:] else ""
    return f"{count}{mode}: {shown_names}{more}"
