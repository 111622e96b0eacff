import csv
import io
import random
from collections.abc import Sequence

import pytest

from flywheel.intake.labeled_documents import Allowance, LabeledDocuments, Report, UploadFault
from flywheel.intake.labeled_rows import LabeledRow, csv_line, rows_of, text_key

LABELS = ("BILLING", "SHIPPING", "ACCOUNT_ACCESS")
ANY_NUMBER = Allowance(rows=1000, fraction=1.0)


def read(
    data: bytes, labels: Sequence[str] | None = LABELS, allowance: Allowance = ANY_NUMBER
) -> tuple[list[LabeledRow], Report]:
    """Return a file's rows and its report."""
    documents = LabeledDocuments([data], labels, allowance)
    return list(documents), documents.report


def many(good: int, bad: int) -> bytes:
    """Return a file of distinct good rows, then rows of an unknown label."""
    lines = [f"BILLING,text {number}" for number in range(good)]
    lines += [f"NONE,text {number}" for number in range(good, good + bad)]
    return "\n".join(lines).encode()


def test_rows_and_counts_are_given_when_a_file_is_good() -> None:
    """Every row is given in order, trimmed, and counted by its label."""
    rows, report = read(b'BILLING,one\r\n SHIPPING , two \r\nBILLING,"three, 3"\r\n')
    assert rows == [
        LabeledRow("BILLING", "one"),
        LabeledRow("SHIPPING", "two"),
        LabeledRow("BILLING", "three, 3"),
    ]
    assert report.label_counts == {"BILLING": 2, "SHIPPING": 1}
    assert (report.documents, report.rows_read, report.problem_count) == (3, 3, 0)
    assert not report.is_refused
    assert report.lines() == []


@pytest.mark.parametrize(
    ("line", "fault", "message"),
    [
        (b"BILING,x", UploadFault.UNKNOWN_LABEL, "unknown label 'BILING'; did you mean 'BILLING'?"),
        (b"billing,x", UploadFault.UNKNOWN_LABEL, "did you mean 'BILLING'?"),
        (b"ACCOUNT ACCESS,x", UploadFault.UNKNOWN_LABEL, "did you mean 'ACCOUNT_ACCESS'?"),
        (
            b"42,x",
            UploadFault.UNKNOWN_LABEL,
            "the flywheel's labels: BILLING, SHIPPING, ACCOUNT_ACCESS",
        ),
        (b"\xe2\x80\xaeX,x", UploadFault.UNKNOWN_LABEL, r"unknown label '\u202eX'"),
        (b"Z" * 60 + b",x", UploadFault.UNKNOWN_LABEL, "unknown label '" + "Z" * 37 + "...'"),
        (b",x", UploadFault.EMPTY_LABEL, "empty label"),
        (b'"  ",x', UploadFault.EMPTY_LABEL, "empty label"),
        (b",", UploadFault.EMPTY_LABEL, "empty label"),
        (b"BILLING,", UploadFault.EMPTY_TEXT, "empty text (label 'BILLING')"),
        (b'BILLING," \t "', UploadFault.EMPTY_TEXT, "empty text (label 'BILLING')"),
        (b"BILLING,\xc2\xa0\xe2\x80\xa8", UploadFault.EMPTY_TEXT, "empty text (label 'BILLING')"),
        (
            b"SHIPPING,first",
            UploadFault.CONFLICT,
            "label 'SHIPPING', but the same text came before as 'BILLING'",
        ),
    ],
)
def test_a_row_is_left_out_when_it_has_a_row_fault(
    line: bytes, fault: UploadFault, message: str
) -> None:
    """The row is named with its line and byte, and every other row is given."""
    rows, report = read(b'BILLING,first\nBILLING,"sec\nond"\n' + line + b"\nSHIPPING,last\n")
    assert [row.text for row in rows] == ["first", "sec ond", "last"]
    (problem,) = report.problems
    assert (problem.fault, problem.line, problem.byte_offset) == (fault, 4, 32)
    assert message in problem.message.full
    assert report.lines()[0].startswith("line 4: ")
    assert (report.left_out, report.is_refused) == (1, False)


