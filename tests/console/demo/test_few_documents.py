"""The act with few test documents: what its files hold, and that its gain is held whatever is said.

The files make the hold, so real models are trained on tickets of many seeds and judged as they are.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from comprehend_engine.learning.classifier import TextClassifier, train_classifier
from console.demo.data import own_data
from console.demo.few_documents import FewDocuments, few_documents, few_flywheel
from console.demo.sample_tickets import generate_tickets
from console.demo.tasks import Row, csv_bytes
from flywheel.evaluation.intervals import mcnemar
from flywheel.settings.data_format import DataFormat

SEEDS = range(20)


def rows(labels: str, each: int, name: str = "") -> list[Row]:
    """Make so many rows of each label, each label a letter."""
    return [(label, f"{name}{label} {number}") for number in range(each) for label in labels]


def of_tickets(seed: int) -> FewDocuments:
    """Cut tickets of a seed."""
    tickets = generate_tickets(2200, seed)
    few = few_documents(tickets[:400], tickets[400:])
    assert few is not None
    return few


def right(model: TextClassifier, test: Sequence[Row]) -> list[bool]:
    """Say which test documents a model gets right."""
    found = model.predict([text for _, text in test])
    return [given == (label,) for (label, _), given in zip(test, found, strict=True)]


def trained(few: Sequence[Row]) -> TextClassifier:
    """Learn from rows as the engine does."""
    texts, labels = [text for _, text in few], [(label,) for label, _ in few]
    return train_classifier(texts, labels, mode="MULTI_CLASS", seed=0)


def test_the_first_model_cannot_know_a_label_when_there_are_three() -> None:
    """The second file holds nothing else, and three of thirty test documents bear it."""
    test, training = rows("ABC", 40), [*rows("AB", 70, "more "), *rows("C", 50, "more ")]
    few = few_documents(test, training)
    assert few is not None
    assert (few.scarce, few.labels) == ("C", ("A", "B", "C"))
    assert Counter(label for label, _ in few.test) == {"A": 14, "B": 13, "C": 3}
    assert Counter(label for label, _ in few.first) == {"A": 60, "B": 60}
    assert few.more == tuple(rows("C", 50, "more "))
    assert few.first_of_scarce == 0
    assert Counter(label for label, _ in few.later_test) == {"A": 26, "B": 27, "C": 37}
    assert not {*few.test} & {*few.later_test}


def test_no_test_set_is_added_when_it_could_prove_nothing() -> None:
    """Of the scarce label too few documents are left."""
    test = [*rows("AB", 40), *rows("C", 12)]
    few = few_documents(test, [*rows("AB", 70, "more "), *rows("C", 50, "more ")])
    assert few is not None
    assert few.later_test == ()


def test_no_text_trains_and_tests_when_rows_are_repeated() -> None:
    """Texts of both sides only test, and a text that comes twice counts once."""
    test, training = rows("AB", 40), [*rows("AB", 80), *rows("AB", 80)]
    few = few_documents(test, training)
    assert few is not None
    texts = [text for _, text in (*few.test, *few.first, *few.more)]
    assert len(texts) == len(set(texts)) == 30 + 40 + 40
    assert few.first_of_scarce == 2


@pytest.mark.parametrize(
    ("test", "training"),
    [
        (rows("AB", 40), rows("A", 90, "more ")),
        (rows("AB", 40), rows("AB", 19, "more ")),
        (rows("AB", 20), rows("AB", 90, "more ")),
        (rows("A", 40), rows("AB", 90, "more ")),
        ([], rows("AB", 90)),
    ],
    ids=["one label", "little training", "few tests", "tests of one label", "no tests"],
)
def test_there_is_no_such_act_when_rows_are_too_few(test: list[Row], training: list[Row]) -> None:
    """What cannot show it is left out."""
    assert few_documents(test, training) is None


@pytest.mark.parametrize(
    ("shape", "count", "is_there"),
    [
        (DataFormat(), 99, True),
        (DataFormat(), 20, False),
        (DataFormat(mode="multi-label"), 99, False),
    ],
)
def test_it_is_said_when_the_act_is_left_out(
    tmp_path: Path, shape: DataFormat, count: int, is_there: bool
) -> None:
    """People need not wonder where it is."""
    (tmp_path / "train.csv").write_bytes(csv_bytes(rows("AB", count)))
    (tmp_path / "test.csv").write_bytes(csv_bytes(rows("AB", 40, "test ")))
    data = own_data(tmp_path, shape)
    assert (data.few is not None) is is_there
    assert ("few test documents is left out" in " ".join(data.remarks)) is not is_there


@pytest.mark.slow
def test_the_gain_is_seen_and_not_proven_when_tickets_are_of_any_seed() -> None:
    """One to four documents more are right: fewer than five that differ prove nothing at 5 %."""
    gains = []
    for seed in SEEDS:
        few = of_tickets(seed)
        old = right(trained(few.first), few.test)
        new = right(trained((*few.first, *few.more)), few.test)
        gains.append(sum(new) - sum(old))
    assert sum(1 <= gain <= 4 for gain in gains) >= 0.9 * len(gains)


def test_the_gain_is_proven_when_the_later_test_documents_come() -> None:
    """By McNemar's test on the larger test set."""
    for seed in SEEDS[:5]:
        few = of_tickets(seed)
        test = (*few.test, *few.later_test)
        old = right(trained(few.first), test)
        new = right(trained((*few.first, *few.more)), test)
        pairs = Counter(zip(old, new, strict=True))
        assert mcnemar(pairs[False, True], pairs[True, False]) <= 0.05


@pytest.mark.parametrize("name", ["x" * 40, "a" * 35 + "-b-cd", "tickets"])
def test_the_name_is_short_enough_when_the_flywheels_is_long(name: str) -> None:
    """Settings take 40 characters, and no two hyphens in a row."""
    made = few_flywheel(name)
    assert len(made) <= 40
    assert made.endswith("-few")
    assert "--" not in made
