"""Write the report page of one verdict.

Decides whether texts may be shown, and where the page goes. Read next: `console.report.facts` and
`console.report.page`.
"""

import json
from pathlib import Path

from application.comparison.stored_answers import AnswersMissingError
from application.configuration import KnownFlywheel
from console.environment.environments import environment_settings
from console.environment.target import Target
from console.errors import CommandError, CommandResult, ExitCode
from console.record.verdict_documents import verdict_of, whole_document
from console.report.facts import AnsweredDocuments, ReportFacts, answered_documents, shift_of
from console.report.page import report_page
from console.terminal import Terminal
from flywheel.evaluation.verdict_document import document_sha256
from flywheel.settings.environment import Environment


def checked_excerpts(settings: Environment) -> None:
    """Refuse texts where the environment does not allow them.

    Raises
    ------
    CommandError
        The environment's owner may allow them in its file.
    """
    if not settings.shows_excerpts:
        remedy = "Omit --excerpts, or set excerpts = true under [report] in its file"
        where = f"environment {settings.name}"
        problem = "texts of documents are not shown in its reports"
        raise CommandError(ExitCode.USAGE, where, problem, remedy)


def write_report(
    terminal: Terminal,
    target: Target,
    known: KnownFlywheel,
    number: int,
    out: Path,
    *,
    has_excerpts: bool,
) -> CommandResult:
    """Write the page of a verdict to a new file.

    Raises
    ------
    CommandError
        There is no such verdict, or texts may not be shown.
    """
    if has_excerpts:
        checked_excerpts(environment_settings(target.environment))
    batch, stored = verdict_of(target, known, number)
    kept = whole_document(target, batch, stored)
    document, missing = json.loads(kept), ""
    answered: AnsweredDocuments | None = None
    try:
        answered = answered_documents(target, known, document, has_excerpts=has_excerpts)
    except AnswersMissingError as error:
        missing = str(error)
        terminal.warn(f"Single documents are not shown: {missing}")
    facts = ReportFacts(
        document=document,
        sha256=document_sha256(kept),
        outcome=stored.outcome,
        shift=shift_of(target, batch),
        answered=answered,
        missing=missing,
    )
    with out.open("x", encoding="utf-8") as file:
        file.write(report_page(facts))
    terminal.print_unwrapped(f"Wrote {out}")
    if has_excerpts:
        terminal.print("It shows the beginnings of documents: consider whom you send it to.")
    written = {"out": str(out), "document": batch.name.verdict_key, "has_excerpts": has_excerpts}
    return CommandResult(ExitCode.DONE, written)
