"""The ledger's rows of batches and verdicts: OPEN, SEALED, STARTED, JUDGED, CLOSED.

Every transition is one transaction that expects the state before it and carries the notice and
the audit entry of what it records. Who calls which is said in docs/architecture.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from adapters.ledger.audit import Audit, VerdictLink
from adapters.ledger.batch_rows import (
    BatchRow,
    FailedEnding,
    SealedFacts,
    StoredVerdict,
    batch_row,
)
from adapters.ledger.champions import succession
from adapters.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    frozen_late,
    iteration_key,
    next_test_set,
    unchanged_champion,
    unchanged_rebuild,
    with_past,
)
from adapters.ledger.holdings import Holdings, slot_changes, slots_used
from adapters.ledger.outbox import notice_row
from adapters.ledger.table import Change, Key, Put, Write
from adapters.ledger.verdict_rows import (
    stored_verdict,
    verdict_details,
    verdict_key,
    verdict_values,
)
from adapters.ports import Rows
from flywheel.batches import BatchOutcome, BatchState
from flywheel.champions import OUTSIDE, Course, How, Kept
from flywheel.errors import BatchNotFoundError, ConcurrentChangeError
from flywheel.notices import Notice
from flywheel.uploads import DatasetKind
from flywheel.verdict import Decision, Verdict
from flywheel.verdict_document import VerdictFacts

_UPLOADS_NAMED = 20
"""How many inbox keys a batch's row names; the manifest has them all, and a row is bounded."""


