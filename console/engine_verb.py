"""Run the Comprehend engine alone until it is told to stop.

Decides what is said about it and the words for what can keep it from starting. Read next:
`comprehend_engine.alone` and `comprehend_engine.engine`.
"""

import errno
import threading
from dataclasses import dataclass
from pathlib import Path

from comprehend_engine.alone import ambient_region, ambient_s3
from comprehend_engine.choices import with_choice
from comprehend_engine.data_directory import DirectoryInUseError, DirectoryNotPrivateError
from comprehend_engine.engine import Engine, EngineSettings
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.terminal import Terminal


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What was chosen on the command line; `s3_endpoint` None is boto3's own choice.

    `settings` are further settings and quotas, as `with_choice` takes them.
    """

    port: int
    data: Path
    s3_endpoint: str | None
    pace_seconds: float
    allows_faults: bool
    settings: tuple[str, ...] = ()


def run_engine(
    terminal: Terminal, choice: EngineChoice, *, stop: threading.Event | None = None
) -> None:
    """Run an engine until `stop` is set or the process is interrupted.

    Raises
    ------
    CommandError
        It cannot start: the port is taken, the data directory cannot be used, the address of S3
        is none, or there is no such setting.
    """
    try:
        s3_client_for_role = ambient_s3(choice.s3_endpoint)
    except ValueError as error:
        where, remedy = f"--s3-endpoint {choice.s3_endpoint}", "Give it as http://HOST:PORT"
        raise CommandError(ExitCode.USAGE, where, "it is no URL", remedy) from error
    engine = Engine(_settings(choice), s3_client_for_role=s3_client_for_role)
    try:
        engine.start()
    except OSError as error:
        raise _explained(choice, error) from error
    try:
        _tell(terminal, choice, engine)
        (stop or threading.Event()).wait()
    finally:
        engine.stop()


def _settings(choice: EngineChoice) -> EngineSettings:
    settings = EngineSettings(
        choice.data,
        region=ambient_region(),
        port=choice.port,
        pace_seconds=choice.pace_seconds,
        allows_faults=choice.allows_faults,
    )
    for text in choice.settings:
        try:
            settings = with_choice(settings, text)
        except ValueError as error:
            remedy = "docs/parity.md says what the switches are, and the quotas"
            raise CommandError(ExitCode.USAGE, f"--set {text}", str(error), remedy) from error
    return settings


def _tell(terminal: Terminal, choice: EngineChoice, engine: Engine) -> None:
    terminal.tell("The Comprehend engine runs.", style="bold green")
    terminal.tell_exactly(f"  Data   {choice.data.resolve()}")
    terminal.tell_exactly(f"  S3     {choice.s3_endpoint or 'as boto3 finds it'}")
    if choice.allows_faults:
        terminal.tell_exactly(f"  Faults {engine.url}/_engine/faults")
    terminal.tell()
    terminal.tell("For the aws command and any AWS SDK, in another terminal:")
    terminal.tell_exactly(f"  export AWS_ENDPOINT_URL_COMPREHEND={engine.url}")
    terminal.tell_exactly(f"  export AWS_REGION={ambient_region()}")
    terminal.tell()
    terminal.tell("Its state stays in the data directory. Stop it with Ctrl-C.")
    terminal.answer({"url": engine.url, "data": str(choice.data.resolve())})


def _explained(choice: EngineChoice, error: OSError) -> CommandError:
    """Return why the engine cannot start, in one sentence."""
    where, problem = f"--data {choice.data}", error.strerror or str(error)
    if isinstance(error, DirectoryInUseError):
        remedy = "Stop that engine, or choose another directory"
        return CommandError(ExitCode.HELD, where, str(error), remedy)
    if isinstance(error, DirectoryNotPrivateError):
        remedy = "A model there could be code of theirs; choose a directory that is yours alone"
        return CommandError(ExitCode.USAGE, where, str(error), remedy)
    if error.errno == errno.EADDRINUSE:
        remedy = "Choose another port, or leave it out to get a free one"
        return CommandError(ExitCode.USAGE, f"--port {choice.port}", problem, remedy)
    if error.errno == errno.ENOSPC:
        return CommandError(ExitCode.CLOUD, where, "its disk is full", "Make room on it")
    return CommandError(ExitCode.USAGE, where, problem, "Choose a directory that can be written")
