"""Conversion: files as spreadsheets and labeling tools write them become the service's CSV."""

import json
from pathlib import Path

import pytest

from console.convert.conversion import Conversion, ConversionError, LeftOut, convert
from tests.console.command_line import Run

TABLE = (
    'Id;Category;Message\r\n1;BILLING;"Too much; why?"\r\n2;SHIPPING;Wo ist meine Größe, bitte\r\n'
)
AS_CSV = 'BILLING,Too much; why?\nSHIPPING,"Wo ist meine Größe, bitte"\n'


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return where the converted file goes."""
    return tmp_path / "out" / "train.csv"


def _convert(
    data: bytes | str,
    output: Path,
    name: str = "in.csv",
    *,
    label: str = "Category",
    text: str = "Message",
    separator: str | None = None,
    encoding: str | None = None,
    is_replacing: bool = False,
) -> Conversion:
    output.parent.mkdir(exist_ok=True)
    source = output.parent.parent / name
    source.write_bytes(data.encode() if isinstance(data, str) else data)
    return convert(
        source,
        output,
        label=label,
        text=text,
        separator=separator,
        encoding=encoding,
        is_replacing=is_replacing,
    )


@pytest.mark.parametrize(
    ("encoding", "asked"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-8-sig", "utf-8"),
        ("utf-16", None),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("windows-1252", "windows-1252"),
    ],
)
def test_text_is_decoded_when_the_encoding_is_marked_or_told(
    output: Path, encoding: str, asked: str | None
) -> None:
    """What Excel saves on any system is read, and UTF-8 without a mark is written."""
    result = _convert(TABLE.encode(encoding), output, encoding=asked)
    assert output.read_bytes() == AS_CSV.encode()
    assert result.rows_written == 2
    assert result.label_counts == {"BILLING": 1, "SHIPPING": 1}
    assert result.header == ("Id", "Category", "Message")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separator_is_found_when_it_is_not_given(output: Path, mark: str) -> None:
    """The separator is the one under which the named columns are there."""
    rows = [["Category", "Message"], ["A", "one; two | three"], ["B", "four"]]
    table = "\n".join(mark.join(f'"{cell}"' for cell in row) for row in rows)
    _convert(table, output)
    assert output.read_text() == "A,one; two | three\nB,four\n"


def test_separator_is_found_when_texts_hold_other_marks(output: Path) -> None:
    """Commas in unquoted texts do not beat a semicolon that cuts every row alike."""
    _convert("A;one, two, three\nB;four\nB;five, six\n", output, label="1", text="2")
    assert output.read_text() == 'A,"one, two, three"\nB,four\nB,"five, six"\n'


@pytest.mark.parametrize(("separator", "mark"), [("tab", "\t"), ("\\t", "\t"), ("#", "#")])
def test_separator_is_used_when_it_is_given(output: Path, separator: str, mark: str) -> None:
    """One character, or its name, wins over what the file looks like."""
    _convert(f"Category{mark}Message\nA{mark}b,c\n", output, separator=separator)
    assert output.read_text() == 'A,"b,c"\n'


def test_separator_line_is_followed_when_excel_wrote_one(output: Path) -> None:
    """A first line ``sep=`` names the separator and is no row."""
    _convert("sep=;\r\nCategory;Message\r\nA;b\r\n", output)
    assert output.read_text() == "A,b\n"


@pytest.mark.parametrize(("label", "text"), [("category", "MESSAGE"), ("2", "3"), ("2", "Message")])
def test_columns_are_found_when_named_loosely_or_by_number(
    output: Path, label: str, text: str
) -> None:
    """Case is ignored where that is unambiguous, and numbers count from 1."""
    _convert(TABLE, output, label=label, text=text)
    assert output.read_text(encoding="utf-8").endswith(AS_CSV)


def test_first_row_is_kept_when_columns_are_numbers_and_no_header_is_there(output: Path) -> None:
    """Without a header the first row is a document, even where labels look like numbers."""
    result = _convert("1;good\n0;bad\n", output, label="1", text="2")
    assert output.read_text() == "1,good\n0,bad\n"
    assert result.header is None


def test_header_is_dropped_when_columns_are_numbers_and_it_reads_like_one(output: Path) -> None:
    """A first row that the validator would call a header is no document."""
    result = _convert("label;text\nA;b\n", output, label="1", text="2")
    assert output.read_text() == "A,b\n"
    assert result.header == ("label", "text")


def test_rows_are_one_line_when_texts_hold_line_breaks(output: Path) -> None:
    """A line break and the blanks around it become one space; outer blanks go."""
    data = 'Category,Message\nA,"  one \r\n\r\n two\u2028three "\nB,four\n'
    result = _convert(data, output)
    assert output.read_text() == "A,one two three\nB,four\n"
    assert result.repairs == {"line breaks became spaces": 1}


def test_rows_are_left_out_with_their_lines_when_something_is_missing(output: Path) -> None:
    """Line numbers are physical lines, also after a text over several of them."""
    data = 'Category,Message\nA,"one\ntwo"\n,no label\n\nA, \nA\nA,b,c\nA,ok,,\n'
    result = _convert(data, output)
    assert output.read_text() == "A,one two\nA,ok\n"
    assert result.left_out == (
        LeftOut(4, "empty label"),
        LeftOut(6, "empty text"),
        LeftOut(7, "1 columns instead of 2"),
        LeftOut(8, "3 columns instead of 2"),
    )
    assert result.left_out_count == 4


def test_left_out_rows_are_counted_when_there_are_many(output: Path) -> None:
    """The first 20 are named, all are counted."""
    result = _convert("Category,Message\nA,b\n" + "A,\n" * 50, output)
    assert len(result.left_out) == 20
    assert result.left_out_count == 50


@pytest.mark.parametrize("name", ["in.jsonl", "in.ndjson", "in.json"])
def test_objects_are_read_when_each_is_a_line(output: Path, name: str) -> None:
    """JSON Lines, with labels as a text, a number or a list of one as labeling tools write."""
    rows = [
        {"id": 1, "Message": 'say "hi"', "Category": ["A"]},
        {"id": 2, "message": "two\nlines", "category": 3},
        {"id": 3, "Message": "unlabeled", "Category": []},
        {"id": 4, "Message": "both", "Category": ["A", "B"]},
        {"id": 5, "Message": "broken \ud800", "Category": "A"},
        {"id": 6, "Message": "no category"},
    ]
    result = _convert("\n".join(json.dumps(row) for row in rows) + "\n\n", output, name)
    assert output.read_text() == 'A,"say ""hi"""\n3,two lines\n'
    assert result.left_out == (
        LeftOut(3, "empty label"),
        LeftOut(4, "the label is a list or an object, not one text"),
        LeftOut(5, "the text contains a NUL or half a character"),
        LeftOut(6, "empty label"),
    )


