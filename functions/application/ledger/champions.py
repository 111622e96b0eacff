"""The ledger's record of champions, and the changes of a champion that are under way.

``FLYWHEEL#<name> / CHAMPION#<number>`` is written once and never changed. Who changes the active
model says so in the flywheel's row first, so that a verdict and a person never do at once: each
of the two finds what the other has begun. Read next: `flywheel.evaluation.champions`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from application.ledger.audit import Audited
from application.ledger.batch_rows import BatchRow
from application.ledger.flywheel_rows import (
    ChampionChange,
    FlywheelRow,
    change_flywheel,
    unchanged_champion,
    unchanged_rebuild,
)
from application.port_values import Change, Item, Key, Put
from flywheel.batches.batches import BatchState
from flywheel.evaluation.champions import OUTSIDE, Champion, ChampionSource
from flywheel.notices.notice import Notice

_BARRED_KEPT = 100
"""How many models stay barred; a flywheel's item is bounded."""


@dataclass(frozen=True, slots=True)
class Succession:
    """What a new champion writes: changes of the flywheel's row, and entries of the history."""

    changes: Mapping[str, Any]
    entries: tuple[Put, ...]


def succession(
    row: FlywheelRow,
    model: str | None,
    *,
    how: ChampionSource,
    by: str,
    now: datetime,
    before: str | None = None,
    batch: int | None = None,
    reason: str | None = None,
    request: str | None = None,
    moves_anchor: bool = True,
) -> Succession:
    """Return the writes by which a model becomes the champion in the ledger.

    Parameters
    ----------
    before : str or None
        What was live until now; where the history is empty it is its first entry, so that it can
        be gone back to.
    moves_anchor : bool
        Whether non-inferiority is measured from it on: not where it was promoted as no worse.
    """
    made: list[Champion] = []
    if not row.champions and before not in {None, model}:
        made.append(Champion(1, before, ChampionSource.OUTSIDE, OUTSIDE, now.isoformat()))
    number = row.champions + len(made) + 1
    made.append(Champion(number, model, how, by, now.isoformat(), batch, reason, request))
    entries = tuple(Put(_key(row.name, item.number), asdict(item)) for item in made)
    changes: dict[str, Any] = {"expected_champion": model, "champions": number}
    if moves_anchor and model is not None:
        changes["anchor"] = model
    elif row.anchor is None and before is not None:
        # The first model that the ledger hears of, e.g. of a flywheel that was adopted.
        changes["anchor"] = before
    return Succession(changes, entries)


class Champions(Audited):
    """Reads who was live, and writes down changes by people."""

    def history(self, flywheel: str) -> list[Champion]:
        """Return every champion, oldest first."""
        items = self._table.query(f"FLYWHEEL#{flywheel}", "CHAMPION#")
        return [_champion(item) for item in items]

    def claim(self, row: FlywheelRow, batch: BatchRow) -> None:
        """Say that a batch's verdict is about to change the active model; safe to repeat.

        Raises
        ------
        ConcurrentChangeError
            A person is about to, or this attempt is over.
        """
        is_open = {"state": BatchState.STARTED, "attempt": batch.attempt}
        self._table.write(
            [
                change_flywheel(row.name, {"promoting": batch.name.label}, {"change": None}),
                Change(Key(f"BATCH#{row.name}#{batch.batch}", "BATCH"), {}, is_open),
            ]
        )

    def begin(self, row: FlywheelRow, change: ChampionChange, now: datetime) -> None:
        """Say that a person is about to change the active model.

        Raises
        ------
        ConcurrentChangeError
            A verdict or somebody else is about to, the champion is another by now, or a rebuild
            went on.
        """
        expected = {**unchanged_champion(row), "promoting": None, **unchanged_rebuild(row)}
        begun = change_flywheel(row.name, {"change": _values(change)}, expected)
        details = {name: value for name, value in _values(change).items() if name != "request"}
        self._audit.act(row.name, "champion change began", details, begun, now=now)

    def note_outside(
        self, row: FlywheelRow, active: str | None, notice: Notice | None, now: datetime
    ) -> None:
        """Take a model that was made active outside for the champion."""
        new = succession(
            row,
            active,
            how=ChampionSource.OUTSIDE,
            by=OUTSIDE,
            now=now,
            before=row.expected_champion,
        )
        expected = {"expected_champion": row.expected_champion, "open_batch": None, "arn": row.arn}
        change = change_flywheel(row.name, new.changes, {**expected, **unchanged_champion(row)})
        details = {"before": row.expected_champion, "active": active, "by": OUTSIDE}
        self._audit.act(
            row.name,
            "champion changed outside",
            details,
            change,
            *new.entries,
            notice=notice,
            now=now,
        )

    def complete(
        self, row: FlywheelRow, change: ChampionChange, notice: Notice, now: datetime
    ) -> None:
        """Record that the model is live, with its notice.

        A rollback bars the model that it leaves, and pauses what verdicts do; a promotion lifts the
        bar of the model that it makes active.
        """
        new = succession(
            row,
            change.model,
            how=ChampionSource(change.how),
            by=change.by,
            now=now,
            before=change.before,
            reason=change.reason,
            request=change.request,
        )
        barred = [model for model in row.barred if model != change.model]
        changes: dict[str, Any] = {**new.changes, "change": None}
        if change.how == ChampionSource.ROLLBACK:
            barred = [*barred, *([change.before] if change.before else [])][-_BARRED_KEPT:]
            changes["promotion_pause"] = {
                "by": change.by,
                "reason": f"rollback: {change.reason}",
                "at": now.isoformat(),
            }
        changes["barred"] = barred or None
        details = {
            "how": change.how,
            "by": change.by,
            "before": change.before,
            "active": change.model,
            "reason": change.reason,
        }
        self._audit.act(
            row.name,
            "champion changed",
            details,
            change_flywheel(row.name, changes, {"change": _values(change)}),
            *new.entries,
            notice=notice,
            now=now,
        )

    def abandon(self, row: FlywheelRow, change: ChampionChange, why: str, now: datetime) -> None:
        """End a change that cannot be made; the active model is as it was."""
        over = change_flywheel(row.name, {"change": None}, {"change": _values(change)})
        details = {"how": change.how, "model": change.model, "why": why}
        self._audit.act(row.name, "champion change abandoned", details, over, now=now)

    def note_refusal(
        self, flywheel: str, asked: Mapping[str, Any], why: str, now: datetime
    ) -> None:
        """Write down that somebody asked for what cannot be; nothing else is changed."""
        self._audit.act(flywheel, "act refused", {**asked, "why": why}, now=now)


def _champion(item: Item) -> Champion:
    fields: dict[str, Any] = {name: item.get(name) for name in Champion.__dataclass_fields__}
    return Champion(**{**fields, "how": ChampionSource(item["how"])})


def _values(change: ChampionChange) -> dict[str, Any]:
    return {name: value for name, value in asdict(change).items() if value is not None}


def _key(flywheel: str, number: int) -> Key:
    return Key(f"FLYWHEEL#{flywheel}", f"CHAMPION#{number:06d}")
