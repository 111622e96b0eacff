"""Make a stored verdict again, and say whether it is the same, bit for bit.

Decides words and the exit code. Read next: `console.replay` (what is read) and
`console.verdict_again` (what is computed).
"""

import json
from collections.abc import Mapping
from typing import Any

from adapters.comprehend import Comprehend
from adapters.configuration import KnownFlywheel
from adapters.kept_answers import AnswersMissingError
from console.derived_inputs import derive_inputs
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.replay import replayed
from console.target import Target
from console.terminal import Terminal
from console.verdict_again import first_difference
from console.verdict_documents import kept_document, not_whole, verdict_of, whole_document
from console.waiting import Ending
from flywheel.verdict_document import SCHEMA_VERSION, document_sha256
from flywheel.version import PRODUCT_VERSION


def tell_replay(terminal: Terminal, target: Target, known: KnownFlywheel, number: int) -> Ending:
    """Make a verdict again and tell whether it is identical, or where it first differs.

    Raises
    ------
    CommandError
        There is no such verdict, or an object that it was made from is gone or was changed.
    """
    batch, stored = verdict_of(target, known, number)
    kept = kept_document(target, batch)
    document = json.loads(kept)
    if document["schema_version"] < SCHEMA_VERSION:
        return _older(terminal, batch.name.verdict_key, document)
    service = Comprehend(document["flywheel_arn"], target.client("comprehend"), target.client("s3"))
    task_config, staging = service.task_config(), target.staging()
    shape = known.shape(lambda: task_config)
    try:
        documents = _documents(target, batch.flywheel)
        entries = target.ledger().audit.entries(batch.flywheel)
        derived = derive_inputs(document, documents, entries, staging, shape)
        again = replayed(document, staging, known, lambda: task_config, derived)
    except AnswersMissingError as error:
        remedy = f"See flywheel audit verify {batch.flywheel}; versions of objects are in S3"
        where = batch.name.verdict_key
        raise CommandError(ExitCode.REFUSED, where, str(error), remedy) from error
    difference = first_difference(kept, again)
    answers = ["both models' answers"] if document["evidence"].get("paired") else []
    checked = ["policy and its hash", *derived.checked, *answers]
    size_bytes = len(kept.encode())
    told = {
        "document": batch.name.verdict_key,
        "is_identical": difference is None,
        "bytes": size_bytes,
        "difference": difference,
        "version": document["product_version"],
        "checked": checked,
        "not_checked": list(derived.not_checked),
    }
    if difference is not None:
        terminal.tell(f"{batch.name.verdict_key} differs at {difference}", style="bold red")
        if document["product_version"] != PRODUCT_VERSION:
            terminal.tell(
                f"It was made by version {document['product_version']}; this is {PRODUCT_VERSION}."
            )
        return Ending(ExitCode.REFUSED, told)
    whole_document(target, batch, stored)
    if derived.document_sha256 != document_sha256(kept):
        raise not_whole(batch, "it is not the one that the audit names")
    terminal.tell_exactly(f"{batch.name.verdict_key}: identical, {size_bytes:,} bytes")
    terminal.tell(f"Checked: {'; '.join(checked)}.")
    terminal.tell(f"Not checked: {'; '.join(derived.not_checked)}.")
    return Ending(ExitCode.DONE, told)


def _documents(target: Target, flywheel: str) -> dict[str, str]:
    """Return the documents of a flywheel's verdicts, by key."""
    bucket = target.verdicts()
    texts = ((key, bucket.text(key)) for key in bucket.keys(f"verdicts/{flywheel}/"))
    return {key: text for key, text in texts if text is not None}


def _older(terminal: Terminal, key: str, document: Mapping[str, Any]) -> Ending:
    """Say that a verdict cannot be made again."""
    terminal.tell(
        f"{key} was made by an older gate, of version {document['product_version']}: this release "
        "decides otherwise and cannot make it again; `flywheel audit verify` checks its hash and "
        "its place in the chain."
    )
    told = {"document": key, "is_identical": None, "version": document["product_version"]}
    return Ending(ExitCode.DONE, told)
