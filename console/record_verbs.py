"""The verbs that read the record: `flywheel verdict` and `flywheel lineage`.

Decides names, options and words. Read next: `console.verdict_words` and `console.lineage`.
"""

import json as json_values
from typing import Annotated

import typer

from adapters.ledger.batch_rows import BatchRow, StoredVerdict
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.lineage import lineage as lineage_of
from console.lineage_view import lineage_view
from console.target import LOCAL, Target
from console.terminal import reporting
from console.verb_options import Env, Flywheel, Json, opened_target
from console.verdict_words import verdict_view
from flywheel.batches import BatchState
from flywheel.verdict_document import document_sha256


def add_record_verbs(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    for verb in (verdict, lineage):
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
        ledger = target.ledger()
        row = ledger.batches.get(target.flywheel(flywheel).settings.name, batch)
        stored = ledger.batches.verdict(row)
        if stored is None or stored.document is None:
            raise _no_verdict(row)
        document = _kept(target, row, stored)
        if not json:
            sha256 = document_sha256(document)
            terminal.show(verdict_view(json_values.loads(document), sha256, stored.outcome))
        terminal.answer(json_values.loads(document))


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


def _kept(target: Target, batch: BatchRow, stored: StoredVerdict) -> str:
    """Return the document as it is kept; the ledger's own must be the same."""
    kept = target.verdicts().text(batch.name.verdict_key)
    if kept is None or kept != stored.document:
        problem = (
            "it is not there" if kept is None else "it is not the one that the ledger tells of"
        )
        remedy = f"See flywheel audit verify {batch.flywheel}"
        raise CommandError(ExitCode.REFUSED, batch.name.verdict_key, problem, remedy)
    return kept


def _no_verdict(batch: BatchRow) -> CommandError:
    where, remedy = f"batch {batch.batch} of {batch.flywheel}", "See flywheel history"
    if batch.state is not BatchState.CLOSED:
        problem = f"it has no verdict yet; it is {batch.state.value}"
        return CommandError(ExitCode.HELD, where, problem, "See flywheel status")
    problem = f"it ended without a verdict, as {batch.outcome}"
    return CommandError(ExitCode.USAGE, where, problem, remedy)
