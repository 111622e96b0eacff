"""A reason is a person's own, and whoever reads a verdict later sees it."""

from datetime import UTC, datetime

import pytest
from rich.console import Console

from application.ledger.approvals import Approval, ApprovalState
from console.views.verdict import approval_view
from tests.console.command_line import invoke

UNTIL = datetime(2026, 1, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize("verb", [("approve", "1"), ("pause",), ("resume",), ("rollback",)])
@pytest.mark.parametrize("reason", ["TEXT", " TEXT ", "<TEXT>", "..."])
def test_a_placeholder_is_refused_when_it_is_given_as_a_reason(
    verb: tuple[str, ...], reason: str
) -> None:
    """A command that is copied from a notice as it stands says why of nothing."""
    result = invoke(*verb, "--env", "local", "--reason", reason)
    assert result.exit_code == 2
    assert "give the reason in your own words" in " ".join(result.stderr.replace("│", "").split())


def test_resume_asks_for_a_reason_when_none_is_given() -> None:
    """As pause does: both stand in the audit."""
    result = invoke("resume", "--env", "local")
    assert result.exit_code == 2
    assert "--reason" in result.stderr


@pytest.mark.parametrize(
    ("approval", "words"),
    [
        (
            Approval(
                "tickets", 2, 1, "arn:m", ApprovalState.APPROVED, UNTIL, "keep", "arn:ann", "tested"
            ),
            ["state: APPROVED", "by: arn:ann", "reason: tested"],
        ),
        (
            Approval("tickets", 2, 1, "arn:m", ApprovalState.PENDING, UNTIL, "keep"),
            ["state: PENDING", "until: 2026-01-02 15:00 UTC"],
        ),
        (
            Approval("tickets", 2, 1, "arn:m", ApprovalState.EXPIRED, UNTIL, "keep"),
            ["state: EXPIRED", "on time-out: keep"],
        ),
    ],
)
def test_who_approved_and_why_is_shown_when_a_verdict_is_looked_at(
    approval: Approval, words: list[str]
) -> None:
    """The verdict's document is older than the answer, so the answer stands below it."""
    console = Console(width=80)
    with console.capture() as shown:
        console.print(approval_view(approval))
    for word in words:
        assert word in shown.get()
