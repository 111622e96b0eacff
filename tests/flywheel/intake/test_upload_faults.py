"""Everything that can be wrong with a file alone."""

import gzip
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator, Sequence

import pytest

from flywheel.intake import label_rules
from flywheel.intake.labeled_documents import (
    SHOWN_PROBLEMS,
    Allowance,
    LabeledDocuments,
    Limits,
    Report,
    UploadFault,
    refusal_by_size,
)
from flywheel.settings.data_format import CsvLayout, DataFormat

LABELS = ("BILLING", "SHIPPING")
MULTI = DataFormat(mode="multi-label")
GOOD = b"BILLING,one\nSHIPPING,two\n"


def read(
    *chunks: bytes,
    labels: Sequence[str] | None = LABELS,
    shape: DataFormat = DataFormat(),  # noqa: B008 - frozen
    name: str = "monday.csv",
    limits: Limits = Limits(),  # noqa: B008 - frozen
    allowance: Allowance = Allowance(1000, 1.0),  # noqa: B008 - frozen
) -> tuple[bytes, Report]:
    """Return the canonical copy and the report of a file."""
    documents = LabeledDocuments(chunks, labels, allowance, shape=shape, name=name, limits=limits)
    return b"".join(documents.canonical_copy()), documents.report


def fault_of(report: Report) -> tuple[UploadFault, int, int, str]:
    """Return the first problem's fault, line, byte and words."""
    first = report.problems[0]
    return first.fault, first.line, first.byte_offset, first.message.full


@pytest.mark.parametrize("data", [b"", b"\n\r\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_a_file_is_refused_when_it_is_empty(data: bytes) -> None:
    """No bytes, blank lines alone and a byte order mark alone are an empty file."""
    _, report = read(data)
    assert report.is_refused
    assert report.problem_counts == {UploadFault.EMPTY_FILE: 1}


def test_a_byte_order_mark_is_removed_when_there_is_one() -> None:
    """It is not in the copy, the repair is said, and bytes are counted with it."""
    copy, report = read(b"\xef\xbb\xbf" + GOOD + b"NONE,x\n")
    assert copy == GOOD
    assert report.repair_lines() == ["Repaired: byte order mark removed (1 row)."]
    assert fault_of(report)[1:3] == (3, 3 + len(GOOD))


@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b"BILLING,caf\xe9\n", 11),
        (b"BILLING,\xc0\xaf\n", 8),
        (b"BILLING,\xed\xa0\x80\n", 8),
        (b"BILLING,\xff\n", 8),
        (b'BILLING,"a, caf\xe9"\n', 15),
    ],
)
def test_a_file_is_refused_when_it_is_not_utf_8(data: bytes, at: int) -> None:
    """Latin-1, overlong forms and lone surrogates are told with their byte."""
    _, report = read(GOOD + data)
    assert report.is_refused
    fault, line, offset, message = fault_of(report)
    assert (fault, line, offset) == (UploadFault.INVALID_UTF8, 3, len(GOOD))
    assert f"at byte {len(GOOD) + at})" in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_is_refused_when_it_is_utf_16(encoding: str) -> None:
    """With a byte order mark it is named; without, its NUL bytes are."""
    _, report = read("BILLING,one\n".encode(encoding))
    assert report.is_refused
    assert fault_of(report)[0] in (UploadFault.NOT_TEXT, UploadFault.NUL)


def test_only_line_feeds_end_rows_when_texts_hold_other_breaks() -> None:
    """CR LF becomes LF; CR, U+2028, U+0085 and VT end no row."""
    text = "a\rb\u2028c\u0085d\x0be"
    copy, report = read(f"BILLING,{text}\r\nSHIPPING,two\r\n".encode())
    assert copy == "BILLING,a b\u2028c\u0085d\x0be\nSHIPPING,two\n".encode()
    assert report.repairs == {"Windows line ends (CR LF) became LF": 2}


def test_a_file_is_refused_when_it_holds_a_nul() -> None:
    """NUL bytes are told with their byte, in quotes and out of them."""
    _, report = read(GOOD + b"BILLING,a\0b\n" + b'BILLING,"c, \0"\n')
    assert report.is_refused
    assert report.problem_counts == {UploadFault.NUL: 2}
    assert report.lines() == [f"lines 3, 4: a NUL byte (at byte {len(GOOD) + 9})"]


def test_the_other_rows_are_read_when_a_quote_is_never_closed() -> None:
    """The row that opens it is told, and the file behind it is not swallowed."""
    copy, report = read(GOOD + b'BILLING,"open\nSHIPPING,three\n' * 2)
    assert report.is_refused
    assert set(report.problem_counts) == {UploadFault.QUOTE}
    assert report.problems[0].line == 3
    assert b"SHIPPING,three" in copy


