"""The cut of a user's data: whole, disjoint, stratified, and honest about what is too little."""

import itertools
from collections import Counter
from pathlib import Path

import pytest

from console.demo.split import (
    DemoDataError,
    DemoFiles,
    find_demo_files,
    split_for_demo,
    with_wrong_labels,
)
from console.demo.tasks import DemoParts, Row


def _rows(**counts: int) -> list[Row]:
    return [(label, f"{label} {n}") for label, count in counts.items() for n in range(count)]


def _train_texts(parts: DemoParts) -> list[str]:
    return [text for _, text in (*parts.first, *parts.more, *parts.mislabeled)]


TEST_ROWS: list[Row] = [("A", "tested")]


@pytest.mark.parametrize("total", range(20, 131))
def test_parts_hold_every_row_once_when_rows_are_cut(total: int) -> None:
    """Sizes are the nearest to 30, 50 and 20 percent, and no row is lost or doubled."""
    rows = _rows(A=total // 2, B=total // 3, C=total - total // 2 - total // 3)
    parts = split_for_demo(rows, TEST_ROWS)
    assert Counter(_train_texts(parts)) == Counter(text for _, text in rows)
    sizes = len(parts.first), len(parts.more), len(parts.mislabeled)
    expected = (0.3 * total, 0.5 * total, 0.2 * total)
    assert all(abs(size - share) < 1 for size, share in zip(sizes, expected, strict=True))
    assert parts.test == tuple(TEST_ROWS)


def test_sizes_are_exact_when_many_labels_have_odd_counts() -> None:
    """Rounding label by label does not drift: 77 labels of 7 to 83 rows meet the totals."""
    rows = _rows(**{f"L{n}": 7 + n for n in range(77)})
    parts = split_for_demo(rows, TEST_ROWS)
    total = len(rows)
    assert (len(parts.first), len(parts.more), len(parts.mislabeled)) == (
        round(total * 0.3),
        round(total * 0.5),
        total - round(total * 0.3) - round(total * 0.5),
    )
    per_label = Counter(label for label, _ in parts.first)
    assert all(abs(per_label[f"L{n}"] - 0.3 * (7 + n)) < 1 for n in range(77))


def test_first_part_holds_every_label_when_labels_are_rare() -> None:
    """A label with one row goes to the first part and not to the test set."""
    parts = split_for_demo(_rows(A=60, B=30, C=2, D=1))
    assert {label for label, _ in parts.first} == {"A", "B", "C", "D"}
    assert {label for label, _ in parts.test} == {"A", "B", "C"}


def test_a_fifth_is_held_out_when_there_is_no_test_file() -> None:
    """The test set takes 20 percent of each label, and no row stays in training."""
    parts = split_for_demo(_rows(A=100, B=50))
    assert Counter(label for label, _ in parts.test) == {"A": 20, "B": 10}
    assert not {text for _, text in parts.test} & set(_train_texts(parts))
    assert len(_train_texts(parts)) == 120


def test_no_text_is_trained_and_tested_when_rows_come_twice() -> None:
    """A text that comes twice stays in training, so the test set never leaks."""
    rows = _rows(A=40, B=40) + [("A", f"A {n}") for n in range(25)] + [("A", "B 1")]
    parts = split_for_demo(rows)
    assert parts.test
    assert not {text for _, text in parts.test} & set(_train_texts(parts))
    assert len(parts.test) + len(_train_texts(parts)) == len(rows)


def test_duplicates_are_dropped_when_no_text_occurs_once() -> None:
    """Else no test set could be held out."""
    parts = split_for_demo(_rows(A=50, B=50) * 3)
    texts = [*_train_texts(parts), *(text for _, text in parts.test)]
    assert len(parts.test) == 20
    assert Counter(texts) == Counter(text for _, text in _rows(A=50, B=50))


def test_parts_are_the_same_when_the_rows_are_the_same() -> None:
    """The cut is decided by the rows and the seed alone."""
    rows = _rows(A=40, B=40)
    assert split_for_demo(rows) == split_for_demo(rows)
    assert split_for_demo(rows) != split_for_demo(rows, seed=2)


def test_labels_are_wrong_and_uniform_when_they_are_replaced() -> None:
    """No row keeps its label, and every other label is drawn about as often."""
    wrong = with_wrong_labels(_rows(A=3000), ["A", "B", "C", "D"], seed=1)
    counts = Counter(label for label, _ in wrong)
    assert set(counts) == {"B", "C", "D"}
    assert all(900 < count < 1100 for count in counts.values())


def test_equal_texts_get_one_wrong_label_when_they_come_twice() -> None:
    """A mislabeled file never contradicts itself."""
    rows = [("A", f"text {n}") for n in range(50)] * 2 + [("B", f"text {n}") for n in range(20)]
    wrong = with_wrong_labels(rows, ["A", "B", "C", "D"], seed=1)
    assert len(set(wrong)) == 50
    assert all(new != old for (new, _), (old, _) in zip(wrong, rows, strict=True))


def test_every_label_changes_when_a_text_bears_all_of_them() -> None:
    """Where no label is wrong for all rows of a text, each row still gets another one."""
    assert with_wrong_labels([("A", "x"), ("B", "x")], ["A", "B"], seed=1) == (
        ("B", "x"),
        ("A", "x"),
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "holds no rows"),
        (_rows(ONLY=100), "one label only ('ONLY')"),
        (_rows(A=5, B=4), "9 rows are too few"),
        (_rows(**{f"L{n}": 1 for n in range(30)}), "30 rows are too few"),
    ],
)
def test_error_says_what_to_do_when_rows_are_too_few(rows: list[Row], said: str) -> None:
    """Data that cannot be cut is refused by name, with a way out."""
    with pytest.raises(DemoDataError) as caught:
        split_for_demo(rows, source="mine.csv")
    assert said in str(caught.value)
    assert caught.value.where == "mine.csv"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("names", "train", "test"),
    [
        (["train.csv", "test.csv"], "train.csv", "test.csv"),
        (["Train.CSV", "test.csv", "old.csv", "notes.md"], "Train.CSV", "test.csv"),
        (["tickets.csv", "notes.md", "._tickets.csv"], "tickets.csv", None),
        (["train.csv"], "train.csv", None),
    ],
)
def test_files_are_found_when_names_are_clear(
    tmp_path: Path, names: list[str], train: str, test: str | None
) -> None:
    """The expected pair, or one CSV file alone whatever its name."""
    for name in names:
        (tmp_path / name).touch()
    expected = DemoFiles(tmp_path / train, tmp_path / test if test else None)
    assert find_demo_files(tmp_path) == expected


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "found: nothing"),
        (["data.json"], "found: data.json"),
        (["a.csv", "b.csv"], "2 CSV files and not both expected names: a.csv, b.csv"),
        (["train.csv", "b.csv"], "b.csv, train.csv"),
    ],
)
def test_error_names_what_is_there_when_files_are_unclear(
    tmp_path: Path, names: list[str], said: str
) -> None:
    """The error lists what was found and what is expected."""
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(DemoDataError, match=r"Expected: train\.csv and test\.csv") as caught:
        find_demo_files(tmp_path)
    assert said in str(caught.value)


def test_error_is_clear_when_the_folder_is_missing_or_a_file(tmp_path: Path) -> None:
    """A wrong path is told apart from an empty folder."""
    (tmp_path / "x.csv").touch()
    with pytest.raises(DemoDataError, match="is a file, not a folder"):
        find_demo_files(tmp_path / "x.csv")
    with pytest.raises(DemoDataError, match="there is no such folder"):
        find_demo_files(tmp_path / "nowhere")


def test_totals_hold_when_label_counts_are_small_and_mixed() -> None:
    """Every mix of small labels keeps each label in the first part and the totals near."""
    for counts in itertools.product((1, 2, 3, 7, 11), repeat=3):
        sizes = dict(zip("ABC", counts, strict=True))
        if sum(counts) < 10:
            continue
        parts = split_for_demo(_rows(**sizes), TEST_ROWS)
        assert {label for label, _ in parts.first} == set("ABC")
        assert abs(len(parts.more) - 0.5 * sum(counts)) < 1.5
