"""Verdicts, questions to people, notices and the audit: what is written once, and by whom."""

from dataclasses import replace
from datetime import timedelta

from application.ledger.approvals import Approval, ApprovalState, Question
from application.ledger.batch_rows import BatchRow
from application.port_values import Delete, Key
from tests.application.conditional_writes.case import Act, case
from tests.application.conditional_writes.story import (
    NAME,
    NOTICE,
    NOW,
    POLICY,
    Story,
    promoted,
)

# A verdict is stored, and carried out.


@case("Verdicts.store: VERDICT absent", "another comparison stored it")
def _(story: Story) -> Act:
    batch = story.started()
    story.store(batch)
    return lambda: story.store(batch)


@case(
    "Verdicts.store: VERDICT absent",
    "another comparison stored it, and asks a person",
    beside="Verdicts.store: APPROVAL absent",
)
def _(story: Story) -> Act:
    batch = story.wanted()
    return lambda: story.store(batch, question=Question.of("m/3", POLICY, NOW))


@case("Verdicts.store: FLYWHEEL.promote_verdicts", "another verdict was counted")
def _(story: Story) -> Act:
    batch, row = story.started(), story.row
    story.store(replace(batch, attempt=2), promoted())
    facts = story.facts(batch, row)
    return lambda: story.ledger.verdicts.store(batch, row, promoted(), facts, NOW)


@case("Verdicts.judge: BATCH.state", "the batch failed")
def _(story: Story) -> Act:
    batch = story.started()
    story.store(batch)
    story.fail(batch)
    return lambda: story.judge(batch)


@case(
    "Verdicts.judge: FLYWHEEL.champions",
    "a person changed the champion",
    beside="Verdicts.judge: CHAMPION absent",
)
def _(story: Story) -> Act:
    batch, row = story.started(), story.row
    story.store(batch)
    story.changed()
    return lambda: story.judge(batch, row=row)


@case("Verdicts.judge: FLYWHEEL.change", "a person is about to change the champion")
def _(story: Story) -> Act:
    batch, row = story.started(), story.row
    story.store(batch)
    story.begun()
    return lambda: story.judge(batch, row=row)


# A person is asked, and answers.


def question(story: Story, batch: BatchRow) -> Approval:
    """Return the question about a batch's verdict."""
    found = story.ledger.approvals.get(batch)
    assert found is not None
    return found


def answer(story: Story, batch: BatchRow) -> Act:
    """Return a person's answer."""
    approvals = story.ledger.approvals
    return lambda: approvals.answer(batch, ApprovalState.APPROVED, "it is good", NOW)


@case("Approvals.ask: APPROVAL.state", "its time was over")
def _(story: Story) -> Act:
    batch = story.wanted()
    story.ledger.approvals.expire(batch, question(story, batch), NOW)
    return lambda: story.ledger.approvals.ask(batch, "token", NOTICE, NOW)


@case("Approvals.ask_again: APPROVAL.state", "a person answered")
def _(story: Story) -> Act:
    batch = story.asked()
    seen = question(story, batch)
    answer(story, batch)()
    return lambda: story.ledger.approvals.ask_again(batch, seen, "another token")


@case("Approvals.answer: APPROVAL.state", "another person answered")
def _(story: Story) -> Act:
    batch = story.asked()
    answer(story, batch)()
    return answer(story, batch)


@case("Approvals.answer: APPROVAL.state", "its time was over")
def _(story: Story) -> Act:
    batch = story.asked()
    story.ledger.approvals.expire(batch, question(story, batch), NOW)
    return answer(story, batch)


@case("Approvals.answer: APPROVAL.state", "nobody was asked yet")
def _(story: Story) -> Act:
    return answer(story, story.wanted())


@case("Approvals.note_sent: APPROVAL.token", "another try of the task waits with its own token")
def _(story: Story) -> Act:
    batch = story.asked()
    seen = question(story, batch)
    story.ledger.approvals.ask_again(batch, seen, "another token")
    return lambda: story.ledger.approvals.note_sent(batch, seen, NOW)


