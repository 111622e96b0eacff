"""The CSV format of labeled documents; every fixture is written by hand from the format's rules."""

import pytest

from comprehend_engine.documents.source_files import labeled_documents
from comprehend_engine.errors import DatasetRefusedError


def read(content: bytes) -> list[tuple[str, str]]:
    """Read a file called a.csv."""
    return list(labeled_documents(content, "a.csv"))


def test_quoted_text_is_one_document_when_it_has_commas_quotes_and_line_breaks() -> None:
    """RFC 4180 quoting is undone."""
    content = b'billing,"Too ""much"",\r\nagain"\r\nother,fine\r\n'
    assert read(content) == [("billing", 'Too "much",\r\nagain'), ("other", "fine")]


def test_a_byte_order_mark_is_no_part_of_the_label_when_a_file_has_one() -> None:
    """Spreadsheets write it; the first label is still known."""
    assert read(b"\xef\xbb\xbfa,text\n") == [("a", "text")]


def test_blank_lines_are_skipped_when_a_file_has_them() -> None:
    """A line without any character is no document."""
    assert read(b"a,one\n\nb,two\n\n") == [("a", "one"), ("b", "two")]


def test_a_text_of_a_megabyte_is_read_when_it_is_one_field() -> None:
    """The csv module's own limit of 128 KB does not apply."""
    assert len(read(b"a," + b"x" * 1_000_000)[0][1]) == 1_000_000


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,one\nb,two,three\n", "a.csv, line 2: 3 columns"),
        (b"a\n", "a.csv, line 1: 1 columns"),
        (b"a,one\nb,\xff\n", "a.csv, line 2: the file is not UTF-8"),
        (b'a,"one\n', "a.csv, line 1: not a CSV file"),
    ],
)
def test_a_file_is_refused_with_its_line_when_it_is_not_in_the_format(
    content: bytes, expected: str
) -> None:
    """The message names file and line."""
    with pytest.raises(DatasetRefusedError, match=expected):
        read(content)