@pytest.mark.parametrize(
    ("data", "fault", "line", "message"),
    [
        (b"", UploadFault.EMPTY_FILE, 0, "the file holds no rows"),
        (b"\n \r\n\n", UploadFault.EMPTY_FILE, 0, "the file holds no rows"),
        (b"\xef\xbb\xbf", UploadFault.EMPTY_FILE, 0, "the file holds no rows"),
        (b"NONE,x\n", UploadFault.EMPTY_FILE, 0, "no row of the file is usable"),
        (b"label,text\nBILLING,x\n", UploadFault.HEADER, 1, "--label label --text text"),
        (b"Text,Category\nx,BILLING\n", UploadFault.HEADER, 1, "--label Category --text Text"),
        (b"id,label,text\n1,BILLING,x\n", UploadFault.HEADER, 1, "('id', 'label', 'text')"),
        (
            b"label;text\nBILLING;x\n",
            UploadFault.HEADER,
            1,
            "looks like a header ('label', 'text')",
        ),
        (b"\n\xef\xbb\xbflabel,text\n", UploadFault.UNKNOWN_LABEL, 2, "unknown label"),
        (
            b"\xef\xbb\xbflabel,text\nBILLING,x\n",
            UploadFault.HEADER,
            1,
            "--label label --text text",
        ),
        (b"BILLING,a,b\n", UploadFault.COLUMN_COUNT, 1, "3 columns instead of 2"),
        (b"BILLING,a,b\n", UploadFault.COLUMN_COUNT, 1, "a text that holds a comma must be quoted"),
        (b"BILLING\n", UploadFault.COLUMN_COUNT, 1, "1 column instead of 2 (label, text)"),
        (b"BILLING;one\n", UploadFault.LAYOUT, 0, "separated by ';'. Fix: flywheel convert"),
        (b"BILLING\tone\n", UploadFault.LAYOUT, 0, r"separated by '\t'"),
        (b"BILLING|one\n", UploadFault.LAYOUT, 0, "separated by '|'"),
        (b"BILLING,one\rSHIPPING,two\r", UploadFault.COLUMN_COUNT, 1, "3 columns instead of 2"),
        (b"BILLING,caf\xe9\n", UploadFault.INVALID_UTF8, 1, "byte 0xe9 at byte 11"),
        (b"BILLING,x\nBILLING,\0\n", UploadFault.NUL, 2, "a NUL byte (at byte 18)"),
        (b'BILLING,"x\n', UploadFault.QUOTE, 1, "a quote opens here and is never closed"),
        (b'BILLING,"x" y\n', UploadFault.QUOTE, 1, "text follows a closing quote"),
        (b"BILLING," + b"x" * 140_000, UploadFault.ROW_TOO_LONG, 1, "longer than 131,072 bytes"),
        (b"\x1f\x8b\x08", UploadFault.NOT_TEXT, 0, "the file is gzip-compressed: unpack it first"),
        (b"PK\x03\x04", UploadFault.NOT_TEXT, 0, "save it as CSV first"),
        (b"\xff\xfeB\0", UploadFault.NOT_TEXT, 0, "flywheel convert FILE --encoding utf-16"),
    ],
)
def test_a_file_has_a_problem_when_the_format_is_broken(
    data: bytes, fault: UploadFault, line: int, message: str
) -> None:
    """Each fault is told with its line, in words that say what to do."""
    _, report = read(data)
    problem = next(problem for problem in report.problems if problem.fault is fault)
    assert problem.line == line
    assert message in problem.message.full


@pytest.mark.parametrize(
    "fault",
    [
        b"label,text",
        b"BILLING,a,b",
        b"BILLING,caf\xe9",
        b"BILLING,\0",
        b'BILLING,"x" y',
        b"BILLING," + b"x" * 140_000,
    ],
)
def test_a_file_is_refused_when_one_row_of_many_has_a_file_fault(fault: bytes) -> None:
    """A fault that is not the row's alone refuses the file, however few rows have it."""
    _, report = read(fault + b"\n" + many(good=1000, bad=0))
    assert report.is_refused
    assert report.left_out == 0
    assert report.documents == 1000


