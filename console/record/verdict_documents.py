"""A verdict's document, as it is kept, compared with the ledger and the audit.

Decides the error where there is none, or where it is not the one that the ledger names.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.environment.target import Target
from console.errors import CommandError, ExitCode
from flywheel.batches.batches import BatchState
from flywheel.evaluation.verdict_document import document_sha256


def verdict_of(target: Target, known: KnownFlywheel, number: int) -> tuple[BatchRow, StoredVerdict]:
    """Return a batch and its verdict, which has a document.

    Raises
    ------
    CommandError
        There is no such verdict.
    """
    ledger = target.ledger()
    batch = ledger.batches.get(known.settings.name, number)
    stored = ledger.verdicts.get(batch)
    if stored is None or stored.document is None:
        raise _no_verdict(batch)
    return batch, stored


def kept_document(target: Target, batch: BatchRow) -> str:
    """Return the document as it is kept, whatever the ledger names.

    Raises
    ------
    CommandError
        It is not there.
    """
    kept = target.verdicts().text(batch.name.verdict_key)
    if kept is None:
        raise not_whole(batch, "it is not there")
    return kept


def whole_document(target: Target, batch: BatchRow, stored: StoredVerdict) -> str:
    """Return the document as it is kept; the ledger's own must be the same.

    Raises
    ------
    CommandError
        It is not there, or it is another.
    """
    kept = kept_document(target, batch)
    if kept != stored.document:
        raise not_whole(batch, "it is not the one that the ledger names")
    return kept


def audited_document(
    target: Target, batch: BatchRow, stored: StoredVerdict, entries: Iterable[Mapping[str, Any]]
) -> str:
    """Return the document as it is kept; ledger and audit must name the same.

    Parameters
    ----------
    entries : iterable of mapping
        The flywheel's audit.

    Raises
    ------
    CommandError
        It is not there, or it is another.
    """
    kept, key = whole_document(target, batch, stored), batch.name.verdict_key
    every = (entry["details"] for entry in entries if entry["event"] == "verdict")
    named = [details["document_sha256"] for details in every if details.get("document") == key]
    if named != [document_sha256(kept)]:
        raise not_whole(batch, "it is not the one that the audit names")
    return kept


def not_whole(batch: BatchRow, problem: str) -> CommandError:
    """Return the error that a document is not the one that was written."""
    remedy = f"See flywheel audit verify {batch.flywheel}; versions of objects are in S3"
    return CommandError(ExitCode.REFUSED, batch.name.verdict_key, problem, remedy)


def _no_verdict(batch: BatchRow) -> CommandError:
    where, remedy = f"batch {batch.batch} of {batch.flywheel}", "See flywheel history"
    if batch.state is not BatchState.CLOSED:
        problem = f"it has no verdict yet; it is {batch.state.value}"
        return CommandError(ExitCode.HELD, where, problem, "See flywheel status")
    problem = f"it ended without a verdict, as {batch.outcome}"
    return CommandError(ExitCode.USAGE, where, problem, remedy)
