"""Start the local environment for a command, and tell how it comes up.

Decides the words for what can keep it from starting; what it is made of is
`local_cloud.environment`.
"""

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from console.errors import CommandError, ExitCode
from console.progress import Progress
from console.terminal import Terminal
from local_cloud.environment import LocalEnvironment, LocalSettings, SynthesisError
from local_cloud.errors import CloudError

_ERROR_LINES = 6


@contextmanager
def started_environment(settings: LocalSettings, terminal: Terminal) -> Iterator[LocalEnvironment]:
    """Give a local environment that runs; it is gone at the end.

    Raises
    ------
    CommandError
        It cannot start: Node is missing, the port is taken, or a settings file is wrong.
    """
    _check(settings)
    progress = Progress(terminal)
    environment = LocalEnvironment(settings, tell=lambda line: progress.say("STARTING", line))
    with ExitStack() as stack:
        try:
            with terminal.people.status("STARTING"):
                stack.enter_context(environment)
        except SynthesisError as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            problem = "the stack cannot be synthesized: " + " ".join(lines[-_ERROR_LINES:])
            remedy = "Repair the environment's file, or run: make synth"
            raise CommandError(ExitCode.USAGE, settings.name, problem, remedy) from error
        except CloudError as error:
            problem = str(error).rstrip(".")
            remedy = "Run make setup again; if the problem remains, report it"
            raise CommandError(ExitCode.CLOUD, "local environment", problem, remedy) from error
        progress.say("READY", "the stack is deployed")
        yield environment


def _check(settings: LocalSettings) -> None:
    if shutil.which("node") is None:
        raise CommandError(
            ExitCode.CLOUD,
            "node",
            "it is not installed, and the CDK needs it to synthesize the stack",
            "Install Node.js 20 or later",
        )
    if settings.port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", settings.port))
            except OSError as error:
                raise CommandError(
                    ExitCode.USAGE,
                    f"--port {settings.port}",
                    error.strerror or str(error),
                    "Choose another port, or omit it to get a free one",
                ) from error
