"""How a conversion is told.

Decides looks and the JSON form; the conversion is `console.convert`.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from console.convert import Conversion
from console.terminal import Terminal
from console.validating import label_table
from flywheel.notices import shown


def tell_conversion(terminal: Terminal, output: Path, done: Conversion) -> None:
    """Show people what was written, and what was not."""
    noun = "document" if done.rows_written == 1 else "documents"
    terminal.tell_exactly(
        f"Wrote {done.rows_written:,} {noun} to {output} (read as {done.encoding})"
    )
    for row in done.left_out:
        terminal.tell(f"line {row.line}: left out, {shown(row.reason)}", "yellow", indent=2)
    hidden = done.left_out_count - len(done.left_out)
    if hidden > 0:
        terminal.tell(
            f"... and {hidden:,} more row{'s' if hidden != 1 else ''} left out", "yellow", indent=2
        )
    for repair, count in done.repairs.items():
        terminal.tell(f"Repaired: {repair} ({count:,} row{'s' if count != 1 else ''}).")
    terminal.show(label_table(list(done.label_counts.items())))


def conversion_document(output: Path, done: Conversion) -> dict[str, Any]:
    """Return what a conversion did as a JSON document."""
    return {"output": str(output), **asdict(done)}
