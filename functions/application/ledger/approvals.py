"""The ledger's rows of verdicts that a person is asked about.

``APPROVAL#<flywheel>#<n>`` begins as WANTED with its verdict, is PENDING when people were asked,
and ends as APPROVED, REJECTED or EXPIRED: one conditional write, so an answer and the end of its
time never both hold. The task token is in this row and goes nowhere but to the state machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from application.ledger.audit import Audited
from application.ledger.batch_rows import BatchRow
from application.port_values import Change, Key, Put
from flywheel.batches.batches import BatchName
from flywheel.notices.notice import Notice
from flywheel.settings.policy import Policy


class ApprovalState(StrEnum):
    """Where a question is."""

    WANTED = "WANTED"
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to a person, and its answer.

    Parameters
    ----------
    flywheel : str
    batch, attempt : int
    challenger : str
        The model that the answer is about.
    state : ApprovalState
    until : datetime
        When its time is over.
    on_timeout : str
        ``keep`` or ``promote``.
    by, reason, at : str or None
        Of the answer.
    token : str or None
        The task's; never shown.
    sent_at : str or None
        When the answer was sent to the state machine.
    """

    flywheel: str
    batch: int
    attempt: int
    challenger: str
    state: ApprovalState
    until: datetime
    on_timeout: str
    by: str | None = None
    reason: str | None = None
    at: str | None = None
    token: str | None = field(default=None, repr=False)
    sent_at: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has answered and its time is not known to be over."""
        return self.state in {ApprovalState.WANTED, ApprovalState.PENDING}

    @property
    def is_unanswered(self) -> bool:
        """Whether its time was over before anybody answered."""
        return self.state is ApprovalState.EXPIRED

    @property
    def is_answered(self) -> bool:
        """Whether a person has answered."""
        return self.state in {ApprovalState.APPROVED, ApprovalState.REJECTED}


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is to be asked: whether a challenger goes live.

    Parameters
    ----------
    challenger : str
    until : datetime
        When the time to answer is over.
    on_timeout : str
        ``keep`` or ``promote``.
    """

    challenger: str
    until: datetime
    on_timeout: str

    @classmethod
    def of(cls, challenger: str, policy: Policy, now: datetime) -> "Question":
        """Return the question that a policy asks."""
        until = now + timedelta(hours=policy.approval_timeout_hours)
        return cls(challenger, until, policy.on_approval_timeout)


class Approvals(Audited):
    """Asks, answers and expires."""

    def get(self, batch: BatchRow) -> Approval | None:
        """Return the question about the verdict of a batch's present attempt, or None."""
        return self._of(batch.name)

    def is_yes_missing(self, batch: BatchRow, earlier: Sequence[BatchRow]) -> bool:
        """Say whether the last question about a batch's challenger was not answered with a yes.

        Parameters
        ----------
        earlier : sequence of BatchRow
            The batches that judged the challenger before, newest first.
        """
        names = [replace(batch.name, attempt=batch.attempt - 1), *(held.name for held in earlier)]
        for newest in names:
            for attempt in range(newest.attempt, 0, -1):
                approval = self._of(replace(newest, attempt=attempt))
                if approval is not None:
                    return approval.state is not ApprovalState.APPROVED
        return False

    def _of(self, name: BatchName) -> Approval | None:
        item = self._table.get(_key(name))
        if item is None:
            return None
        fields: dict[str, Any] = {name: item.get(name) for name in Approval.__dataclass_fields__}
        fields["state"] = ApprovalState(item["state"])
        fields["until"] = datetime.fromisoformat(item["until"])
        return Approval(**fields)

    def ask(self, batch: BatchRow, token: str, notice: Notice, now: datetime) -> None:
        """Record that people are asked, with the task's token and the notice."""
        asked = Change(
            _key(batch.name),
            {"state": ApprovalState.PENDING, "token": token},
            {"state": ApprovalState.WANTED},
        )
        details = {"batch": batch.batch}
        self._audit.act(
            batch.flywheel, "approval asked for", details, asked, notice=notice, now=now
        )

    def ask_again(self, batch: BatchRow, approval: Approval, token: str) -> None:
        """Take the token of another try of the same task; an answer is to be sent to it."""
        changes = {"token": token, "sent_at": None}
        self._table.write([Change(_key(batch.name), changes, {"state": approval.state})])

    def answer(self, batch: BatchRow, state: ApprovalState, reason: str, now: datetime) -> None:
        """Record a person's answer, once.

        Raises
        ------
        ConcurrentChangeError
            Somebody answered it meanwhile, or its time ended.
        """
        answered = {"state": state, "by": self._actor, "reason": reason, "at": now.isoformat()}
        change = Change(_key(batch.name), answered, {"state": ApprovalState.PENDING})
        details = {"batch": batch.batch, "answer": state, "reason": reason}
        self._audit.act(batch.flywheel, "approval answered", details, change, now=now)

    def note_sent(self, batch: BatchRow, approval: Approval, now: datetime) -> None:
        """Record that the state machine has the answer, or that its task is over."""
        change = Change(
            _key(batch.name),
            {"sent_at": now.isoformat()},
            {"token": approval.token, "sent_at": None},
        )
        self._table.write([change])

    def expire(self, batch: BatchRow, approval: Approval, now: datetime) -> None:
        """Record that nobody answered in time.

        Raises
        ------
        ConcurrentChangeError
            Somebody answered meanwhile.
        """
        change = Change(
            _key(batch.name), {"state": ApprovalState.EXPIRED}, {"state": approval.state}
        )
        details = {"batch": batch.batch, "on_timeout": approval.on_timeout}
        self._audit.act(batch.flywheel, "approval expired", details, change, now=now)

    def note_refusal(
        self, flywheel: str, asked: Mapping[str, Any], why: str, now: datetime
    ) -> None:
        """Write down an answer that came too late, twice or for nothing; nothing is changed."""
        self._audit.act(flywheel, "answer refused", {**asked, "why": why}, now=now)


def _key(name: BatchName) -> Key:
    return Key(f"APPROVAL#{name.flywheel}#{name.label}", "APPROVAL")


def question_row(batch: BatchRow, question: Question) -> Put:
    """Return the row by which a verdict waits for a person, for the verdict's transaction."""
    values = {
        "flywheel": batch.flywheel,
        "batch": batch.batch,
        "attempt": batch.attempt,
        "challenger": question.challenger,
        "state": ApprovalState.WANTED,
        "until": question.until.isoformat(),
        "on_timeout": question.on_timeout,
    }
    return Put(_key(batch.name), values)


def forgotten_token(batch: BatchRow) -> Change:
    """Return the change that forgets a task's token, for the outcome's transaction."""
    return Change(_key(batch.name), {"token": None})
