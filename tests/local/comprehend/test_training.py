"""How the classifier learns."""

import random
from pathlib import Path

import pytest

from local.comprehend.errors import IterationFailedError
from local.comprehend.evaluation import Evaluation
from local.comprehend.training import (
    LabeledTexts,
    confusion_counts,
    load,
    read_texts,
    save,
    train,
)

TOPICS = {
    "card": "card chip pin expired contactless blocked plastic wallet",
    "loan": "loan interest mortgage rate borrow repay term credit",
    "rent": "rent flat landlord lease deposit keys tenant move",
}


def corpus(documents_per_label: int, seed: int) -> LabeledTexts:
    """Make documents whose words are mostly, not always, those of their topic."""
    chooser = random.Random(seed)
    texts, labels = [], []
    for label, words in TOPICS.items():
        for _ in range(documents_per_label):
            foreign = TOPICS[chooser.choice(list(TOPICS))].split()
            chosen = chooser.sample(words.split(), 2) + chooser.sample(foreign, 2)
            texts.append(" ".join(chosen))
            labels.append(label)
    return LabeledTexts(texts, labels)


def score(data: LabeledTexts, test: LabeledTexts) -> float:
    """Train, test, and return the macro F1."""
    counts = confusion_counts(train(data, seed=0), test)
    return Evaluation.from_counts(TOPICS, counts).averages()["AverageF1Score"]


def test_the_score_falls_when_a_fifth_of_the_labels_is_wrong() -> None:
    """Noise costs what it should, so that a gate on metrics sees bad data."""
    data, test = corpus(60, seed=1), corpus(60, seed=2)
    chooser = random.Random(3)
    noisy = [
        chooser.choice([other for other in TOPICS if other != label])
        if chooser.random() < 0.2
        else label
        for label in data.labels
    ]
    assert score(LabeledTexts(data.texts, noisy), test) < score(data, test) - 0.02


def test_the_model_is_the_same_when_data_and_seed_are(tmp_path: Path) -> None:
    """The stored files are equal byte for byte, and a stored model predicts as before."""
    data, test = corpus(20, seed=1), corpus(20, seed=2)
    for name in ("first", "second"):
        save(train(data, seed=7), tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    again = load(tmp_path / "first")
    assert confusion_counts(again, test) == confusion_counts(train(data, seed=7), test)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (LabeledTexts([], []), "documents of 0 label"),
        (LabeledTexts(["a text"], ["card"]), "documents of 1 label"),
        (LabeledTexts(["...", "!!!"], ["card", "loan"]), "no words to learn from"),
    ],
)
def test_training_is_refused_when_there_is_nothing_to_learn(data: LabeledTexts, said: str) -> None:
    """The message says what the data lacks."""
    with pytest.raises(IterationFailedError, match=said):
        train(data, seed=0)


def test_loading_is_refused_when_the_file_is_gone(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(IterationFailedError, match=r"absent\.model"):
        load(tmp_path / "absent.model")


def test_the_sides_are_the_whole_when_a_part_is_held_out(tmp_path: Path) -> None:
    """No document is on both sides, none is lost."""
    file = tmp_path / "a.csv"
    file.write_text("".join(f"card,text {number}\n" for number in range(300)))
    sides = [set(read_texts([file], side=side).texts) for side in ("train", "held out")]
    assert sides[0].isdisjoint(sides[1])
    assert sides[0] | sides[1] == set(read_texts([file]).texts)
    assert sides[1]
