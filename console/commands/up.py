"""Keep the local environment running until it is stopped.

Decides what is shown of it and how other commands find it
(`console.environment.running_environment`). Read next: `console.environment.local_environment`.
"""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from console.demo.sample_files import write_sample
from console.demo.view import show_letter
from console.environment.local_copy import LocalCopy, local_copy
from console.environment.local_environment import Mailbox, started_environment
from console.environment.running_environment import AlreadyRunningError, LocalFile
from console.environment.target import ENVIRONMENTS_FOLDER, LOCAL, local_target
from console.errors import CommandError, ExitCode
from console.terminal import Terminal
from console.views.running import Samples, flywheel_documents, show_copy, show_running
from local_cloud.environment import LocalEnvironment, LocalSettings


def keep_running(
    terminal: Terminal,
    file: LocalFile,
    *,
    name: str = LOCAL,
    environments: Path = ENVIRONMENTS_FOLDER,
    port: int = 0,
    is_up: threading.Event | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Run the local environment until `stop` is set or the process is interrupted.

    Parameters
    ----------
    file : LocalFile
        Where other commands look for it.
    name : str
        The environment whose file it runs, with short waits; its own name is still ``local``.
    environments : Path
        The folder of files.
    port : int
        Of the cloud; 0 takes a free one.
    is_up : threading.Event, optional
        Set when it can be used.
    stop : threading.Event, optional
        Ends it; without one only an interrupt does.

    Raises
    ------
    CommandError
        One runs already, or it cannot start.
    """
    copy = local_copy(name, environments)
    show_copy(terminal, copy)
    try:
        with ExitStack() as stack:
            stack.enter_context(file.held())
            settings = LocalSettings(
                environments_folder=stack.enter_context(copy.folder()), port=port
            )
            environment = stack.enter_context(started_environment(settings, terminal))
            file.write(environment.variables)
            samples = _samples(file, copy)
            show_running(terminal, environment, copy, samples)
            terminal.answer(_document(file, environment, copy, samples))
            if is_up is not None:
                is_up.set()
            _show_notices(terminal, environment, stop or threading.Event())
    except AlreadyRunningError as error:
        running = file.read()
        who = f"one is running already (process {running.pid})" if running else "one is starting"
        remedy = "Use it with --env local, or stop it there with Ctrl-C"
        raise CommandError(ExitCode.HELD, "environment local", who, remedy) from error


def _samples(file: LocalFile, copy: LocalCopy) -> dict[str, Path | None]:
    """Write each flywheel's sample file beside the environment's own file."""
    folder = file.folder / "samples"
    folder.mkdir(mode=0o700, exist_ok=True)
    return {each.name: write_sample(folder, each) for each in copy.environment.flywheels}


def _show_notices(terminal: Terminal, environment: LocalEnvironment, stop: threading.Event) -> None:
    """Show each notice as it goes out, until `stop` is set: nobody else here gets them."""
    mailbox = Mailbox(local_target(environment.variables))
    while not stop.is_set():
        for letter in mailbox.collect(wait_seconds=1):
            show_letter(terminal, letter, is_routine=False)


def _document(
    file: LocalFile,
    environment: LocalEnvironment,
    copy: LocalCopy,
    samples: Samples,
) -> dict[str, Any]:
    return {
        "environment": environment.settings.name,
        "settings_of": copy.source,
        "replaced": list(copy.replaced),
        "left_out": list(copy.left_out),
        "flywheels": flywheel_documents(copy, samples),
        "endpoint": environment.variables["AWS_ENDPOINT_URL"],
        "file": str(file.path),
        "variables": environment.variables,
        "outputs": environment.outputs,
    }
