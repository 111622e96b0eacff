"""Follow an upload to its batch, and a batch to its end.

Each wait is a generator: it reads, yields the phase that it sees, and returns what it waited for.
Decides the words of a phase; `console.progress` shows them. Changes nothing.
"""

import itertools
import time
from collections.abc import Generator
from dataclasses import dataclass

from application.ledger.approvals import Approval, ApprovalState
from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.ledger.upload_rows import UploadRow
from console.environment.target import Target
from console.errors import CommandError, ExitCode
from console.flywheels.operating import FlywheelClient
from console.progress import Phase
from flywheel.batches.batches import BatchState, Readiness
from flywheel.batches.uploads import UploadState
from flywheel.number_words import number_of

_LOCAL_SECONDS, _AWS_SECONDS = 0.1, 10.0
_READS_PER_CHECK = 20
_ENDED_BADLY = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(slots=True)
class Patience:
    """How often to read, and until when.

    Parameters
    ----------
    every_seconds : float
    until : float
        On the monotonic clock, in seconds.
    """

    every_seconds: float
    until: float

    def pause(self, waited_for: str) -> None:
        """Wait until the next read.

        Raises
        ------
        CommandError
            The time is over.
        """
        if time.monotonic() >= self.until:
            raise CommandError(
                ExitCode.TIMED_OUT,
                waited_for,
                "it did not end in time",
                "It goes on by itself: see flywheel status, or wait longer with --timeout",
            )
        time.sleep(self.every_seconds)


def patience(target: Target, minutes: float) -> Patience:
    """Return patience for this many minutes; a local environment is read more often."""
    every = _LOCAL_SECONDS if target.is_local else _AWS_SECONDS
    return Patience(every, time.monotonic() + minutes * 60)


def registered(
    target: Target, uid: str, wait: Patience, *, has_other_half: bool = False
) -> Generator[Phase, None, UploadRow]:
    """Wait until an upload is registered; returns it STAGED, SEALED, WAITING, REFUSED or GONE.

    Of a second half that is annotations or an entity list it returns the documents' upload.

    Parameters
    ----------
    has_other_half : bool
        Whether the other half of its pair was uploaded, so that it is WAITING only briefly.
    """
    ledger = target.ledger()
    passing = {UploadState.RECEIVED, *([UploadState.WAITING] if has_other_half else [])}
    while True:
        row = ledger.uploads.get(uid)
        if row is not None and row.state not in passing:
            return _with_rows(ledger, row)
        yield Phase("REGISTERING", "the environment checks the file")
        wait.pause("upload")


def _with_rows(ledger: Ledger, row: UploadRow) -> UploadRow:
    """Return the upload that has the rows: of annotations or an entity list, their documents."""
    if row.state is not UploadState.PAIRED or row.paired_with is None:
        return row
    return ledger.uploads.get(row.paired_with) or row


def batch_of(
    client: FlywheelClient, uid: str, wait: Patience
) -> Generator[Phase, None, int | Readiness]:
    """Wait until a staged upload is sealed; returns its batch, or what a batch still lacks."""
    ledger = client.target.ledger()
    while True:
        row = client.row
        upload = ledger.uploads.get(uid)
        if upload is not None and upload.batch is not None:
            return upload.batch
        if row.is_idle:
            ready = next_batch(client, row)
            # A batch that opened since `row` was read may have the upload, so nothing is staged.
            if not ready.is_ready and client.row == row:
                return ready
            yield Phase("STAGED", "the batch rules are met; the next batch opens")
        else:
            yield _gathering(ledger.batches.get(client.name, row.open_batch or 0))
        wait.pause(f"batch of {client.name}")


def closed(client: FlywheelClient, number: int, wait: Patience) -> Generator[Phase, None, BatchRow]:
    """Wait until a batch is closed and its flywheel free for the next; returns the batch.

    It also ends where a person is asked, since the answer may take days.

    Raises
    ------
    CommandError
        The workflow ended without closing the batch, or the time is over.
    """
    target, ledger = client.target, client.target.ledger()
    for read in itertools.count(1):
        batch = ledger.batches.get(client.name, number)
        if batch.state is BatchState.CLOSED and client.row.open_batch != number:
            return batch
        if question(target, batch) is not None:
            return batch
        yield phase_of(client, batch)
        if read % _READS_PER_CHECK == 0:
            _check_execution(target, batch)
        wait.pause(f"batch {number} of {client.name}")
    raise AssertionError("the loop above has no other end")


