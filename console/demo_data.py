"""What the demonstration uploads: sample tickets, or a user's own rows.

Decides how a user's files are read (every good row counts, exact duplicates too) and what the
broken file looks like. It must not know how the story goes.
Read next: `console.demo_split` (which row goes where) and `console.demo_environment`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.demo_few import FewDocuments, few_documents, flywheel_name
from console.demo_split import DemoDataError, find_demo_files, find_demo_pairs, split_for_demo
from console.demo_tasks import Files, Row, broken_pair, known_labels
from console.errors import CommandError
from console.exit_codes import ExitCode
from console.sample_tickets import LABELS, sample_parts
from console.validating import file_chunks, opened
from flywheel.labeled_documents import ROW_FAULTS, Allowance, Report, csv_line
from flywheel.labeled_documents import Row as Document
from flywheel.notices import shown
from flywheel.physical_rows import PhysicalRow, physical_rows
from flywheel.row_labels import labels_of
from flywheel.settings import BatchRules
from flywheel.shapes import LABEL_DELIMITERS, Shape

_COLUMNS = 2
_EVERY_ROW = Allowance(rows=10**9, fraction=1.0)
_NAMED_LABELS = 10
_TOLD_PROBLEMS = 3
_SERVICES_OWN = Shape()

FLOOR_OF_UNKNOWN_DATA = 0.2
"""What a first model must reach: nobody knows yet what is good on a user's data."""


@dataclass(frozen=True, slots=True)
class DemoData:
    """The files of the demonstration, as bytes, and what is said of them.

    Parameters
    ----------
    flywheel : str
        The flywheel's name.
    labels : tuple of str
    test, first, more, mislabeled : tuple of Row
    broken : Files
        A file, or two, that are refused.
    remarks : tuple of str
        What people should know of the data.
    is_own : bool
        Whether it is a user's own.
    shape : Shape
        Of the rows.
    few : FewDocuments or None
        The files of the act with few test documents; None where the rows do not carry it.
    """

    flywheel: str
    labels: tuple[str, ...]
    test: tuple[Row, ...]
    first: tuple[Row, ...]
    more: tuple[Row, ...]
    mislabeled: tuple[Row, ...]
    broken: Files
    remarks: tuple[str, ...]
    is_own: bool
    shape: Shape = _SERVICES_OWN
    few: FewDocuments | None = None


class RefusedFileError(CommandError):
    """A file of the user's data is refused; its report says why.

    Parameters
    ----------
    path : Path
    report : Report
    """

    def __init__(self, path: Path, report: Report) -> None:
        self.report = report
        problem = "the file is refused: " + "; ".join(
            shown(line, 300) for line in report.lines(quotes_values=True)
        )
        remedy = f"Repair it; flywheel validate {path} says the same"
        super().__init__(ExitCode.REFUSED, str(path), problem, remedy)


def sample_data() -> DemoData:
    """Return the sample tickets that the project makes itself."""
    parts = sample_parts()
    return DemoData(
        flywheel="tickets",
        labels=LABELS,
        test=parts.test,
        first=parts.first,
        more=parts.more,
        mislabeled=parts.mislabeled,
        broken=(("broken.csv", parts.broken),),
        remarks=(),
        is_own=False,
        few=few_documents(parts.test, (*parts.first, *parts.more)),
    )


def own_data(folder: Path, shape: Shape = _SERVICES_OWN) -> DemoData:
    """Read a user's own data and cut it into the demonstration's files.

    Parameters
    ----------
    folder : Path
        Holds ``train.csv`` and ``test.csv``, or one CSV file alone; for entities ``train`` and
        ``test``, each with ``documents.txt`` and ``annotations.csv``.
    shape : Shape
        Of its rows.

    Raises
    ------
    RefusedFileError
        A file has faults that refuse it.
    DemoDataError
        The folder or its rows cannot carry the demonstration.
    """
    find = find_demo_pairs if shape.task == "entities" else find_demo_files
    files = find(folder)
    remarks: list[str] = []
    train_rows = _rows(files.train, shape, remarks)
    test_rows = None if files.test is None else _rows(files.test, shape, remarks)
    parts = split_for_demo(train_rows, test_rows, source=str(files.train), shape=shape)
    labels = tuple(known_labels((*train_rows, *(test_rows or ())), shape))
    remarks += _several_labels(labels, shape)
    _check_space(parts.test, files.train)
    counts = Counter(one for label, _ in train_rows for one in labels_of(label, shape))
    if test_rows is None:
        counts.subtract(one for label, _ in parts.test for one in labels_of(label, shape))
    remarks += _few_documents(counts, labels)
    remarks.append(
        f"A first model goes live from {FLOOR_OF_UNKNOWN_DATA} on: nobody knows yet what is good "
        "on this data. Policies ask for 0.5 where they say nothing else."
    )
    few = None
    if shape == _SERVICES_OWN:
        few = few_documents(parts.test, (*parts.first, *parts.more))
    if few is None:
        remarks.append(
            "The act with few test documents is left out: it takes documents with one label each, "
            "and more of two labels at least."
        )
    return DemoData(
        flywheel=flywheel_name(folder.resolve().name),
        labels=labels,
        test=parts.test,
        first=parts.first,
        more=parts.more,
        mislabeled=parts.mislabeled,
        broken=(
            broken_pair(labels)
            if shape.task == "entities"
            else (("broken.csv", broken_file(labels)),)
        ),
        remarks=tuple(remarks),
        is_own=True,
        shape=shape,
        few=few,
    )


