"""Wait for what an upload or a batch comes to, and return it as words, JSON and exit code.

Decides the exit code of ``--wait``. Read next: `console.flywheels.following` (the waiting itself).
"""

from typing import Any

from application.ledger.approvals import Approval
from application.ledger.upload_rows import UploadRow
from console.environment.target import Target
from console.errors import OF_OUTCOME, CommandResult, ExitCode
from console.flywheels.following import batch_of, closed, patience, question, registered
from console.flywheels.operating import FlywheelClient, Upload
from console.flywheels.status import approval_document
from console.progress import Progress
from console.record.history import verdict_json
from console.terminal import Terminal
from console.views.verdict import show_outcome
from flywheel.batches.batches import BatchOutcome, Readiness
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.notices.notice import shown
from flywheel.number_words import number_of


def wait_for_upload(
    terminal: Terminal,
    client: FlywheelClient,
    upload: Upload,
    minutes: float,
    *,
    has_other_half: bool = False,
) -> CommandResult:
    """Follow an upload until its batch is closed; a test set only until it is staged.

    Parameters
    ----------
    has_other_half : bool
        Whether both halves of a pair were uploaded, so that neither waits for long.
    """
    target = client.target
    progress, wait = Progress(terminal), patience(target, minutes)
    row = progress.wait(registered(target, upload.uid, wait, has_other_half=has_other_half))
    document: dict[str, Any] = {"state": row.state.value, "reasons": list(row.reasons)}
    if row.state in {UploadState.REFUSED, UploadState.GONE}:
        terminal.print(f"{row.state.value}: nothing was spent.", style="bold red")
        for reason in row.reasons:
            terminal.print(shown(reason, 300), indent=2)
        return CommandResult(ExitCode.REFUSED, document)
    if row.state is UploadState.WAITING:
        return CommandResult(ExitCode.HELD, {**document, **_show_half(terminal, client, row)})
    progress.print("STAGED", number_of(row.documents, "document is good", "documents are good"))
    if upload.kind is DatasetKind.TEST:
        frozen = client.row.test_documents
        terminal.print(
            f"The flywheel keeps the test set of {number_of(frozen, 'document')} that it has; "
            "these rows stay staged and are not used."
            if frozen
            else "The test set is frozen with the next batch; it starts nothing itself."
        )
        return CommandResult(ExitCode.DONE, document)
    opened = progress.wait(batch_of(client, row.uid, wait))
    if isinstance(opened, Readiness):
        return CommandResult(ExitCode.HELD, {**document, **show_lacking(terminal, opened)})
    result = wait_for_batch(terminal, client, opened, minutes=minutes, progress=progress)
    is_empty = result.document.get("outcome") is BatchOutcome.EMPTY
    state = UploadState.DUPLICATE if is_empty else UploadState.SEALED
    return CommandResult(result.code, {**document, "state": state.value, **result.document})


def _show_half(terminal: Terminal, client: FlywheelClient, row: UploadRow) -> dict[str, Any]:
    """Show that a half waits for the other one, and return that as JSON values."""
    words = "; ".join(row.reasons)
    terminal.print_unwrapped(f"WAITING: {shown(words, 300)}")
    terminal.print(
        f"It starts nothing until then, and is refused after "
        f"{client.known.settings.batch.pair_timeout_hours} hours.",
        style="yellow",
    )
    return {"waits_for": words}


def wait_for_batch(
    terminal: Terminal,
    client: FlywheelClient,
    number: int,
    *,
    minutes: float,
    progress: Progress | None = None,
) -> CommandResult:
    """Follow a batch to its end and show the outcome, or to where a person is asked."""
    target = client.target
    wait = closed(client, number, patience(target, minutes))
    batch = (progress or Progress(terminal)).wait(wait)
    if (asked := question(target, batch)) is not None:
        return _show_question(terminal, target, asked)
    stored = target.ledger().verdicts.get(batch)
    show_outcome(terminal, batch, stored)
    document = {
        "batch": number,
        "outcome": batch.outcome,
        "error": batch.error,
        "cause": batch.cause,
        **verdict_json(stored),
    }
    return CommandResult(OF_OUTCOME[batch.outcome or BatchOutcome.FAILED], document)


def _show_question(terminal: Terminal, target: Target, asked: Approval) -> CommandResult:
    """Show that a verdict waits for a person."""
    place = f"{asked.batch} {asked.flywheel} --env {target.environment} --reason TEXT"
    terminal.print(f"Batch {asked.batch}: PROMOTE, and a person is asked", style="bold yellow")
    terminal.print(f"until {asked.until:%Y-%m-%d %H:%M} UTC:", indent=2)
    for verb in ("approve", "reject"):
        terminal.print_unwrapped(f"  flywheel {verb} {place}")
    return CommandResult(
        ExitCode.HELD, {"batch": asked.batch, "approval": approval_document(asked)}
    )


def show_lacking(terminal: Terminal, ready: Readiness) -> dict[str, Any]:
    """Show what a batch still lacks, and return it as JSON values."""
    terminal.print("No batch was opened; it lacks:", style="bold yellow")
    for lack in ready.lacks:
        terminal.print(lack, indent=2)
    return {"batch": None, "lacks": list(ready.lacks)}
