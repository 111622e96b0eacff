"""The batches of a flywheel, newest first: what went in, what came of it, and why.

Decides which facts describe a batch, and the JSON form of a verdict. Read next:
`console.views.record` (how they look).
"""

import re
from dataclasses import asdict
from typing import Any

from application.configuration import KnownFlywheel
from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.environment.target import Target
from flywheel.evaluation.verdict_view import F1, AverageChange, VerdictView
from flywheel.notices.notice import shown

_MODEL_KIND = re.compile(":(?:document-classifier|entity-recognizer)/")


def f1_of(stored: StoredVerdict | None) -> AverageChange:
    """Return AverageF1Score of champion and challenger; None where there is none."""
    return VerdictView(stored.verdict).f1 if stored else AverageChange(F1, None, None)


def verdict_json(stored: StoredVerdict | None) -> dict[str, Any]:
    """Return a verdict's decision and rules as JSON values."""
    if stored is None:
        return {"verdict": None, "kept": None, "because": None, "rules": []}
    return {
        "verdict": stored.verdict.decision.value,
        "kept": stored.kept,
        "because": stored.because,
        "rules": [asdict(rule) for rule in stored.verdict.outcomes],
    }


def model_name(arn: str | None) -> str:
    """Return a model's name and version, without what every model's ARN begins with.

    Examples
    --------
    >>> model_name("arn:aws:comprehend:eu-west-1:123456789012:document-classifier/a/version/b")
    'a/version/b'
    """
    return _MODEL_KIND.split(arn)[-1] if arn else "no model yet"


Entry = tuple[BatchRow, StoredVerdict | None]


def entries(target: Target, known: KnownFlywheel, most: int) -> list[Entry]:
    """Return the newest batches with their verdicts, newest first."""
    ledger, name = target.ledger(), known.settings.name
    row = ledger.flywheels.get(name)
    batches = [] if row is None else ledger.batches.newest(row, most)
    return [(batch, ledger.verdicts.get(batch)) for batch in batches]


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
