"""How the classifier learns."""

import random
from pathlib import Path

from comprehend_engine.evaluation.model_evaluation import MultiClassEvaluation
from comprehend_engine.learning.classifier import TextClassifier, train_classifier
from comprehend_engine.training.classifier_training import (
    LabeledTexts,
    confusion_counts,
    label_counts,
    read_texts,
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
            labels.append((label,))
    return LabeledTexts(texts, labels)


def trained(data: LabeledTexts, mode: str = "MULTI_CLASS") -> TextClassifier:
    """Train a classifier."""
    return train_classifier(data.texts, data.labels, mode=mode, seed=0)


def score(data: LabeledTexts, test: LabeledTexts) -> float:
    """Train, test, and return the macro F1."""
    counts = confusion_counts(trained(data), test)
    return MultiClassEvaluation.from_counts(TOPICS, counts).averages()["AverageF1Score"]


def test_the_score_falls_when_a_fifth_of_the_labels_is_wrong() -> None:
    """Noise costs what it should, so that a gate on metrics sees bad data."""
    data, test = corpus(60, seed=1), corpus(60, seed=2)
    chooser = random.Random(3)
    noisy = [
        (chooser.choice([other for other in TOPICS if other != label]),)
        if chooser.random() < 0.2
        else (label,)
        for (label,) in data.labels
    ]
    assert score(LabeledTexts(data.texts, noisy), test) < score(data, test) - 0.02


def test_counts_are_of_decisions_when_documents_have_several_labels() -> None:
    """Each label is right, wrongly given or missed, document by document."""
    data = corpus(20, seed=1)
    both = LabeledTexts(data.texts, [(*chosen, "text") for chosen in data.labels])
    counts = label_counts(trained(both, "MULTI_LABEL"), both)
    assert [label for label, *_ in counts] == ["card", "loan", "rent", "text"]
    assert all(hits + missed == 20 for label, hits, _, missed in counts if label != "text")


def test_labels_are_divided_when_a_delimiter_is_given(tmp_path: Path) -> None:
    """Without a delimiter, a cell is one label."""
    file = tmp_path / "a.csv"
    file.write_text("card|loan,one\nrent,two\n")
    assert read_texts([file], delimiter="|").labels == [["card", "loan"], ["rent"]]
    assert read_texts([file]).labels == [("card|loan",), ("rent",)]


def test_the_sides_are_the_whole_when_a_part_is_held_out(tmp_path: Path) -> None:
    """No document is on both sides, none is lost."""
    file = tmp_path / "a.csv"
    file.write_text("".join(f"card,text {number}\n" for number in range(300)))
    sides = [set(read_texts([file], side=side).texts) for side in ("train", "held out")]
    assert sides[0].isdisjoint(sides[1])
    assert sides[0] | sides[1] == set(read_texts([file]).texts)
    assert sides[1]
