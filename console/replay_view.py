"""Make a stored verdict again, and say whether it is the same, bit for bit.

Decides words and the exit code. Read next: `console.replay` (what is read) and
`console.verdict_again` (what is computed).
"""

import json

from adapters.comprehend import Comprehend
from adapters.configuration import KnownFlywheel
from adapters.kept_answers import AnswersMissingError
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.replay import replayed
from console.target import Target
from console.terminal import Terminal
from console.verdict_again import first_difference
from console.verdict_documents import kept_document, verdict_of, whole_document
from console.waiting import Ending
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
    service = Comprehend(document["flywheel_arn"], target.client("comprehend"), target.client("s3"))
    try:
        again = replayed(document, target.staging(), known, service.task_config)
    except AnswersMissingError as error:
        remedy = f"See flywheel audit verify {batch.flywheel}; versions of objects are in S3"
        where = batch.name.verdict_key
        raise CommandError(ExitCode.REFUSED, where, str(error), remedy) from error
    difference = first_difference(kept, again)
    size_bytes = len(kept.encode())
    told = {
        "document": batch.name.verdict_key,
        "is_identical": difference is None,
        "bytes": size_bytes,
        "difference": difference,
        "version": document["product_version"],
    }
    if difference is not None:
        terminal.tell(f"{batch.name.verdict_key} differs at {difference}", style="bold red")
        if document["product_version"] != PRODUCT_VERSION:
            terminal.tell(
                f"It was made by version {document['product_version']}; this is {PRODUCT_VERSION}."
            )
        return Ending(ExitCode.REFUSED, told)
    whole_document(target, batch, stored)
    answers = "both models' answers" if document["evidence"].get("paired") else "the averages"
    terminal.tell_exactly(f"{batch.name.verdict_key}: identical, {size_bytes:,} bytes")
    terminal.tell(f"Made again from {answers}, with the policy that was applied.")
    return Ending(ExitCode.DONE, told)
