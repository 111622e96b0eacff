"""The verb that makes an environment from one's own labeled file.

Read next: `console.environment.new_environment` (what is written) and `console.environment.running`
(what runs it).
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from console.commands.options import DataTask, Json, check_file, data_shape, finish
from console.environment.new_environment import environment_name, new_environment
from console.environment.target import ENVIRONMENTS_FOLDER
from console.exit_codes import ExitCode
from console.flywheels.waiting import CommandResult
from console.terminal import Terminal, reporting
from console.validate.data_remarks import scarce_labels, several_labels, swapped_columns
from console.validate.validating import halves, opened, report_document, tell_report
from console.views.running import flywheel_command, upload_command
from flywheel.settings.data_format import DataFormat, LabelDelimiter, Language


def add_init_verb(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(init)


def init(
    file: Annotated[
        Path, typer.Argument(help="label,text; UTF-8; no header. For entities, documents.txt.")
    ],
    *,
    name: Annotated[
        str | None, typer.Option(help="The environment's name; by default the file's.")
    ] = None,
    task: Annotated[
        DataTask, typer.Option(metavar="TASK", help="multi-class, multi-label or entities.")
    ] = "multi-class",
    delimiter: Annotated[
        LabelDelimiter, typer.Option(metavar="CHAR", help="The delimiter between labels.")
    ] = "|",
    language: Annotated[Language, typer.Option(help="The language of the texts.")] = "en",
    json: Json = False,
) -> None:
    """Write an environment's file with one flywheel, from the labels of your own file."""
    with reporting(is_json=json) as terminal:
        check_file(file)
        named = environment_name(file.name, name, ENVIRONMENTS_FOLDER)
        finish(terminal, _init(terminal, file, named, data_shape(task, delimiter), language))


def _init(
    terminal: Terminal, file: Path, name: str, shape: DataFormat, language: Language
) -> CommandResult:
    documents, companion = halves(file, shape)
    report = opened(documents, shape=shape, beside=companion).read_through()
    tell_report(terminal, file.name, report)
    document: dict[str, Any] = {"validation": report_document(file.name, report)}
    labels = sorted(report.label_counts)
    swapped = [] if shape.task == "entities" else swapped_columns(report)
    if report.is_refused or swapped:
        for remark in swapped:
            terminal.tell(remark, style="yellow")
        terminal.tell("Nothing was written.")
        return CommandResult(ExitCode.REFUSED, document)
    made = new_environment(file.name, name, labels, shape, language)
    paths = made.write(ENVIRONMENTS_FOLDER)
    for remark in [*several_labels(labels, shape), *scarce_labels(report.label_counts, labels)]:
        terminal.tell(remark, style="yellow")
    for path in paths:
        terminal.tell_exactly(f"Wrote {path}")
    commands = [
        f"{flywheel_command()} up --env {made.name}",
        upload_command(made.name, documents.absolute(), companion and companion.absolute()),
    ]
    terminal.tell("Next, run these; the second in another terminal:")
    for command in commands:
        terminal.tell_exactly(f"  {command}")
    files = [str(path) for path in paths]
    return CommandResult(
        ExitCode.DONE, document | {"environment": made.name, "files": files, "next": commands}
    )
