"""How the end of a batch looks: the outcome, both models' averages, and why.

Decides looks; the words of the reasons are the verdict's own.
"""

from rich.table import Table
from rich.text import Text

from application.ledger.batch_rows import BatchRow, StoredVerdict
from console.record.history import f1_of
from console.terminal import Terminal
from console.views.layout import plain_table
from flywheel.batches.batches import BatchOutcome
from flywheel.evaluation.verdict_view import F1, VerdictView, change, number
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
    table = plain_table(indent=2)
    table.add_column("")
    for title in ("champion", "challenger", "change"):
        table.add_column(title, justify="right")
    for each in view.averages:
        old, new = each.champion, each.challenger
        style = "bold" if each.metric == F1 else None
        table.add_row(each.metric, number(old), number(new), change(each.gain), style=style)
    return table


def f1_words(stored: StoredVerdict | None) -> str:
    """Return F1 of both models in a few words."""
    return f1_of(stored).summary or "-"
