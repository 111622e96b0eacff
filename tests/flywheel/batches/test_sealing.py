import pytest

from flywheel.batches.dataset_files import dataset_files
from flywheel.batches.sealing import Selection
from flywheel.intake.labeled_rows import LabeledRow, csv_line, text_key
from flywheel.settings.data_format import DataFormat


def test_rows_are_taken_once_when_uploads_repeat_them() -> None:
    """Over several uploads a text is sent once, with the label that came first."""
    selection = Selection()
    first = list(selection.select([LabeledRow("A", "one"), LabeledRow("B", "two")]))
    second = list(
        selection.select([LabeledRow("A", "one"), LabeledRow("A", "two"), LabeledRow("B", "three")])
    )
    assert first + second == [
        LabeledRow("A", "one"),
        LabeledRow("B", "two"),
        LabeledRow("B", "three"),
    ]
    assert selection.counts == {"A": 1, "B": 2}
    assert selection.left_out() == {"exact duplicates": 1, "same text with another label": 1}
    assert selection.texts == {text_key("one"), text_key("two"), text_key("three")}


def test_rows_of_the_test_set_are_left_out_when_training_is_selected() -> None:
    """A text of the test set never enters training, whatever its label."""
    selection = Selection(frozenset({text_key("one")}))
    rows = [LabeledRow("A", "one"), LabeledRow("B", "one"), LabeledRow("A", "two")]
    assert list(selection.select(rows)) == [LabeledRow("A", "two")]
    assert selection.left_out() == {"rows of the test set": 2}
    assert text_key("one") not in selection.texts


def test_nothing_is_said_when_nothing_was_left_out() -> None:
    """Only reasons that happened are counted."""
    selection = Selection()
    assert list(selection.select([LabeledRow("A", "one")])) == [LabeledRow("A", "one")]
    assert selection.left_out() == {}


@pytest.mark.parametrize(
    ("most_bytes", "expected"),
    [(5, [1, 1, 1]), (6, [1, 1, 1]), (11, [1, 1, 1]), (12, [2, 1]), (18, [3]), (10_000, [3])],
)
def test_rows_are_cut_into_files_when_a_file_has_a_most(
    most_bytes: int, expected: list[int]
) -> None:
    """No file exceeds its most but one of a single row, and no row is divided or lost."""
    rows = [LabeledRow("A", "one"), LabeledRow("A", "two"), LabeledRow("A", "six")]
    found = [body for _, body in dataset_files(rows, DataFormat(), most_bytes)]
    assert [body.count(b"\n") for body in found] == expected
    assert b"".join(found) == "".join(csv_line(row) for row in rows).encode()


def test_bytes_are_counted_when_texts_are_not_ascii() -> None:
    """The size of a file is its bytes, not its characters."""
    rows = [LabeledRow("A", "éé"), LabeledRow("A", "üü")]
    assert len(list(dataset_files(rows, DataFormat(), most_bytes=13))) == 2
    assert len(list(dataset_files(rows, DataFormat(), most_bytes=14))) == 1


def test_no_file_is_made_when_there_are_no_rows() -> None:
    """An empty dataset has no file at all."""
    assert list(dataset_files([], DataFormat(), most_bytes=10)) == []
