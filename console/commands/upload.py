"""The verb that uploads labeled files to the inbox; of an entity upload, one half or both.

Decides options and words. Read next: `console.flywheels.operating` (the inbox) and
`flywheel.intake.pairs` (halves).
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from console.commands.flywheel_command import FlywheelCommand, FlywheelRun
from console.commands.options import LONGEST_MINUTES, Timeout, Wait, check_file
from console.commands.waiting import wait_for_upload
from console.errors import CommandError, CommandResult, ExitCode
from console.flywheels.operating import FlywheelClient, Upload, put
from console.validate.validating import opened_for, report_document, show_report
from flywheel.batches.uploads import DatasetKind
from flywheel.intake.pairs import Half, PairPlace, UnpairableKeyError, object_name, pair_place
from flywheel.intake.unpacking import SUFFIX, is_compressed, plain_name
from flywheel.settings.data_format import DataFormat

verbs = typer.Typer()


@verbs.command(cls=FlywheelCommand)
def upload(
    run: FlywheelRun,
    file: Annotated[
        Path, typer.Argument(help="label,text; UTF-8; no header. For entities, the documents.")
    ],
    *,
    kind: Annotated[DatasetKind, typer.Option(help="train, or test for the test set.")],
    annotations: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The annotations of the documents.")
    ] = None,
    entities: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The entity list of the documents.")
    ] = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> CommandResult:
    """Check a labeled file, or documents and their entities, and upload it."""
    companion = annotations or entities
    for given in (file, companion):
        if given is not None:
            check_file(given)
    client = run.changing_client()
    shape = client.known.shape(client.target.comprehend(client.known).task_config)
    _check_options(shape, client.name, annotations, entities)
    names = _names(file, companion, shape)
    report = opened_for(file, client.target, client.known, beside=companion).read_through()
    show_report(run.terminal, file.name, report)
    document: dict[str, Any] = {"validation": report_document(file.name, report)}
    if report.is_refused:
        run.terminal.print("Nothing was uploaded.")
        return CommandResult(ExitCode.REFUSED, document)
    files = [(file, names[0]), *([] if companion is None else [(companion, names[1])])]
    uploaded, *others = [_put(run, client, kind, path, name) for path, name in files]
    document |= {"key": uploaded.key, "version_id": uploaded.version_id}
    if others:
        document["companion"] = {"key": others[0].key, "version_id": others[0].version_id}
    elif (place := _place(file.name, shape)) is not None:
        run.terminal.print_unwrapped(f"{place.words}, unless that exists already.")
    ending = CommandResult(ExitCode.DONE)
    if wait:
        ending = wait_for_upload(
            run.terminal, client, uploaded, timeout, has_other_half=bool(others)
        )
    return CommandResult(ending.code, {**document, **ending.document})


def _put(
    run: FlywheelRun, client: FlywheelClient, kind: DatasetKind, path: Path, name: str
) -> Upload:
    with path.open("rb") as body:
        uploaded = put(client.target, client.name, kind, name, body)
    run.terminal.print_unwrapped(f"Uploaded {uploaded.key}, version {uploaded.version_id}")
    return uploaded


def _check_options(
    shape: DataFormat, flywheel: str, annotations: Path | None, entities: Path | None
) -> None:
    """Refuse options that do not fit the flywheel's task, before anything is read."""
    if annotations is None and entities is None:
        return
    option = "--entities" if annotations is None else "--annotations"
    wanted = "--annotations" if shape.entities_from == "annotations" else "--entities"
    if not shape.is_pair:
        problem, remedy = f"{flywheel} classifies: an upload is one file", "Omit the option"
    elif annotations is not None and entities is not None:
        problem, remedy = "documents have annotations or an entity list", f"Use only {wanted}"
    elif option != wanted:
        kind = "annotations" if wanted == "--annotations" else "an entity list"
        problem, remedy = f"{flywheel} learns from {kind}", f"Use {wanted}"
    else:
        return
    raise CommandError(ExitCode.USAGE, option, problem, remedy)


def _names(file: Path, companion: Path | None, shape: DataFormat) -> tuple[str, str]:
    """Return the names in the inbox: those of the files, where they are a pair by name.

    Annotations name the documents' file, so it is what belongs to it that has another name there.
    """
    if companion is None:
        return file.name, ""
    place = _place(file.name, shape)
    if place is None or place.half is not Half.DOCUMENTS:
        problem = "it is not a file of documents"
        raise CommandError(
            ExitCode.USAGE, file.name, problem, "Give NAME.txt, one document per line"
        )
    other = _place(companion.name, shape)
    if other is not None and place.belongs_to(other):
        return file.name, companion.name
    awaited = plain_name(object_name(place.awaited_key))
    return file.name, awaited + (SUFFIX if is_compressed(companion.name) else "")


def _place(name: str, shape: DataFormat) -> PairPlace | None:
    try:
        return pair_place(name, shape)
    except UnpairableKeyError:
        return None