def switched(client: FlywheelClient, wait: Patience) -> Generator[Phase, None, None]:
    """Continue a rebuild until batches go to the new generation.

    Raises
    ------
    CommandError
        The service did not make it.
    """
    while (step := client.continue_rebuild()) in {"REQUESTED", "CREATING"}:
        yield Phase(str(step), "the service makes the new flywheel")
        wait.pause(f"rebuild of {client.name}")


def returned(client: FlywheelClient, wait: Patience) -> Generator[Phase, None, None]:
    """Continue the way back until batches go to the earlier generation."""
    while client.continue_rebuild() == "RETURNING":
        yield Phase("RETURNING", "uploads go back to the earlier flywheel")
        wait.pause(f"rebuild of {client.name}")


def next_batch(client: FlywheelClient, row: FlywheelRow) -> Readiness:
    """Return whether the next batch may open, by the batch rules and the flywheel's row."""
    target = client.target
    return target.workflow(target.ledger()).readiness(client.known, row, target.now())


def phase_of(client: FlywheelClient, batch: BatchRow) -> Phase:
    """Return where a batch is; while an iteration runs, that is the service's own status."""
    if batch.state is BatchState.OPEN:
        return _gathering(batch)
    if batch.state is BatchState.SEALED:
        return _sealed(batch)
    if batch.state is BatchState.STARTED and batch.iteration_id is not None:
        iteration = client.target.comprehend(client.known).iteration(batch.iteration_id)
        words = f"iteration {iteration.id}"
        if iteration.is_running:
            return Phase(iteration.status, words)
        return _judging(client.target, batch, iteration.status)
    return Phase("CLOSING", f"batch {batch.batch} is judged")


def _judging(target: Target, batch: BatchRow, status: str) -> Phase:
    if (asked := question(target, batch)) is not None:
        return Phase("APPROVAL", f"a person is asked until {asked.until:%Y-%m-%d %H:%M} UTC")
    if batch.answer_jobs:
        is_new = batch.rejudges is None
        why = "the averages are too near" if is_new else f"batch {batch.rejudges} is judged again"
        return Phase("ANSWERING", f"both models answer the test set; {why}")
    return Phase("COMPARING", f"{status}; the champion against the challenger")


def question(target: Target, batch: BatchRow) -> Approval | None:
    """Return what people are asked about a batch's verdict and have not answered, or None."""
    if batch.state is not BatchState.STARTED:
        return None
    approval = target.ledger().approvals.get(batch)
    is_asked = approval is not None and approval.state is ApprovalState.PENDING
    return approval if is_asked else None


def _gathering(batch: BatchRow) -> Phase:
    if batch.state is BatchState.OPEN:
        return Phase("GATHERING", f"batch {batch.batch} is open; uploads in a burst go together")
    if batch.state is BatchState.SEALED:
        return _sealed(batch)
    return Phase("STAGED", f"batch {batch.batch} is under way; this upload is for the next")


def _sealed(batch: BatchRow) -> Phase:
    count = number_of(batch.documents or batch.test_documents, "document")
    documents = f"batch {batch.batch}: {count}"
    if not batch.datasets:
        return Phase("SEALED", documents)
    return Phase("DATASETS", f"{documents} in {number_of(len(batch.datasets), 'dataset')}")


def _check_execution(target: Target, batch: BatchRow) -> None:
    """End the wait for a workflow that ended without closing its batch."""
    execution = target.workflow(target.ledger()).status(batch)
    if execution is None or execution[0] not in _ENDED_BADLY:
        return
    status, error, cause = execution
    raise CommandError(
        ExitCode.CLOUD,
        f"batch {batch.batch} of {batch.flywheel}",
        f"its workflow ended {status} ({error}: {cause[:200]})",
        "The schedule closes it within 15 minutes; see flywheel status then",
    )
