"""Ask people whether a challenger goes live, and record their answer before it is sent.

AskApproval puts the task's token into the ledger and nowhere else; AnswerApproval alone may use it.
Whoever answers needs no permission but to invoke it. What comes too late, twice, or for another
verdict is refused, and the refusal is recorded.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from application.commands.payloads import reason_problem
from application.ledger.approvals import Approval, ApprovalState
from application.ledger.batch_rows import BatchRow
from application.notices import batch_facts
from application.services import Services
from flywheel.batches.batches import BatchState
from flywheel.errors import ActRefusedError, BatchNotFoundError, ConcurrentChangeError
from flywheel.notices.champions import approval_asked

_ANSWERS = {"approve": ApprovalState.APPROVED, "reject": ApprovalState.REJECTED}


def answer(services: Services, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the question about one verdict.

    Parameters
    ----------
    asked : mapping
        ``flywheel``, ``batch``, ``answer`` (approve or reject), ``reason`` and ``actor``.

    Returns
    -------
    dict
        ``answer`` that holds and ``is_delivered``, or ``refused``: why nothing was changed.
    """
    person = replace(services, actor=str(asked["actor"]))
    flywheel, number = str(asked["flywheel"]), int(asked["batch"])
    services.flywheel(flywheel)
    try:
        return _answered(person, flywheel, number, asked)
    except (ActRefusedError, BatchNotFoundError) as error:
        request = {name: asked.get(name) for name in ("batch", "answer", "reason")}
        person.ledger.approvals.note_refusal(flywheel, request, str(error), services.now())
        return {"refused": str(error)}


def send_again(services: Services, flywheel: str, number: int) -> dict[str, Any]:
    """Send an answer that was written down and may not have reached the workflow."""
    batch = services.ledger.batches.get(flywheel, number)
    approval = services.ledger.approvals.get(batch)
    if approval is None or not approval.is_answered or approval.sent_at is not None:
        return {"is_delivered": False}
    return _sent(services, batch, approval)


def _answered(
    person: Services, flywheel: str, number: int, asked: Mapping[str, Any]
) -> dict[str, Any]:
    ledger, state = person.ledger, _ANSWERS.get(str(asked["answer"]))
    if state is None:
        raise ActRefusedError(f"{asked['answer']!r} is no answer; it is approve or reject")
    problem = reason_problem(asked.get("reason"))
    if problem is not None:
        raise ActRefusedError(f"reason: {problem}")
    batch = ledger.batches.get(flywheel, number)
    approval = _asked_about(person, batch)
    if approval.state is state and approval.sent_at is None:
        # An earlier try wrote it down and died before it could send it.
        return _sent(person, batch, approval)
    _check(person, batch, approval)
    try:
        ledger.approvals.answer(batch, state, str(asked["reason"]), person.now())
    except ConcurrentChangeError as error:
        raise ActRefusedError("somebody answered it meanwhile, or its time ended") from error
    return _sent(person, batch, _asked_about(person, batch))


def _asked_about(person: Services, batch: BatchRow) -> Approval:
    """Return the question about a batch's verdict; refuse where there is none."""
    approval = person.ledger.approvals.get(batch)
    if approval is None or approval.state is ApprovalState.WANTED:
        raise ActRefusedError(f"nobody is asked about verdict {batch.batch} of {batch.flywheel}")
    return approval


def _check(person: Services, batch: BatchRow, approval: Approval) -> None:
    """Refuse what is not a first answer, in time, to what is asked."""
    what = f"verdict {batch.batch} of {batch.flywheel}"
    if approval.is_answered:
        answer_words = "approved" if approval.state is ApprovalState.APPROVED else "rejected"
        raise ActRefusedError(f"{what} was {answer_words} by {approval.by} at {approval.at}")
    if batch.state is not BatchState.STARTED:
        raise ActRefusedError(f"batch {batch.batch} of {batch.flywheel} is {batch.state} already")
    if approval.is_unanswered or person.now() >= approval.until:
        raise ActRefusedError(f"the time to answer {what} was over at {approval.until.isoformat()}")
    stored = person.ledger.verdicts.get(batch)
    if stored is None or stored.verdict.evidence.challenger_arn != approval.challenger:
        raise ActRefusedError(f"{what} is about another model by now")


def _sent(services: Services, batch: BatchRow, approval: Approval) -> dict[str, Any]:
    """Let the workflow go on; where its task is over it reads the answer from the ledger."""
    document = json.dumps({"answer": approval.state})
    is_delivered = services.ports.executions.answer(approval.token or "", document)
    try:
        services.ledger.approvals.note_sent(batch, approval, services.now())
    except ConcurrentChangeError:
        current = services.ledger.approvals.get(batch)
        is_asked_anew = current is not None and current.token not in {None, approval.token}
        if current is not None and is_asked_anew and current.sent_at is None:
            return _sent(services, batch, current)
        # Otherwise it was sent by another meanwhile, or the workflow has gone on by it.
    return {"answer": approval.state, "is_delivered": is_delivered}


def ask(
    services: Services, flywheel: str, number: int, *, attempt: int, token: str
) -> dict[str, Any]:
    """Ask people, once; a repeat only takes the newer token.

    Returns
    -------
    dict
        ``is_asked``; false where the batch is past this attempt, and nobody waits for an answer.
    """
    ledger, known = services.ledger, services.flywheel(flywheel)
    batch = ledger.batches.get(flywheel, number)
    stored, approval = ledger.verdicts.get(batch), ledger.approvals.get(batch)
    is_over = batch.state is not BatchState.STARTED or batch.attempt != attempt
    if is_over or stored is None or approval is None:
        return {"is_asked": False}
    if approval.state is not ApprovalState.WANTED:
        ledger.approvals.ask_again(batch, approval, token)
        return {"is_asked": True}
    row = ledger.flywheels.ensure(flywheel, known.arn)
    facts = batch_facts(services, batch, row, services.comprehend(row.arn).describe().active_model)
    notice = approval_asked(facts, stored.verdict, approval.until, approval.on_timeout)
    ledger.approvals.ask(batch, token, notice, services.now())
    services.notices.publish(flywheel, notice)
    return {"is_asked": True}
