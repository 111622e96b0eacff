"""The verbs about a person's own files: init, validate and convert.

Decides names, options and words. None of them changes an environment that exists. Read next:
`console.environment.new_environment`, `console.validate.validating` and
`console.convert.conversion`.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from console.commands.options import (
    DataTask,
    Env,
    Json,
    check_file,
    data_format,
    finish,
    opened_target,
)
from console.convert.conversion import Conversion
from console.convert.conversion import convert as convert_file
from console.environment.new_environment import environment_name, new_environment
from console.environment.target import ENVIRONMENTS_FOLDER, LOCAL
from console.errors import CommandResult, ExitCode
from console.terminal import Terminal, reporting
from console.validate.data_remarks import scarce_labels, several_labels, swapped_columns
from console.validate.validating import (
    halves,
    opened,
    opened_for,
    report_document,
    show_report,
    validated,
)
from console.views.layout import label_table
from console.views.running import flywheel_command, upload_command
from flywheel.notices.notice import shown
from flywheel.number_words import number_of
from flywheel.settings.data_format import DataFormat, LabelDelimiter, Language, Mode, Task

verbs = typer.Typer()


@verbs.command()
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
    """Write an environment's file with one flywheel, from your labeled file."""
    with reporting(is_json=json) as terminal:
        check_file(file)
        named = environment_name(file.name, name, ENVIRONMENTS_FOLDER)
        finish(terminal, _init(terminal, file, named, data_format(task, delimiter), language))


def _init(
    terminal: Terminal, file: Path, name: str, data_format: DataFormat, language: Language
) -> CommandResult:
    documents, companion = halves(file, data_format)
    report = opened(documents, shape=data_format, beside=companion).read_through()
    show_report(terminal, file.name, report)
    document: dict[str, Any] = {"validation": report_document(file.name, report)}
    labels = sorted(report.label_counts)
    swapped = [] if data_format.task == "entities" else swapped_columns(report)
    if report.is_refused or swapped:
        for remark in swapped:
            terminal.print(remark, style="yellow")
        terminal.print("Nothing was written.")
        return CommandResult(ExitCode.REFUSED, document)
    made = new_environment(file.name, name, labels, data_format, language)
    paths = made.write(ENVIRONMENTS_FOLDER)
    for remark in [
        *several_labels(labels, data_format),
        *scarce_labels(report.label_counts, labels),
    ]:
        terminal.print(remark, style="yellow")
    for path in paths:
        terminal.print_unwrapped(f"Wrote {path}")
    commands = [
        f"{flywheel_command()} up --env {made.name}",
        upload_command(made.name, documents.absolute(), companion and companion.absolute()),
    ]
    terminal.print("Next, run these; the second in another terminal:")
    for command in commands:
        terminal.print_unwrapped(f"  {command}")
    files = [str(path) for path in paths]
    return CommandResult(
        ExitCode.DONE, document | {"environment": made.name, "files": files, "next": commands}
    )


@verbs.command()
def validate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="label,text; UTF-8; no header.")],
    flywheel: Annotated[
        str | None,
        typer.Argument(help="Check against its labels; by default those of the file."),
    ] = None,
    *,
    task: Annotated[
        Task, typer.Option(metavar="TASK", help="classification or entities, without a flywheel.")
    ] = "classification",
    mode: Annotated[
        Mode, typer.Option(metavar="MODE", help="multi-class or multi-label, without a flywheel.")
    ] = "multi-class",
    delimiter: Annotated[
        LabelDelimiter,
        typer.Option(help="Between labels, without a flywheel.", metavar="CHAR"),
    ] = "|",
    suspects: Annotated[
        bool, typer.Option("--suspects/--no-suspects", help="Detect labels that look wrong.")
    ] = True,
    env: Env = None,
    json: Json = False,
) -> None:
    """Check a labeled file as on upload, and its labels; upload nothing."""
    with reporting(is_json=json) as terminal:
        check_file(file)
        if flywheel is None:
            documents = opened(file, shape=DataFormat(task=task, mode=mode, delimiter=delimiter))
        else:
            target = opened_target(context, env, default=LOCAL)
            documents = opened_for(file, target, target.flywheel(flywheel))
        finish(terminal, validated(terminal, file, documents, looks_for_suspects=suspects))


@verbs.command()
def convert(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or a JSON array.")],
    *,
    label: Annotated[str, typer.Option(metavar="COL", help="Column name, or number from 1.")],
    text: Annotated[str, typer.Option(metavar="COL", help="Column name, or number from 1.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="The CSV file to write.")
    ],
    sep: Annotated[
        str | None, typer.Option(help="A character, or: tab; detected by default.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="E.g. windows-1252; UTF-8 by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists.")] = False,
    json: Json = False,
) -> None:
    """Convert a file of a spreadsheet or labeling tool to the service's CSV."""
    with reporting(is_json=json) as terminal:
        check_file(file)
        conversion = convert_file(
            file,
            output,
            label=label,
            text=text,
            separator=sep,
            encoding=encoding,
            is_replacing=force,
        )
        if not json:
            _show_conversion(terminal, output, conversion)
        terminal.answer({"output": str(output), **asdict(conversion)})


def _show_conversion(terminal: Terminal, output: Path, conversion: Conversion) -> None:
    """Show people what was written, and what was not."""
    written = number_of(conversion.rows_written, "document")
    terminal.print_unwrapped(f"Wrote {written} to {output} (read as {conversion.encoding})")
    for row in conversion.left_out:
        terminal.print(f"line {row.line}: left out, {shown(row.reason)}", "yellow", indent=2)
    hidden = conversion.left_out_count - len(conversion.left_out)
    if hidden > 0:
        terminal.print(f"... and {number_of(hidden, 'more row')} left out", "yellow", indent=2)
    for repair, count in conversion.repairs.items():
        terminal.print(f"Repaired: {repair} ({number_of(count, 'row')}).")
    terminal.show(label_table(list(conversion.label_counts.items())))
