"""The ledger's rows of verdicts: stored before anything is done, then what came of them.

Two transactions, so that whoever dies between them is followed by somebody who knows the intent.
Read next: `application.comparison.judgement`, which writes them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from application.ledger.approvals import Question, forgotten_token, question_row
from application.ledger.audit import Audited, VerdictLink
from application.ledger.batch_rows import BatchRow, StoredVerdict, batch_key
from application.ledger.champions import Succession, succession
from application.ledger.flywheel_rows import (
    FlywheelRow,
    change_flywheel,
    unchanged_champion,
    with_past,
)
from application.port_values import Change, Item, Key, Put, Write
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.evaluation.champions import (
    OUTSIDE,
    ChampionSource,
    NotCarriedOutReason,
    PromotionMode,
)
from flywheel.evaluation.verdict import Decision, Verdict
from flywheel.evaluation.verdict_document import VerdictFacts, document_sha256, verdict_document
from flywheel.notices.notice import Notice


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What came of a verdict.

    Parameters
    ----------
    outcome : BatchOutcome
    live_model, expected_champion : str or None
        The model that is live now, and the one that a promotion would have replaced.
    iteration_seconds : int or None
        None where no iteration was started for it.
    is_gain : bool
        Whether a promoted model was shown to be better, and not only as no worse.
    kept, because : NotCarriedOutReason and str, optional
        Why a PROMOTE was not carried out.
    """

    outcome: BatchOutcome
    live_model: str | None
    expected_champion: str | None
    iteration_seconds: int | None
    is_gain: bool
    kept: NotCarriedOutReason | None = None
    because: str | None = None

    @property
    def is_promoted(self) -> bool:
        """Whether the challenger went live by it."""
        return self.outcome is BatchOutcome.PROMOTED

    @property
    def details(self) -> dict[str, Any]:
        """What the audit says of it."""
        because = {"kept": self.kept, "because": self.because} if self.kept else {}
        return {"outcome": self.outcome, "live_model": self.live_model, **because}


class Verdicts(Audited):
    """Stores verdicts, and records what came of them."""

    def get(self, batch: BatchRow) -> StoredVerdict | None:
        """Return the stored verdict of a batch's current attempt, or None."""
        item = self._table.get(verdict_key(batch))
        return None if item is None else stored_verdict(item)

    def store(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        verdict: Verdict,
        facts: VerdictFacts,
        now: datetime,
        *,
        course: PromotionMode = PromotionMode.ACT,
        question: Question | None = None,
    ) -> StoredVerdict:
        """Store a verdict and the intent that follows from it, before anything is done.

        A verdict on a challenger counts as a look at the frozen test set, and as one of the
        generation; PROMOTE is counted, too.

        Parameters
        ----------
        course : PromotionMode
            How a PROMOTE is carried out.
        question : Question or None
            What a person is to be asked about it.

        Raises
        ------
        ConcurrentChangeError
            It was stored already, or another verdict than ``facts`` name is the last before it.
        """
        values = verdict_values(batch, verdict, facts, course)
        stored = stored_verdict(values)
        details = verdict_details(batch, stored)
        link = VerdictLink(facts.previous_sha256, details["document_sha256"])
        self._audit.act(
            batch.flywheel,
            "verdict",
            details,
            Put(verdict_key(batch), values),
            *_counted(flywheel, verdict),
            *([question_row(batch, question)] if question else []),
            now=now,
            verdict=link,
        )
        return stored

    def judge(
        self,
        batch: BatchRow,
        flywheel: FlywheelRow,
        result: CarriedOut,
        *,
        notice: Notice,
        now: datetime,
        is_asked: bool = False,
    ) -> None:
        """Record what came of a verdict, with its notice: STARTED -> JUDGED.

        A model that went live by it, or that somebody made active meanwhile, is the champion.

        Parameters
        ----------
        is_asked : bool
            Whether a person was asked: the task's token has no more use.
        """
        details = {"batch": batch.batch, **result.details}
        changes: dict[str, Any] = {
            "expected_champion": result.live_model,
            "failures_in_row": None,
            "promoting": None,
        }
        if result.iteration_seconds is not None:
            changes["past_seconds"] = with_past(flywheel.past_seconds, result.iteration_seconds)
        entries: Sequence[Put] = ()
        if result.is_promoted or result.live_model != flywheel.expected_champion:
            new = self._succession(batch, flywheel, result, now)
            changes |= new.changes
            entries = new.entries
            details |= {name: value for name, value in new.changes.items() if name == "anchor"}
        judged = {"state": BatchState.JUDGED, "outcome": result.outcome}
        carried_out = {"outcome": result.outcome, "kept": result.kept, "because": result.because}
        self._audit.act(
            batch.flywheel,
            "verdict carried out",
            details,
            Change(verdict_key(batch), carried_out),
            Change(batch_key(batch.flywheel, batch.batch), judged, {"state": BatchState.STARTED}),
            # A champion that a person changes meanwhile is looked at again.
            change_flywheel(batch.flywheel, changes, unchanged_champion(flywheel)),
            *entries,
            *([forgotten_token(batch)] if is_asked else []),
            now=now,
            notice=notice,
        )

    def _succession(
        self, batch: BatchRow, flywheel: FlywheelRow, result: CarriedOut, now: datetime
    ) -> Succession:
        """Return the writes by which the live model is the champion, by a verdict or by others."""
        is_promoted = result.is_promoted
        return succession(
            flywheel,
            result.live_model,
            how=ChampionSource.VERDICT if is_promoted else ChampionSource.OUTSIDE,
            by=self._actor if is_promoted else OUTSIDE,
            now=now,
            before=result.expected_champion,
            batch=batch.batch if is_promoted else None,
            moves_anchor=result.is_gain or not is_promoted,
        )