def test_a_file_is_refused_when_text_follows_a_closing_quote() -> None:
    """Nothing is glued together."""
    _, report = read(GOOD + b'BILLING,"a" b\n')
    assert fault_of(report)[:2] == (UploadFault.QUOTE, 3)


@pytest.mark.parametrize("size", [200_000, 700_000, 5_000_000])
def test_a_row_is_told_when_it_is_too_long(size: int) -> None:
    """The rows behind it are read, at their own lines and bytes."""
    data = b"BILLING," + b"x" * size + b"\n" + GOOD + b"NONE,x\n"
    copy, report = read(*(data[at : at + 65_536] for at in range(0, len(data), 65_536)))
    assert copy == GOOD
    assert [(problem.fault, problem.line) for problem in report.problems] == [
        (UploadFault.ROW_TOO_LONG, 1),
        (UploadFault.UNKNOWN_LABEL, 4),
    ]
    assert report.problems[1].byte_offset == size + 9 + len(GOOD)


def test_memory_stays_flat_when_a_row_never_ends() -> None:
    """64 MB without a line feed are read in the memory of some blocks."""
    tracemalloc.start()
    try:
        report = LabeledDocuments((b"x" * 65_536 for _ in range(1000)), LABELS).read_through()
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert fault_of(report)[0] is UploadFault.ROW_TOO_LONG


def rows_forever() -> Iterator[bytes]:
    """Give 40 MB of rows of which none is like another."""
    for block in range(400):
        first = block * 1000
        rows = (b"BILLING,%09d%s\n" % (number, b"y" * 80) for number in range(first, first + 1000))
        yield b"".join(rows)


