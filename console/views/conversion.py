"""How a conversion is told.

Decides looks and the JSON form; the conversion is `console.convert.conversion`.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from console.convert.conversion import Conversion
from console.terminal import Terminal
from console.validate.validating import label_table
from flywheel.notices.notice import shown
from flywheel.number_words import number_of


def tell_conversion(terminal: Terminal, output: Path, done: Conversion) -> None:
    """Show people what was written, and what was not."""
    written = number_of(done.rows_written, "document")
    terminal.tell_exactly(f"Wrote {written} to {output} (read as {done.encoding})")
    for row in done.left_out:
        terminal.tell(f"line {row.line}: left out, {shown(row.reason)}", "yellow", indent=2)
    hidden = done.left_out_count - len(done.left_out)
    if hidden > 0:
        terminal.tell(f"... and {number_of(hidden, 'more row')} left out", "yellow", indent=2)
    for repair, count in done.repairs.items():
        terminal.tell(f"Repaired: {repair} ({number_of(count, 'row')}).")
    terminal.show(label_table(list(done.label_counts.items())))


def conversion_document(output: Path, done: Conversion) -> dict[str, Any]:
    """Return what a conversion did as a JSON document."""
    return {"output": str(output), **asdict(done)}
