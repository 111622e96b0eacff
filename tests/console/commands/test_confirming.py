"""What costs or cannot be undone is confirmed by a person, or by ``--yes``."""

import pytest
from typer.testing import CliRunner

from application.ledger.flywheel_rows import FlywheelRow, RebuildState
from console.commands.rebuild import is_called_for
from console.errors import CommandError, ExitCode
from console.terminal import Terminal
from flywheel.settings.environment import BatchRules

IDLE = FlywheelRow("tickets", "arn:aws:comprehend:eu-west-1:123456789012:flywheel/tickets-g1")


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return a terminal at which somebody sits."""
    monkeypatch.setattr(Terminal, "can_ask", True)
    return Terminal(is_json=False)


def answered(terminal: Terminal, answer: str) -> None:
    """Ask, and have somebody type an answer."""
    with CliRunner().isolation(input=f"{answer}\n"):
        terminal.confirm("rebuild of tickets", "Rebuild it?", is_confirmed=False)


def test_it_is_done_when_somebody_says_yes(asking: Terminal) -> None:
    """At the terminal, or by the option."""
    answered(asking, "y")
    Terminal(is_json=True).confirm("rebuild of tickets", "Rebuild it?", is_confirmed=True)


@pytest.mark.parametrize("answer", ["n", ""])
def test_nothing_is_done_when_somebody_says_no(asking: Terminal, answer: str) -> None:
    """No answer is no."""
    with pytest.raises(CommandError) as caught:
        answered(asking, answer)
    assert (caught.value.code, caught.value.remedy) == (
        ExitCode.INTERRUPTED,
        "Nothing was changed",
    )


def test_the_option_is_asked_for_when_a_program_runs_it() -> None:
    """Standard input is no terminal, or the answer is JSON."""
    for is_json in (True, False):
        with pytest.raises(CommandError) as caught:
            Terminal(is_json=is_json).confirm("rebuild", "Rebuild it?", is_confirmed=False)
        assert caught.value.code is ExitCode.USAGE
        assert "--yes" in caught.value.remedy


@pytest.mark.parametrize(
    ("row", "is_called"),
    [
        (IDLE, False),
        (FlywheelRow(IDLE.name, IDLE.arn, taint=("tickets/train/a.csv",)), True),
        (FlywheelRow(IDLE.name, IDLE.arn, rebuild=RebuildState("SWITCHED", "", IDLE.arn, 1)), True),
        (FlywheelRow(IDLE.name, IDLE.arn, train_datasets=50), True),
    ],
    ids=["idle", "tainted", "rejected generation", "no slot left"],
)
def test_a_rebuild_is_asked_about_when_nothing_calls_for_it(
    row: FlywheelRow, *, is_called: bool
) -> None:
    """What is TAINTED, rejected or used up needs one anyway."""
    assert is_called_for(row, BatchRules()) is is_called
