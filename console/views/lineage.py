"""A model's lineage as people read it, from the model back to the files."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from console.views.principals import with_short_principals
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.number_words import number_of

_FILES_SHOWN = 10
_DIGITS = 16
"""Enough of a hash to compare by eye; --json has all of it."""


def lineage_view(document: Mapping[str, Any]) -> Group:
    """Return a lineage at 80 columns."""
    parts: list[Any] = [Text(document["model"], "bold", overflow="fold")]
    parts += [Padding(Text(line), (0, 0, 0, 2), expand=False) for line in _live(document)]
    verdict = document["verdict"]
    if verdict is None:
        return Group(*parts, Text("  No batch trained it: it came from outside."))
    judged = (
        f"Judged {verdict['decision']} on {verdict['at'][:16]}, batch {verdict['batch']}, "
        f"iteration {document['iteration_id']}, generation {document['generation']}"
    )
    parts.append(Padding(Text(judged), (0, 0, 0, 2), expand=False))
    if "document_sha256" in verdict:
        words = f"Verdict {verdict['document']}, sha256 {verdict['document_sha256'][:_DIGITS]}"
        parts.append(Padding(Text(words), (0, 0, 0, 2), expand=False))
    withdrawn = sorted(set(_withdrawn_files(document)))
    if withdrawn:
        words = f"Trained on rows that were withdrawn since: {', '.join(withdrawn[:_FILES_SHOWN])}"
        left = len(withdrawn) - _FILES_SHOWN
        parts.append(Text(words + (f" and {left:,} more" if left > 0 else ""), "bold yellow"))
    title = "Trained on"
    for batch in document["batches"]:
        if batch["rejudges"] is not None:
            parts += _batch(f"Judged again, after batch {batch['rejudges']}, with", batch)
            continue
        parts += _batch(title, batch)
        title = "And on"
    for imported in document["imported"]:
        words = number_of(imported["documents"], "imported document")
        parts.append(Text(f"And on {words} (uid {imported['uid'][:_DIGITS]})", "bold"))
    return Group(*parts)


def _withdrawn_files(document: Mapping[str, Any]) -> Iterator[str]:
    """Give the keys of training files that somebody took back."""
    for batch in document["batches"]:
        for file in batch["files"]:
            if file["kind"] == DatasetKind.TRAIN and file["state"] == UploadState.WITHDRAWN:
                yield file["key"]


def _live(document: Mapping[str, Any]) -> Iterator[str]:
    if not document["made_live"]:
        yield "It was never made the champion."
    for made in document["made_live"]:
        reason = f": {made['reason']}" if made["reason"] else ""
        who = with_short_principals(made["who"])
        yield f"Made live on {made['at'][:16]} by {who}{reason} (entry {made['entry']})"


def _batch(title: str, batch: Mapping[str, Any]) -> Iterator[Any]:
    tested = f", {batch['test_documents']:,} to test" if batch["test_documents"] else ""
    words = f"{title} batch {batch['batch']} ({batch['outcome'] or 'under way'})"
    yield Text(f"{words}: {number_of(batch['documents'], 'document')}{tested}", "bold")
    for arn in batch["datasets"]:
        yield _line(f"dataset {arn}")
    whole = "" if batch["is_manifest_whole"] else " - AND THE MANIFEST IS ANOTHER NOW"
    sha256 = (batch["manifest_sha256"] or "none")[:_DIGITS]
    yield _line(f"manifest {batch['manifest']}, sha256 {sha256}{whole}")
    for file in batch["files"][:_FILES_SHOWN]:
        sha256 = f", sha256 {file['sha256'][:_DIGITS]}" if file["sha256"] else ""
        withdrawn = ", WITHDRAWN since" if file["state"] == UploadState.WITHDRAWN else ""
        yield _line(f"{file['key']}, version {file['version_id']}{sha256}{withdrawn}")
    left = len(batch["files"]) - _FILES_SHOWN
    if left > 0:
        yield _line(f"and {left:,} more (--json has them all)")


def _line(words: str) -> Padding:
    return Padding(Text(words, overflow="fold"), (0, 0, 0, 2), expand=False)