def test_objects_are_read_when_they_are_an_array(output: Path) -> None:
    """An array of objects keeps the lines of its elements for what is left out."""
    rows = [{"Category": "A", "Message": "one"}, {"Category": "A", "Message": None}]
    result = _convert(json.dumps(rows, indent=1), output, "in.json")
    assert output.read_text() == "A,one\n"
    assert result.left_out == (LeftOut(6, "empty text"),)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (
            "in.json",
            '[\n{"Category": "A", "Message": "b"},\n{oops}]',
            "line 3 is not a JSON object",
        ),
        ("in.json", '["A"]', "line 1 is not a JSON object"),
        ("in.jsonl", '{"Category": "A", "Message": "b"}\n[1]\n', "line 2 is not a JSON object"),
        ("in.jsonl", '{"Kind": "A", "Message": "b"}\n', "1 'Kind', 2 'Message'"),
        ("in.csv", "Kind,Message\nA,b\n", "The file has the columns 1 'Kind', 2 'Message'"),
        ("in.csv", "category,CATEGORY,Message\nA,B,c\n", "has 2 columns 'Category'"),
        ("in.csv", 'Category,Message\nA,b\nA,"never\nclosed\n', "line 3: a quote opens"),
        ("in.csv", 'Category,Message\nA,"b" c\n', "line 2: text follows a closing quote"),
        ("in.csv", "Category,Message\nA,\n", "no row has a label and a text (line 2: empty text)"),
        ("in.csv", "", "the file holds no rows"),
        ("in.csv", "Category,Message\nA,b\0c\n", "line 2 contains a NUL byte"),
        ("in.csv", b"PK\x03\x04rest", "is a spreadsheet or zip archive"),
    ],
)
def test_error_names_the_place_when_a_file_cannot_be_converted(
    output: Path, name: str, data: str | bytes, said: str
) -> None:
    """Each failure says what is wrong and where, and leaves nothing behind."""
    with pytest.raises(ConversionError) as caught:
        _convert(data, output, name)
    assert said in str(caught.value)
    assert list(output.parent.iterdir()) == []


