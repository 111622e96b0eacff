"""The view of the demonstration: headings, letters, and the end.

Decides looks only. Read next: `console.demo.story`.
"""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.panel import Panel
from rich.text import Text

from console.demo.acts import ActEnding
from console.demo.data import DemoData
from console.environment.local_environment import Letter
from console.record.history import model_name
from console.terminal import Terminal
from console.views.layout import plain_table
from console.views.running import flywheel_command
from console.views.verdict import OUTCOME_STYLES, f1_words

_LETTER_WIDTH = 110
"""The widest letter: its text has 78 columns, but an ARN in it is longer."""


def show_data(terminal: Terminal, data: DemoData) -> None:
    """Show what the demonstration works on."""
    source = "your own data" if data.is_own else "sample tickets"
    what = "entity types" if data.shape.task == "entities" else "labels"
    terminal.print(
        f"The whole loop on this machine, with real training, on {source}: flywheel "
        f"{data.flywheel}, {len(data.labels)} {what}. No AWS account is used.",
        style="bold",
    )
    for remark in data.remarks:
        terminal.print(f"Note: {remark}", style="yellow")
    terminal.print()


def show_act(terminal: Terminal, title: str, words: str) -> None:
    """Begin a part of the story."""
    terminal.print()
    terminal.people.rule(Text(title, "bold"), align="left", style="cyan")
    terminal.print(words)
    terminal.print()


def show_left_out(terminal: Terminal, reason: str) -> None:
    """Show that an act, or its rest, is left out, and why."""
    terminal.print(f"Left out: {reason}.", style="yellow")


def show_letter(terminal: Terminal, letter: Letter, *, is_routine: bool) -> None:
    """Show a notice as it arrived; a routine one by its subject alone."""
    if is_routine:
        terminal.show(Text.assemble(("          NOTICE      ", "magenta"), letter.subject))
        return
    width = min(terminal.people.width, _LETTER_WIDTH)
    subject = Text(letter.subject, style="bold", overflow="ellipsis")
    terminal.show(
        Panel(
            Text(letter.body.rstrip()),
            title=subject,
            title_align="left",
            # Lines above and below only: a mail's 78 columns fit into 80.
            box=box.HORIZONTALS,
            padding=0,
            border_style="magenta",
            width=width,
        )
    )


def show_end(
    terminal: Terminal, document: dict[str, Any], endings: Sequence[ActEnding], *, is_own: bool
) -> None:
    """Show how every act ended."""
    terminal.print()
    terminal.people.rule(Text("What happened", "bold"), align="left", style="cyan")
    table = plain_table()
    for title in ("", "outcome", "F1 champion -> challenger"):
        table.add_column(title)
    for ending in endings:
        table.add_row(ending.title, _outcome(ending), f1_words(ending.stored))
    terminal.show(table)
    terminal.print()
    terminal.show(Text.assemble("Live now: ", (model_name(document["active_model"]), "bold green")))
    terminal.print(f"It took {document['elapsed_seconds']:.0f} seconds. To go on:")
    command = flywheel_command()
    if is_own:
        terminal.print(f"  {command} init FILE   (writes an environment with your labels)")
        terminal.print(f"  {command} up --env NAME   (runs it, and prints a first upload)")
    else:
        terminal.print(f"  {command} up   (prints a first upload)")


def _outcome(ending: ActEnding) -> Text:
    if ending.left_out is not None:
        return Text("left out", "yellow")
    outcome = ending.batch.outcome if ending.batch is not None else None
    return Text(outcome.value, OUTCOME_STYLES[outcome]) if outcome else Text("REFUSED", "bold red")