@case("Approvals.note_sent: APPROVAL.sent_at", "another run sent the answer")
def _(story: Story) -> Act:
    batch = story.asked()
    seen = question(story, batch)
    story.ledger.approvals.note_sent(batch, seen, NOW)
    return lambda: story.ledger.approvals.note_sent(batch, seen, NOW + timedelta(hours=1))


@case("Approvals.expire: APPROVAL.state", "a person answered")
def _(story: Story) -> Act:
    batch = story.asked()
    seen = question(story, batch)
    answer(story, batch)()
    return lambda: story.ledger.approvals.expire(batch, seen, NOW)


# A notice is published once.


@case("Outbox.claim: NOTICE.claimed_at", "another publisher claims it", ends="silent")
def _(story: Story) -> Act:
    story.paused()
    outbox = story.ledger.outbox
    soon = NOW + timedelta(minutes=1)
    story.before_the_write("Outbox.claim: NOTICE.claimed_at", lambda: outbox.claim(NOTICE.id, soon))
    return lambda: outbox.claim(NOTICE.id, NOW)


@case("Outbox.claim: NOTICE.claimed_at", "another takes the claim of a dead one", ends="silent")
def _(story: Story) -> Act:
    story.paused()
    outbox = story.ledger.outbox
    assert outbox.claim(NOTICE.id, NOW - timedelta(hours=1))
    story.before_the_write(
        "Outbox.claim: NOTICE.claimed_at",
        lambda: outbox.claim(NOTICE.id, NOW + timedelta(minutes=1)),
    )
    return lambda: outbox.claim(NOTICE.id, NOW)


# The audit is appended to, and nothing in it is replaced.


def note(story: Story, name: str) -> None:
    """Append an entry."""
    story.ledger.audit.act(NAME, name, {}, now=NOW)


@case("Audit.act: AUDIT absent", "somebody removed where the chain ends")
def _(story: Story) -> Act:
    note(story, "first")
    story.rows.write([Delete(Key(f"FLYWHEEL#{NAME}", "AUDIT_HEAD"))])
    return lambda: note(story, "another first")


@case("Audit.act: AUDIT_HEAD.seq", "an entry is appended each time, and removed")
def _(story: Story) -> Act:
    note(story, "first")

    def append_and_remove() -> None:
        note(story, "second")
        seq = head.seq if (head := story.ledger.audit.head(NAME)) else 0
        story.rows.write([Delete(Key(f"AUDIT#{NAME}#{seq}", "AUDIT"))])

    story.before_the_write("Audit.act: AUDIT_HEAD.seq", append_and_remove, times=10)
    return lambda: note(story, "another second")


@case("Audit.act: AUDIT_HEAD absent", "another's first entry, which is removed", ends="again")
def _(story: Story) -> Act:
    def append_and_remove() -> None:
        note(story, "first")
        story.rows.write([Delete(Key(f"AUDIT#{NAME}#1", "AUDIT"))])

    def act() -> None:
        note(story, "another first")
        assert [entry["seq"] for entry in story.ledger.audit.entries(NAME)] == [2]

    story.before_the_write("Audit.act: AUDIT_HEAD absent", append_and_remove)
    return act


@case(
    "Audit.act: AUDIT_HEAD.seq",
    "another entry is appended",
    beside="Audit.act: AUDIT absent",
    ends="again",
)
def _(story: Story) -> Act:
    note(story, "first")
    story.before_the_write("Audit.act: AUDIT_HEAD.seq", lambda: note(story, "second"))

    def act() -> None:
        note(story, "third")
        entries = story.ledger.audit.entries(NAME)
        assert [entry["event"] for entry in entries] == ["first", "second", "third"]
        assert [one["previous"] for one in entries[1:]] == [one["hash"] for one in entries[:-1]]

    return act
