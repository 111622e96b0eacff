"""The verbs by which people act on a flywheel's data: withdraw, import, testset.

Decides names, options and words; `Operate` carries them out. Read next:
`application.commands.data_commands` (what each does).
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from application.commands.data_commands import uploads_of_batch
from application.commands.payloads import (
    FreezeTestSet,
    ImportRows,
    SplitTestSet,
    Withdraw,
    import_key,
)
from application.ledger.ledger import Ledger
from application.ledger.upload_rows import UploadRow
from console.commands.flywheel_command import FlywheelCommand, FlywheelRun
from console.commands.options import LONGEST_MINUTES, Reason, Timeout, Wait, Yes
from console.commands.waiting import wait_for_batch
from console.errors import CommandError, CommandResult, ExitCode
from console.flywheels.operating import FlywheelClient, refusal
from console.validate.validating import opened_for, report_document, show_report
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ActRefusedError
from flywheel.notices.notice import shown
from flywheel.number_words import number_of

_FEWEST_UID_CHARACTERS = 8

verbs = typer.Typer()
testset = typer.Typer(no_args_is_help=True, help="Manage the test set, which judges every model.")
verbs.add_typer(testset, name="testset")


@verbs.command(cls=FlywheelCommand)
def withdraw(
    run: FlywheelRun,
    *,
    upload: Annotated[
        str | None,
        typer.Option("--upload", metavar="U", help="The inbox key, or the start of the uid."),
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="All uploads of this batch.")
    ] = None,
    reason: Reason,
    yes: Yes = False,
) -> CommandResult:
    """Withdraw uploads; those in a dataset mark the flywheel TAINTED."""
    if (upload is None) == (batch is None):
        problem = "it needs either --upload or --batch"
        raise CommandError(ExitCode.USAGE, "withdraw", problem, "Give one of the two")
    client = run.changing_client()
    chosen = _chosen(client, upload, batch)
    if batch is not None:
        run.terminal.print(f"Batch {batch} has {rows_by_kind(chosen)}.")
    test_words = words_on_test_data(chosen)
    for words in test_words:
        run.terminal.print_unwrapped(words)
    if batch is not None and test_words:
        what = f"withdraw --batch {batch}"
        run.terminal.confirm(what, "Withdraw all of these?", is_confirmed=yes)
    uid = chosen[0].uid if batch is None else None
    done = client.operate(Withdraw(flywheel=client.name, uid=uid, batch=batch, reason=reason))
    for word, keys in (("not sent", done["left"]), ("in datasets already", done["kept"])):
        for key in keys:
            run.terminal.print_unwrapped(f"Withdrawn, {word}: {shown(key, 200)}")
    if done["kept"]:
        run.terminal.print(
            f"{client.name} is TAINTED: its datasets hold these rows, and later iterations "
            "train on them too.",
            style="bold yellow",
        )
    if done["live_trained_on"]:
        run.terminal.print(
            "The live model was trained on withdrawn rows, and stays live until another is "
            "promoted.",
            style="bold yellow",
        )
    return CommandResult(ExitCode.DONE, done)


def _chosen(client: FlywheelClient, upload: str | None, batch: int | None) -> Sequence[UploadRow]:
    """Return the uploads that would be withdrawn, to show them beforehand."""
    ledger, staging = client.target.ledger(), client.target.staging()
    if batch is None:
        return [_upload(ledger, client.name, str(upload))]
    try:
        return uploads_of_batch(ledger, staging, client.name, batch)
    except ActRefusedError as error:
        raise refusal(client.name, type(error).__name__, str(error)) from error


def rows_by_kind(uploads: Sequence[UploadRow]) -> str:
    """Count the rows of uploads, those to train on and those to test with."""
    counts = []
    for kind, noun in ((DatasetKind.TRAIN, "training row"), (DatasetKind.TEST, "test row")):
        rows = [upload.documents for upload in uploads if upload.kind == kind]
        if rows:
            counts.append(f"{number_of(sum(rows), noun)} of {number_of(len(rows), 'upload')}")
    return " and ".join(counts)


def words_on_test_data(uploads: Sequence[UploadRow]) -> Sequence[str]:
    """Return what the withdrawal of test data means; nothing where there is none."""
    keys = [shown(row.key, 200) for row in uploads if row.kind == DatasetKind.TEST.value]
    if not keys:
        return ()
    return (
        f"This withdraws test data, which judges every model: {', '.join(keys)}",
        "Without a test set, an iteration compares both models on a hold-out: a part of the "
        "training data.",
    )


@verbs.command("import", cls=FlywheelCommand)
def import_file(
    run: FlywheelRun,
    file: Annotated[Path, typer.Argument(help="A file as for upload.")],
    *,
    kind: Annotated[DatasetKind, typer.Option(help="train or test: the use of the rows.")],
) -> CommandResult:
    """Record rows that an adopted flywheel already holds, without sending them."""
    client = run.changing_client()
    documents = opened_for(file, client.target, client.known)
    body = b"".join(documents.canonical_copy())
    report = documents.report
    show_report(run.terminal, file.name, report)
    document = {"validation": report_document(file.name, report)}
    if report.is_refused:
        run.terminal.print("Nothing was imported.")
        return CommandResult(ExitCode.REFUSED, document)
    # What an invocation carries is limited to 6 MB: the rows go by the staging bucket.
    sha256 = hashlib.sha256(body).hexdigest()
    client.target.staging().create(import_key(client.name, sha256), body)
    command = ImportRows(flywheel=client.name, kind=kind, file=file.name, sha256=sha256)
    uid = client.operate(command)["uid"]
    run.terminal.print(f"Recorded as {kind.value} rows: {number_of(report.documents, 'row')}.")
    return CommandResult(ExitCode.DONE, {**document, "uid": uid})


@testset.command("freeze", cls=FlywheelCommand)
def freeze_testset(
    run: FlywheelRun,
    *,
    partial: Annotated[
        bool, typer.Option("--partial", help="Freeze even if labels have no test document.")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = LONGEST_MINUTES,
) -> CommandResult:
    """Freeze the drafts of the test set with the next batch, as its next version.

    After a HOLD that batch opens at once: both models are judged again, and nothing is trained.
    """
    client = run.changing_client()
    done = client.operate(FreezeTestSet(flywheel=client.name, is_partial_allowed=partial))
    batch, rejudged, missing = done["batch"], done["rejudges"], done["labels_missing"]
    run.terminal.print("The drafts are frozen with the next batch, as one TEST dataset.")
    if batch is not None:
        run.terminal.print(f"Batch {batch} is open.", style="bold")
    if rejudged is not None:
        run.terminal.print(
            f"It has both models of batch {rejudged} judged again, without training."
        )
    if missing:
        run.terminal.print(f"Labels without a test document: {', '.join(missing)}", style="yellow")
    opened = {"batch": batch, "rejudges": rejudged}
    ending = CommandResult(ExitCode.DONE)
    if wait and batch is not None:
        ending = wait_for_batch(run.terminal, client, batch, minutes=timeout)
    return CommandResult(ending.code, {"labels_missing": missing, **opened, **ending.document})


@testset.command("split", cls=FlywheelCommand)
def split_testset(
    run: FlywheelRun,
    *,
    fraction: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="The share of each label's rows.")
    ] = 0.2,
) -> CommandResult:
    """Make a test-set draft from staged training rows, per label, chosen by hash."""
    client = run.changing_client()
    command = SplitTestSet(flywheel=client.name, fraction=fraction)
    counts = client.operate(command)["label_counts"]
    rows = sum(counts.values())
    run.terminal.print(
        f"Moved from the training rows to the draft of the test set: {number_of(rows, 'row')}."
    )
    for label, count in sorted(counts.items()):
        run.terminal.print_unwrapped(f"  {shown(label, 60)}: {count:,}")
    return CommandResult(ExitCode.DONE, {"label_counts": counts})


def _upload(ledger: Ledger, flywheel: str, given: str) -> UploadRow:
    """Return an upload by its inbox key or the beginning of its uid."""
    rows = ledger.uploads.newest(flywheel, most=1000)
    uploads = [
        row
        for row in rows
        if given in {row.key, row.key.rsplit("/", 1)[-1]}
        or (len(given) >= _FEWEST_UID_CHARACTERS and row.uid.startswith(given))
    ]
    if len(uploads) == 1:
        return uploads[0]
    problem = "no upload of this name" if not uploads else f"{len(uploads)} uploads of this name"
    remedy = "See flywheel uploads, and give a uid"
    raise CommandError(ExitCode.USAGE, shown(given), problem, remedy)
