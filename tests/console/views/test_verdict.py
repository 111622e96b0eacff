"""How a batch ended, as the command shows it in 80 columns."""

from dataclasses import replace

import pytest

from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.terminal import Terminal
from console.views.verdict import show_outcome
from flywheel.batches.batches import BatchOutcome, BatchState
from flywheel.evaluation.paired_evidence import LabelChange
from flywheel.evaluation.verdict import Decision, decide
from flywheel.settings.policy import Policy
from tests.flywheel.evaluation.test_verdict_view import EVIDENCE, paired

LABELS = (
    LabelChange("[red]\x1b[2J\u202e" + "FRAUD" * 20, 40, 0.9, 0.8),
    LabelChange("OTHER", 12_360, 0.7, 0.85),
)


@pytest.mark.parametrize(
    ("challenger", "decision", "outcome"),
    [
        (0.9, Decision.PROMOTE, BatchOutcome.PROMOTED),
        (0.7, Decision.REJECT, BatchOutcome.REJECTED),
        (None, Decision.HOLD, BatchOutcome.HELD),
    ],
)
def test_the_labels_that_changed_are_shown_when_both_models_answered(
    challenger: float | None,
    decision: Decision,
    outcome: BatchOutcome,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Worse labels first; a label is text, whatever stands in it."""
    monkeypatch.setenv("COLUMNS", "80")
    averages = {} if challenger is None else {"AverageF1Score": challenger}
    evidence = replace(EVIDENCE, challenger=averages, paired=paired(*LABELS))
    verdict = decide(evidence, Policy(evidence="none"))
    assert verdict.decision is decision
    batch = BatchRow("tickets", 3, BatchState.CLOSED, 1, "2026-03-01", 1, outcome=outcome)
    show_outcome(Terminal(is_json=False), batch, StoredVerdict(verdict, None, outcome))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    *_, worse, fraud, between, better, other = (line.split() for line in lines)
    assert (worse[:2], between, better[:2]) == (["Worse", "on"], [], ["Better", "on"])
    assert (fraud[0][:24], fraud[-1]) == ("[red]\\x1b[2J\\u202eFRAUDF", "-0.100")
    assert other == ["OTHER", "12,360", "0.700", "0.850", "+0.150"]
