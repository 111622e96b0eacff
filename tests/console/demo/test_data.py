from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from console.demo.data import (
    FLOOR_OF_UNKNOWN_DATA,
    DemoData,
    RefusedFileError,
    broken_file,
    own_data,
    sample_data,
)
from console.demo.environment import write_environment
from console.demo.sample_tickets import LABELS
from console.demo.split import DemoDataError
from console.demo.tasks import csv_bytes
from console.environment.new_environment import flywheel_name
from console.environment.target import ENVIRONMENTS_FOLDER
from flywheel.intake.labeled_documents import LabeledDocuments, UploadFault
from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment import Environment
from flywheel.settings.environment_file import parse_environment

ROWS = [(label, f"{label} says {number}") for label in ("hot, dry", "wet") for number in range(40)]


def parts(data: DemoData) -> list[tuple[str, str]]:
    """Return all rows of the training parts and the test set."""
    return [*data.parts.test, *data.parts.first, *data.parts.more, *data.parts.mislabeled]


def test_every_good_row_is_used_when_rows_are_duplicates_or_bad(tmp_path: Path) -> None:
    """Exact duplicates stay, bad rows are left out, and both are remarked on."""
    content = csv_bytes([*ROWS, ROWS[0], ROWS[0]]) + b'wet,\n"hot, dry",wet says 1\n'
    (tmp_path / "all.csv").write_bytes(content)
    data = own_data(tmp_path)
    assert Counter(text for _, text in parts(data)) == Counter(
        text for _, text in [*ROWS, ROWS[0], ROWS[0]]
    )
    remarks = " ".join(data.remarks)
    assert "2 of 84 rows are left out: 1 with empty text, 1 with same text" in remarks
    assert "2 exact duplicates" in remarks


def test_the_file_is_refused_when_it_has_a_file_fault(tmp_path: Path) -> None:
    """The report comes with the error."""
    (tmp_path / "train.csv").write_bytes(csv_bytes(ROWS) + b"a,b,c\n")
    (tmp_path / "test.csv").write_bytes(csv_bytes(ROWS[:3]))
    with pytest.raises(RefusedFileError, match="line 81: 3 columns") as refused:
        own_data(tmp_path)
    assert refused.value.report.problem_counts == {UploadFault.COLUMN_COUNT: 1}


def test_labels_of_both_files_count_when_the_test_set_has_its_own(tmp_path: Path) -> None:
    """The flywheel knows every label, and those that AWS would not train are named."""
    few = [("few", f"a few {number}") for number in range(4)]
    (tmp_path / "train.csv").write_bytes(csv_bytes([*ROWS, *few]))
    (tmp_path / "test.csv").write_bytes(csv_bytes([("only tested", "here")]))
    data = own_data(tmp_path)
    assert data.labels == ("few", "hot, dry", "only tested", "wet")
    assert data.parts.test == (("only tested", "here"),)
    assert "few (4), only tested (0)" in " ".join(data.remarks)


@pytest.mark.parametrize(
    ("labels", "shape", "is_said"),
    [
        (("a|b", "a", "b"), DataFormat(), True),
        (("a|b", "a", "b"), DataFormat(mode="multi-label", delimiter=";"), True),
        (("a|b", "a", "b"), DataFormat(mode="multi-label"), False),
        (("one-way", "one"), DataFormat(), False),
    ],
)
def test_it_is_said_when_labels_look_like_several(
    tmp_path: Path, labels: tuple[str, ...], shape: DataFormat, is_said: bool
) -> None:
    """The task or the delimiter was forgotten, where all parts of a label are labels."""
    rows = [(label, f"{label} in text {number}") for label in labels for number in range(30)]
    (tmp_path / "all.csv").write_bytes(csv_bytes(rows))
    remarks = " ".join(own_data(tmp_path, shape).remarks)
    assert ("'a|b' counts as one label" in remarks) is is_said
    assert ("--task multi-label --delimiter '|'" in remarks) is is_said


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My Data (2024)", "my-data-2024"), ("--", "demo"), ("x" * 60, "x" * 40), ("é_1", "1")],
)
def test_the_name_is_one_that_settings_take_when_the_folder_has_any(folder: str, name: str) -> None:
    """Letters, digits and single hyphens, at most 40."""
    assert flywheel_name(folder) == name


@pytest.mark.parametrize("labels", [("A", "B"), ("A, too", "A_2"), ('say "a"', 'say "a"_2')])
def test_the_broken_file_is_refused_when_it_is_read(labels: tuple[str, ...]) -> None:
    """It has each fault once, whatever the labels are."""
    documents = LabeledDocuments([broken_file(labels)], labels)
    assert len(list(documents)) == 2
    expected = {
        UploadFault.HEADER,
        UploadFault.EMPTY_TEXT,
        UploadFault.UNKNOWN_LABEL,
        UploadFault.COLUMN_COUNT,
    }
    assert set(documents.report.problem_counts) == expected


def test_the_rules_are_those_of_local_when_an_environment_is_written(tmp_path: Path) -> None:
    """The flywheel differs, and what a first model must reach; odd labels survive the file."""
    labels = ("hot, dry", 'say "a"', "ümlaut")
    write_environment(tmp_path, replace(sample_data(), flywheel="mine", labels=labels, is_own=True))

    def parsed(folder: Path) -> Environment:
        return parse_environment("local.toml", lambda name: (folder / name).read_text("utf-8"))

    mine, local = parsed(tmp_path), parsed(ENVIRONMENTS_FOLDER)
    assert mine.flywheels[0].name == "mine"
    assert mine.flywheels[0].labels == ("hot, dry", 'say "a"', "ümlaut")
    assert mine.flywheels[0].batch == local.flywheels[0].batch
    (mine_rule,), (rule,) = mine.flywheels[0].policy.rules, local.flywheels[0].policy.rules
    assert mine_rule == rule.model_copy(update={"min": FLOOR_OF_UNKNOWN_DATA})
    few = mine.flywheels[1]
    assert (few.name, few.labels) == ("mine-few", tuple(sorted(LABELS)))
    assert few.batch == mine.flywheels[0].batch
    assert [rule.bounds() for rule in few.policy.rules] == [
        [("min", FLOOR_OF_UNKNOWN_DATA)],
        [("min_improvement", 0.005)],
    ]


def test_the_first_flywheel_is_that_of_local_when_the_data_is_the_sample(tmp_path: Path) -> None:
    """What the demonstration shows on the sample is what the project ships."""
    write_environment(tmp_path, sample_data())
    shown = parse_environment("local.toml", lambda name: (tmp_path / name).read_text("utf-8"))
    local = parse_environment(
        "local.toml", lambda name: (ENVIRONMENTS_FOLDER / name).read_text("utf-8")
    )
    assert shown.flywheels[0].policy == local.flywheels[0].policy
    assert set(shown.flywheels[0].labels or ()) == set(local.flywheels[0].labels or ())
    assert shown.notifications == local.notifications


def test_it_is_said_when_the_service_takes_no_such_labels(tmp_path: Path) -> None:
    """One label is too few for a classifier."""
    with pytest.raises(DemoDataError, match="2 to 1,000 labels"):
        write_environment(tmp_path, replace(sample_data(), labels=("alone",)))


def test_the_sample_is_complete_when_no_data_is_given() -> None:
    """Five files and the labels of the environment that ships with the project."""
    data = sample_data()
    listed = (ENVIRONMENTS_FOLDER / "labels" / "tickets.txt").read_text("utf-8").split()
    assert set(data.labels) == set(listed)
    assert all(
        [data.parts.test, data.parts.first, data.parts.more, data.parts.mislabeled, data.broken]
    )
