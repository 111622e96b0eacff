"""Make a stored verdict again, and show whether it is the same, bit for bit.

Decides words and the exit code. Read next: `console.record.replay`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.comprehend import Comprehend
from application.comparison.stored_answers import AnswersMissingError
from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow
from console.environment.target import Target
from console.errors import CommandResult, ExitCode
from console.record.derived_inputs import DerivedInputs, derive_inputs
from console.record.replay import first_difference, replayed
from console.record.verdict_documents import audited_document, kept_document, not_whole, verdict_of
from console.record.verdict_history import Entry
from console.terminal import Terminal
from flywheel.evaluation.verdict_document import SCHEMA_VERSION
from flywheel.version import PRODUCT_VERSION

_UNREADABLE = (AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""Errors of reading a document that was written over a verdict's."""


def show_replay(
    terminal: Terminal, target: Target, known: KnownFlywheel, number: int
) -> CommandResult:
    """Make a verdict again and show whether it is identical, or where it first differs.

    Raises
    ------
    CommandError
        There is no such verdict, or an object that it was made from is gone or was changed.
    """
    batch, stored = verdict_of(target, known, number)
    kept = kept_document(target, batch)
    entries = target.ledger().audit.entries(batch.flywheel)
    try:
        document = json.loads(kept)
        is_older = document["schema_version"] < SCHEMA_VERSION
        made = None if is_older else _made_again(target, known, batch, document, entries)
    except _UNREADABLE:
        audited_document(target, batch, stored, entries)
        raise
    if made is None:
        audited_document(target, batch, stored, entries)
        return _older(terminal, batch.name.verdict_key, document)
    derived, again = made
    difference = first_difference(kept, again)
    if difference is None:
        audited_document(target, batch, stored, entries)
    answers = ["both models' answers"] if document["evidence"].get("paired") else []
    result = {
        "document": batch.name.verdict_key,
        "is_identical": difference is None,
        "bytes": len(kept.encode()),
        "difference": difference,
        "version": document["product_version"],
        "checked": ["policy and its hash", *derived.checked, *answers],
        "not_checked": list(derived.not_checked),
    }
    _show(terminal, result)
    return CommandResult(ExitCode.DONE if difference is None else ExitCode.REFUSED, result)


def _show(terminal: Terminal, result: Mapping[str, Any]) -> None:
    """Show the result to people."""
    if result["is_identical"]:
        terminal.print_unwrapped(f"{result['document']}: identical, {result['bytes']:,} bytes")
    else:
        terminal.print(f"{result['document']} differs at {result['difference']}", style="bold red")
        if result["version"] != PRODUCT_VERSION:
            terminal.print(
                f"It was made by version {result['version']}; this is {PRODUCT_VERSION}."
            )
    terminal.print(f"Checked: {'; '.join(result['checked'])}.")
    terminal.print(f"Not checked: {'; '.join(result['not_checked'])}.")


def _made_again(
    target: Target,
    known: KnownFlywheel,
    batch: BatchRow,
    document: Mapping[str, Any],
    entries: Iterable[Entry],
) -> tuple[DerivedInputs, str]:
    """Return what a verdict was made from, and the document that follows from it now."""
    service = Comprehend(document["flywheel_arn"], target.client("comprehend"), target.client("s3"))
    task_config, staging = service.task_config(), target.staging()
    shape = known.shape(lambda: task_config)
    try:
        documents = _documents(target, batch.flywheel)
        derived = derive_inputs(document, documents, entries, staging, shape)
        return derived, replayed(document, staging, known, lambda: task_config, derived)
    except AnswersMissingError as error:
        raise not_whole(batch, str(error)) from error


def _documents(target: Target, flywheel: str) -> dict[str, str]:
    """Return the documents of a flywheel's verdicts, by key."""
    bucket = target.verdicts()
    texts = ((key, bucket.text(key)) for key in bucket.keys(f"verdicts/{flywheel}/"))
    return {key: text for key, text in texts if text is not None}


def _older(terminal: Terminal, key: str, document: Mapping[str, Any]) -> CommandResult:
    """Show that a verdict cannot be made again."""
    terminal.print(
        f"{key} was made by an older gate, of version {document['product_version']}: this release "
        "decides otherwise and cannot make it again. `flywheel audit verify` checks its hash and "
        "its place in the chain."
    )
    result = {"document": key, "is_identical": None, "version": document["product_version"]}
    return CommandResult(ExitCode.DONE, result)
