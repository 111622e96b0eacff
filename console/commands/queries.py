"""The verbs that only read: status, uploads, history, log, verdict, replay, report and lineage.

Decides names, options and words. Read next: `console.flywheels.status`, `console.record.timeline`,
`console.views.verdict` and `console.record.replay_view`.
"""

import json as json_text
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.live import Live

from console.commands.flywheel_command import FlywheelCommand, FlywheelRun
from console.commands.options import BatchNumber, Env, Flywheel, Json, check_new_file, opened_target
from console.environment.target import LOCAL
from console.errors import CommandResult
from console.flywheels.following import Patience, patience
from console.flywheels.status import (
    FlywheelStatus,
    flywheel_status,
    status_document,
    unconfirmed_emails,
)
from console.record.history import entries, entry_document
from console.record.lineage import lineage as lineage_of
from console.record.replay_view import show_replay
from console.record.timeline import event_document, timeline_of
from console.record.verdict_documents import verdict_of, whole_document
from console.report.reporting import write_report
from console.terminal import Terminal, reporting
from console.views.record import history_view, lineage_view, timeline_view
from console.views.status import status_view
from console.views.uploads import upload_document, uploads_view
from console.views.verdict import approval_view, verdict_view
from flywheel.evaluation.verdict_document import document_sha256

_LONGEST_WATCH_MINUTES = 7 * 24 * 60.0

verbs = typer.Typer()


@verbs.command()
def status(
    context: typer.Context,
    flywheel: Flywheel = None,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh until all are idle.")] = False,
    env: Env = None,
    json: Json = False,
) -> None:
    """Show what is live, running and staged, and what the next batch lacks."""
    with reporting(is_json=json) as terminal:
        target = opened_target(context, env, default=LOCAL)
        chosen = [target.flywheel(flywheel)] if flywheel else list(target.flywheels.values())

        def read() -> list[FlywheelStatus]:
            return [flywheel_status(target, known) for known in chosen]

        unconfirmed = unconfirmed_emails(target.client("sns"), target.outputs["TopicArn"])
        view = partial(status_view, target.environment, unconfirmed=unconfirmed)
        if watch:
            statuses = _watched(terminal, read, view, patience(target, _LONGEST_WATCH_MINUTES))
        else:
            statuses = read()
            if not json:
                terminal.show(view(statuses))
        terminal.answer(
            {
                "environment": target.environment,
                "flywheels": list(map(status_document, statuses)),
                "unconfirmed_emails": unconfirmed,
            }
        )


def _watched(
    terminal: Terminal,
    read: Callable[[], list[FlywheelStatus]],
    view: Callable[[Sequence[FlywheelStatus]], RenderableType],
    wait: Patience,
) -> list[FlywheelStatus]:
    """Show the status until all flywheels are idle, and return the last one.

    On a terminal it is refreshed in place; elsewhere each change is printed.
    """
    shown: list[FlywheelStatus] = []
    with Live(console=terminal.people, auto_refresh=False) as live:
        while True:
            statuses = read()
            if terminal.people.is_terminal:
                live.update(view(statuses), refresh=True)
            elif statuses != shown:
                terminal.show(view(statuses))
            if not any(status.is_busy for status in statuses):
                return statuses
            shown = statuses
            wait.pause("status")


@verbs.command(cls=FlywheelCommand)
def uploads(
    run: FlywheelRun,
    *,
    most: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many uploads.")] = 50,
) -> None:
    """Show the state of each upload, newest first."""
    client = run.reading_client()
    rows = client.target.ledger().uploads.newest(client.name, most)
    if run.terminal.is_json:
        run.terminal.answer(list(map(upload_document, rows)))
    elif rows:
        run.terminal.show(uploads_view(rows))
    else:
        run.terminal.print(f"{client.name} has no upload yet.")


@verbs.command(cls=FlywheelCommand)
def history(
    run: FlywheelRun,
    *,
    most: Annotated[int, typer.Option("-n", min=1, help="How many batches.")] = 20,
) -> None:
    """Show the batches, newest first, and why each ended as it did."""
    client = run.reading_client()
    batches = entries(client.target, client.known, most)
    if run.terminal.is_json:
        run.terminal.answer([entry_document(*entry) for entry in batches])
    elif batches:
        run.terminal.show(history_view(batches))
    else:
        run.terminal.print(f"{client.name} has no batch yet.")


@verbs.command(cls=FlywheelCommand)
def log(
    run: FlywheelRun,
    *,
    most: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many events.")] = 50,
) -> None:
    """Show what was decided or done, newest first, with who and why."""
    client = run.reading_client()
    events = timeline_of(client.target.ledger(), client.name, most)
    if run.terminal.is_json:
        run.terminal.answer(list(map(event_document, events)))
    elif events:
        run.terminal.show(timeline_view(events))
    else:
        run.terminal.print(f"Nothing was decided or done about {client.name} yet.")


@verbs.command(cls=FlywheelCommand)
def verdict(run: FlywheelRun, batch: BatchNumber) -> None:
    """Show the whole verdict on a batch; --json prints the stored document."""
    client = run.reading_client()
    row, stored = verdict_of(client.target, client.known, batch)
    document = whole_document(client.target, row, stored)
    if not run.terminal.is_json:
        sha256 = document_sha256(document)
        run.terminal.show(verdict_view(json_text.loads(document), sha256, stored.outcome))
        if (approval := client.target.ledger().approvals.get(row)) is not None:
            run.terminal.show(approval_view(approval))
    run.terminal.answer(json_text.loads(document))


@verbs.command(cls=FlywheelCommand)
def replay(run: FlywheelRun, batch: BatchNumber) -> CommandResult:
    """Decide a verdict again from its inputs, and compare both bit for bit."""
    client = run.reading_client()
    return show_replay(run.terminal, client.target, client.known, batch)


@verbs.command(cls=FlywheelCommand)
def report(
    run: FlywheelRun,
    batch: BatchNumber,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="A new file.")
    ],
    excerpts: Annotated[
        bool, typer.Option("--excerpts", help="Show the first 120 characters of documents.")
    ] = False,
) -> CommandResult:
    """Write a verdict as one self-contained HTML page."""
    check_new_file(output, ".html")
    client = run.reading_client()
    return write_report(
        run.terminal, client.target, client.known, batch, output, has_excerpts=excerpts
    )


@verbs.command(cls=FlywheelCommand)
def lineage(
    run: FlywheelRun,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The ARN of a model version, or its name.")
    ],
) -> None:
    """Show what a model was trained on, what judged it, and who made it live."""
    client = run.reading_client()
    document = lineage_of(client.target, client.known, model)
    if not run.terminal.is_json:
        run.terminal.show(lineage_view(document))
    run.terminal.answer(document)