class Batches:
    """Moves batches from state to state.

    Parameters
    ----------
    table : Rows
    actor : str
        Who acts, for the audit.
    """

    def __init__(self, table: Rows, actor: str) -> None:
        self._table = table
        self._audit = Audit(table, actor)
        self._holdings = Holdings(table, actor)
        self._actor = actor

    def get(self, flywheel: str, batch: int) -> BatchRow:
        """Return a batch.

        Raises
        ------
        BatchNotFoundError
            There is no such batch.
        """
        item = self._table.get(_key(flywheel, batch))
        if item is None:
            raise BatchNotFoundError(f"the ledger has no batch {batch} of flywheel {flywheel}")
        return batch_row(item)

    def get_many(self, flywheel: str, numbers: Sequence[int]) -> list[BatchRow]:
        """Return those of the batches that there are, by number."""
        rows = self._table.get_many([_key(flywheel, number) for number in numbers])
        return sorted(map(batch_row, rows), key=lambda batch: batch.batch)

    def newest(self, flywheel: FlywheelRow, most: int) -> list[BatchRow]:
        """Return the newest batches of a flywheel, newest first."""
        first = max(1, flywheel.last_batch - most + 1)
        return self.get_many(flywheel.name, range(first, flywheel.last_batch + 1))[::-1]

    def open(
        self,
        flywheel: FlywheelRow,
        registrations: int,
        now: datetime,
        *,
        rejudges: int | None = None,
    ) -> BatchRow:
        """Open the next batch of an idle flywheel.

        Parameters
        ----------
        rejudges : int, optional
            The held batch whose models it has judged again.

        Raises
        ------
        ConcurrentChangeError
            Another batch was opened in this moment.
        """
        number = flywheel.last_batch + 1
        values = {
            "flywheel": flywheel.name,
            "batch": number,
            "state": BatchState.OPEN,
            "attempt": 1,
            "opened_at": now.isoformat(),
            "seen_registrations": registrations,
        }
        again = {} if rejudges is None else {"rejudges": rejudges}
        values |= again
        self._audit.act(
            flywheel.name,
            "batch opened",
            {"batch": number, **again},
            change_flywheel(
                flywheel.name,
                {"open_batch": number, "last_batch": number, "asked_by": None},
                {"open_batch": None, "last_batch": flywheel.last_batch, "pause": None},
            ),
            Put(_key(flywheel.name, number), values),
            now=now,
        )
        return batch_row(values)

    def seal(
        self, batch: BatchRow, flywheel: FlywheelRow, facts: SealedFacts, now: datetime
    ) -> None:
        """Record what the manifest decided: OPEN -> SEALED.

        The dataset slots and the rows count as used from here on.
        """
        sealed = {
            "state": BatchState.SEALED,
            "manifest_sha256": facts.manifest_sha256,
            "uploads": list(facts.uploads[:_UPLOADS_NAMED]),
            "upload_count": len(facts.uploads),
            "documents": facts.documents,
            "label_counts": dict(facts.label_counts),
            "left_out": dict(facts.left_out),
            "waiting_labels": list(facts.waiting_labels),
            "test_documents": facts.test_documents,
            "test_label_counts": dict(facts.test_label_counts),
            "test_sha256": facts.test_sha256,
            "generation": flywheel.generation,
            "planned": {kind.value: arn for kind, arn in facts.planned.items()},
        }
        details = {"batch": batch.batch, "manifest_sha256": facts.manifest_sha256}
        expected = {"state": BatchState.OPEN, "attempt": batch.attempt}
        writes: list[Write] = [
            Change(_key(batch.flywheel, batch.batch), sealed, expected),
            *self._audit.entry(batch.flywheel, "batch sealed", details, now),
        ]
        if facts.planned:
            writes += [
                change_flywheel(flywheel.name, slot_changes(flywheel, facts.planned, 1)),
                self._holdings.known(batch.name, flywheel.generation, facts.known),
            ]
        self._table.write(writes)

    def record_datasets(self, batch: BatchRow, arns: Sequence[str]) -> None:
        """Record that the datasets of a sealed batch were created; once."""
        created = {"datasets": list(arns)}
        expected = {"datasets": None, "attempt": batch.attempt}
        self._table.write([Change(_key(batch.flywheel, batch.batch), created, expected)])

    def announce(
        self, batch: BatchRow, flywheel: FlywheelRow, notice: Notice, now: datetime
    ) -> bool:
        """Leave the notice that the iteration is about to start; False where that was done.

        A test set that came with the batch is frozen with it: only now its dataset is complete.
        """
        announced = Change(
            _key(batch.flywheel, batch.batch),
            {"announced_at": now.isoformat()},
            {"announced_at": None},
        )
        writes: list[Write] = [announced, notice_row(batch.flywheel, notice, now)]
        if batch.test_documents and not batch.is_test_frozen:
            frozen = self._test_set(batch, flywheel, now)
            details = {"batch": batch.batch, **frozen["test_set"]}
            writes.append(change_flywheel(batch.flywheel, frozen))
            writes += self._audit.entry(batch.flywheel, "test set frozen", details, now)
        try:
            self._table.write(writes)
        except ConcurrentChangeError:
            item = self._table.get(_key(batch.flywheel, batch.batch))
            if item is None or "announced_at" not in item:
                raise
            return False
        return True

    def start(self, batch: BatchRow, iteration_id: str, now: datetime) -> None:
        """Book an iteration for a batch: SEALED -> STARTED.

        One that is judged again stays the iteration of the batch that started it.
        """
        details = {"batch": batch.batch, "iteration_id": iteration_id}
        booked: Sequence[Write] = ()
        if batch.rejudges is None:
            booked = (
                change_flywheel(batch.flywheel, {"last_iteration_at": now.isoformat()}),
                Put(
                    iteration_key(batch.flywheel, iteration_id),
                    {"batch": batch.batch, "attempt": batch.attempt},
                    replaces=True,
                ),
            )
        self._audit.act(
            batch.flywheel,
            "iteration started" if batch.rejudges is None else "iteration judged again",
            details,
            Change(
                _key(batch.flywheel, batch.batch),
                {"state": BatchState.STARTED, "iteration_id": iteration_id},
                {"state": BatchState.SEALED},
            ),
            *booked,
            now=now,
        )

    @staticmethod
    def _test_set(batch: BatchRow, flywheel: FlywheelRow, now: datetime) -> dict[str, Any]:
        """Return the changes that freeze a batch's test rows as the test set's next version."""
        test_set = next_test_set(
            flywheel.test_set,
            batch.test_sha256,
            batch.test_label_counts,
            batch.test_documents,
            now,
            # The same models on mostly the same documents: that is one more look at them.
            is_worn=batch.rejudges is not None,
        )
        return {"test_set": test_set, "freeze_asked_by": None}

    def verdict(self, batch: BatchRow) -> StoredVerdict | None:
        """Return the stored verdict of a batch's current attempt, or None."""
        item = self._table.get(verdict_key(batch))
        return None if item is None else stored_verdict(item)

    def note_jobs(self, batch: BatchRow, jobs: Mapping[str, str]) -> BatchRow:
        """Write down the jobs that a verdict waits for, by model; returns the batch with them."""
        key = _key(batch.flywheel, batch.batch)
        noted = {"answer_jobs": dict(jobs)}
        expected = {"answer_jobs": None, "state": batch.state, "attempt": batch.attempt}
        self._table.write([Change(key, noted, expected)])
        return replace(batch, answer_jobs=noted["answer_jobs"])

    def store_verdict(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        verdict: Verdict,
        facts: VerdictFacts,
        now: datetime,
        *,
        course: Course = Course.ACT,
        also: Sequence[Write] = (),
    ) -> StoredVerdict:
        """Store a verdict and the intent that follows from it, before anything is done.

        A verdict on a challenger counts as a look at the frozen test set; PROMOTE is counted, too.

        Parameters
        ----------
        course : Course
            How a PROMOTE is carried out.
        also : sequence of Write
            What is written with it: the question to a person.

        Raises
        ------
        ConcurrentChangeError
            It was stored already, or another verdict than ``facts`` name is the last before it.
        """
        values = verdict_values(batch, verdict, facts, course)
        stored = stored_verdict(values)
        details = verdict_details(batch, stored)
        link = VerdictLink(facts.previous_sha256, details["document_sha256"])
        entry = self._audit.entry(batch.flywheel, "verdict", details, now, link)
        counted = _counted(flywheel, verdict)
        self._table.write([Put(verdict_key(batch), values), *counted, *also, *entry])
        return stored

    def judge(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        *,
        outcome: BatchOutcome,
        live_model: str | None,
        expected_champion: str | None,
        iteration_seconds: int | None,
        notice: Notice,
        now: datetime,
        kept: Kept | None = None,
        because: str | None = None,
        also: Sequence[Write] = (),
    ) -> None:
        """Record what came of a verdict, with its notice: STARTED -> JUDGED.

        A model that went live by it, or that somebody made active meanwhile, is the champion.

        Parameters
        ----------
        iteration_seconds : int or None
            None where no iteration was started for it.
        kept, because : Kept and str, optional
            Why a PROMOTE was not carried out.
        """
        details = {
            "batch": batch.batch,
            "outcome": outcome,
            "live_model": live_model,
            **({"kept": kept, "because": because} if kept else {}),
        }
        is_promoted = outcome is BatchOutcome.PROMOTED
        changes: dict[str, Any] = {
            "expected_champion": live_model,
            "failures_in_row": None,
            "promoting": None,
        }
        if iteration_seconds is not None:
            changes["past_seconds"] = with_past(flywheel.past_seconds, iteration_seconds)
        entries: Sequence[Put] = ()
        if is_promoted or live_model != flywheel.expected_champion:
            new = succession(
                flywheel,
                live_model,
                how=How.VERDICT if is_promoted else How.OUTSIDE,
                by=self._actor if is_promoted else OUTSIDE,
                now=now,
                before=expected_champion,
                batch=batch.batch if is_promoted else None,
            )
            changes |= new.changes
            entries = new.entries
        judged = {"state": BatchState.JUDGED, "outcome": outcome}
        key = _key(batch.flywheel, batch.batch)
        self._audit.act(
            batch.flywheel,
            "verdict carried out",
            details,
            Change(verdict_key(batch), {"outcome": outcome, "kept": kept, "because": because}),
            Change(key, judged, {"state": BatchState.STARTED}),
            # A champion that a person changes in this moment is looked at again.
            change_flywheel(batch.flywheel, changes, unchanged_champion(flywheel)),
            *entries,
            *also,
            now=now,
            notice=notice,
        )

    def close(self, batch: BatchRow, outcome: BatchOutcome, now: datetime) -> None:
        """Close a batch that was judged."""
        self._close(batch, {"outcome": outcome}, [], now)

    def close_empty(self, batch: BatchRow, notice: Notice, now: datetime) -> None:
        """Close a batch in which nothing new was left, with its notice.

        Test rows that are all known already are not asked for again and again.
        """
        told: list[Write] = [notice_row(batch.flywheel, notice, now)]
        if batch.rejudges is not None:
            told.append(change_flywheel(batch.flywheel, {"freeze_asked_by": None}))
        self._close(batch, {"outcome": BatchOutcome.EMPTY}, told, now)

    def fail(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        ending: FailedEnding,
        notice: Notice,
        now: datetime,
    ) -> None:
        """Close a batch that ended without a verdict, with its notice.

        Rows of datasets that the service refused are not in the flywheel. The second failure in a
        row pauses the flywheel.
        """
        changes: dict[str, Any] = {
            "outcome": BatchOutcome.FAILED,
            "error": ending.error,
            "cause": ending.cause,
        }
        also: list[Write] = [notice_row(batch.flywheel, notice, now)]
        row_changes: dict[str, Any] = {
            "failures_in_row": flywheel.failures_in_row + 1,
            "promoting": None,
        }
        if ending.pause_notice is not None:
            pause = {"by": self._actor, "reason": ending.pause_reason, "at": now.isoformat()}
            row_changes["pause"] = pause
            also.append(notice_row(batch.flywheel, ending.pause_notice, now))
        also += self._holdings.forgotten(batch.name, batch.generation, ending.refused)
        frozen: dict[str, Any] = {}
        if ending.is_test_set_held and not batch.was_test_set_frozen:
            frozen = self._test_set(batch, flywheel, now)
            changes["is_test_frozen"] = True
        also.append(change_flywheel(batch.flywheel, {**row_changes, **frozen}))
        self._close(batch, changes, also, now, told=frozen)

    def give_back(
        self, batch: BatchRow, flywheel: FlywheelRow, absent: Collection[DatasetKind], now: datetime
    ) -> None:
        """Give slots back, and forget rows, of datasets that a failed batch never got; once.

        Raises
        ------
        ConcurrentChangeError
            A batch is under way, or somebody else did in this moment.
        """
        given = {"given_back": sorted(absent)}
        expected = {"given_back": None, "outcome": BatchOutcome.FAILED, "attempt": batch.attempt}
        idle = {"open_batch": None, "arn": flywheel.arn, **slots_used(flywheel, absent)}
        details = {"batch": batch.batch, "datasets": [batch.planned[kind] for kind in absent]}
        self._audit.act(
            batch.flywheel,
            "slots given back",
            details,
            Change(_key(batch.flywheel, batch.batch), given, expected),
            change_flywheel(flywheel.name, slot_changes(flywheel, absent, -1), idle),
            *self._holdings.forgotten(batch.name, batch.generation, absent),
            now=now,
        )

    def reopen(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        *,
        is_sealed: bool,
        absent: Collection[DatasetKind],
        refused: Collection[DatasetKind],
        reason: str,
        now: datetime,
    ) -> BatchRow:
        """Open a failed batch for another attempt: CLOSED -> OPEN.

        Where its datasets are complete it keeps them and goes on as SEALED.

        Parameters
        ----------
        absent, refused : collection of DatasetKind
            Kinds of its datasets that the service does not have, or has FAILED.

        Raises
        ------
        ConcurrentChangeError
            Somebody else did in this moment, or another batch is under way.
        """
        attempt = batch.attempt + 1
        state = BatchState.SEALED if is_sealed else BatchState.OPEN
        changes: dict[str, Any] = {
            "state": state,
            "attempt": attempt,
            "outcome": None,
            "error": None,
            "cause": None,
            "closed_at": None,
            "iteration_id": None,
            "answer_jobs": None,
            "given_back": None,
        }
        lost = {*absent, *refused}
        late: dict[str, Any] = {}
        if DatasetKind.TEST in {*batch.planned} - lost and not batch.was_test_set_frozen:
            frozen = self._test_set(batch, flywheel, now)["test_set"]
            late["test_set"] = frozen_late(flywheel.test_set, frozen, batch.closed_at or "")
        if is_sealed:
            changes |= {"datasets": list(batch.planned.values()), "is_test_frozen": True}
        else:
            changes |= dict.fromkeys(("datasets", "planned", "announced_at", "is_test_frozen"))
        expected = {
            "state": BatchState.CLOSED,
            "outcome": BatchOutcome.FAILED,
            "attempt": batch.attempt,
            "given_back": list(batch.given_back) or None,
        }
        slots = {*absent} - {*batch.given_back}
        details = {"batch": batch.batch, "attempt": attempt, "reason": reason, **late}
        self._audit.act(
            batch.flywheel,
            "batch reopened",
            details,
            Change(_key(batch.flywheel, batch.batch), changes, expected),
            change_flywheel(
                batch.flywheel,
                {
                    "open_batch": batch.batch,
                    "open_attempt": attempt,
                    **slot_changes(flywheel, slots, -1),
                    **late,
                },
                {
                    "open_batch": None,
                    **unchanged_rebuild(flywheel),
                    **slots_used(flywheel, slots),
                },
            ),
            *self._holdings.forgotten(batch.name, batch.generation, lost),
            now=now,
        )
        return self.get(batch.flywheel, batch.batch)

    def _close(
        self,
        batch: BatchRow,
        changes: Mapping[str, Any],
        also: Sequence[Write],
        now: datetime,
        *,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        """Close a batch; the audit says what changed, and what it is told beside it."""
        closed = {**changes, "state": BatchState.CLOSED, "closed_at": now.isoformat()}
        details = {"batch": batch.batch, **changes, **(told or {})}
        self._audit.act(
            batch.flywheel,
            "batch closed",
            details,
            Change(_key(batch.flywheel, batch.batch), closed, {"state": batch.state}),
            *also,
            now=now,
        )


def _counted(flywheel: FlywheelRow, verdict: Verdict) -> list[Write]:
    """Return the write that counts a verdict: as a look at the test set, and as a PROMOTE."""
    changes: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    seen, frozen = verdict.evidence.test_set, flywheel.test_set
    is_look = seen is not None and frozen is not None and seen.sha256 == frozen.sha256
    if is_look and frozen is not None and not verdict.is_bootstrap:
        changes["test_set"] = {**asdict(frozen), "looks": frozen.looks + 1}
    if verdict.decision is Decision.PROMOTE:
        changes["promote_verdicts"] = flywheel.promote_verdicts + 1
        expected["promote_verdicts"] = flywheel.promote_verdicts or None
    return [change_flywheel(flywheel.name, changes, expected)] if changes else []


def _key(flywheel: str, batch: int) -> Key:
    return Key(f"BATCH#{flywheel}#{batch}", "BATCH")
