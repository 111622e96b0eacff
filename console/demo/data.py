"""What the demonstration uploads: sample tickets, or a user's own rows.

Decides how a user's files are read (every good row counts, exact duplicates too) and what the
broken file looks like. It must not know the story.
Read next: `console.demo.split` (which row goes where) and `console.demo.environment`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.demo.few_documents import (
    LEAST_OF_A_LABEL,
    LEAST_SCARCE_LATER,
    TEST_DOCUMENTS,
    FewDocuments,
    few_documents,
)
from console.demo.sample_tickets import LABELS, broken_sample, sample_parts
from console.demo.split import DemoDataError, find_demo_files, find_demo_pairs, split_for_demo
from console.demo.tasks import DemoParts, Files, Row, broken_pair, known_labels, unknown_label
from console.environment.new_environment import flywheel_name
from console.errors import CommandError, ExitCode
from console.validate.data_remarks import scarce_labels, several_labels
from console.validate.validating import EVERY_ROW, file_chunks, opened
from flywheel.intake.labeled_documents import ROW_FAULTS, Report
from flywheel.intake.labeled_rows import LabeledRow as Document
from flywheel.intake.labeled_rows import csv_line, labels_of
from flywheel.intake.physical_rows import PhysicalRow, physical_rows
from flywheel.notices.notice import shown
from flywheel.settings.data_format import SERVICES_OWN, DataFormat
from flywheel.settings.policy import Policy

_COLUMNS = 2
_PROBLEMS_SHOWN = 3

FLOOR_OF_UNKNOWN_DATA = 0.2
"""What a first model must reach: nobody knows yet what is good on a user's data."""


@dataclass(frozen=True, slots=True)
class DemoData:
    """The files of the demonstration, as bytes, and the remarks on them.

    Parameters
    ----------
    flywheel : str
        The flywheel's name.
    labels : tuple of str
    parts : DemoParts
    broken : Files
        A file, or two, that are refused.
    remarks : tuple of str
        What people should know of the data.
    is_own : bool
        Whether it is a user's own.
    shape : DataFormat
        Of the rows.
    few : FewDocuments or None
        The files of the act with few test documents; None where the rows do not carry it.
    """

    flywheel: str
    labels: tuple[str, ...]
    parts: DemoParts
    broken: Files
    remarks: tuple[str, ...]
    is_own: bool
    shape: DataFormat = SERVICES_OWN
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
        parts=parts,
        broken=(("broken.csv", broken_sample()),),
        remarks=(),
        is_own=False,
        few=few_documents(parts.test, (*parts.first, *parts.more)),
    )


def own_data(folder: Path, shape: DataFormat = SERVICES_OWN) -> DemoData:
    """Read a user's own data and cut it into the demonstration's files.

    Parameters
    ----------
    folder : Path
        Holds ``train.csv`` and ``test.csv``, or one CSV file alone; for entities ``train`` and
        ``test``, each with ``documents.txt`` and ``annotations.csv``.
    shape : DataFormat
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
    _check_space(parts.test, files.train)
    every = (*train_rows, *(test_rows or ()))
    labels = tuple(known_labels(every, shape))
    few = None
    if shape == SERVICES_OWN:
        few = few_documents(parts.test, (*parts.first, *parts.more))
    counts = Counter(one for label, _ in train_rows for one in labels_of(label, shape))
    if test_rows is None:
        counts.subtract(one for label, _ in parts.test for one in labels_of(label, shape))
    remarks += [
        *_dropped_duplicates(len(every) - parts.rows),
        *several_labels(labels, shape),
        *scarce_labels(counts, labels),
        f"A first model goes live from {FLOOR_OF_UNKNOWN_DATA} on: nobody knows yet what is good "
        "on this data. Policies ask for 0.5 where they say nothing else.",
        *_small_test_set(parts.test),
        *_left_out_acts(few),
    ]
    is_pair = shape.task == "entities"
    return DemoData(
        flywheel=flywheel_name(folder.resolve().name),
        labels=labels,
        parts=parts,
        broken=broken_pair(labels) if is_pair else (("broken.csv", broken_file(labels)),),
        remarks=tuple(remarks),
        is_own=True,
        shape=shape,
        few=few,
    )


def broken_file(labels: Sequence[str]) -> bytes:
    """Return a small file with a header, an unknown label, a missing quote mark and no text."""
    known, unknown = labels[0], unknown_label(labels)
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


def _rows(path: Path, shape: DataFormat, remarks: list[str]) -> list[Row]:
    """Return every good row of a file, exact duplicates too, and remark on the others.

    Of duplicates with several labels or annotations the first alone counts.
    """
    documents = opened(path, allowed=EVERY_ROW, shape=shape)
    rows = [(row.label, row.text) for row in documents]
    report = documents.report
    if report.is_refused:
        raise RefusedFileError(path, report)
    remarks += _left_out(path, report, shape)
    if shape != SERVICES_OWN:
        return rows
    label_of = {text: label for label, text in rows}
    every = []
    for physical in physical_rows(file_chunks(path)):
        if isinstance(physical, PhysicalRow) and len(physical.fields) == _COLUMNS:
            label, text = (field.strip() for field in physical.fields)
            if label_of.get(text) == label:
                every.append((label, text))
    return every


def _left_out(path: Path, report: Report, shape: DataFormat) -> list[str]:
    counts = [
        f"{count:,} with {fault.value}"
        for fault, count in report.problem_counts.items()
        if fault in ROW_FAULTS
    ]
    remarks = []
    if counts:
        lines = report.lines(quotes_values=True)[:_PROBLEMS_SHOWN]
        first = "; ".join(shown(line, 120) for line in lines)
        remarks.append(
            f"{path.name}: {report.left_out:,} of {report.rows_read:,} rows are left out: "
            f"{', '.join(counts)} ({first}{'; ...' if report.left_out > _PROBLEMS_SHOWN else ''})."
        )
    if report.duplicates:
        place = " where they meet in the flywheel" if shape == SERVICES_OWN else ""
        remarks.append(f"{path.name}: {report.duplicates:,} exact duplicates are dropped{place}.")
    return remarks


def _dropped_duplicates(count: int) -> list[str]:
    if not count:
        return []
    return [
        f"Most texts are repeated: {count:,} duplicates are dropped, so that texts are left for a "
        "test set."
    ]


def _small_test_set(test: Sequence[Row]) -> list[str]:
    least = Policy().min_test_documents
    if len(test) >= least:
        return []
    return [
        f"Fewer than {least} test documents: no two models are compared, and only a first model "
        "goes live."
    ]


def _left_out_acts(few: FewDocuments | None) -> list[str]:
    """Remark on acts that the rows do not carry."""
    if few is None:
        return [
            "The act with few test documents is left out: it takes one label a document, two "
            f"labels of {LEAST_OF_A_LABEL} training documents each, and {TEST_DOCUMENTS} test "
            "documents of them."
        ]
    if not few.later_test:
        return [
            "The act with more test documents is left out: fewer than "
            f"{LEAST_SCARCE_LATER} more have the label {shown(few.scarce, 40)!r}."
        ]
    return []


def _check_space(test: Sequence[Row], path: Path) -> None:
    if not test:
        raise DemoDataError(str(path), "holds no row for a test set", "Give a test.csv with rows")
