r"""Files of entity recognizers: documents, annotations, entity lists.

Decides the formats: annotations and lists have a header, blanks after a comma are ignored, lines
and offsets begin at 0, ends are exclusive. Decides what an occurrence of a list's entry is: its
words in sequence, case-sensitive. From the left, the longest entry wins, and occurrences do not
overlap. Knows no flywheel. Read next: `comprehend_engine.documents.annotated_documents`.

Notes
-----
*Source*: developer guide, "Plain-text annotation files" (no Line column where each file is one
document) and "Entity lists" (case sensitive, no regular expressions).
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from comprehend_engine.documents.augmented_manifests import Span
from comprehend_engine.documents.source_files import SourceFile, csv_rows, decoded
from comprehend_engine.errors import DatasetRefusedError

ANNOTATIONS_HEADER = ("File", "Line", "Begin Offset", "End Offset", "Type")
LIST_HEADER = ("Text", "Type")
_WORD = re.compile(r"\w+|[^\w\s]")

Place = tuple[str, int]
"""The place of a document: its file's name and its line from 0; the line is 0 for a whole file."""


def documents_of(file: SourceFile, *, is_by_line: bool) -> Iterator[tuple[int, str]]:
    """Give the documents of a file, each with its line from 0; a blank line counts, too.

    Raises
    ------
    DatasetRefusedError
        The file is not UTF-8.
    """
    text = decoded(file.content, file.uri)
    if not is_by_line:
        yield 0, text
        return
    for number, line in enumerate(text.split("\n")):
        yield number, line.removesuffix("\r")


def annotations_by_place(file: SourceFile, *, is_by_line: bool) -> dict[Place, list[Span]]:
    """Return the annotations of a file by the document that they annotate.

    Raises
    ------
    DatasetRefusedError
        The file does not have the format; the message names the line.
    """
    annotations: dict[Place, list[Span]] = {}
    rows = _rows(file)
    _, header = next(rows, (1, ()))
    has_line = header == ANNOTATIONS_HEADER
    allowed = {ANNOTATIONS_HEADER} if is_by_line else {ANNOTATIONS_HEADER, _WITHOUT_LINE}
    if header not in allowed:
        expected = ANNOTATIONS_HEADER if is_by_line else _WITHOUT_LINE
        message = f"{file.uri} must begin with the header {','.join(expected)}"
        raise DatasetRefusedError(message)
    for number, fields in rows:
        where = f"{file.uri}, line {number}"
        if len(fields) != len(header):
            message = f"{where}: {len(fields)} columns, not {','.join(header)}"
            raise DatasetRefusedError(message)
        name, *numbers, kind = fields
        if not is_by_line:
            numbers = numbers[-2:]
        if not all(entry.isascii() and entry.isdecimal() for entry in numbers):
            message = f"{where}: {', '.join(numbers)} are not all whole numbers from 0"
            raise DatasetRefusedError(message)
        *lines, begin, end = map(int, numbers)
        place = (name, lines[0] if is_by_line and has_line else 0)
        annotations.setdefault(place, []).append((begin, end, kind))
    return annotations


def entries_of(file: SourceFile) -> Iterator[tuple[str, str]]:
    """Give the text and type of each entry of an entity list.

    Raises
    ------
    DatasetRefusedError
        The file does not have the format; the message names the line.
    """
    rows = _rows(file)
    _, header = next(rows, (1, ()))
    if header != LIST_HEADER:
        message = f"{file.uri} must begin with the header {','.join(LIST_HEADER)}"
        raise DatasetRefusedError(message)
    for number, fields in rows:
        if len(fields) != len(LIST_HEADER):
            message = f"{file.uri}, line {number}: {len(fields)} columns, not Text,Type"
            raise DatasetRefusedError(message)
        yield fields[0], fields[1]


class EntityList:
    """The entries of an entity list, indexed by their first word.

    Parameters
    ----------
    entries : iterable of tuple of str
        Text and type; of entries with the same text, the first one counts.

    Examples
    --------
    >>> EntityList([("New York", "CITY"), ("York", "CITY")]).occurrences("in New York.")
    [(3, 11, 'CITY')]
    """

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        by_words: dict[tuple[str, ...], str] = {}
        for text, kind in entries:
            if words := tuple(_WORD.findall(text)):
                by_words.setdefault(words, kind)
        self._by_words = by_words
        lengths = defaultdict[str, set[int]](set)
        for words in by_words:
            lengths[words[0]].add(len(words))
        self._lengths = {word: sorted(sizes, reverse=True) for word, sizes in lengths.items()}

    def occurrences(self, document: str) -> list[Span]:
        """Return the occurrences of entries in a document, from the left."""
        return list(self._matches(document))

    def _matches(self, document: str) -> Iterator[Span]:
        places = list(_WORD.finditer(document))
        words = [place.group() for place in places]
        at = 0
        while at < len(words):
            length, kind = self._entry(words, at)
            if length:
                yield places[at].start(), places[at + length - 1].end(), kind
            at += length or 1

    def _entry(self, words: Sequence[str], at: int) -> tuple[int, str]:
        """Return the number of words of the longest entry at a place, and its type; 0 for none."""
        for length in self._lengths.get(words[at], ()):
            here = tuple(words[at : at + length])
            if here in self._by_words:
                # At the end of the document, `here` is shorter than `length`.
                return len(here), self._by_words[here]
        return 0, ""


def annotations_file(name: str, annotations: Sequence[Sequence[Span]]) -> bytes:
    r"""Return an annotation file for documents that are the lines of one file.

    Examples
    --------
    >>> annotations_file("documents.txt", [[], [(0, 4, "CITY")]])
    b'File,Line,Begin Offset,End Offset,Type\ndocuments.txt,1,0,4,CITY\n'
    """
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(ANNOTATIONS_HEADER)
    for line, spans in enumerate(annotations):
        writer.writerows((name, line, *span) for span in spans)
    return content.getvalue().encode()


def _rows(file: SourceFile) -> Iterator[tuple[int, tuple[str, ...]]]:
    for number, fields in csv_rows(file.content, file.uri, skips_blanks=True):
        yield number, tuple(field.strip() for field in fields)


_WITHOUT_LINE = ("File", "Begin Offset", "End Offset", "Type")
