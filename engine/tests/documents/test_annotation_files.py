"""The formats of entity recognizers; every fixture is written by hand from the formats' rules."""

import pytest

from comprehend_engine.documents.annotation_files import (
    annotations_by_place,
    documents_of,
    entries_of,
)
from comprehend_engine.documents.source_files import SourceFile
from comprehend_engine.errors import DatasetRefusedError


def file(content: bytes) -> SourceFile:
    """Make a file called a.csv."""
    return SourceFile("s3://data/x/a.csv", content)


def test_annotations_are_read_when_blanks_follow_the_commas() -> None:
    """The guide's own samples have them, in the header as well."""
    content = (
        b"File, Line, Begin Offset, End Offset, Type\r\n"
        b"d.txt, 0, 0, 13, ENGINEER\r\n"
        b'd.txt, 0, 20, 24, "ENGINEER"\r\n'
        b"d.txt, 2, 0, 4, MANAGER\r\n"
    )
    assert annotations_by_place(file(content), is_by_line=True) == {
        ("d.txt", 0): [(0, 13, "ENGINEER"), (20, 24, "ENGINEER")],
        ("d.txt", 2): [(0, 4, "MANAGER")],
    }


@pytest.mark.parametrize(
    "content",
    [
        b"File,Begin Offset,End Offset,Type\nd.txt,0,4,CITY\n",
        b"File,Line,Begin Offset,End Offset,Type\nd.txt,,0,4,CITY\n",
        b"File,Line,Begin Offset,End Offset,Type\nd.txt,7,0,4,CITY\n",
    ],
)
def test_the_line_counts_for_nothing_when_each_file_is_one_document(content: bytes) -> None:
    """It may be left out, empty or anything."""
    found = annotations_by_place(file(content), is_by_line=False)
    assert found == {("d.txt", 0): [(0, 4, "CITY")]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "must begin with the header File,Line,Begin Offset,End Offset,Type"),
        (b"d.txt,0,0,4,CITY\n", "must begin with the header"),
        (b"File,Begin Offset,End Offset,Type\nd.txt,0,4,CITY\n", "must begin with the header"),
        (b"File,Line,Begin Offset,End Offset,Type\nd.txt,0,4,CITY\n", "line 2: 4 columns"),
        (b"File,Line,Begin Offset,End Offset,Type\nd.txt,0,-1,4,CITY\n", "whole numbers from 0"),
        (b"File,Line,Begin Offset,End Offset,Type\nd.txt,0,a,4,CITY\n", "line 2: 0, a, 4 are not"),
    ],
)
def test_annotations_are_refused_with_their_line_when_they_are_not_in_the_format(
    content: bytes, expected: str
) -> None:
    """The message names the file, and the line where there is one."""
    with pytest.raises(DatasetRefusedError, match=rf"s3://data/x/a\.csv.*{expected}"):
        annotations_by_place(file(content), is_by_line=True)


def test_entries_are_read_when_a_list_has_its_header() -> None:
    """Case stays, commas can be quoted."""
    content = b'Text,Type\n"Acme, Inc.",ORG\nacme,ORG\n'
    assert list(entries_of(file(content))) == [("Acme, Inc.", "ORG"), ("acme", "ORG")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"acme,ORG\n", "header Text,Type"), (b"Text,Type\nacme\n", "line 2: 1 columns")],
)
def test_a_list_is_refused_when_it_is_not_in_the_format(content: bytes, expected: str) -> None:
    """The header is needed."""
    with pytest.raises(DatasetRefusedError, match=expected):
        list(entries_of(file(content)))


def test_lines_keep_their_numbers_when_some_are_blank() -> None:
    """Only line feeds divide documents; a carriage return before one goes with it."""
    lines = documents_of(file("a\r\n\nb\x85c\u2028d\re\n".encode()), is_by_line=True)
    assert list(lines) == [(0, "a"), (1, ""), (2, "b\x85c\u2028d\re"), (3, "")]
    assert list(documents_of(file(b"a\r\nb"), is_by_line=False)) == [(0, "a\r\nb")]
