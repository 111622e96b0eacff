"""Read a pair of files as rows of an entity flywheel: documents, and what belongs to them.

Documents are one a line. Beside them either annotations (``File,Line,Begin Offset,End
Offset,Type``) or a list of entities (``Text,Type``), as the flywheel's settings say. Annotations
may come in any order, so they are kept, eight bytes each, while the documents pass by.
*Source*: developer guide, "Plain-text annotation files" and "Entity lists".
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

from flywheel.intake.augmented_manifests import document_too_long_message, unknown_type_message
from flywheel.intake.candidates import Candidates, Stream
from flywheel.intake.csv_blocks import BYTE_ORDER_MARK_REPAIR, CRLF_REPAIR
from flywheel.intake.csv_messages import quoted
from flywheel.intake.labeled_rows import (
    NO_ANNOTATIONS,
    Span,
    canonical_annotations,
    wrong_annotation,
)
from flywheel.intake.line_blocks import Block, LineBlocks
from flywheel.intake.physical_rows import BrokenRow, PhysicalRow, broken_line, physical_rows
from flywheel.intake.reports import Message, UploadFault
from flywheel.intake.unpacking import UnreadableFileError, plain_name
from flywheel.number_words import number_of
from flywheel.settings.data_format import DataFormat

ANNOTATIONS_HEADER = ("File", "Line", "Begin Offset", "End Offset", "Type")
LIST_HEADER = ("Text", "Type")

_LINE_BITS, _OFFSET_BITS, _TYPE_BITS = 24, 17, 6
_MOST_LINES, _MOST_OFFSET = 1 << _LINE_BITS, 1 << _OFFSET_BITS
_MOST_TYPES = (1 << _TYPE_BITS) - 1
_UNUSABLE = _MOST_TYPES
"""Stands for the type of an annotation that is wrong: its document is left out."""

_MOST_ANNOTATIONS = 2_000_000
"""What a function's memory holds; more than any entity dataset of 200 MB has."""

_LIST_BLOCK_ROWS = 5000

_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
"""Python itself refuses numbers of thousands of digits."""