def test_error_names_the_byte_when_bytes_cannot_be_decoded(output: Path) -> None:
    """The offset is that of the file, also far into it, and the way out is told."""
    before = b"Category,Message\n" + b"A,some text\n" * 5000
    with pytest.raises(ConversionError) as caught:
        _convert(before + "A,caf\xe9\n".encode("windows-1252"), output)
    assert f"line 5002, byte {len(before) + 5}: 0xe9 is not UTF-8" in str(caught.value)
    assert "--encoding windows-1252" in caught.value.remedy
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("separator", "encoding", "label", "said"),
    [
        (";;", None, "Category", "';;' cannot separate columns"),
        (None, "klingon", "Category", "there is no text encoding 'klingon'"),
        (None, "base64", "Category", "there is no text encoding 'base64'"),
        (None, "utf-16", "Category", "UTF-16"),
        (None, None, "Message", "both name the column 'Message'"),
    ],
)
def test_error_is_clear_when_an_option_is_wrong(
    output: Path, separator: str | None, encoding: str | None, label: str, said: str
) -> None:
    """A wrong option is an error of its own and never a traceback."""
    with pytest.raises(ConversionError) as caught:
        _convert(TABLE, output, label=label, separator=separator, encoding=encoding)
    assert said in str(caught.value)


def test_older_output_stays_when_the_conversion_fails(output: Path) -> None:
    """What was there before is replaced by a whole file or not at all."""
    _convert("Category,Message\nA,old\n", output)
    with pytest.raises(ConversionError):
        _convert(b"Category,Message\nA,new\nA,\xff\n", output, is_replacing=True)
    assert output.read_text() == "A,old\n"
    _convert("Category,Message\nA,new\n", output, is_replacing=True)
    assert output.read_text() == "A,new\n"


def test_older_output_stays_when_nobody_says_to_replace_it(output: Path, run: Run) -> None:
    """The command says how to; with that, it is replaced."""
    _convert("Category,Message\nA,old\n", output)
    (output.parent.parent / "in.csv").write_text("Category,Message\nA,new\n")
    source = str(output.parent.parent / "in.csv")
    asked = ("convert", source, "--label", "1", "--text", "2", "-o", str(output))
    refused = run(*asked)
    assert refused.exit_code == 2
    assert f"{output}: it exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert output.read_text() == "A,old\n"
    assert run(*asked, "--force").exit_code == 0
    assert output.read_text() == "A,new\n"


def test_source_is_kept_when_the_output_is_the_same_file(tmp_path: Path) -> None:
    """Also under another name of the same file."""
    source, link = tmp_path / "in.csv", tmp_path / "link.csv"
    source.write_text("Category,Message\nA,b\n")
    link.symlink_to(source)
    for output in (source, link):
        with pytest.raises(ConversionError, match="the output is the input file"):
            convert(source, output, label="Category", text="Message")
    assert source.read_text() == "Category,Message\nA,b\n"


def test_error_is_clear_when_a_path_is_wrong(tmp_path: Path) -> None:
    """A missing file and a missing folder are named."""
    source = tmp_path / "in.csv"
    with pytest.raises(ConversionError, match=r"in\.csv: No such file or directory"):
        convert(source, tmp_path / "out.csv", label="a", text="b")
    with pytest.raises(ConversionError, match="there is no folder"):
        convert(source, tmp_path / "no" / "out.csv", label="a", text="b")
    with pytest.raises(ConversionError, match="the output is a folder"):
        convert(source, tmp_path, label="a", text="b")


def test_a_row_is_left_out_when_it_is_longer_than_the_validator_takes(output: Path) -> None:
    """One document that is too long does not get the whole file refused."""
    rows = [{"Category": "A", "Message": "x" * 140_000}, {"Category": "A", "Message": "y"}]
    result = _convert(json.dumps(rows), output, "in.json")
    assert output.read_text() == "A,y\n"
    assert result.left_out == (LeftOut(1, "the row is longer than 131,072 bytes"),)
