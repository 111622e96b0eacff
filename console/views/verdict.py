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
from flywheel.evaluation.verdict import Verdict
from flywheel.notices.notice import shown
from flywheel.settings.policy import METRICS

OUTCOME_STYLES = {
    BatchOutcome.PROMOTED: "bold green",
    BatchOutcome.REJECTED: "bold red",
    BatchOutcome.HELD: "bold yellow",
    BatchOutcome.SHADOW: "bold yellow",
    BatchOutcome.FAILED: "bold red",
    BatchOutcome.EMPTY: "bold",
}
F1 = "AverageF1Score"
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
        terminal.show(metrics_table(stored.verdict))
        for reason in stored.verdict.reasons:
            terminal.tell(reason, indent=2)


def metrics_table(verdict: Verdict) -> Table:
    """Return the averages of champion and challenger."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 2))
    table.add_column("")
    for title in ("champion", "challenger", "change"):
        table.add_column(title, justify="right")
    for metric in METRICS:
        old, new = verdict.evidence.values(metric)
        if old is None and new is None and verdict.evidence.paired is not None:
            continue
        style = "bold" if metric == F1 else None
        table.add_row(metric, number(old), number(new), change(old, new), style=style)
    return table


def f1_of(stored: StoredVerdict | None) -> tuple[float | None, float | None]:
    """Return AverageF1Score of champion and challenger; None where there is none."""
    if stored is None:
        return None, None
    return stored.verdict.evidence.values(F1)


def f1_words(stored: StoredVerdict | None) -> str:
    """Return F1 of both models in a few words."""
    old, new = f1_of(stored)
    if new is None:
        return "-"
    return number(new) if old is None else f"{old:.3f} -> {new:.3f} ({new - old:+z.3f})"


def verdict_document(stored: StoredVerdict | None) -> dict[str, Any]:
    """Return a verdict's decision and rules as JSON values."""
    if stored is None:
        return {"verdict": None, "kept": None, "because": None, "rules": []}
    return {
        "verdict": stored.verdict.decision.value,
        "kept": stored.kept,
        "because": stored.because,
        "rules": [asdict(rule) for rule in stored.verdict.outcomes],
    }


def number(value: float | None) -> str:
    """Return an average for people."""
    return "-" if value is None else f"{value:.3f}"


def change(old: float | None, new: float | None) -> str:
    """Return the difference of two averages for people."""
    return "-" if old is None or new is None else f"{new - old:+z.3f}"


def model_name(arn: str | None) -> str:
    """Return a model's name and version, without what every model's ARN begins with.

    Examples
    --------
    >>> model_name("arn:aws:comprehend:eu-west-1:123456789012:document-classifier/a/version/b")
    'a/version/b'
    """
    return _MODEL_KIND.split(arn)[-1] if arn else "no model yet"
