"""The verbs that read the record: `flywheel log`, `verdict`, `replay`, `report` and `lineage`.

Decides names, options and words. Read next: `console.record.timeline`,
`console.views.verdict_words`, `console.record.replay_view` and `console.record.lineage`.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from console.commands.flywheel_command import Run, flywheel_verb
from console.flywheels.waiting import CommandResult
from console.record.lineage import lineage as lineage_of
from console.record.replay_view import tell_replay
from console.record.timeline import event_document, timeline
from console.record.verdict_documents import verdict_of, whole_document
from console.report.reporting import checked_out, write_report
from console.views.lineage import lineage_view
from console.views.timeline import timeline_view
from console.views.verdict_words import approval_view, verdict_view
from flywheel.evaluation.verdict_document import document_sha256

_Number = Annotated[int, typer.Argument(min=1, metavar="N", help="The batch's number.")]


def add_record_verbs(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    for verb in (log, verdict, replay, report, lineage):
        app.command()(verb)


@flywheel_verb
def log(
    run: Run,
    *,
    most: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many events.")] = 50,
) -> None:
    """Show what was decided or done, newest first, with who and why."""
    target, known = run.look()
    found = timeline(target, known, most)
    if run.terminal.is_json:
        run.terminal.answer([event_document(event) for event in found])
    elif found:
        run.terminal.show(timeline_view(found))
    else:
        run.terminal.tell(f"Nothing was decided or done about {known.settings.name} yet.")


@flywheel_verb
def verdict(run: Run, batch: _Number) -> None:
    """Show the whole verdict on a batch; --json prints the stored document."""
    target, known = run.look()
    row, stored = verdict_of(target, known, batch)
    document = whole_document(target, row, stored)
    if not run.terminal.is_json:
        sha256 = document_sha256(document)
        run.terminal.show(verdict_view(json.loads(document), sha256, stored.outcome))
        if (approval := target.ledger().approvals.get(row)) is not None:
            run.terminal.show(approval_view(approval))
    run.terminal.answer(json.loads(document))


@flywheel_verb
def replay(run: Run, batch: _Number) -> CommandResult:
    """Decide a verdict again from its inputs, and compare the two bit for bit."""
    return tell_replay(run.terminal, *run.look(), batch)


@flywheel_verb
def report(
    run: Run,
    batch: _Number,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="A new file.")
    ],
    excerpts: Annotated[
        bool, typer.Option("--excerpts", help="Show the first 120 characters of documents.")
    ] = False,
) -> CommandResult:
    """Write a verdict as one self-contained HTML page."""
    checked_out(output)
    return write_report(run.terminal, *run.look(), batch, output, has_excerpts=excerpts)


@flywheel_verb
def lineage(
    run: Run,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The ARN of a model version, or its name.")
    ],
) -> None:
    """Show what a model was trained on, what judged it, and who made it live."""
    target, known = run.look()
    document = lineage_of(target, known, model)
    if not run.terminal.is_json:
        run.terminal.show(lineage_view(document))
    run.terminal.answer(document)
