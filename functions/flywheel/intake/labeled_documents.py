"""Read an upload as a stream: its rows, its canonical copy, and everything that is wrong with it.

Decides which rows are left out, and whether the file is refused. One pass, constant memory. Knows
no bucket, no ledger and no service. Formats: CSV in any layout that a flywheel's settings name,
augmented manifests, and pairs of documents and annotations (or a list of entities). Each may be
gzip-compressed, as its name shows.

*Source*: developer guide, "Preparing classifier training data" and "Preparing entity recognizer
training data" (file formats). Read next: `flywheel.intake.csv_blocks` (CSV to rows),
`flywheel.intake.label_rules` (what a label may be), `flywheel.intake.labeled_rows` (what a row is),
`flywheel.intake.reports` (what refuses a file) and `flywheel.intake.repeated_texts` (duplicates).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from flywheel.intake.augmented_manifests import ManifestRows, is_manifest
from flywheel.intake.candidates import Candidates, Stream
from flywheel.intake.csv_blocks import CsvBlocks
from flywheel.intake.csv_messages import header_message, is_header, quoted
from flywheel.intake.entities import EntityPair
from flywheel.intake.label_rules import LabelCell, LabelRules
from flywheel.intake.labeled_rows import LabeledRow, csv_lines
from flywheel.intake.layout_signs import LayoutSigns
from flywheel.intake.line_blocks import LineBlocks
from flywheel.intake.repeated_texts import RepeatedTexts
from flywheel.intake.reports import (
    ROW_FAULTS,
    SHOWN_PROBLEMS,
    Allowance,
    Limits,
    Message,
    Problem,
    Report,
    UploadFault,
    as_message,
)
from flywheel.intake.unpacking import UnreadableFileError, too_large, unpacked
from flywheel.settings.data_format import SERVICES_OWN, DataFormat

__all__ = [
    "ROW_FAULTS",
    "SHOWN_PROBLEMS",
    "Allowance",
    "LabeledDocuments",
    "Limits",
    "Problem",
    "Report",
    "Stream",
    "UploadFault",
    "refusal_by_size",
]

_USUAL, _SERVICES_QUOTAS = Allowance(), Limits()
_MOST_LABELS = 1000
"""*Source*: developer guide, guidelines and limits (labels of a classifier)."""


class LabeledDocuments:
    r"""The rows of one upload, in order, and a report of what was found. To be read once.

    Parameters
    ----------
    chunks : iterable of bytes
        The file, in pieces of any size.
    labels : sequence of str, optional
        The flywheel's labels or entity types; None takes them from the file itself.
    allowance : Allowance
        When bad rows refuse the file.
    shape : DataFormat
        What the flywheel's rows are.
    name : str
        The file's name.
    companion : Stream, optional
        The annotations or the entity list that belong to a file of documents.
    limits : Limits

    Examples
    --------
    >>> documents = LabeledDocuments([b"A,one\nB,two\nC,three\n"], labels=["A", "B"])
    >>> [row.text for row in documents], documents.report.lines()[-1]
    (['one', 'two'], "line 3: unknown label; the flywheel's labels: A, B")
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        labels: Sequence[str] | None = None,
        allowance: Allowance = _USUAL,
        *,
        shape: DataFormat = SERVICES_OWN,
        name: str = "",
        companion: Stream | None = None,
        limits: Limits = _SERVICES_QUOTAS,
    ) -> None:
        self.report = Report(
            counts_types=shape.task == "entities", labels_are_known=labels is not None
        )
        self.shape = shape
        self._file = Stream(name, chunks)
        self._labels = labels
        self._rules = LabelRules(labels, shape)
        self._signs = LayoutSigns(self._rules, shape.csv)
        self._is_csv = False
        self._allowance = allowance
        self._companion = companion
        self._limits = limits
        self._repeated = RepeatedTexts()

    def __iter__(self) -> Iterator[LabeledRow]:
        """Yield the accepted rows; read the report only after the last one."""
        for block in self._blocks():
            labels, texts = map(bytes.decode, block.labels), map(bytes.decode, block.texts)
            yield from map(LabeledRow, labels, texts)

    def numbered(self) -> Iterator[tuple[int, LabeledRow]]:
        """Yield the accepted rows, each with its physical line."""
        for block in self._blocks():
            labels, texts = map(bytes.decode, block.labels), map(bytes.decode, block.texts)
            yield from zip(block.lines, map(LabeledRow, labels, texts), strict=True)

    def canonical_copy(self) -> Iterator[bytes]:
        """Yield the accepted rows as the bytes of a canonical file, a block at a time."""
        for block in self._blocks():
            copied = block.canonical_bytes()
            if copied is not None:
                yield copied
            elif block.texts:
                yield csv_lines(block.labels, block.texts)

    def read_through(self) -> Report:
        """Read to the end for the report alone."""
        for _ in self._blocks():
            pass
        return self.report

    def _blocks(self) -> Iterator[Candidates]:
        try:
            for found in self._found():
                for problem in sorted(found.problems, key=lambda each: each[0].line):
                    self.report.add(*problem)
                for first in found.wrong_rows:
                    self._signs.count(first)
                self._judge(found)
                self.report.repairs.update(found.repairs)
                self._require_fitting()
                yield found
        except UnreadableFileError as error:
            self.report.add(Problem(error.fault, 0, 0, error.message))
        self.report.judge(self._allowance)
        layout = self._signs.message(self.report.rows_read) if self._is_csv else None
        if self.report.is_refused and layout is not None:
            self.report.refuse_as_a_whole(UploadFault.LAYOUT, layout)

    def _found(self) -> Iterator[Candidates]:
        """Give what the reader of the file's format finds."""
        most_bytes = self._limits.size_bytes
        chunks = unpacked(self._file.chunks, self._file.name, most_bytes)
        if self._companion is not None:
            companion = self._companion
            annotations = unpacked(companion.chunks, companion.name, most_bytes)
            return iter(
                EntityPair(
                    documents=Stream(self._file.name, chunks),
                    annotations=Stream(companion.name, annotations),
                    types=self._labels,
                    shape=self.shape,
                )
            )
        chunks, beginning = _peeked(chunks)
        blocks = LineBlocks(chunks)
        if is_manifest(beginning):
            return iter(ManifestRows(blocks, self.shape, self._labels))
        if self.shape.task == "entities" and beginning.strip():
            message = (
                "not an augmented manifest, which has one JSON object per line. Fix: upload one, "
                "or documents (.txt) with what belongs to them (.csv)"
            )
            raise UnreadableFileError(UploadFault.INVALID_JSON, message)
        self._is_csv = True
        return iter(CsvBlocks(blocks, self.shape.csv, self._header_message))

    def _header_message(self, fields: Sequence[str]) -> Message | None:
        known = self._rules.is_known(fields[0])
        return header_message(fields) if not known and is_header(fields) else None

    def _judge(self, found: Candidates) -> None:
        """Leave out the rows that cannot be used, and count those that remain."""
        report = self.report
        report.rows_read += found.rows_read
        if not found.texts:
            return
        counts = Counter(found.labels)
        cells = {value: self._rules.cell(value) for value in counts}
        if any(cell.fault for cell in cells.values()) or not all(found.texts):
            self._leave_out_bad(found, cells)
            counts = Counter(found.labels)
        if any(cells[value].canonical != value for value in counts):
            found.labels = [cells[value].canonical for value in found.labels]
            found.canonical = None
            counts = Counter(found.labels)
        counts -= self._leave_out_repeated(found)
        report.documents += self._documents(found)
        for value, count in counts.items():
            for label in self._rules.cell(value).labels:
                report.label_counts[label] += count

    def _documents(self, found: Candidates) -> int:
        if self.shape.task == "entities" and self.shape.entities_from == "list":
            return found.labels.count(b"")
        return len(found.texts)

    def _leave_out_bad(self, found: Candidates, cells: dict[bytes, LabelCell]) -> None:
        gone = []
        for index, (value, text) in enumerate(zip(found.labels, found.texts, strict=True)):
            cell = cells[value]
            if cell.fault is None and text:
                continue
            gone.append(index)
            if cell.fault is None:
                named = f"empty text (label {quoted(_text(cell.canonical))})"
                message = self._naming_labels(named, otherwise="empty text")
                self._add(found, index, UploadFault.EMPTY_TEXT, message)
                continue
            if cell.fault is UploadFault.UNKNOWN_LABEL:
                self._signs.count(_text(value), _text(text))
            explain = partial(self._rules.explain, value)
            self._add(found, index, cell.fault, alike=_text(value), explain=explain)
        found.leave_out(gone)

    def _naming_labels(self, words: str, *, otherwise: str) -> Message:
        """Return words with labels of rows, which are public where they are the flywheel's."""
        return Message(otherwise, words) if self._labels is None else Message(words)

    def _leave_out_repeated(self, found: Candidates) -> Counter[bytes]:
        """Leave out rows whose text came before, and return how many of each label."""
        repeats = self._repeated.repeats(found.texts, found.labels, found.size_bytes)
        for index, first in repeats:
            label = found.labels[index]
            if label == first:
                self.report.duplicates += 1
                continue
            if self.shape.task == "entities":
                message = Message("the same document came before with other annotations")
            else:
                named = (
                    f"label {quoted(_text(label))}, but the same text came before as "
                    f"{quoted(_text(first))}"
                )
                otherwise = "the same text came before with another label"
                message = self._naming_labels(named, otherwise=otherwise)
            self._add(found, index, UploadFault.CONFLICT, message)
        gone = Counter(found.labels[index] for index, _ in repeats)
        found.leave_out([index for index, _ in repeats])
        return gone

    def _add(
        self,
        found: Candidates,
        index: int,
        fault: UploadFault,
        message: Message | str = "",
        *,
        alike: str | None = None,
        explain: Callable[[], Message] | None = None,
    ) -> None:
        line = found.lines[index]
        problem = Problem(fault, line, found.offset_of(line), as_message(message))
        self.report.add(problem, alike, explain)

    def _require_fitting(self) -> None:
        """Stop reading where no dataset could hold what was read already."""
        most_rows = self._limits.rows
        if self.report.documents > most_rows:
            message = (
                f"the file has more than {most_rows:,} documents, the most that a dataset of the "
                "service holds. Fix: divide it into several files and upload them apart"
            )
            raise UnreadableFileError(UploadFault.TOO_MANY_ROWS, message)
        if self._labels is None and len(self.report.label_counts) > _MOST_LABELS:
            message = (
                f"the file has more than {_MOST_LABELS:,} different labels, and the service takes "
                "no more. Fix: see whether the columns are label, text in that order"
            )
            raise UnreadableFileError(UploadFault.TOO_MANY_LABELS, message)


def refusal_by_size(size_bytes: int, limits: Limits) -> Report | None:
    """Return the report of a file that is refused before it is read, or None."""
    if size_bytes <= limits.size_bytes:
        return None
    error = too_large(limits.size_bytes)
    report = Report()
    report.add(Problem(error.fault, 0, 0, error.message))
    return report


def _text(cell: bytes) -> str:
    return cell.decode()


def _peeked(chunks: Iterator[bytes]) -> tuple[Iterator[bytes], bytes]:
    """Return the same pieces, and the first that says what the file is."""
    seen: list[bytes] = []
    for chunk in chunks:
        seen.append(chunk)
        if b"".join(seen).strip():
            break
    return chain(seen, chunks), b"".join(seen)