def broken_file(labels: Sequence[str]) -> bytes:
    """Return a small file with a header, an unknown label, a missing quote mark and no text."""
    known = labels[0]
    unknown = f"{known}_2"
    while unknown in labels:
        unknown += "_2"
    good = [csv_line(Document(label, f"a good row, of {label}")) for label in labels[:2]]
    return "".join(
        [
            "label,text\n",
            good[0],
            csv_line(Document(known, "")),
            csv_line(Document(unknown, "a row whose label nobody knows")),
            f"{_cell(known)},a text with a comma, and no quotes\n",
            good[1],
        ]
    ).encode()


def _cell(label: str) -> str:
    return csv_line(Document(label, "")).rstrip("\n").removesuffix(",")


def _rows(path: Path, shape: Shape, remarks: list[str]) -> list[Row]:
    """Return every good row of a file, exact duplicates too, and remark on the others.

    Of duplicates with several labels or annotations the first alone counts.
    """
    documents = opened(path, allowed=_EVERY_ROW, shape=shape)
    found = [(row.label, row.text) for row in documents]
    report = documents.report
    if report.is_refused:
        raise RefusedFileError(path, report)
    remarks += _left_out(path, report, shape)
    if shape != _SERVICES_OWN:
        return found
    label_of = {text: label for label, text in found}
    rows = []
    for physical in physical_rows(file_chunks(path)):
        if isinstance(physical, PhysicalRow) and len(physical.fields) == _COLUMNS:
            label, text = (field.strip() for field in physical.fields)
            if label_of.get(text) == label:
                rows.append((label, text))
    return rows


def _left_out(path: Path, report: Report, shape: Shape) -> list[str]:
    counts = [
        f"{count:,} with {fault.value}"
        for fault, count in report.problem_counts.items()
        if fault in ROW_FAULTS
    ]
    remarks = []
    if counts:
        told = report.lines(quotes_values=True)[:_TOLD_PROBLEMS]
        first = "; ".join(shown(line, 120) for line in told)
        remarks.append(
            f"{path.name}: {report.left_out:,} of {report.rows_read:,} rows are left out: "
            f"{', '.join(counts)} ({first}{'; ...' if report.left_out > _TOLD_PROBLEMS else ''})."
        )
    if report.duplicates:
        stay = "are cut and uploaded like any row; the flywheel drops them where they meet"
        fate = stay if shape == _SERVICES_OWN else "are dropped"
        remarks.append(f"{path.name}: {report.duplicates:,} exact duplicates {fate}.")
    return remarks


def _several_labels(labels: Sequence[str], shape: Shape) -> list[str]:
    """Remark on a label that is made of other labels, with a delimiter between them."""
    if shape.task == "entities":
        return []
    known = set(labels)
    for delimiter in LABEL_DELIMITERS:
        for label in labels:
            parts = label.split(delimiter)
            if len(parts) > 1 and known.issuperset(parts):
                return [
                    f"{shown(label, 40)!r} counts as one label, though its parts are labels too: "
                    "where documents have several labels, give --task multi-label "
                    f"--delimiter {delimiter!r}."
                ]
    return []


def _few_documents(counts: Counter[str], labels: Sequence[str]) -> list[str]:
    least = BatchRules().service_min_per_label
    few = [f"{shown(label, 40)} ({counts[label]})" for label in labels if counts[label] < least]
    if not few:
        return []
    named = ", ".join(few[:_NAMED_LABELS])
    more = f" and {len(few) - _NAMED_LABELS} more" if few[_NAMED_LABELS:] else ""
    return [
        f"Fewer than {least} training documents, which AWS asks of a label: {named}{more}. "
        "The local environment allows it."
    ]


def _check_space(test: Sequence[Row], path: Path) -> None:
    if not test:
        raise DemoDataError(str(path), "holds no row for a test set", "Give a test.csv with rows")
