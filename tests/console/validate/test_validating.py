import json
from pathlib import Path

import pytest

from console.commands import options as verb_options
from tests.console.command_line import Run

GOOD = b"A,one\nB,two\n"


def write(tmp_path: Path, content: bytes) -> str:
    """Write a file and return its path."""
    path = tmp_path / "labeled.csv"
    path.write_bytes(content)
    return str(path)


def test_a_good_file_is_counted_when_it_is_validated(run: Run, tmp_path: Path) -> None:
    """It says how many documents there are, by label."""
    result = run("validate", write(tmp_path, GOOD + b"B,three\n"))
    assert result.exit_code == 0
    assert "labeled.csv: OK, 3 documents, 2 labels" in result.stdout
    assert "B" in result.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file holds no rows"),
        (b"label,text\n" + GOOD, "line 1: looks like a header"),
        (GOOD + b"A,one,more\n", "line 3: 3 columns instead of 2"),
        (GOOD + b"A,caf\xe9\n", "line 3: not UTF-8"),
        (GOOD + b"A,\0\n", "line 3: a NUL byte"),
        (GOOD + b'A,"open\n', "line 3: a quote opens here"),
        (GOOD + b",text\n", "line 3: empty label"),
        (GOOD + b"A,\n", "line 3: empty text"),
        (GOOD + b"B,one\n", "line 3: label 'B', but the same text"),
        (b"PK\x03\x04", "the file is a zip archive"),
    ],
)
def test_a_file_is_refused_when_it_has_a_fault(
    run: Run, tmp_path: Path, content: bytes, words: str
) -> None:
    """Each fault is told with its line, and the exit code is 1."""
    result = run("validate", write(tmp_path, content))
    assert result.exit_code == 1
    assert "labeled.csv: REFUSED" in result.stdout
    assert words in " ".join(result.stdout.split())


def test_duplicates_and_repairs_are_told_when_a_file_has_some(run: Run, tmp_path: Path) -> None:
    """They refuse nothing."""
    result = run("validate", write(tmp_path, b"\xef\xbb\xbf" + GOOD + b"A,one\n"))
    assert result.exit_code == 0
    assert "Exact duplicates that would be dropped: 1." in result.stdout
    assert "Repaired: byte order mark removed (1 row)." in result.stdout


def test_no_cloud_is_touched_when_no_flywheel_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The labels are the file's own, whatever --env says."""
    monkeypatch.delattr(verb_options, "open_target")
    assert run("validate", write(tmp_path, GOOD), "--env", "prod").exit_code == 0


def test_standard_output_is_one_document_when_json_is_asked(run: Run, tmp_path: Path) -> None:
    """A program finds every problem with its line and byte."""
    result = run("validate", write(tmp_path, GOOD + b"A,\n"), "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["is_refused"] is True
    assert document["documents"] == 2
    assert document["problems"][1] == {
        "line": 3,
        "byte_offset": 12,
        "fault": "empty text",
        "message": "empty text (label 'A')",
        "count": 1,
    }


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_it_is_a_usage_error_when_the_file_is_not_there(
    run: Run, tmp_path: Path, name: str
) -> None:
    """A missing file or a folder is 2, on standard error."""
    result = run("validate", str(tmp_path / name))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Check the path." in result.stderr


def test_the_flywheels_labels_count_when_it_is_named(run_locally: Run, tmp_path: Path) -> None:
    """A label that is good in the file alone is unknown to the flywheel."""
    path = write(tmp_path, b"BILLING,my invoice\nSHIPING,my parcel\n")
    assert run_locally("validate", path).exit_code == 0
    result = run_locally("validate", path, "tickets")
    assert result.exit_code == 1
    assert "line 2: unknown label 'SHIPING'; did you mean 'SHIPPING'?" in result.stdout


def test_several_labels_are_counted_when_the_mode_says_so(run: Run, tmp_path: Path) -> None:
    """Without a flywheel, options say what its file would."""
    path = write(tmp_path, b"A;B,one\nB,two\n")
    result = run("validate", path, "--mode", "multi-label", "--delimiter", ";", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["label_counts"] == {"B": 2, "A": 1}


@pytest.mark.parametrize("half", ["documents.txt", "annotations.csv"])
def test_both_halves_are_read_when_either_is_validated(run: Run, tmp_path: Path, half: str) -> None:
    """The other half of a pair is found beside it."""
    (tmp_path / "documents.txt").write_bytes(b"Mary sings\nnobody\n")
    header = b"File,Line,Begin Offset,End Offset,Type\n"
    (tmp_path / "annotations.csv").write_bytes(header + b"documents.txt, 0, 0, 4, PERSON\n")
    result = run("validate", str(tmp_path / half), "--task", "entities", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["documents"], document["label_counts"]) == (2, {"PERSON": 1})
    told = run("validate", str(tmp_path / half), "--task", "entities").stdout
    assert "OK, 2 documents, 1 type" in told
    assert "no model learns from one" not in told


def test_the_other_half_is_asked_for_when_it_is_not_there(run: Run, tmp_path: Path) -> None:
    """One half alone says nothing; which file is missing is said."""
    (tmp_path / "monday.txt").write_bytes(b"Mary sings\n")
    result = run("validate", str(tmp_path / "monday.txt"), "--task", "entities")
    assert result.exit_code == 2
    assert "monday.txt waits for monday.csv in the same folder" in " ".join(result.stderr.split())
