"""The one place that prints: words for people, or one JSON document for programs.

With ``--json`` standard output carries the document alone, and text for people goes to standard
error. Decides where output goes and how an error looks; knows nothing of flywheels. Read next:
`console.errors`.
"""

import json
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from console.errors import CommandError, ExitCode, command_error, is_debugged
from flywheel.untrusted_text import is_hidden, visible

_TERMINATED = 128 + signal.SIGTERM


class HarmlessConsole(Console):
    """A console that shows control characters and never obeys them."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Yield the segments of what is shown."""
        for segment in super().render(renderable, options):
            # Rich itself moves the cursor by segments of control, which hold no text of others.
            yield segment if segment.control else segment._replace(text=visible(segment.text))


class Terminal:
    """Prints for one run of the command.

    Parameters
    ----------
    is_json : bool
        Whether a program reads standard output.
    """

    def __init__(self, *, is_json: bool) -> None:
        self.is_json = is_json
        self._out = HarmlessConsole(highlight=False, markup=False, emoji=False)
        self._messages = HarmlessConsole(stderr=True, highlight=False, markup=False, emoji=False)

    @property
    def people(self) -> Console:
        """Where people read."""
        return self._messages if self.is_json else self._out

    def print(self, text: str = "", style: str = "", indent: int = 0) -> None:
        """Print a line for people; one that is too long is wrapped at the same indent."""
        line = Padding(Text(text, style), (0, 0, 0, indent), expand=False)
        self.people.print(line if indent else Text(text, style))

    def print_unwrapped(self, text: str) -> None:
        """Print a line that can be copied: it is never wrapped."""
        self.people.print(text, soft_wrap=True)

    def show(self, view: RenderableType) -> None:
        """Show a table or panel to people."""
        self.people.print(view)

    def warn(self, text: str) -> None:
        """Print a warning, which is not the result, on standard error."""
        self._messages.print(text, style="yellow", soft_wrap=True)

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer a question."""
        return not self.is_json and sys.stdin.isatty()

    def confirm(self, what: str, question: str, *, is_confirmed: bool) -> None:
        """Have a person confirm what costs or cannot be undone, by ``--yes`` or an answer.

        Parameters
        ----------
        what : str
            The verb and its object, for the error.
        question : str
        is_confirmed : bool
            Whether ``--yes`` was given.

        Raises
        ------
        CommandError
            No person can be asked, or the answer is no.
        """
        if is_confirmed:
            return
        if not self.can_ask:
            raise CommandError(ExitCode.USAGE, what, "nobody confirmed it", "Confirm it with --yes")
        try:
            is_yes = typer.confirm(question)
        except typer.Abort:  # Ctrl-C, or the end of what is typed
            raise KeyboardInterrupt from None
        if not is_yes:
            raise CommandError(ExitCode.INTERRUPTED, what, "not confirmed", "Nothing was changed")

    def answer(self, document: Any) -> None:
        """Print the JSON document, where one is wanted."""
        if self.is_json:
            text = json.dumps(document, indent=2, ensure_ascii=False)
            self._out.out("".join(map(_as_json, text)), highlight=False)

    def fail(self, error: CommandError) -> None:
        """Print an error: what, where, what to do."""
        self._messages.print(
            Text.assemble((f"{error.where}: {error.problem}", "red")), soft_wrap=True
        )
        self._messages.print(f"{error.remedy.rstrip('.')}.", soft_wrap=True)
        self.answer(
            {
                "error": {
                    "where": error.where,
                    "problem": error.problem,
                    "remedy": error.remedy,
                    "exit_code": int(error.code),
                }
            }
        )


def _as_json(char: str) -> str:
    """Return a character of a JSON document as a terminal may get it."""
    return json.dumps(char)[1:-1] if char != "\n" and is_hidden(char) else char


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived; ends what runs as Ctrl-C does."""


@contextmanager
def reporting(*, is_json: bool) -> Iterator[Terminal]:
    """Yield a terminal, and turn every error into a message and an exit code.

    Raises
    ------
    typer.Exit
        With the exit code of the error.
    """
    terminal = Terminal(is_json=is_json)
    try:
        yield terminal
    except _TerminatedError:
        raise typer.Exit(_TERMINATED) from None
    except KeyboardInterrupt:
        terminal.warn("Stopped.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except typer.Exit:
        raise
    except Exception as error:  # the command's edge: people get a message for every error
        if is_debugged():
            raise
        shown = command_error(error)
        terminal.fail(shown)
        raise typer.Exit(shown.code) from None


@contextmanager
def ended_by_signals() -> Generator[None, None, None]:
    """Let SIGTERM end what runs inside as cleanly as Ctrl-C does."""

    def end(number: int, frame: FrameType | None) -> None:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