@pytest.mark.slow
def test_memory_stays_flat_when_a_file_is_large() -> None:
    """Nothing of a file is kept that grows with it; duplicates far apart wait."""
    tracemalloc.start()
    try:
        documents = LabeledDocuments(rows_forever(), LABELS)
        assert sum(map(len, documents.canonical_copy())) == 400_000 * 98
        assert tracemalloc.get_traced_memory()[1] < 48 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            gzip.compress(GOOD, mtime=0),
            "gzip-compressed: unpack it first, or let its name end in .gz",
        ),
        (b"PK\x03\x04rest", "a zip archive or a spreadsheet"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_a_file_is_refused_when_it_is_no_text(data: bytes, words: str) -> None:
    """What it is is told by its first bytes, and it is never unpacked."""
    _, report = read(data)
    assert fault_of(report)[0] is UploadFault.NOT_TEXT
    assert words in report.lines()[0]


def test_a_compressed_file_is_read_when_its_name_says_so() -> None:
    """Members follow one another, pieces come in any size, padding is no data."""
    data = gzip.compress(GOOD[:20], mtime=0) + gzip.compress(GOOD[20:], mtime=0) + b"\0" * 9
    pieces = [data[at : at + 1] for at in range(len(data))]
    assert read(*pieces, name="monday.csv.gz")[0] == GOOD


@pytest.mark.parametrize(
    ("data", "fault", "words"),
    [
        (GOOD, UploadFault.NOT_TEXT, "not gzip-compressed"),
        (gzip.compress(GOOD, mtime=0)[:-9], UploadFault.COMPRESSION, "ends in its middle"),
        (gzip.compress(GOOD, mtime=0)[:-8] + b"\xff" * 8, UploadFault.COMPRESSION, "damaged"),
        (gzip.compress(GOOD, mtime=0) + b"rest", UploadFault.COMPRESSION, "damaged"),
        (gzip.compress(b"PK\x03\x04rest", mtime=0), UploadFault.NOT_TEXT, "zip archive"),
    ],
)
def test_a_file_is_refused_when_its_compression_is_broken(
    data: bytes, fault: UploadFault, words: str
) -> None:
    """A name that lies and a stream that breaks refuse the file."""
    _, report = read(data, name="monday.csv.GZ")
    assert report.is_refused
    assert fault_of(report)[0] is fault
    assert words in report.lines()[0]


@pytest.mark.slow
def test_a_bomb_is_refused_when_it_begins_to_unpack() -> None:
    """What grows more than a hundredfold is given up early, in little memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    row = b"BILLING," + b"a" * 1000 + b"\n"
    data = b"".join(packer.compress(row * 1000) for _ in range(200)) + packer.flush()
    tracemalloc.start()
    try:
        _, report = read(data, name="bomb.csv.gz")
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    assert fault_of(report)[0] is UploadFault.COMPRESSION
    assert "over 100 times as much" in report.lines()[0]
    assert report.rows_read < 60_000


def test_a_file_is_refused_unread_when_it_is_too_large() -> None:
    """Its size alone says that no dataset could hold it."""
    limits = Limits(size_bytes=100)
    assert refusal_by_size(100, limits) is None
    report = refusal_by_size(101, limits)
    assert report is not None
    assert report.is_refused
    assert "more than 100 bytes" in report.lines()[0]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_reading_stops_when_a_file_turns_out_too_large(name: str) -> None:
    """What an event did not say is found while reading, unpacked bytes too."""
    data = gzip.compress(GOOD * 100, mtime=0) if name.endswith("gz") else GOOD * 100
    _, report = read(data, name=name, limits=Limits(size_bytes=1000))
    assert report.problem_counts == {UploadFault.TOO_LARGE: 1}


def test_reading_stops_when_a_file_has_too_many_rows() -> None:
    """More documents than a dataset takes refuse the file."""
    rows = [b"BILLING,text %d\n" % number for number in range(11)]
    assert not read(*rows[:10], limits=Limits(rows=10))[1].is_refused
    _, report = read(*rows, limits=Limits(rows=10))
    assert report.problem_counts == {UploadFault.TOO_MANY_ROWS: 1}
    assert "more than 10 documents" in report.lines()[0]


def test_a_header_is_told_when_the_flywheel_has_none() -> None:
    """A first row of column names refuses the file, with the way out."""
    _, report = read(b"label,text\n" + GOOD)
    assert fault_of(report)[:2] == (UploadFault.HEADER, 1)
    assert "flywheel convert" in report.lines()[0]


def test_a_header_is_taken_when_the_flywheel_has_one() -> None:
    """Where header = true, columns are found by name and the rest is left alone."""
    shape = DataFormat(csv=CsvLayout(header=True, label="kind", text="body", sep=";"))
    copy, report = read(b'id;body;kind\n1;"one; 1";BILLING\n2;two, 2;SHIPPING\n', shape=shape)
    assert copy == b'BILLING,one; 1\nSHIPPING,"two, 2"\n'
    assert report.problem_count == 0


def test_it_is_said_when_a_file_has_one_label_alone() -> None:
    """A file of one label is taken, since others may bring the rest, and it is said."""
    _, report = read(b"BILLING,one\nBILLING,two\n")
    assert not report.is_refused
    assert str(report.one_label_line()).startswith("All 2 have one label, 'BILLING'")
    assert read(GOOD)[1].one_label_line() is None


def test_unknown_labels_are_told_with_the_nearest_when_there_are_some() -> None:
    """Case and blanks within count; the service would leave such rows out silently."""
    _, report = read(GOOD + b"billing,x\nBILL ING,y\n")
    assert [problem.message.full for problem in report.problems] == [
        "unknown label 'billing'; did you mean 'BILLING'?",
        "unknown label 'BILL ING'; did you mean 'BILLING'?",
    ]


def test_several_labels_are_told_when_a_flywheel_takes_one() -> None:
    """A cell of several labels in a multi-class file is named as what it is."""
    _, report = read(GOOD + b"BILLING|SHIPPING,x\n")
    fault, line, _, message = fault_of(report)
    assert (fault, line) == (UploadFault.UNKNOWN_LABEL, 3)
    assert message.startswith("2 labels (BILLING, SHIPPING) in one row")


@pytest.mark.parametrize(
    ("cell", "fault", "words"),
    [
        (b"BILLING||SHIPPING", UploadFault.EMPTY_LABEL, "empty label in 'BILLING||SHIPPING'"),
        (b"BILLING|", UploadFault.EMPTY_LABEL, "empty label in"),
        (b"BILLING;SHIPPING", UploadFault.UNKNOWN_LABEL, "write 'BILLING|SHIPPING'"),
        (b"BILLING|SHIPING", UploadFault.UNKNOWN_LABEL, "did you mean 'SHIPPING'?"),
    ],
)
def test_a_row_is_left_out_when_its_labels_are_wrong(
    cell: bytes, fault: UploadFault, words: str
) -> None:
    """Empty labels and the wrong delimiter are row faults of a multi-label file."""
    _, report = read(GOOD + cell + b",x\n", shape=MULTI)
    assert not report.is_refused
    assert fault_of(report)[:2] == (fault, 3)
    assert words in report.lines(quotes_values=True)[0]


def test_labels_are_sorted_and_counted_each_when_there_are_several() -> None:
    """A canonical multi-label row has each label once, in order, so equal rows are equal."""
    data = b"SHIPPING| BILLING|SHIPPING,one\nBILLING|SHIPPING,one\nBILLING,two\n"
    copy, report = read(data, shape=MULTI)
    assert copy == b"BILLING|SHIPPING,one\nBILLING,two\n"
    assert report.label_counts == {"BILLING": 2, "SHIPPING": 1}
    assert (report.documents, report.duplicates) == (2, 1)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"BILLING", "1 column instead of 2 (label, text)"),
        (b"BILLING,a,b", "3 columns instead of 2 (label, text); a text that holds a comma"),
    ],
)
def test_columns_are_counted_when_a_row_has_others(row: bytes, message: str) -> None:
    """Too few and too many columns are told exactly."""
    _, report = read(GOOD + row + b"\n")
    assert fault_of(report)[:2] == (UploadFault.COLUMN_COUNT, 3)
    assert message in report.lines()[0]


def test_a_blank_before_a_quote_is_taken_when_the_vendor_writes_one() -> None:
    """The service's own sample has it."""
    assert read(b'BILLING, "one, two"\n')[0] == b'BILLING,"one, two"\n'


@pytest.mark.parametrize("text", ["=HYPERLINK(x)", "<!channel>", "<script>", "\x1b[31m", "\u202ex"])
def test_a_text_is_kept_as_it_is_when_it_looks_dangerous(text: str) -> None:
    """Data is data; only notices escape it."""
    assert read(f"BILLING,{text}\n".encode())[0] == f"BILLING,{text}\n".encode()


@pytest.mark.parametrize("quoted", [False, True])
def test_duplicates_and_conflicts_are_found_when_blocks_lie_between(quoted: bool) -> None:
    """Rows of different blocks are compared exactly, whichever way they were read."""
    mark = b'"' if quoted else b""
    rows = [b"BILLING,%stext, %d%s\n" % (mark, n, mark) for n in range(60_000)]
    if not quoted:
        rows = [row.replace(b"text,", b"text") for row in rows]
    again = [rows[7], rows[40_000].replace(b"BILLING", b"SHIPPING")]
    _, report = read(*rows, *again)
    assert (report.duplicates, report.problem_counts[UploadFault.CONFLICT]) == (1, 1)
    assert report.problems[0].line == 60_002


def test_the_copy_is_the_same_when_the_file_comes_in_other_pieces() -> None:
    """A delivery that comes again writes the very same bytes."""
    rows = b"".join(
        b'SHIPPING,"a ""%d"", b"\r\nBILLING,caf\xc3\xa9 %d\n' % (n, n) for n in range(20_000)
    )
    pieces = [rows[at : at + 70_001] for at in range(0, len(rows), 70_001)]
    assert read(rows) == read(*pieces)


def test_multi_line_texts_are_carried_when_a_block_ends_in_them() -> None:
    """A quoted text that spans two blocks is one row with its own line and byte."""
    rows = b"".join(b'BILLING,"line %d\nand more, \nend"\n' % number for number in range(20_000))
    copy, report = read(rows + b"NONE,x\n")
    assert copy.count(b"\n") == report.documents == 20_000
    assert copy.startswith(b'BILLING,"line 0 and more, end"\n')
    assert fault_of(report)[1:3] == (60_001, len(rows))


def test_near_labels_are_looked_for_when_a_problem_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Thousands of different unknown labels cost no more than those that are shown."""
    looked: list[str] = []

    def nearest(value: str, names: Iterable[str]) -> str | None:
        looked.append(value)
        return None

    monkeypatch.setattr(label_rules, "nearest", nearest)
    rows = [b"TOPIC %d,text %d\n" % (number, number) for number in range(49_000)]
    _, report = read(GOOD, *rows)
    assert report.problem_counts == {UploadFault.LAYOUT: 49_000}
    assert len(looked) == SHOWN_PROBLEMS


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"one,BILLING\ntwo,SHIPPING\n", "the columns look swapped: in 2 of 2 rows"),
        (b"BILLING;one\nSHIPPING;two, 2\n", "the columns look separated by ';'"),
        (b'"BILLING"\tone, 1, 2\nSHIPPING\ttwo\n', r"the columns look separated by '\t'"),
        (
            b"".join(b"TOPIC %d,text %d\n" % (n, n) for n in range(10)),
            "10 of 10 rows have no label of the flywheel in the label's column",
        ),
    ],
)
def test_one_line_is_shown_when_the_columns_are_not_where_they_should_be(
    data: bytes, words: str
) -> None:
    """What explains nearly all rows stands for them."""
    _, report = read(data, allowance=Allowance())
    (line,) = report.lines()
    assert report.is_refused
    assert line.startswith(words)
    assert "Fix: " in line


@pytest.mark.parametrize(
    "data",
    [
        b"one,BILLING\n" + GOOD,
        b"".join(b"TOPIC %d,text %d\n" % (n, n) for n in range(5)),
        b"TOPIC,one\n" * 20,
    ],
)
def test_rows_are_named_when_nothing_explains_them_all(data: bytes) -> None:
    """One swapped row, few rows or one unknown label say nothing of the columns."""
    _, report = read(data, allowance=Allowance())
    assert UploadFault.LAYOUT not in report.problem_counts
    assert "unknown label" in report.lines()[1]
