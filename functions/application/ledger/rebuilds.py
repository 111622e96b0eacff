"""The ledger's part in a rebuild: REQUESTED, CREATING, SWITCHED, RETURNING, and its end.

Each step is one transaction that expects the step before it. docs/reliability.md names the
callers. Read next: `rebuild_flywheel.handler`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from application.ledger.audit import Audited
from application.ledger.flywheel_rows import (
    FlywheelRow,
    RebuildState,
    change_flywheel,
    rebuild_values,
    unchanged_champion,
    unchanged_rebuild,
)
from application.port_values import Delete, Key, Put
from flywheel.notices.notice import Notice


@dataclass(frozen=True, slots=True)
class PastGeneration:
    """A generation that batches do not go to any more.

    Parameters
    ----------
    generation : int
    arn : str
    left : mapping or None
        What the flywheel's row said of it at its end; None where an earlier release switched.
    """

    generation: int
    arn: str
    left: Mapping[str, Any] | None


class Rebuilds(Audited):
    """Writes down the steps of rebuilds."""

    def ask(self, row: FlywheelRow, asked: RebuildState, notice: Notice, now: datetime) -> None:
        """Let the next generation begin: no batch opens until it has switched."""
        expected = {"open_batch": None, **unchanged_rebuild(row)}
        change = change_flywheel(row.name, {"rebuild": rebuild_values(asked)}, expected)
        details = {"generation": row.next_generation, **rebuild_values(asked)}
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

    def switch(self, row: FlywheelRow, notice: Notice | None, now: datetime) -> None:
        """Make the new generation the flywheel: its slots are free and nothing taints it.

        Parameters
        ----------
        notice : Notice or None
            Where people must do something before it can train.
        """
        asked = row.rebuild
        if asked is None or asked.step != "CREATING":
            return
        dropped = sorted({*row.dropped_labels, *asked.drop_labels} - set(asked.add_labels))
        changes = {
            "rebuild": rebuild_values(replace(asked, step="SWITCHED")),
            "arn": asked.arn,
            "deployed_arn": row.deployed_arn,
            "generation": row.next_generation,
            "train_datasets": 0,
            "test_datasets": 0,
            "test_set": None,
            "past_test_set": _passed_on(row),
            "generation_looks": 0,
            "taint": None,
            "failures_in_row": None,
            "dropped_labels": dropped or None,
        }
        if asked.add_labels or asked.drop_labels:
            # It begins without a model: nobody took the earlier one's away.
            changes["expected_champion"] = None
        self._audit.act(
            row.name,
            "generation switched",
            {"before": row.arn, "arn": asked.arn, "generation": row.next_generation},
            change_flywheel(row.name, changes, _as_it_was(row, asked)),
            _left(row, now),
            notice=notice,
            now=now,
        )

    def give_up(self, row: FlywheelRow, reason: str, notice: Notice, now: datetime) -> None:
        """Give a generation up: uploads go back first, since some may wait for it already."""
        asked = row.rebuild
        if asked is None:
            return
        number = row.generation if asked.step == "SWITCHED" else row.next_generation
        changes = {
            "rebuild": rebuild_values(replace(asked, step="RETURNING")),
            "given_up_generation": max(number, row.given_up_generation),
        }
        self._audit.act(
            row.name,
            "rebuild given up",
            {"generation": number, "arn": asked.arn, "reason": reason},
            change_flywheel(row.name, changes, _as_it_was(row, asked)),
            notice=notice,
            now=now,
        )

    def stay(self, row: FlywheelRow, taint: Sequence[str], now: datetime) -> None:
        """End a rebuild before batches went to its generation; the present one goes on.

        Parameters
        ----------
        taint : sequence of str
            Inbox keys that were withdrawn and are in its datasets.
        """
        asked = row.rebuild
        if asked is None:
            return
        changes = {"rebuild": _earlier_values(asked), "taint": list(taint) or None}
        expected = {**_as_it_was(row, asked), **_same_taint(row)}
        change = change_flywheel(row.name, changes, expected)
        self._audit.act(
            row.name, "generation stays", {"generation": row.generation}, change, now=now
        )

    def go_back(
        self, row: FlywheelRow, past: PastGeneration, taint: Sequence[str], now: datetime
    ) -> None:
        """Make the earlier generation the flywheel again, as it was left.

        Looks at the given-up generation's test set were looks at the earlier one's rows too.

        Parameters
        ----------
        past : PastGeneration
            The earlier one.
        taint : sequence of str
            Inbox keys that were withdrawn and are in its datasets.
        """
        asked, left = row.rebuild, past.left
        if asked is None or left is None:
            return
        test_set = left["test_set"]
        if test_set is not None:
            test_set = {**test_set, "looks": test_set["looks"] + row.generation_looks}
        # Of labels that came after it, with this rebuild or with one given up before, rows wait.
        dropped_since = set(row.dropped_labels) - set(asked.drop_labels)
        unknown_there = {*left["dropped_labels"], *asked.add_labels, *dropped_since}
        changes = {
            "rebuild": _earlier_values(asked),
            "arn": past.arn,
            "generation": past.generation,
            "train_datasets": left["train_datasets"],
            "test_datasets": left["test_datasets"],
            "test_set": test_set,
            "past_test_set": _passed_on(row),
            "generation_looks": left["generation_looks"] + row.generation_looks,
            "taint": list(taint) or None,
            "failures_in_row": None,
            "dropped_labels": sorted(unknown_there) or None,
            "expected_champion": left["expected_champion"],
        }
        self._audit.act(
            row.name,
            "generation switched",
            {"before": row.arn, "arn": past.arn, "generation": past.generation, "is_return": True},
            change_flywheel(row.name, changes, {**_as_it_was(row, asked), **_same_taint(row)}),
            Delete(_generation_key(row.name, past.generation)),
            _left(row, now),
            now=now,
        )

    def past(self, row: FlywheelRow, arn: str) -> PastGeneration | None:
        """Return the past generation whose flywheel has this ARN, or None."""
        for item in self._table.query(f"FLYWHEEL#{row.name}", "GENERATION#"):
            if item["arn"] == arn:
                number = int(item["sk"].rpartition("#")[2])
                return PastGeneration(number, arn, item.get("left"))
        return None

    def abandon(self, row: FlywheelRow, why: str, notice: Notice, now: datetime) -> None:
        """Give up a rebuild whose flywheel cannot be made; its name may be used again."""
        if row.rebuild is None:
            return
        change = change_flywheel(
            row.name,
            {"rebuild": rebuild_values(replace(row.rebuild, step="RETURNING"))},
            {"rebuild": rebuild_values(row.rebuild)},
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


def _earlier_values(asked: RebuildState) -> dict[str, Any] | None:
    """Return what the row holds of the rebuild before this one, if that one is not over."""
    return rebuild_values(asked.earlier) if asked.earlier else None


def _as_it_was(row: FlywheelRow, asked: RebuildState) -> dict[str, Any]:
    """Return the expectation that no batch, rebuild or champion changed since the row was read."""
    return {"rebuild": rebuild_values(asked), "open_batch": None, **unchanged_champion(row)}


def _same_taint(row: FlywheelRow) -> dict[str, Any]:
    """Return the expectation that nothing was withdrawn from datasets since the row was read."""
    return {"taint": list(row.taint) or None}


def _passed_on(row: FlywheelRow) -> dict[str, Any] | None:
    """Return what the next generation must know of this one's test set, as the row holds it."""
    last = row.last_test_set
    return asdict(last.without_labels()) if last else None


def _generation_key(name: str, generation: int) -> Key:
    return Key(f"FLYWHEEL#{name}", f"GENERATION#{generation:05d}")


def _left(row: FlywheelRow, now: datetime) -> Put:
    """Return the write that keeps what a generation is at its end, so that it can go on."""
    left = {
        "train_datasets": row.train_datasets,
        "test_datasets": row.test_datasets,
        "test_set": asdict(row.test_set) if row.test_set else None,
        "generation_looks": row.generation_looks,
        "dropped_labels": list(row.dropped_labels),
        "expected_champion": row.expected_champion,
    }
    values = {"arn": row.arn, "until": now.isoformat(), "last_batch": row.last_batch, "left": left}
    return Put(_generation_key(row.name, row.generation), values)
