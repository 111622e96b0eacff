"""The batches of a flywheel, newest first: what went in, what came of it, and why.

Decides which facts are told of a batch and how they look at 80 columns.
"""

from datetime import datetime
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.environment.target import Target
from console.views.verdict import OUTCOME_STYLES, f1_of, f1_words, verdict_json
from flywheel.notices.notice import file_name, shown
from flywheel.number_words import number_of

_INDENT = (0, 0, 0, 6)
_FILES_SHOWN = 4

Entry = tuple[BatchRow, StoredVerdict | None]


def entries(target: Target, known: KnownFlywheel, most: int) -> list[Entry]:
    """Return the newest batches with their verdicts, newest first."""
    ledger, name = target.ledger(), known.settings.name
    row = ledger.flywheels.get(name)
    batches = [] if row is None else ledger.batches.newest(row, most)
    return [(batch, ledger.verdicts.get(batch)) for batch in batches]


def history_view(found: list[Entry]) -> Group:
    """Return batches as people read them: a line of facts, the files, the first reason."""
    header = f"{'n':>4}  {'opened (UTC)':<16}  {'documents':>9}  {'F1':<23}  outcome"
    parts: list[Text | Padding] = [Text(header, "bold")]
    for batch, stored in found:
        parts.append(_line(batch, stored))
        parts.append(Padding(Text(_files(batch), "dim"), _INDENT, expand=False))
        if reason := why(batch, stored):
            parts.append(Padding(Text(reason), _INDENT, expand=False))
    return Group(*parts)


def why(batch: BatchRow, stored: StoredVerdict | None) -> str:
    """Return the first reason of a batch's outcome; empty while it runs."""
    if batch.error:
        return f"{batch.error}: {shown(batch.cause or '', 200)}"
    if stored is not None and stored.because is not None:
        return shown(stored.because, 200)
    reasons = stored.verdict.reasons if stored is not None else []
    return reasons[0] if reasons else ""


def entry_document(batch: BatchRow, stored: StoredVerdict | None) -> dict[str, Any]:
    """Return a batch as JSON values."""
    f1 = f1_of(stored)
    return {
        "batch": batch.batch,
        "rejudges": batch.rejudges,
        "opened_at": batch.opened_at,
        "closed_at": batch.closed_at,
        "state": batch.state.value,
        "uploads": list(batch.uploads),
        "upload_count": batch.upload_count,
        "documents": batch.documents,
        "iteration_id": batch.iteration_id,
        "champion_f1": f1.champion,
        "challenger_f1": f1.challenger,
        "change": f1.gain,
        "outcome": batch.outcome,
        "why": why(batch, stored),
        **verdict_json(stored),
    }


def _line(batch: BatchRow, stored: StoredVerdict | None) -> Text:
    opened = datetime.fromisoformat(batch.opened_at)
    text = Text(f"{batch.batch:>4}  {opened:%Y-%m-%d %H:%M}  {batch.documents:>9,}")
    text.append(f"  {f1_words(stored):<23}  ")
    if batch.outcome is None:
        return text.append(batch.state.value, "cyan")
    return text.append(batch.outcome.value, OUTCOME_STYLES[batch.outcome])


def _files(batch: BatchRow) -> str:
    names = ", ".join(file_name(key) for key in batch.uploads[:_FILES_SHOWN])
    more = ", ..." if batch.upload_count > _FILES_SHOWN else ""
    again = f"; batch {batch.rejudges} judged again" if batch.rejudges is not None else ""
    return f"{number_of(batch.upload_count, 'upload')}{': ' if names else ''}{names}{more}{again}"