@pytest.mark.parametrize(
    "data", [b"text,BILLING\nBILLING,x\n", b"LABEL,text\nBILLING,x\n", b"BILLING,x\nlabel,text\n"]
)
def test_a_row_is_no_header_when_its_label_is_known_or_it_is_not_the_first(data: bytes) -> None:
    """A label that happens to be a header's word is a label, and only the first row is a header."""
    _, report = read(data, labels=[*LABELS, "LABEL"])
    assert UploadFault.HEADER not in report.problem_counts


def test_labels_are_taken_from_the_file_when_none_are_given() -> None:
    """Without the flywheel's labels every label counts, and a header is still found."""
    rows, report = read(b"A,one\nB,two\n", labels=None)
    assert [row.label for row in rows] == ["A", "B"]
    assert not report.is_refused
    assert UploadFault.HEADER in read(b"class,document\nA,one\n", labels=None)[1].problem_counts


def test_duplicates_are_dropped_and_counted_when_label_and_text_are_the_same() -> None:
    """An exact duplicate is no fault, and never makes a file worse."""
    rows, report = read(b'BILLING,one\nBILLING, one \n"BILLING","one"\nBILLING,One\n')
    assert [row.text for row in rows] == ["one", "One"]
    assert (report.duplicates, report.problem_count, report.rows_read) == (2, 0, 4)
    assert report.label_counts == {"BILLING": 2}


def test_the_first_label_stays_when_a_text_comes_again_with_others() -> None:
    """Of texts with several labels the first is kept; its duplicates later are still duplicates."""
    rows, report = read(b"BILLING,one\nSHIPPING,one\nBILLING,one\nSHIPPING,one\nSHIPPING,two\n")
    assert rows == [LabeledRow("BILLING", "one"), LabeledRow("SHIPPING", "two")]
    assert (report.duplicates, report.problem_counts[UploadFault.CONFLICT]) == (1, 2)


@pytest.mark.parametrize(
    ("good", "bad", "allowed"),
    [
        (99, 1, 1),
        (98, 2, 1),
        (98, 1, 0),
        (693, 7, 7),
        (4950, 50, 50),
        (4949, 51, 50),
        (9950, 50, 50),
        (9949, 51, 50),
    ],
)
def test_bad_rows_are_left_out_when_they_are_few(good: int, bad: int, allowed: int) -> None:
    """Up to one in a hundred rows and never more than fifty are left out."""
    rows, report = read(many(good, bad), allowance=Allowance())
    assert (len(rows), report.left_out) == (good, bad)
    assert report.is_refused is (bad > allowed)
    if report.is_refused:
        assert report.problems[0].fault is UploadFault.TOO_MANY_BAD_ROWS
        assert report.lines()[0] == (
            f"{bad} of {good + bad:,} rows are bad; at most {allowed} (1%, never more than 50) "
            "are left out, so the file is refused"
        )


@pytest.mark.parametrize("percent", range(1, 100))
def test_the_allowance_is_exact_when_the_fraction_is_not(percent: int) -> None:
    """A fraction without an exact binary form allows just as many rows as it says."""
    _, report = read(many(100 - percent, percent), allowance=Allowance(1000, percent / 100))
    assert not report.is_refused


def test_one_bad_row_refuses_when_none_is_allowed() -> None:
    """With an allowance of no rows every row fault refuses the file."""
    _, report = read(many(1000, 1), allowance=Allowance(rows=0))
    assert report.is_refused
    assert report.problem_counts == {UploadFault.UNKNOWN_LABEL: 1, UploadFault.TOO_MANY_BAD_ROWS: 1}


def unlike(bad: int) -> bytes:
    """Return a good row, then rows that each have an unknown label of their own."""
    return b"BILLING,text\n" + b"".join(b"NONE%d,text %d\n" % (n, n) for n in range(bad))


