"""The ledger's row of a flywheel: is it idle, which batch is open, what has it used.

The row is written by the one open batch alone, so it is never contended. How many uploads were
registered is counted in a row of its own, which the state machine reads while it gathers.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from application.ledger.audit import Audited
from application.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    flywheel_key,
    flywheel_row,
    iteration_key,
)
from application.port_values import Change, Key, Put
from flywheel.errors import ConcurrentChangeError
from flywheel.notices.notice import Notice

if TYPE_CHECKING:
    from flywheel.evaluation.verdict import Verdict

GATHER_SK = "GATHER"
"""Sort key of the row whose ``registrations`` the Gather state watches."""


class Flywheels(Audited):
    """Reads flywheels' rows, counts registrations, and writes down acts on a flywheel."""

    def ensure(self, name: str, arn: str) -> FlywheelRow:
        """Return the flywheel's row; the first to ask creates it."""
        row = self.get(name)
        if row is not None:
            return row
        values = {"name": name, "arn": arn, "generation": 1, "last_batch": 0}
        # Another function may create it meanwhile, which is what is wanted too.
        with suppress(ConcurrentChangeError):
            self._table.write([Put(flywheel_key(name), values)])
        return self.get(name) or FlywheelRow(name, arn)

    def get(self, name: str) -> FlywheelRow | None:
        """Return the flywheel's row, or None before its first upload."""
        item = self._table.get(flywheel_key(name))
        return None if item is None else flywheel_row(item)

    def count_registration(self, name: str) -> int:
        """Count one more staged upload and return the count."""
        return self._table.count_up(Key(f"FLYWHEEL#{name}", GATHER_SK), "registrations")

    def registrations(self, name: str) -> int:
        """Return how many uploads were ever staged."""
        item = self._table.get(Key(f"FLYWHEEL#{name}", GATHER_SK))
        return 0 if item is None else int(item["registrations"])

    def free(self, name: str, batch: int, attempt: int = 1) -> bool:
        """Make the flywheel idle again; False where another batch or attempt is open, or none."""
        # The first attempt of a batch is not written down.
        expected = {"open_batch": batch, "open_attempt": attempt if attempt > 1 else None}
        try:
            self._table.write(
                [change_flywheel(name, {"open_batch": None, "open_attempt": None}, expected)]
            )
        except ConcurrentChangeError:
            row = self.get(name)
            if row is not None and (row.open_batch, row.open_attempt) == (batch, attempt):
                raise
            return False
        return True

    def last_of_earlier(self, row: FlywheelRow) -> int:
        """Return the last batch of the flywheel's other generations; 0 where there is none."""
        past = self._table.query(f"FLYWHEEL#{row.name}", "GENERATION#")
        return max((int(item["last_batch"]) for item in past), default=0)

    def earlier_arns(self, row: FlywheelRow) -> list[str]:
        """Return the ARNs of the flywheel's other generations, oldest first."""
        past = self._table.query(f"FLYWHEEL#{row.name}", "GENERATION#")
        return [str(item["arn"]) for item in past]

    def ask_for_batch(self, name: str, who: str) -> Change:
        """Return the write after which the next batch does not wait for our own minimums."""
        return change_flywheel(name, {"asked_by": who})

    def pause(self, row: FlywheelRow, reason: str, notice: Notice, now: datetime) -> None:
        """Let no batch open."""
        pause = {"by": self._actor, "reason": reason, "at": now.isoformat()}
        change = change_flywheel(row.name, {"pause": pause}, {"pause": None})
        self._audit.act(row.name, "paused", {"reason": reason}, change, notice=notice, now=now)

    def resume(self, row: FlywheelRow, reason: str, notice: Notice, now: datetime) -> None:
        """Let batches open and verdicts promote again, and count failures anew."""
        pauses = {"pause": row.pause, "promotion_pause": row.promotion_pause}
        expected = {name: asdict(pause) if pause else None for name, pause in pauses.items()}
        changes = {"pause": None, "promotion_pause": None, "failures_in_row": None}
        change = change_flywheel(row.name, changes, expected)
        self._audit.act(row.name, "resumed", {"reason": reason}, change, notice=notice, now=now)

    def note_stop(self, row: FlywheelRow, model_arn: str, reason: str, now: datetime) -> None:
        """Write down that a model's training is stopped, before it is."""
        details = {"model": model_arn, "reason": reason}
        self._audit.act(row.name, "training stopped", details, now=now)

    def ask_to_freeze(self, row: FlywheelRow, now: datetime) -> None:
        """Have the drafts of the test set frozen with the next batch."""
        change = change_flywheel(row.name, {"freeze_asked_by": self._actor})
        self._audit.act(row.name, "freeze asked for", {}, change, now=now)

    def note_withdrawal(
        self, name: str, details: Mapping[str, Any], notice: Notice, now: datetime
    ) -> None:
        """Write down that data is taken back, before it is."""
        self._audit.act(name, "withdrawal", details, notice=notice, now=now)

    def knows_iteration(self, name: str, iteration_id: str) -> bool:
        """Say whether a batch booked an iteration, or it was written down as somebody else's."""
        return self._table.get(iteration_key(name, iteration_id)) is not None

    def note_outside_iteration(
        self, name: str, iteration_id: str, notice: Notice | None, now: datetime
    ) -> None:
        """Write down an iteration that no batch booked, once."""
        put = Put(iteration_key(name, iteration_id), {"at": now.isoformat()})
        details = {"iteration_id": iteration_id}
        self._audit.act(name, "outside iteration", details, put, notice=notice, now=now)

    def is_unjudged(self, name: str, iteration_id: str) -> bool:
        """Say whether an iteration is somebody else's and nobody has judged it."""
        item = self._table.get(iteration_key(name, iteration_id))
        return item is not None and not {"batch", "judged_at"} & set(item)

    def judge_outside_iteration(
        self, name: str, iteration_id: str, verdict: "Verdict", notice: Notice, now: datetime
    ) -> None:
        """Record the verdict about an iteration that no batch booked, once, with its notice."""
        changes = {"judged_at": now.isoformat(), "verdict": verdict.to_json()}
        change = Change(
            iteration_key(name, iteration_id), changes, {"judged_at": None, "batch": None}
        )
        details = {
            "iteration_id": iteration_id,
            "decision": verdict.decision,
            "challenger": verdict.evidence.challenger_arn,
            "policy_sha256": verdict.policy_sha256,
        }
        self._audit.act(name, "outside iteration judged", details, change, notice=notice, now=now)