class EntityPair:
    """The candidates of documents and what belongs to them.

    Parameters
    ----------
    documents, annotations : Stream
        Unpacked already; ``annotations`` is the entity list where the shape says so.
    types : sequence of str, optional
        The flywheel's entity types; None takes any.
    shape : DataFormat
    """

    def __init__(
        self,
        *,
        documents: Stream,
        annotations: Stream,
        types: Sequence[str] | None,
        shape: DataFormat,
    ) -> None:
        self._documents = documents
        self._companion = annotations
        self._is_list = shape.entities_from == "list"
        self._types = list(types or ())
        self._takes_any = types is None
        self._most_bytes = shape.entity_document_bytes
        self._packed = array("Q")
        self._next = 0

    def __iter__(self) -> Iterator[Candidates]:
        """Yield the candidates, a block at a time."""
        rows = self._companion_rows()
        if self._is_list:
            yield from self._read_documents()
            yield from self._entries(rows)
            return
        found = Candidates()
        for row in rows:
            self._keep_annotation(row, found)
        yield found
        self._sort()
        lines = 0
        for found in self._read_documents():
            lines = max(lines, *found.lines, 0) if found.lines else lines
            yield found
        if self._next < len(self._packed):
            line = self._packed[self._next] >> (2 * _OFFSET_BITS + _TYPE_BITS)
            message = (
                f"{quoted(self._companion.name)} annotates line {line} (from 0) of "
                f"{quoted(self._documents.name)}, which has no document there. Fix: upload the two "
                "files that belong together"
            )
            raise UnreadableFileError(UploadFault.PAIR, message)

    def _companion_rows(self) -> Iterator[PhysicalRow | BrokenRow]:
        """Give the rows of the companion behind its header, which must be the right one."""
        rows = physical_rows(self._companion.chunks)
        first = next(rows, None)
        fields = first.fields if isinstance(first, PhysicalRow) else []
        names = tuple(name.strip() for name in fields)
        wanted = LIST_HEADER if self._is_list else ANNOTATIONS_HEADER
        if names == wanted:
            return rows
        name = quoted(self._companion.name)
        if names == (ANNOTATIONS_HEADER if self._is_list else LIST_HEADER):
            other, own = ("annotations", "list") if self._is_list else ("list", "annotations")
            message = (
                f'{name} is for entities_from = "{other}", and the flywheel has '
                f'entities_from = "{own}": upload {", ".join(wanted)}'
            )
        else:
            message = f"{name} must begin with the header {','.join(wanted)}"
        raise UnreadableFileError(UploadFault.HEADER, message)

    def _keep_annotation(self, row: PhysicalRow | BrokenRow, found: Candidates) -> None:
        name = self._companion.name
        if isinstance(row, BrokenRow):
            found.add_problem(
                UploadFault[row.reason], row.line, row.offset, row.message, alike="", file=name
            )
            return
        fields = [value.strip() for value in row.fields]
        if len(fields) != len(ANNOTATIONS_HEADER):
            problem = f"{number_of(len(fields), 'column')} instead of {len(ANNOTATIONS_HEADER)}"
            found.add_problem(UploadFault.COLUMN_COUNT, row.line, row.offset, problem, file=name)
            return
        file, *numbers, kind = fields
        if plain_name(file) != plain_name(self._documents.name):
            rest = f", and the documents are {quoted(self._documents.name)}"
            message = Message(f"annotates another file{rest}", f"annotates {quoted(file)}{rest}")
            found.add_problem(UploadFault.PAIR, row.line, row.offset, message, file=name)
            return
        if not all(_WHOLE_NUMBER.fullmatch(number) for number in numbers):
            problem = "Line, Begin Offset and End Offset must be whole numbers from 0"
            found.add_problem(UploadFault.COLUMN_COUNT, row.line, row.offset, problem, file=name)
            return
        line, begin, end = map(int, numbers)
        if line >= _MOST_LINES or len(self._packed) >= _MOST_ANNOTATIONS:
            problem = f"{quoted(name)} has more than {_MOST_ANNOTATIONS:,} annotations: divide it"
            raise UnreadableFileError(UploadFault.TOO_LARGE, problem)
        number = self._type_number(kind, row, found)
        # An end so far out is behind every text; where it is cut it still is.
        begin, end = min(begin, _MOST_OFFSET - 1), min(end, _MOST_OFFSET - 1)
        self._packed.append(_pack(line, begin, end, number))

    def _type_number(self, kind: str, row: PhysicalRow, found: Candidates) -> int:
        if kind in self._types:
            return self._types.index(kind)
        if self._takes_any and kind and len(self._types) < _MOST_TYPES:
            self._types.append(kind)
            return len(self._types) - 1
        known = () if self._takes_any else self._types
        found.add_problem(
            UploadFault.UNKNOWN_LABEL,
            row.line,
            row.offset,
            alike=kind,
            explain=partial(unknown_type_message, kind, known),
            file=self._companion.name,
        )
        return _UNUSABLE

    def _sort(self) -> None:
        if any(before > after for before, after in pairwise(self._packed)):
            self._packed = array("Q", sorted(self._packed))

    def _read_documents(self) -> Iterator[Candidates]:
        blocks = LineBlocks(self._documents.chunks)
        for block in blocks:
            found = Candidates(
                offset_of=lambda line, block=block: block.offset_of(line - block.line),  # type: ignore[misc] # mypy infers no lambda with a default
                size_bytes=len(block.data),
            )
            if blocks.has_byte_order_mark and block.line == 1:
                found.repairs[BYTE_ORDER_MARK_REPAIR] += 1
            self._read_block(block, found)
            yield found

    def _read_block(self, block: Block, found: Candidates) -> None:
        kept = []
        for number, raw in enumerate(block.lines, block.line):
            data = raw.removesuffix(b"\r")
            found.repairs[CRLF_REPAIR] += data is not raw
            spans, is_usable = self._spans(number - 1)
            if not data.strip() and not spans:
                continue
            found.rows_read += 1
            label = self._document_label(data, number, spans, block, found)
            if label is None or not is_usable:
                continue
            found.labels.append(label.encode())
            found.texts.append(data)
            kept.append(number)
        found.lines = kept
        found.repairs = +found.repairs

    def _spans(self, line: int) -> tuple[list[Span], bool]:
        """Return the annotations of a line (from 0), and whether all of them can be used."""
        spans, is_usable = [], True
        while self._next < len(self._packed):
            at, begin, end, number = _unpack(self._packed[self._next])
            if at != line:
                break
            self._next += 1
            if number == _UNUSABLE:
                is_usable = False
            else:
                spans.append((begin, end, self._types[number]))
        return spans, is_usable

    def _document_label(
        self, data: bytes, number: int, spans: list[Span], block: Block, found: Candidates
    ) -> str | None:
        """Return a document's label, or None where something is wrong with it."""
        offset = block.offset_of(number - block.line)
        file = self._documents.name
        if len(data) > self._most_bytes or block.is_cut:
            message = document_too_long_message(len(data), self._most_bytes)
            found.add_problem(
                UploadFault.DOCUMENT_TOO_LONG, number, offset, message, alike="", file=file
            )
            return None
        broken = broken_line(data, number, offset)
        if broken is not None:
            reason = UploadFault[broken.reason]
            found.add_problem(reason, number, offset, broken.message, alike="", file=file)
            return None
        if self._is_list:
            return ""
        wrong = wrong_annotation(spans, data.decode(), names_types=not self._takes_any)
        if wrong is not None:
            found.add_problem(UploadFault.ANNOTATION, number, offset, wrong, file=file)
            return None
        return canonical_annotations(spans) if spans else NO_ANNOTATIONS

    def _entries(self, rows: Iterator[PhysicalRow | BrokenRow]) -> Iterator[Candidates]:
        """Yield the entries of an entity list, some thousand at a time."""
        found, lines = Candidates(), list[int]()
        for row in rows:
            self._keep_entry(row, found, lines)
            if len(lines) >= _LIST_BLOCK_ROWS:
                found.lines = lines
                yield found
                found, lines = Candidates(), []
        found.lines = lines
        yield found

    def _keep_entry(
        self, row: PhysicalRow | BrokenRow, found: Candidates, lines: list[int]
    ) -> None:
        name = self._companion.name
        if isinstance(row, BrokenRow):
            found.add_problem(
                UploadFault[row.reason], row.line, row.offset, row.message, alike="", file=name
            )
            return
        fields = [value.strip() for value in row.fields]
        found.rows_read += 1
        if len(fields) != len(LIST_HEADER):
            message = (
                f"{number_of(len(fields), 'column')} instead of {len(LIST_HEADER)} (Text, Type)"
            )
            found.add_problem(UploadFault.COLUMN_COUNT, row.line, row.offset, message, file=name)
            return
        text, kind = fields
        if not text:
            found.add_problem(UploadFault.EMPTY_TEXT, row.line, row.offset, "empty text", file=name)
        elif self._type_number(kind, row, found) != _UNUSABLE:
            found.labels.append(kind.encode())
            found.texts.append(text.encode())
            found.size_bytes += len(found.texts[-1])
            lines.append(row.line)


def _pack(line: int, begin: int, end: int, number: int) -> int:
    return ((line << _OFFSET_BITS | begin) << _OFFSET_BITS | end) << _TYPE_BITS | number


def _unpack(packed: int) -> tuple[int, int, int, int]:
    number = packed & _MOST_TYPES
    packed >>= _TYPE_BITS
    end = packed & (_MOST_OFFSET - 1)
    packed >>= _OFFSET_BITS
    return packed >> _OFFSET_BITS, packed & (_MOST_OFFSET - 1), end, number
