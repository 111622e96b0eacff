"""The ledger's part in a rebuild: REQUESTED, CREATING, SWITCHED, and its end.

Each step is one transaction that expects the step before it. Who calls which is said in
docs/reliability.md. Read next: `rebuild_flywheel.handler`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.ledger.audit import Audited
from adapters.ledger.flywheel_rows import (
    FlywheelRow,
    Rebuild,
    change_flywheel,
    rebuild_values,
    unchanged_rebuild,
)
from adapters.ledger.table import Key, Put
from adapters.ledger.test_sets import past_test_set
from flywheel.notices import Notice


class Rebuilds(Audited):
    """Writes down the steps of rebuilds."""

    def ask(self, row: FlywheelRow, asked: Rebuild, notice: Notice, now: datetime) -> None:
        """Let the next generation begin: no batch opens until it has switched."""
        expected = {"open_batch": None, **unchanged_rebuild(row)}
        change = change_flywheel(row.name, {"rebuild": rebuild_values(asked)}, expected)
        details = {"generation": row.generation + 1, **rebuild_values(asked)}
        self._audit.act(row.name, "rebuild asked for", details, change, notice=notice, now=now)

    def note_created(self, row: FlywheelRow, arn: str) -> None:
        """Write down the new generation's flywheel."""
        asked = row.rebuild
        if asked is None:
            return
        created = replace(asked, step="CREATING", arn=arn)
        self._table.write(
            [
                change_flywheel(
                    row.name,
                    {"rebuild": rebuild_values(created)},
                    {"rebuild": rebuild_values(asked)},
                )
            ]
        )

    def switch(self, row: FlywheelRow, now: datetime) -> None:
        """Make the new generation the flywheel: its slots are free and nothing taints it."""
        asked = row.rebuild
        if asked is None or asked.arn is None:
            return
        dropped = sorted({*row.dropped_labels, *asked.drop_labels} - set(asked.add_labels))
        changes = {
            "rebuild": rebuild_values(replace(asked, step="SWITCHED")),
            "arn": asked.arn,
            "deployed_arn": row.deployed_arn,
            "generation": row.generation + 1,
            "train_datasets": 0,
            "test_datasets": 0,
            "test_set": None,
            "past_test_set": past_test_set(row),
            "generation_looks": 0,
            "taint": None,
            "failures_in_row": None,
            "dropped_labels": dropped or None,
        }
        past = {"arn": row.arn, "until": now.isoformat(), "last_batch": row.last_batch}
        self._audit.act(
            row.name,
            "generation switched",
            {"before": row.arn, "arn": asked.arn, "generation": row.generation + 1},
            change_flywheel(
                row.name, changes, {"rebuild": rebuild_values(asked), "open_batch": None}
            ),
            Put(Key(f"FLYWHEEL#{row.name}", f"GENERATION#{row.generation:05d}"), past),
            now=now,
        )

    def abandon(self, row: FlywheelRow, why: str, notice: Notice, now: datetime) -> None:
        """End a rebuild whose flywheel cannot be made; the present generation goes on."""
        if row.rebuild is None:
            return
        change = change_flywheel(
            row.name, {"rebuild": None}, {"rebuild": rebuild_values(row.rebuild)}
        )
        self._audit.act(row.name, "rebuild failed", {"why": why}, change, notice=notice, now=now)

    def end(
        self, row: FlywheelRow, endpoints: Sequence[str], notice: Notice, now: datetime
    ) -> None:
        """End a rebuild whose model is live."""
        asked = row.rebuild
        if asked is None:
            return
        change = change_flywheel(row.name, {"rebuild": None}, {"rebuild": rebuild_values(asked)})
        details = {"before": asked.before_arn, "arn": row.arn, "endpoints": list(endpoints)}
        self._audit.act(row.name, "rebuilt", details, change, notice=notice, now=now)
