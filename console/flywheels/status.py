"""The present state of a flywheel, from the ledger, the service and the topic.

Decides which facts make a status; `console.views.status` shows them. Changes nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from adapters.service_errors import translate_aws_errors
from application.configuration import KnownFlywheel
from application.ledger.approvals import Approval
from application.ledger.batch_rows import BatchRow, StoredVerdict
from application.ledger.flywheel_rows import FlywheelRow
from application.ledger.ledger import Ledger
from application.rebuilds.provenance import withdrawn_from
from console.environment.target import Target
from console.flywheels.following import (
    next_batch,
    phase_of,
    question,
)
from console.flywheels.live_model import LiveModel, comparison_document, live_document, live_model
from console.flywheels.operating import FlywheelClient
from console.flywheels.rebuild_status import RebuildStatus, rebuild_document, rebuild_status
from console.record.history import f1_of, verdict_json
from flywheel.batches.batches import BatchState, label_counts, of_kind
from flywheel.batches.uploads import DatasetKind

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


def approval_document(approval: Approval) -> dict[str, Any]:
    """Return a question as JSON values; its token stays private."""
    return {
        "batch": approval.batch,
        "challenger": approval.challenger,
        "until": approval.until.isoformat(),
        "on_timeout": approval.on_timeout,
    }


_UNCONFIRMED = "PendingConfirmation"


@dataclass(frozen=True, slots=True)
class Running:
    """The batch that is under way.

    Parameters
    ----------
    batch : BatchRow
    phase, words : str
        Where it is.
    execution : str or None
        The state machine's own status; None where it never began.
    """

    batch: BatchRow
    phase: str
    words: str
    execution: str | None


@dataclass(frozen=True, slots=True)
class FlywheelStatus:
    """One flywheel, now.

    Parameters
    ----------
    row : FlywheelRow
    flywheel_status : str
        The service's own.
    active_model : str or None
    running : Running or None
    staged_train, staged_test : mapping of str to int
        Documents by label that wait for a batch.
    lacks : tuple of str
        What the next batch still lacks; empty when it may open.
    waits : tuple of str
        Labels whose rows are not sent with it, each with what it lacks.
    train_slots, test_slots : int
        Datasets that the service allows in the flywheel's life.
    last : BatchRow or None
        The newest closed batch, and its verdict.
    verdict : StoredVerdict or None
    waiting_notices : int
    live : LiveModel
        How good the active model is, since when, and the last comparison.
    last_run : mapping or None
        When reconcile last ran (``at``), and what it ``found``.
    approval : Approval or None
        What a person is asked.
    rebuild : RebuildStatus or None
        A generation of which no model was promoted so far.
    halves : tuple of str
        Halves of entity uploads that wait, and for which file.
    """

    row: FlywheelRow
    flywheel_status: str
    active_model: str | None
    running: Running | None
    staged_train: Mapping[str, int]
    staged_test: Mapping[str, int]
    lacks: tuple[str, ...]
    waits: tuple[str, ...]
    train_slots: int
    test_slots: int
    last: BatchRow | None
    verdict: StoredVerdict | None
    waiting_notices: int
    live: LiveModel
    last_run: Mapping[str, Any] | None = None
    approval: Approval | None = None
    rebuild: RebuildStatus | None = None
    halves: tuple[str, ...] = ()
    live_trained_on_withdrawn: tuple[str, ...] = ()

    @property
    def is_busy(self) -> bool:
        """Whether something is under way, or about to be."""
        if self.rebuild is not None and self.rebuild.is_blocking:
            return True
        return self.running is not None or not (self.lacks or self.row.pause)


def flywheel_status(target: Target, known: KnownFlywheel) -> FlywheelStatus:
    """Return the status of one flywheel."""
    ledger, name = target.ledger(), known.settings.name
    row = ledger.flywheels.get(name) or FlywheelRow(name, known.arn)
    facts = target.comprehend(known).describe()
    staged = ledger.uploads.staged(name)
    last = next(
        (batch for batch in ledger.batches.newest(row, 2) if batch.state is BatchState.CLOSED), None
    )
    waiting = [pending.flywheel for pending in ledger.outbox.notices()]
    waiting += [pending.flywheel for pending in ledger.outbox.news()]
    client = FlywheelClient(target, known)
    ready = next_batch(client, row)
    running = _running(client, row)
    return FlywheelStatus(
        row=row,
        flywheel_status=facts.status,
        active_model=facts.active_model,
        running=running,
        staged_train=label_counts(of_kind(staged, DatasetKind.TRAIN)),
        staged_test=label_counts(of_kind(staged, DatasetKind.TEST)),
        lacks=(blocked,) if (blocked := row.rebuild and row.rebuild.block_reason) else ready.lacks,
        waits=ready.waits,
        train_slots=known.settings.batch.service_train_datasets,
        test_slots=known.settings.batch.service_test_datasets,
        last=last,
        verdict=ledger.verdicts.get(last) if last else None,
        waiting_notices=waiting.count(name),
        live=live_model(ledger, row, facts.active_model, target.now()),
        last_run=ledger.runs.last(),
        approval=question(target, running.batch) if running else None,
        rebuild=rebuild_status(target, row),
        halves=waiting_halves(ledger, name),
        live_trained_on_withdrawn=tuple(withdrawn_from(ledger, row, facts.active_model)),
    )


def waiting_halves(ledger: Ledger, flywheel: str) -> tuple[str, ...]:
    """Return the halves of entity uploads that wait, and for which file each does."""
    uids = [half.upload.uid for half in ledger.pairs.waiting(flywheel)]
    rows = ledger.uploads.get_many(uids).values()
    return tuple("; ".join(row.reasons) for row in sorted(rows, key=lambda row: row.received_at))


def unconfirmed_emails(sns: "SNSClient", topic_arn: str) -> list[str]:
    """Return the addresses that get no notices, since nobody confirmed the subscription."""
    with translate_aws_errors("sns:ListSubscriptionsByTopic"):
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
        return sorted(
            subscription["Endpoint"]
            for page in pages
            for subscription in page["Subscriptions"]
            if subscription["SubscriptionArn"] == _UNCONFIRMED
        )


def status_document(status: FlywheelStatus) -> dict[str, Any]:
    """Return a status as JSON values."""
    row, running, last = status.row, status.running, status.last
    return {
        "flywheel": row.name,
        "arn": row.arn,
        "status": status.flywheel_status,
        "active_model": status.active_model,
        "live": live_document(status.live),
        "last_comparison": comparison_document(status.live.compared),
        "running": running and _running_document(running),
        "staged": {"train": dict(status.staged_train), "test": dict(status.staged_test)},
        "next_batch_lacks": list(status.lacks),
        "labels_waiting": list(status.waits),
        "halves_waiting": list(status.halves),
        "datasets": {
            "train": {"used": row.train_datasets, "allowed": status.train_slots},
            "test": {"used": row.test_datasets, "allowed": status.test_slots},
        },
        "test_documents": row.test_documents,
        "test_set": asdict(row.test_set) if row.test_set else None,
        "freeze_asked_by": row.freeze_asked_by,
        "paused": asdict(row.pause) if row.pause else None,
        "approval": status.approval and approval_document(status.approval),
        "promotion_paused": asdict(row.promotion_pause) if row.promotion_pause else None,
        "barred": list(row.barred),
        "anchor": row.anchor,
        "tainted": list(row.taint),
        "live_trained_on_withdrawn": list(status.live_trained_on_withdrawn),
        "generation": row.generation,
        "rebuild": status.rebuild and rebuild_document(status.rebuild),
        "failures_in_row": row.failures_in_row,
        "last_reconcile": status.last_run
        and {"at": status.last_run["at"], "found": status.last_run["found"]},
        "last": last and _outcome_document(last, status.verdict),
        "notices_waiting": status.waiting_notices,
    }


def _running_document(running: Running) -> dict[str, Any]:
    return {
        "batch": running.batch.batch,
        "state": running.batch.state.value,
        "phase": running.phase,
        "iteration_id": running.batch.iteration_id,
        "execution": running.execution,
    }


def _outcome_document(batch: BatchRow, stored: StoredVerdict | None) -> dict[str, Any]:
    f1 = f1_of(stored)
    return {
        "batch": batch.batch,
        "outcome": batch.outcome,
        "closed_at": batch.closed_at,
        "champion_f1": f1.champion,
        "challenger_f1": f1.challenger,
        "error": batch.error,
        "cause": batch.cause,
        **verdict_json(stored),
    }


def _running(client: FlywheelClient, row: FlywheelRow) -> Running | None:
    if row.open_batch is None:
        return None
    ledger = client.target.ledger()
    batch = ledger.batches.get(row.name, row.open_batch)
    phase = phase_of(client, batch)
    execution = client.target.workflow(ledger).status(batch)
    return Running(batch, phase.name, phase.words, execution[0] if execution else None)
