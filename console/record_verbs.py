"""The verbs that read the record: `flywheel verdict`, `replay`, `report` and `lineage`.

Decides names, options and words. Read next: `console.verdict_words`, `console.replaying`
and `console.lineage`.
"""

import json as json_values
from pathlib import Path
from typing import Annotated

import typer

from console.lineage import lineage as lineage_of
from console.lineage_view import lineage_view
from console.replaying import tell_replay
from console.reporting_verdicts import checked_out, write_report
from console.target import LOCAL
from console.terminal import reporting
from console.verb_options import Env, Flywheel, Json, finish, opened_target
from console.verdict_documents import verdict_of, whole_document
from console.verdict_words import verdict_view
from flywheel.verdict_document import document_sha256


def add_record_verbs(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    for verb in (verdict, replay, report, lineage):
        app.command()(verb)


def verdict(
    context: typer.Context,
    batch: Annotated[int, typer.Argument(min=1, metavar="N", help="The batch's number.")],
    flywheel: Flywheel = None,
    env: Env = None,
    json: Json = False,
) -> None:
    """Show the verdict about a batch, whole; --json prints the document as it is kept."""
    with reporting(is_json=json) as terminal:
        target = opened_target(context, env, default=LOCAL)
        row, stored = verdict_of(target, target.flywheel(flywheel), batch)
        document = whole_document(target, row, stored)
        if not json:
            sha256 = document_sha256(document)
            terminal.show(verdict_view(json_values.loads(document), sha256, stored.outcome))
        terminal.answer(json_values.loads(document))


def replay(
    context: typer.Context,
    batch: Annotated[int, typer.Argument(min=1, metavar="N", help="The batch's number.")],
    flywheel: Flywheel = None,
    env: Env = None,
    json: Json = False,
) -> None:
    """Make a verdict again from what it was made from, and compare it bit for bit."""
    with reporting(is_json=json) as terminal:
        target = opened_target(context, env, default=LOCAL)
        ending = tell_replay(terminal, target, target.flywheel(flywheel), batch)
        finish(terminal, ending)


def report(
    context: typer.Context,
    batch: Annotated[int, typer.Argument(min=1, metavar="N", help="The batch's number.")],
    flywheel: Flywheel = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="A new file.")
    ],
    excerpts: Annotated[
        bool, typer.Option("--excerpts", help="Show how documents begin, 120 characters at most.")
    ] = False,
    env: Env = None,
    json: Json = False,
) -> None:
    """Write a verdict as one HTML page that needs nothing else."""
    with reporting(is_json=json) as terminal:
        checked_out(output)
        target = opened_target(context, env, default=LOCAL)
        known = target.flywheel(flywheel)
        finish(
            terminal,
            write_report(terminal, target, known, batch, output, has_excerpts=excerpts),
        )


def lineage(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL_ARN", help="A version of a model.")],
    flywheel: Flywheel = None,
    env: Env = None,
    json: Json = False,
) -> None:
    """Show what a model was trained on, what judged it, and who made it live."""
    with reporting(is_json=json) as terminal:
        target = opened_target(context, env, default=LOCAL)
        document = lineage_of(target, target.flywheel(flywheel), model)
        if not json:
            terminal.show(lineage_view(document))
        terminal.answer(document)
