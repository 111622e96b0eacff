"""Check a labeled file on this machine, in the words that the service side would use.

Decides where the labels come from: the flywheel, or the file itself. The check is
`flywheel.intake.labeled_documents`, the very code that receives uploads. Uploads nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from application.configuration import KnownFlywheel
from console.environment.target import Target
from console.errors import CommandError, CommandResult, ExitCode
from console.terminal import Terminal
from console.validate.suspects import Sample, look, show_suspects
from console.views.layout import label_table
from flywheel.intake.labeled_documents import Allowance, LabeledDocuments, Limits, Report, Stream
from flywheel.intake.pairs import Half, PairPlace, UnpairableKeyError, pair_place
from flywheel.notices.notice import shown
from flywheel.number_words import number_of
from flywheel.settings.data_format import SERVICES_OWN, DataFormat, described_labels

_CHUNK_BYTES = 1 << 16
_LABELS, _TYPES = ("label", "documents"), ("type", "annotations")
_DEFAULT_ALLOWANCE = Allowance()
EVERY_ROW = Allowance(rows=10**9, fraction=1.0)
"""For files that are only looked at: bad rows never refuse them."""
_SERVICES_QUOTAS = Limits()


def opened(
    path: Path,
    labels: Sequence[str] | None = None,
    allowed: Allowance = _DEFAULT_ALLOWANCE,
    *,
    shape: DataFormat = SERVICES_OWN,
    limits: Limits = _SERVICES_QUOTAS,
    beside: Path | None = None,
) -> LabeledDocuments:
    """Return what reads a file once, and of a pair both files.

    Parameters
    ----------
    path : Path
        Of a pair, either half; the other one lies beside it.
    beside : Path, optional
        What belongs to the documents, wherever it lies.

    Raises
    ------
    CommandError
        There is no such file, it cannot be read, or the other half is not there.
    """
    documents, companion = halves(path, shape) if beside is None else (path, beside)
    return LabeledDocuments(
        file_chunks(documents),
        labels,
        allowed,
        shape=shape,
        name=documents.name,
        companion=None if companion is None else Stream(companion.name, file_chunks(companion)),
        limits=limits,
    )


def opened_for(
    path: Path, target: Target, known: KnownFlywheel, *, beside: Path | None = None
) -> LabeledDocuments:
    """Return what reads a file as the flywheel's environment would on arrival."""
    rules, task_config = known.settings.batch, target.comprehend(known).task_config()
    return opened(
        path,
        described_labels(task_config),
        Allowance.of(rules),
        shape=known.shape(lambda: task_config),
        limits=Limits(rules.service_max_documents, rules.service_max_bytes),
        beside=beside,
    )


def halves(path: Path, shape: DataFormat) -> tuple[Path, Path | None]:
    """Return the documents and what belongs to them, where an upload is two files."""
    try:
        place = pair_place(path.name, shape)
        if place is None:
            return path, None
        for beside in sorted(path.parent.iterdir()):
            other = _place(beside.name, shape)
            if other is not None and place.belongs_to(other):
                is_documents = place.half is Half.DOCUMENTS
                return (path, beside) if is_documents else (beside, path)
    except UnpairableKeyError as error:
        raise CommandError(
            ExitCode.REFUSED, path.name, "it is not half of a pair", str(error)
        ) from error
    raise CommandError(
        ExitCode.USAGE, path.name, place.words, "Put both files into one folder, then check again"
    )


def _place(name: str, shape: DataFormat) -> PairPlace | None:
    try:
        return pair_place(name, shape)
    except UnpairableKeyError:
        return None


def file_chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in pieces.

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


def validated(
    terminal: Terminal, path: Path, documents: LabeledDocuments, *, looks_for_suspects: bool
) -> CommandResult:
    """Read a file through, tell what was found, and look for labels that seem wrong.

    What looks wrong is a suggestion: the ending's code is that of the report, unless Ctrl-C stopped
    the looking.
    """
    sample, looks = Sample(), looks_for_suspects and documents.shape.task == "classification"
    if looks:
        sample.take_all(documents.numbered())
        report = documents.report
    else:
        report = documents.read_through()
    if not terminal.is_json:
        show_report(terminal, path.name, report)
    document, code = report_document(str(path), report), ExitCode.DONE
    if report.is_refused:
        return CommandResult(ExitCode.REFUSED, document)
    if looks:
        suspects = look(terminal, sample, documents.shape)
        if not terminal.is_json:
            show_suspects(terminal, suspects)
        document["suspected_labels"] = suspects.document()
        if suspects.is_interrupted:
            code = ExitCode.INTERRUPTED
    return CommandResult(code, document)


def show_report(terminal: Terminal, name: str, report: Report) -> None:
    """Show people what was found in a file."""
    if report.is_refused:
        terminal.print(f"{shown(name)}: REFUSED", style="bold red")
    else:
        labels = number_of(len(report.label_counts), "type" if report.counts_types else "label")
        taken = f"{number_of(report.documents, 'document')}, {labels}"
        terminal.print(f"{shown(name)}: OK, {taken}", style="bold green")
    for line in report.lines(quotes_values=True):
        terminal.print(shown(line, 300), indent=2)
    if report.left_out and not report.is_refused:
        terminal.print(
            f"{report.left_out:,} of {number_of(report.rows_read, 'row')} would be left out."
        )
    if report.duplicates:
        terminal.print(f"Exact duplicates that would be dropped: {report.duplicates:,}.")
    for line in report.repair_lines():
        terminal.print(line)
    one_label = report.one_label_line(quotes_values=True)
    if one_label is not None and not report.is_refused:
        terminal.print(shown(one_label, 300), style="yellow")
    if not report.is_refused:
        counts = report.label_counts.most_common()
        terminal.show(label_table(counts, *_TYPES if report.counts_types else _LABELS))


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
                "message": problem.message.full,
                "count": problem.count,
                **({"file": problem.file} if problem.file else {}),
            }
            for problem in report.problems
        ],
        "repairs": dict(report.repairs),
    }
