"""How the record looks at 80 columns: the timeline, the batches, and a model's lineage.

Decides looks only. Read next: `console.record.timeline`, `console.record.history` and
`console.record.lineage` (the facts).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.record.history import Entry, why
from console.record.timeline import Event
from console.views.layout import first_of, indented, short_actor, with_short_principals
from console.views.verdict import OUTCOME_STYLES, f1_words
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.notices.notice import file_name, shown
from flywheel.number_words import number_of

_EVENT_STYLES = {
    "upload refused": "red",
    "verdict carried out": "bold",
    "champion changed": "bold",
    "champion changed outside": "bold yellow",
    "paused": "yellow",
    "withdrawal": "yellow",
    "act refused": "red",
    "answer refused": "red",
}
_BATCH_FILES_SHOWN, _LINEAGE_FILES_SHOWN = 4, 10
_DIGITS = 16
"""Enough of a hash to compare by eye; --json has all of it."""


def timeline_view(events: Sequence[Event]) -> RenderableType:
    """Return events: when and what, then who and why below."""
    parts: list[RenderableType] = []
    for event in events:
        at = datetime.fromisoformat(event.at)
        what = shown(with_short_principals(event.what), 200)
        style = _EVENT_STYLES.get(event.event, "")
        first = Text.assemble(f"{at:%Y-%m-%d %H:%M}  ", (what, style), overflow="fold")
        why_words = shown(with_short_principals(event.why), 300)
        who = short_actor(event.who, 40)
        parts += [first, indented(f"{who}{': ' if event.why else ''}{why_words}", 18, "dim")]
    return Group(*parts)


def history_view(entries: Sequence[Entry]) -> Group:
    """Return batches: a line of facts, the files, the first reason."""
    header = f"{'n':>4}  {'opened (UTC)':<16}  {'documents':>9}  {'F1':<23}  outcome"
    parts: list[RenderableType] = [Text(header, "bold")]
    for batch, stored in entries:
        parts += [_batch_line(batch, stored), indented(_batch_files(batch), 6, "dim")]
        if reason := why(batch, stored):
            parts.append(indented(reason, 6))
    return Group(*parts)


def _batch_line(batch: BatchRow, stored: StoredVerdict | None) -> Text:
    opened = datetime.fromisoformat(batch.opened_at)
    text = Text(f"{batch.batch:>4}  {opened:%Y-%m-%d %H:%M}  {batch.documents:>9,}")
    text.append(f"  {f1_words(stored):<23}  ")
    if batch.outcome is None:
        return text.append(batch.state.value, "cyan")
    return text.append(batch.outcome.value, OUTCOME_STYLES[batch.outcome])


def _batch_files(batch: BatchRow) -> str:
    names = ", ".join(file_name(key) for key in batch.uploads[:_BATCH_FILES_SHOWN])
    more = ", ..." if batch.upload_count > _BATCH_FILES_SHOWN else ""
    again = f"; batch {batch.rejudges} judged again" if batch.rejudges is not None else ""
    return f"{number_of(batch.upload_count, 'upload')}{': ' if names else ''}{names}{more}{again}"


def lineage_view(document: Mapping[str, Any]) -> Group:
    """Return a lineage, from the model back to the files."""
    parts: list[RenderableType] = [Text(document["model"], "bold", overflow="fold")]
    parts += map(indented, _made_live(document))
    verdict = document["verdict"]
    if verdict is None:
        return Group(*parts, Text("  No batch trained it: it came from outside."))
    parts.append(
        indented(
            f"Judged {verdict['decision']} on {verdict['at'][:16]}, batch {verdict['batch']}, "
            f"iteration {document['iteration_id']}, generation {document['generation']}"
        )
    )
    if "document_sha256" in verdict:
        digits = verdict["document_sha256"][:_DIGITS]
        parts.append(indented(f"Verdict {verdict['document']}, sha256 {digits}"))
    if withdrawn := sorted(set(_withdrawn_files(document))):
        named = first_of(withdrawn, _LINEAGE_FILES_SHOWN, characters=1024)
        parts.append(Text(f"Trained on rows that were withdrawn since: {named}", "bold yellow"))
    title = "Trained on"
    for batch in document["batches"]:
        if batch["rejudges"] is not None:
            parts += _trained_on(f"Judged again, after batch {batch['rejudges']}, with", batch)
            continue
        parts += _trained_on(title, batch)
        title = "And on"
    for imported in document["imported"]:
        words = number_of(imported["documents"], "imported document")
        parts.append(Text(f"And on {words} (uid {imported['uid'][:_DIGITS]})", "bold"))
    return Group(*parts)


def _withdrawn_files(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of training files that were withdrawn."""
    for batch in document["batches"]:
        for file in batch["files"]:
            if file["kind"] == DatasetKind.TRAIN and file["state"] == UploadState.WITHDRAWN:
                yield file["key"]


def _made_live(document: Mapping[str, Any]) -> Iterator[str]:
    if not document["made_live"]:
        yield "It was never made the champion."
    for made in document["made_live"]:
        reason = f": {made['reason']}" if made["reason"] else ""
        who = with_short_principals(made["who"])
        yield f"Made live on {made['at'][:16]} by {who}{reason} (entry {made['entry']})"


def _trained_on(title: str, batch: Mapping[str, Any]) -> Iterator[RenderableType]:
    tested = f", {batch['test_documents']:,} to test" if batch["test_documents"] else ""
    words = f"{title} batch {batch['batch']} ({batch['outcome'] or 'under way'})"
    yield Text(f"{words}: {number_of(batch['documents'], 'document')}{tested}", "bold")
    for arn in batch["datasets"]:
        yield indented(f"dataset {arn}")
    changed = "" if batch["is_manifest_whole"] else " - THE MANIFEST WAS CHANGED SINCE"
    sha256 = (batch["manifest_sha256"] or "none")[:_DIGITS]
    yield indented(f"manifest {batch['manifest']}, sha256 {sha256}{changed}")
    for file in batch["files"][:_LINEAGE_FILES_SHOWN]:
        sha256 = f", sha256 {file['sha256'][:_DIGITS]}" if file["sha256"] else ""
        withdrawn = ", WITHDRAWN since" if file["state"] == UploadState.WITHDRAWN else ""
        yield indented(f"{file['key']}, version {file['version_id']}{sha256}{withdrawn}")
    left = len(batch["files"]) - _LINEAGE_FILES_SHOWN
    if left > 0:
        yield indented(f"and {left:,} more (--json lists all)")
