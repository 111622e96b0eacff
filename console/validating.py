"""Check a labeled file on this machine, in the words that the service side would use.

Decides where the labels come from: the flywheel, or the file itself. The check is
`flywheel.labeled_documents`, the very code that receives uploads. Uploads nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from adapters.configuration import KnownFlywheel
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.target import Target
from console.terminal import Terminal
from flywheel.batches import allowance
from flywheel.labeled_documents import Allowance, LabeledDocuments, Report
from flywheel.notices import shown

_CHUNK_BYTES = 1 << 16
_LABELS_SHOWN = 40
_DEFAULT_ALLOWANCE = Allowance()


def check(
    path: Path, labels: Sequence[str] | None = None, allowed: Allowance = _DEFAULT_ALLOWANCE
) -> Report:
    """Read a file to its end and return what was found.

    Raises
    ------
    CommandError
        There is no such file, or it cannot be read.
    """
    documents = LabeledDocuments(file_chunks(path), labels, allowed)
    for _ in documents:
        pass
    return documents.report


def check_for(path: Path, target: Target, known: KnownFlywheel) -> Report:
    """Check a file as the flywheel's environment would on arrival."""
    return check(path, target.comprehend(known).labels(), allowance(known.settings.batch))


def documents_for(path: Path, target: Target, known: KnownFlywheel) -> LabeledDocuments:
    """Return a file's rows as the flywheel's environment would take them; to be read once."""
    return LabeledDocuments(
        file_chunks(path),
        target.comprehend(known).labels(),
        allowance(known.settings.batch),
        shape=known.settings.shape(),
        name=path.name,
    )


def file_chunks(path: Path) -> Iterator[bytes]:
    """Give a file's bytes in pieces.

    Raises
    ------
    CommandError
        There is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise CommandError(
            ExitCode.USAGE, str(path), error.strerror or str(error), "Check the path"
        ) from error


def tell_report(terminal: Terminal, name: str, report: Report) -> None:
    """Show people what was found in a file."""
    if report.is_refused:
        terminal.tell(f"{shown(name)}: REFUSED", style="bold red")
    else:
        taken = f"{report.documents:,} documents, {len(report.label_counts)} labels"
        terminal.tell(f"{shown(name)}: OK, {taken}", style="bold green")
    for line in report.lines():
        terminal.tell(shown(line, 300), indent=2)
    if report.left_out and not report.is_refused:
        terminal.tell(f"{report.left_out} of {report.rows_read:,} rows would be left out.")
    if report.duplicates:
        terminal.tell(f"Exact duplicates that would be dropped: {report.duplicates:,}.")
    for repair, count in report.repairs.items():
        terminal.tell(f"Repaired: {repair} ({count:,} row{'s' if count != 1 else ''}).")
    if not report.is_refused:
        terminal.show(label_table(report.label_counts.most_common()))


def label_table(counts: Sequence[tuple[str, int]]) -> Table:
    """Return documents a label as a table."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("label", overflow="fold")
    table.add_column("documents", justify="right")
    for label, count in counts[:_LABELS_SHOWN]:
        table.add_row(Text(shown(label)), f"{count:,}")
    more = counts[_LABELS_SHOWN:]
    if more:
        table.add_row(f"and {len(more)} more labels", f"{sum(count for _, count in more):,}")
    return table


def report_document(name: str, report: Report) -> dict[str, Any]:
    """Return what was found in a file as a JSON document."""
    return {
        "file": name,
        "is_refused": report.is_refused,
        "rows_read": report.rows_read,
        "documents": report.documents,
        "label_counts": dict(report.label_counts.most_common()),
        "duplicates": report.duplicates,
        "left_out": report.left_out,
        "problem_count": report.problem_count,
        "problems": [
            {
                "line": problem.line,
                "byte_offset": problem.byte_offset,
                "fault": problem.fault.value,
                "message": problem.message,
            }
            for problem in report.problems
        ],
        "repairs": dict(report.repairs),
    }