def _counted(flywheel: FlywheelRow, verdict: Verdict) -> list[Write]:
    """Return the write that counts a verdict: as a look at the test set, and as a PROMOTE."""
    changes: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    seen, frozen = verdict.evidence.test_set, flywheel.test_set
    if seen is not None and not verdict.is_bootstrap:
        changes["generation_looks"] = flywheel.generation_looks + 1
        if frozen is not None and seen.sha256 == frozen.sha256:
            changes["test_set"] = asdict(frozen.with_look())
    if verdict.decision is Decision.PROMOTE:
        changes["promote_verdicts"] = flywheel.promote_verdicts + 1
        expected["promote_verdicts"] = flywheel.promote_verdicts or None
    return [change_flywheel(flywheel.name, changes, expected)] if changes else []


def verdict_key(batch: BatchRow) -> Key:
    """Return the key of the row of the verdict about a batch's attempt."""
    return Key(f"VERDICT#{batch.flywheel}#{batch.name.label}", "VERDICT")


def verdict_values(
    batch: BatchRow, verdict: Verdict, facts: VerdictFacts, course: PromotionMode
) -> dict[str, Any]:
    """Return the values of that row."""
    return {
        "flywheel": batch.flywheel,
        "batch": batch.batch,
        "decision": verdict.decision,
        "policy_sha256": verdict.policy_sha256,
        "verdict": verdict.to_json(),
        "facts": facts.to_json(),
        "expected_champion": facts.expected_champion,
        "course": course,
        "decided_at": facts.decided_at,
    }


def verdict_details(batch: BatchRow, stored: StoredVerdict) -> dict[str, Any]:
    """Return what the audit says of a verdict."""
    return {
        "batch": batch.batch,
        "attempt": batch.attempt,
        "decision": stored.verdict.decision,
        "challenger": stored.verdict.evidence.challenger_arn,
        "expected_champion": stored.expected_champion,
        "policy_sha256": stored.verdict.policy_sha256,
        "document": batch.name.verdict_key,
        "document_sha256": document_sha256(stored.document or ""),
    }


def stored_verdict(item: Item) -> StoredVerdict:
    """Return a verdict from its row."""
    outcome, facts = item.get("outcome"), item.get("facts")
    return StoredVerdict(
        Verdict.from_json(item["verdict"]),
        item.get("expected_champion"),
        BatchOutcome(outcome) if outcome else None,
        verdict_document(item["verdict"], facts) if facts else None,
        PromotionMode(item.get("course", PromotionMode.ACT)),
        item.get("kept"),
        item.get("because"),
    )
