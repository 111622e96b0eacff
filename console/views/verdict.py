"""Show how a batch ended: the outcome, both models' averages, and why.

Decides looks and the JSON form of a verdict; the words of the reasons are the verdict's own.
"""

import re
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.terminal import Terminal
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.verdict_view import F1, AverageChange, VerdictView, change, number
from flywheel.notices.notice import shown
from flywheel.notices.what_changed import changed_labels

OUTCOME_STYLES = {
    BatchOutcome.PROMOTED: "bold green",
    BatchOutcome.REJECTED: "bold red",
    BatchOutcome.HELD: "bold yellow",
    BatchOutcome.SHADOW: "bold yellow",
    BatchOutcome.FAILED: "bold red",
    BatchOutcome.EMPTY: "bold",
}
_MODEL_KIND = re.compile(":(?:document-classifier|entity-recognizer)/")


def tell_outcome(terminal: Terminal, batch: BatchRow, stored: StoredVerdict | None) -> None:
    """Show people how a closed batch ended."""
    if batch.outcome is None:
        return
    words = {
        BatchOutcome.PROMOTED: "the challenger is the active model now",
        BatchOutcome.REJECTED: "the active model stays",
        BatchOutcome.HELD: "the active model stays; evidence is missing",
        BatchOutcome.SHADOW: "the active model stays",
        BatchOutcome.FAILED: f"{batch.error}: {batch.cause}",
        BatchOutcome.EMPTY: "the flywheel has all these rows already; nothing was spent",
    }[batch.outcome]
    if stored is not None and stored.verdict.is_bootstrap and batch.outcome == "PROMOTED":
        words = "BOOTSTRAP, the first model is active now"
    if stored is not None and stored.because is not None:
        words = f"the active model stays: {shown(stored.because, 300)}"
    style = OUTCOME_STYLES[batch.outcome]
    terminal.show(Text.assemble((f"Batch {batch.batch}: {batch.outcome}", style), f", {words}"))
    if stored is not None:
        view = VerdictView(stored.verdict)
        terminal.show(metrics_table(view))
        for reason in view.verdict.reasons:
            terminal.tell(reason, indent=2)
        for line in changed_labels(view):
            terminal.show(Text(f"  {line}"))


def metrics_table(view: VerdictView) -> Table:
    """Return the averages of champion and challenger."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 2))
    table.add_column("")
    for title in ("champion", "challenger", "change"):
        table.add_column(title, justify="right")
    for each in view.averages:
        old, new = each.champion, each.challenger
        style = "bold" if each.metric == F1 else None
        table.add_row(each.metric, number(old), number(new), change(each.gain), style=style)
    return table


def f1_of(stored: StoredVerdict | None) -> AverageChange:
    """Return AverageF1Score of champion and challenger; None where there is none."""
    return VerdictView(stored.verdict).f1 if stored else AverageChange(F1, None, None)


def f1_words(stored: StoredVerdict | None) -> str:
    """Return F1 of both models in a few words."""
    return f1_of(stored).summary or "-"


def verdict_json(stored: StoredVerdict | None) -> dict[str, Any]:
    """Return a verdict's decision and rules as JSON values."""
    if stored is None:
        return {"verdict": None, "kept": None, "because": None, "rules": []}
    return {
        "verdict": stored.verdict.decision.value,
        "kept": stored.kept,
        "because": stored.because,
        "rules": [asdict(rule) for rule in stored.verdict.outcomes],
    }


def model_name(arn: str | None) -> str:
    """Return a model's name and version, without what every model's ARN begins with.

    Examples
    --------
    >>> model_name("arn:aws:comprehend:eu-west-1:123456789012:document-classifier/a/version/b")
    'a/version/b'
    """
    return _MODEL_KIND.split(arn)[-1] if arn else "no model yet"
