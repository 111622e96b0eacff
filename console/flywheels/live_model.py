"""The model that is live: how good it is, since when, and the last verdict that compared models.

Decides which verdicts these facts come from. Changes nothing. Read next:
`console.views.status`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from console.record.history import f1_of
from flywheel.batches.batches import BatchState
from flywheel.evaluation.champions import Champion

BATCHES_READ = 20
"""How many batches back a verdict is looked for."""


@dataclass(frozen=True, slots=True)
class ComparedModels:
    """A closed batch whose verdict compared two models."""

    batch: BatchRow
    stored: StoredVerdict


@dataclass(frozen=True, slots=True)
class LiveModel:
    """The facts about the active model.

    Parameters
    ----------
    f1 : float or None
        Its AverageF1Score in [0, 1], by the newest verdict that measured it.
    measured_by : int or None
        The batch of that verdict.
    champion : Champion or None
        Since when it is live, and who made it so; None where the ledger does not know.
    compared : ComparedModels or None
        The newest verdict on two models, whichever they were.
    read_at : datetime
        When these facts were read; equal facts count as equal at any time.
    """

    f1: float | None
    measured_by: int | None
    champion: Champion | None
    compared: ComparedModels | None
    read_at: datetime = field(compare=False)

    @property
    def age(self) -> timedelta | None:
        """How long the model is live."""
        if self.champion is None:
            return None
        return max(self.read_at - datetime.fromisoformat(self.champion.at), timedelta(0))


def live_model(
    ledger: Ledger, row: FlywheelRow, active_model: str | None, now: datetime
) -> LiveModel:
    """Read the facts about a flywheel's active model."""
    batches = ledger.batches.newest(row, BATCHES_READ)
    judged = ((batch, ledger.verdicts.get(batch)) for batch in batches)
    history = ledger.champions.history(row.name) if active_model is not None else []
    return facts_of_model(active_model, judged, history, now)


def facts_of_model(
    model: str | None,
    judged: Iterable[tuple[BatchRow, StoredVerdict | None]],
    history: Sequence[Champion],
    now: datetime,
) -> LiveModel:
    """Return what verdicts and the history of champions say of a model.

    Parameters
    ----------
    model : str or None
        The active one.
    judged : iterable of tuple
        Batches with their verdicts, newest first; read no further than needed.
    history : sequence of Champion
        Oldest first.
    now : datetime
    """
    f1: float | None = None
    measured_by: int | None = None
    compared: ComparedModels | None = None
    for batch, stored in judged:
        if stored is None:
            continue
        if f1 is None and (f1 := _f1_of_model(stored, model)) is not None:
            measured_by = batch.batch
        if compared is None and batch.state is BatchState.CLOSED and _has_two_models(stored):
            compared = ComparedModels(batch, stored)
        if compared is not None and (f1 is not None or model is None):
            break
    last = history[-1] if history and history[-1].model == model else None
    return LiveModel(f1, measured_by, last, compared, now)


def live_document(live: LiveModel) -> dict[str, Any]:
    """Return the facts as JSON values."""
    champion, age = live.champion, live.age
    return {
        "f1": live.f1,
        "measured_by_batch": live.measured_by,
        "since": champion and champion.at,
        "age_seconds": None if age is None else int(age.total_seconds()),
        "how": champion and champion.how.value,
        "by": champion and champion.by,
        "batch": champion and champion.batch,
    }


def comparison_document(compared: ComparedModels | None) -> dict[str, Any] | None:
    """Return the verdict that compared models as JSON values."""
    if compared is None:
        return None
    f1 = f1_of(compared.stored)
    return {
        "batch": compared.batch.batch,
        "verdict": compared.stored.verdict.decision.value,
        "outcome": compared.batch.outcome,
        "closed_at": compared.batch.closed_at,
        "champion_f1": f1.champion,
        "challenger_f1": f1.challenger,
    }


def _f1_of_model(stored: StoredVerdict, model: str | None) -> float | None:
    """Return a model's F1 in a verdict; None where the verdict is not about it."""
    evidence = stored.verdict.evidence
    f1 = f1_of(stored)
    if model is None:
        return None
    if evidence.challenger_arn == model:
        return f1.challenger
    return f1.champion if evidence.champion_arn == model else None


def _has_two_models(stored: StoredVerdict) -> bool:
    evidence = stored.verdict.evidence
    return evidence.champion_arn is not None and evidence.challenger_arn is not None