@pytest.mark.parametrize(("bad", "said", "hidden"), [(20, 20, 0), (21, 20, 1), (500, 20, 480)])
def test_the_first_problems_and_a_count_are_told_when_there_are_many(
    bad: int, said: int, hidden: int
) -> None:
    """Twenty different problems are told, the first ones, and the rest are counted."""
    _, report = read(unlike(bad))
    lines = report.lines(quotes_values=True)
    assert lines[0].startswith("line 2: unknown label 'NONE0'")
    assert lines[said - 1].startswith(f"line {said + 1}: ")
    assert lines[said:] == ([f"... and {hidden} more (unknown label)"] if hidden else [])


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (1, "line 2"),
        (2, "lines 2, 3"),
        (4, "lines 2, 3, 4, 5"),
        (500, "lines 2, 3, 4, 5 and 496 more"),
    ],
)
def test_problems_are_told_once_when_they_are_alike(bad: int, where: str) -> None:
    """The same problem on many lines is one line of the report, which names the first of them."""
    _, report = read(many(1, bad))
    assert report.lines() == [
        f"{where}: unknown label; the flywheel's labels: BILLING, SHIPPING, ACCOUNT_ACCESS"
    ]
    assert (report.problem_count, report.left_out) == (bad, bad)


def test_the_refusal_stands_first_when_there_are_many_problems() -> None:
    """Why a file is refused is said before its problems, which stay twenty."""
    _, report = read(many(500, 0) + b"\n" + unlike(500), allowance=Allowance())
    lines = report.lines(quotes_values=True)
    assert lines[0].startswith("500 of 1,001 rows are bad")
    assert len(lines) == 22
    assert lines[-1] == "... and 480 more (unknown label)"
    assert [line.split(": ")[0] for line in report.lines()[1:]] == [
        "lines 502, 503, 504, 505 and 16 more",
        "... and 480 more (unknown label)",
    ]


def test_repairs_are_counted_when_rows_were_changed() -> None:
    """What was changed so that a row can be used is counted by its kind."""
    _, report = read(b'\xef\xbb\xbfBILLING,"a\nb"\nBILLING,"c\r\nd"\n')
    assert report.repairs == {
        "byte order mark removed": 1,
        "line breaks within texts became spaces": 2,
    }


MIXED = (
    b'\xef\xbb\xbfBILLING,one\r\nSHIPPING,"two\nlines"\n\nNONE,x\nBILLING,caf\xe9\n'
    b"BILLING,one\nSHIPPING,one\nBILLING,\nBILLING,a,b"
)


@pytest.mark.parametrize("cut", range(len(MIXED) + 1))
def test_the_report_is_the_same_when_the_file_is_cut_anywhere(cut: int) -> None:
    """Rows, problems, lines and offsets do not depend on how the bytes arrive."""
    documents = LabeledDocuments([MIXED[:cut], MIXED[cut:]], LABELS)
    assert (list(documents), documents.report) == read(MIXED, allowance=Allowance())


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        'say "no"',
        "a, b",
        '"',
        '""',
        "line\u2028separator\u0085next",
        "naïve — 日本 🎡",
        "'single'",
        'ends with "quotes"',
        "=SUM(A1)",
    ],
)
def test_a_canonical_line_reads_as_the_same_row_when_it_is_parsed_again(text: str) -> None:
    """Our canonical form is read alike by our own reader, by the parser and by the csv module."""
    row = LabeledRow("BILLING", text)
    line = csv_line(row)
    assert line.count("\n") == 1
    assert list(rows_of([line])) == [row]
    assert read(line.encode())[0] == [row]
    assert next(csv.reader(io.StringIO(line, newline=""), strict=True)) == ["BILLING", text]


def test_a_text_is_identified_when_only_the_text_is_the_same() -> None:
    """Sixteen bytes of hash stand for a text among all texts."""
    assert text_key("one") == text_key("one") != text_key("One")
    assert len(text_key("")) == 16


@pytest.mark.parametrize("repeats", [1, 7, 49, 50, 51, 400])
def test_the_copy_lacks_just_the_repeats_when_a_block_is_canonical(repeats: int) -> None:
    """However few or many rows are left out, and however uneven rows are, all others stay."""
    chance = random.Random(repeats)
    texts = [f"{number} {'x' * chance.choice((0, 3, 3, 3, 900))}".strip() for number in range(3000)]
    rows = [f"BILLING,{text}\n" for text in texts]
    with_repeats = list(rows)
    for _ in range(repeats):
        at = chance.randrange(1, len(with_repeats) + 1)
        with_repeats.insert(at, chance.choice(with_repeats[:at]))
    documents = LabeledDocuments(["".join(with_repeats).encode()], LABELS)
    assert b"".join(documents.canonical_copy()).decode() == "".join(rows)
    assert documents.report.duplicates == repeats
