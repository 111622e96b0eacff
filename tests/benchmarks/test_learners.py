"""The table of learners: the engine alone on tiny sets, and what is compared with what."""

import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from benchmarks import classifiers, learners, recognizers
from benchmarks.patterns import generate_patterns, write_annotated
from benchmarks.tables import Result, with_results
from benchmarks.training import ENGINE, Outcome, calibration_error
from console.demo.sample_tickets import generate_tickets
from flywheel.intake.labeled_rows import LabeledRow, csv_line

WORDS, CHARACTERS = "scikit-learn, words", "scikit-learn, characters"


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Write two sets, one of each task, beside a folder that is none."""
    (tmp_path / "other").mkdir()
    tickets = [csv_line(LabeledRow(label, text)) for label, text in generate_tickets(120, seed=1)]
    (tmp_path / "tickets").mkdir()
    (tmp_path / "tickets" / "train.csv").write_text("".join(tickets[:90]), "utf-8")
    (tmp_path / "tickets" / "test.csv").write_text("".join(tickets[90:]), "utf-8")
    chance = random.Random(1)
    for part in ("train", "test"):
        write_annotated(tmp_path / "patterns" / part, *generate_patterns(chance, 40))
    return tmp_path


@pytest.mark.slow
def test_every_set_has_a_row_when_some_peers_are_not_installed(
    sets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine learns; a peer that is not installed is named so, and compared with nothing."""
    installed = {"comprehend_engine"}
    monkeypatch.setattr(learners, "find_spec", lambda package: package in installed or None)
    monkeypatch.setattr(learners, "_RUNS", 1)
    (table,) = learners.measure(data=sets)
    by_set = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert sorted(by_set) == ["patterns", "tickets"]
    for row in by_set.values():
        assert 0 < float(row[ENGINE].split(" / ")[0]) <= 1
        assert 0 <= float(row["ECE"]) < 1
        assert row["wall ratio"] == row["CPU ratio"] == "-"
    assert by_set["tickets"][WORDS] == by_set["patterns"]["CRFsuite"] == "not installed"
    assert by_set["tickets"]["CRFsuite"] == by_set["patterns"][WORDS] == "-"


def test_no_table_is_made_when_there_are_no_sets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is named; an earlier table stays on the page."""
    assert learners.measure(data=tmp_path) == []
    assert f"There are no labeled sets in {tmp_path}" in capsys.readouterr().err


def test_seconds_are_compared_with_the_fastest_way_that_is_good(tmp_path: Path) -> None:
    """Neither a bad way's seconds count, nor those of a library that is no reference."""
    (tmp_path / "train.csv").touch()
    task = learners.task_of(tmp_path)
    assert task is not None
    outcomes: Mapping[str, Outcome] = {
        ENGINE: Outcome(0.92, 0.02, 6.0, 3.0),
        WORDS: Outcome(0.895, None, 3.0, 2.0),
        CHARACTERS: Outcome(0.90, None, 4.0, 4.0),
        "fastText": Outcome(0.95, None, 0.1, 0.1),
    }
    row = learners.row_of("intents", task, outcomes)
    assert row[:6] == ("intents", "0.920 / 6.0", "0.020", "3.0", "0.895 / 3.0", "0.900 / 4.0")
    assert row[-2:] == ("2.00", "1.50")
    worse = {**outcomes, WORDS: Outcome(0.889, None, 3.0, 2.0)}
    assert learners.row_of("intents", task, worse)[-2:] == ("1.50", "0.75")


def test_both_tasks_learn_by_libraries_that_the_product_has(sets: Path) -> None:
    """scikit-learn's ways and CRFsuite's learn what there is to learn."""
    for name in (WORDS, CHARACTERS):
        assert classifiers.measured(name, sets / "tickets", 1).f1 > 0.3
    assert recognizers.measured("CRFsuite", sets / "patterns", 1).f1 > 0.9


def test_a_common_threshold_is_chosen_when_texts_have_several_labels(tmp_path: Path) -> None:
    """Every text gets a label, and most get theirs."""
    words = {"red": "rose blood ruby", "blue": "sky sea ink", "green": "leaf grass moss"}
    chance = random.Random(3)
    lines = []
    for _ in range(120):
        labels = sorted(chance.sample(sorted(words), chance.choice((1, 2))))
        text = " ".join(chance.choice(words[label].split()) for label in labels for _ in range(3))
        lines.append(f"{'|'.join(labels)},{text}\n")
    (tmp_path / "train.csv").write_text("".join(lines[:90]), "utf-8")
    (tmp_path / "test.csv").write_text("".join(lines[90:]), "utf-8")
    train, test = classifiers.read(tmp_path)
    assert not train.is_exclusive
    classifier = classifiers.LinearSvc()
    classifier.train(train)
    given = classifier.predict(test.texts).given
    assert given.any(axis=1).all()
    assert classifiers.macro_f1(given, test.has) > 0.85


def test_labels_that_training_lacks_are_left_out_of_the_test(tmp_path: Path) -> None:
    """No way can learn them."""
    (tmp_path / "train.csv").write_text("a,one\nb,two\n", "utf-8")
    (tmp_path / "test.csv").write_text("c,three\nb,two\n", "utf-8")
    _, test = classifiers.read(tmp_path)
    assert test.has.tolist() == [[False, False], [False, True]]


def test_mentions_are_where_they_were_when_a_set_is_read_again(tmp_path: Path) -> None:
    """Patterns give each mention's place in the text that is written."""
    documents, mentions = generate_patterns(random.Random(1), 20)
    write_annotated(tmp_path / "train", documents, mentions)
    assert recognizers.read(tmp_path / "train") == (documents, mentions)
    assert recognizers.read(tmp_path / "train", 5) == (documents[::5], mentions[::5])


def test_calibration_error_is_the_gap_of_scores_and_shares() -> None:
    """Two bins: 0.9 that is right half the time, and 0.1 that is never right."""
    scores, is_right = np.array([0.9, 0.9, 0.1, 0.1]), np.array([True, False, False, False])
    assert calibration_error(scores, is_right) == pytest.approx((0.8 + 0.2) / 4)


def test_other_tables_stay_when_one_is_measured_again() -> None:
    """Each says when it was measured; a new one comes last."""
    page = "# Benchmarks\n\n## A\n\nold a\n\n## B\n\nold b\n"
    results = [Result(title, ["n"], [["1"]], ["A note."]) for title in ("A", "C")]
    head, first, second, third = with_results(page, results).split("\n\n## ")
    assert head == "# Benchmarks"
    assert first.startswith("A\n\n| n |\n| --- |\n| 1 |\n\nA note.\n\nMeasured on ")
    assert second == "B\n\nold b"
    assert third.startswith("C\n\n")
