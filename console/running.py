"""Keep the local environment running until it is told to stop.

Decides what is said about it and how other commands find it (`console.local_file`).
Read next: `console.local_environment`.
"""

import threading
from typing import Any

from console.demo_view import tell_letter
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.local_environment import started_environment
from console.local_file import AlreadyRunningError, LocalFile
from console.mailbox import Mailbox
from console.target import local_target
from console.terminal import Terminal
from local.environment import LocalEnvironment, LocalSettings


def keep_running(
    terminal: Terminal,
    file: LocalFile,
    *,
    port: int = 0,
    is_up: threading.Event | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Run the local environment until `stop` is set or the process is interrupted.

    Parameters
    ----------
    file : LocalFile
        Where other commands look for it.
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
    try:
        with file.held(), started_environment(LocalSettings(port=port), terminal) as environment:
            file.write(environment.variables)
            _tell(terminal, file, environment)
            if is_up is not None:
                is_up.set()
            _tell_notices(terminal, environment, stop or threading.Event())
    except AlreadyRunningError as error:
        running = file.read()
        who = f"one runs already (process {running.pid})" if running else "one is just starting"
        remedy = "Use it with --env local, or stop it there with Ctrl-C"
        raise CommandError(ExitCode.HELD, "environment local", who, remedy) from error


def _tell(terminal: Terminal, file: LocalFile, environment: LocalEnvironment) -> None:
    variables, outputs = environment.variables, environment.outputs
    terminal.tell()
    terminal.tell("The local environment runs.", style="bold green")
    terminal.tell_exactly(f"  Cloud endpoint   {variables['AWS_ENDPOINT_URL']}")
    terminal.tell_exactly(f"  Comprehend       {variables['AWS_ENDPOINT_URL_COMPREHEND']}")
    terminal.tell_exactly(f"  Inbox            s3://{outputs['InboxBucket']}/")
    terminal.tell()
    terminal.tell("For the aws command and any AWS SDK, in another terminal:")
    for name, value in variables.items():
        terminal.tell_exactly(f"  export {name}={value}")
    terminal.tell()
    terminal.tell("Try it:  flywheel upload FILE --kind train --wait --env local")
    terminal.tell(
        "Its state is in a temporary folder and is gone when it stops. Stop it with Ctrl-C."
    )
    terminal.answer(_document(file, environment))


def _tell_notices(terminal: Terminal, environment: LocalEnvironment, stop: threading.Event) -> None:
    """Show each notice as it goes out, until `stop` is set: nobody else here would get them."""
    mailbox = Mailbox(local_target(environment.variables))
    while not stop.is_set():
        for letter in mailbox.collect(wait_seconds=1):
            tell_letter(terminal, letter, is_routine=False)


def _document(file: LocalFile, environment: LocalEnvironment) -> dict[str, Any]:
    return {
        "environment": environment.settings.name,
        "endpoint": environment.variables["AWS_ENDPOINT_URL"],
        "file": str(file.path),
        "variables": environment.variables,
        "outputs": environment.outputs,
    }
