"""Keep a local environment running whose file is in a folder of the caller's choice.

What `flywheel up` does, as a process of its own; it says one JSON document when it can be used.
"""

from pathlib import Path

import typer

from console.commands.up import keep_running
from console.environment.running_environment import LocalFile
from console.environment.target import ENVIRONMENTS_FOLDER, LOCAL
from console.terminal import ended_by_signals, reporting


def main(folder: Path, name: str = LOCAL, environments: Path = ENVIRONMENTS_FOLDER) -> None:
    """Run until a signal comes."""
    with reporting(is_json=True) as terminal, ended_by_signals():
        keep_running(terminal, LocalFile(folder), name=name, environments=environments)


if __name__ == "__main__":
    typer.run(main)
