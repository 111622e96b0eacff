"""The verbs of dead-letter queues: `flywheel dlq list` and `flywheel dlq redrive`.

Decides names, options and words. Read next: `console.flywheels.dead_letters`.
"""

from typing import Annotated

import typer

from console.commands.options import Env, Json, finish, opened_target, show_environment
from console.environment.target import LOCAL
from console.errors import CommandError, CommandResult, ExitCode
from console.flywheels.dead_letters import dead_letter_queues, letter_document, look, redrive
from console.terminal import reporting
from console.views.dead_letters import content_words, looks_view

dlq = typer.Typer(no_args_is_help=True, help="Manage messages that no function could handle.")


@dlq.command("list")
def list_dead_letters(context: typer.Context, env: Env = None, json: Json = False) -> None:
    """Show the messages in the dead-letter queues; remove nothing."""
    with reporting(is_json=json) as terminal:
        target = opened_target(context, env, default=LOCAL)
        sqs = target.client("sqs")
        looks = [look(sqs, queue) for queue in dead_letter_queues(target.outputs)]
        if not json:
            terminal.show(looks_view(looks, target.now()))
        terminal.answer(
            [
                {
                    "queue": each.queue.name,
                    "count": each.count,
                    "messages": [letter_document(item, target.now()) for item in each.letters],
                }
                for each in looks
            ]
        )


@dlq.command("redrive")
def redrive_dead_letters(
    context: typer.Context,
    queue: Annotated[
        str | None, typer.Argument(help="A queue as dlq list names it; by default all.")
    ] = None,
    *,
    message: Annotated[str | None, typer.Option(metavar="ID", help="Only this message.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be sent.")
    ] = False,
    env: Env = None,
    json: Json = False,
) -> None:
    """Send dead letters back to their queues, once the cause is repaired."""
    with reporting(is_json=json) as terminal:
        target = opened_target(context, env, default=None)
        document = show_environment(terminal, target)
        moved = []
        for chosen in dead_letter_queues(target.outputs, queue):
            for letter in redrive(target.client("sqs"), chosen, message, is_dry=dry_run):
                verb = "Would send" if dry_run else "Sent"
                words = f"{verb} back to {chosen.name}: {content_words(letter)}"
                terminal.print_unwrapped(words)
                moved.append({"queue": chosen.name, **letter_document(letter, target.now())})
        if message is not None and not moved:
            remedy = "See flywheel dlq list"
            raise CommandError(ExitCode.USAGE, message, "there is no such message", remedy)
        if not moved:
            terminal.print(f"{queue or 'Every dead-letter queue'} is empty: nothing to send back.")
        finish(
            terminal, CommandResult(ExitCode.DONE, {**document, "dry_run": dry_run, "moved": moved})
        )
