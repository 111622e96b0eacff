import pytest

from flywheel.intake.physical_rows import BrokenRow, PhysicalRow, physical_rows
from flywheel.settings.data_format import MAX_ROW_BYTES

BOM = b"\xef\xbb\xbf"


def rows(data: bytes) -> list[PhysicalRow | BrokenRow]:
    """Return everything that a file in one piece gives."""
    return list(physical_rows([data]))


def fields(data: bytes) -> list[list[str]]:
    """Return the fields of a file that has nothing broken."""
    found = rows(data)
    assert all(isinstance(row, PhysicalRow) for row in found)
    return [row.fields for row in found if isinstance(row, PhysicalRow)]


def broken(data: bytes) -> list[BrokenRow]:
    """Return only what is no row."""
    return [row for row in rows(data) if isinstance(row, BrokenRow)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"A,one\nB,two\n", [["A", "one"], ["B", "two"]]),
        (b"A,one\r\nB,two\r\n", [["A", "one"], ["B", "two"]]),
        (b"A,one\nB,two", [["A", "one"], ["B", "two"]]),
        (b'A,"one, two"\n', [["A", "one, two"]]),
        (b'A, "one, two"\n', [["A", "one, two"]]),
        (b'"A","say ""no"""\n', [["A", 'say "no"']]),
        (b'A,5" pipe\n', [["A", '5" pipe']]),
        (b'A,""\n', [["A", ""]]),
        (b"A,\n", [["A", ""]]),
        (b"A\n", [["A"]]),
        (b"\n\nA,one\n  \n\r\nB,two\n\n", [["A", "one"], ["B", "two"]]),
        (b'A,"one\ntwo"\n', [["A", "one two"]]),
        (b'A,"one\n""two""\nthree ""\nfour"\nB,x\n', [["A", 'one "two" three " four'], ["B", "x"]]),
        (b'A,"one\n","two"\nB,"x"\n', [["A", "one ", "two"], ["B", "x"]]),
        (b'A,"one\r\n\r\n  two"\r\n', [["A", "one two"]]),
        (b'A,"one\rtwo"\n', [["A", "one two"]]),
        (b"A,one\rtwo\n", [["A", "one two"]]),
        ("A,naïve — 日本 🎡\n".encode(), [["A", "naïve — 日本 🎡"]]),
        (
            "A,one\u2028two\u0085three\x0b\x0cfour\n".encode(),
            [["A", "one\u2028two\u0085three\x0b\x0cfour"]],
        ),
        (BOM + b"A,one\n", [["A", "one"]]),
        (BOM + b'"A","one"\n', [["A", "one"]]),
        (b"", []),
        (b"\n", []),
        (BOM, []),
    ],
)
def test_rows_are_cut_when_a_file_follows_the_format(
    data: bytes, expected: list[list[str]]
) -> None:
    """Only a line feed ends a row, quotes may carry it on, and breaks in a text become spaces."""
    assert fields(data) == expected


def test_positions_are_physical_when_rows_span_lines() -> None:
    """A row names the line and the byte it begins at, not how many rows came before."""
    found = rows(b'A,one\n\nB,"two\nmore\nmore"\nC,three\r\n\xffD\nE,five\n')
    assert [(row.line, row.offset) for row in found] == [(1, 0), (3, 7), (6, 25), (7, 34), (8, 37)]
    assert [row.number for row in found if isinstance(row, PhysicalRow)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("data", "reason", "line", "offset", "message"),
    [
        (b"A,one\nB,caf\xe9\n", "INVALID_UTF8", 2, 6, "0xe9 at byte 11"),
        (b"A,\xc3", "INVALID_UTF8", 1, 0, "0xc3 at byte 2"),
        (b"A,\xed\xa0\x80\n", "INVALID_UTF8", 1, 0, "0xed at byte 2"),
        (BOM + b"A,caf\xe9\n", "INVALID_UTF8", 1, 3, "0xe9 at byte 8"),
        (b"A,one\nB,t\0o\n", "NUL", 2, 6, "a NUL byte (at byte 9)"),
        (BOM + b"A,\0\n", "NUL", 1, 3, "a NUL byte (at byte 5)"),
        (b'A,one\nB,"two\nC,three\n', "QUOTE", 2, 6, "never closed"),
        (b'A,"one', "QUOTE", 1, 0, "never closed"),
        (b'A,"one" two\n', "QUOTE", 1, 0, "text follows a closing quote"),
        (b'A,"one"\rB,"two"\r', "QUOTE", 1, 0, "carriage return"),
        (b"\x1f\x8b\x08\x00", "NOT_TEXT", 0, 0, "gzip"),
        (b"PK\x03\x04\x14\x00", "NOT_TEXT", 0, 0, "zip archive or a spreadsheet"),
        ("A,one\n".encode("utf-16"), "NOT_TEXT", 0, 0, "UTF-16"),
        (b"\xfe\xff" + "A,one\n".encode("utf-16-be"), "NOT_TEXT", 0, 0, "--encoding utf-16"),
        (b"%PDF-1.7\n", "NOT_TEXT", 0, 0, "PDF"),
    ],
)
def test_bytes_are_no_row_when_the_format_forbids_them(
    data: bytes, reason: str, line: int, offset: int, message: str
) -> None:
    """Broken bytes are named with their line, the row's offset and what is wrong."""
    first = broken(data)[0]
    assert (first.reason, first.line, first.offset) == (reason, line, offset)
    assert message in first.message


def test_nothing_follows_when_the_file_is_no_text() -> None:
    """A compressed file is told once, not line by line."""
    assert len(rows(b"\x1f\x8b\n\n\xff\n\xfe\n")) == 1


def test_reading_goes_on_when_a_quote_is_never_closed() -> None:
    """The lines that an open quote had swallowed are read again as rows of their own."""
    found = rows(b'A,"one\nB,two\nC,three\n')
    assert [type(row) for row in found] == [BrokenRow, PhysicalRow, PhysicalRow]
    assert [row.line for row in found] == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize("line", [b'""', b"x", b'a"b,"c', b'"",""'])
def test_reading_stays_quick_when_an_open_quote_swallows_many_lines(line: bytes) -> None:
    """An open quote costs no more than its lines, whatever quotes these hold."""
    found = rows(b'A,"one\n' + (line + b"\n") * 30_000)
    assert isinstance(found[0], BrokenRow)
    assert (found[0].reason, found[0].line) == ("QUOTE", 1)
    assert found[-1].line == 30_001


def test_both_faults_are_told_when_an_open_quote_meets_broken_bytes() -> None:
    """A broken line within an open quote hides neither fault."""
    found = broken(b'A,"one\nB,\xff\nC,"three"\n')
    assert [(row.reason, row.line) for row in found] == [("QUOTE", 1), ("INVALID_UTF8", 2)]


@pytest.mark.parametrize("pieces", [1, 2, 7])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nB,two\n"])
@pytest.mark.parametrize(("excess", "is_too_long"), [(0, False), (1, True), (70_000, True)])
def test_a_row_is_too_long_when_it_exceeds_the_most_bytes(
    pieces: int, end: bytes, excess: int, is_too_long: bool
) -> None:
    """A row of exactly the most bytes is taken, one byte more is not, however it arrives."""
    data = b"A," + b"x" * (MAX_ROW_BYTES - 2 + excess) + end
    size = -(-len(data) // pieces)
    found = list(physical_rows(data[at : at + size] for at in range(0, len(data), size)))
    assert isinstance(found[0], BrokenRow) is is_too_long
    if isinstance(found[0], BrokenRow):
        assert found[0].reason == "ROW_TOO_LONG"
    if end == b"\nB,two\n":
        assert (found[1].line, found[1].offset) == (2, MAX_ROW_BYTES + excess + 1)


@pytest.mark.parametrize("breaks", [1, 3])
def test_a_row_is_too_long_when_a_quote_carries_it_over_the_most_bytes(breaks: int) -> None:
    """A quoted text of several lines has the same bound, and is not told as an open quote."""
    part = b"x" * (MAX_ROW_BYTES // (breaks + 1) + 10)
    data = b'A,"' + b"\n".join([part] * (breaks + 1)) + b'"\nB,two\n'
    assert broken(data)[0].reason == "ROW_TOO_LONG"


SMALL = (
    BOM
    + b'A,one\r\n\nB,"two ""quoted""\r\nlines"\nC,na\xc3\xafve\rtext\n'
    + b'D,\xe9\n"E",x\nF,"open\nG,a\0b\nH,last'
)


@pytest.mark.parametrize("cut", range(len(SMALL) + 1))
def test_rows_are_the_same_when_the_file_is_cut_anywhere(cut: int) -> None:
    """Where a chunk ends never changes what is read."""
    assert list(physical_rows([SMALL[:cut], SMALL[cut:]])) == rows(SMALL)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_rows_are_the_same_when_the_file_comes_in_small_pieces(size: int) -> None:
    """Pieces of one byte read like the whole, empty pieces among them."""
    pieces = [SMALL[at : at + size] for at in range(0, len(SMALL), size)]
    assert list(physical_rows([b"", *pieces, b""])) == rows(SMALL)


@pytest.mark.parametrize(
    ("data", "repairs"),
    [
        (b"A,one\n", ()),
        (BOM + b"A,one\n", ("byte order mark removed",)),
        (b'A,"one\ntwo"\n', ("line breaks within texts became spaces",)),
    ],
)
def test_a_repair_is_told_when_one_was_made(data: bytes, repairs: tuple[str, ...]) -> None:
    """What was changed so that a row can be used is said, and nothing else."""
    (row,) = rows(data)
    assert isinstance(row, PhysicalRow)
    assert row.repairs == repairs
