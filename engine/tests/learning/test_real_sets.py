"""What the learner reaches on real labeled sets, where they are at hand."""

import csv
from pathlib import Path

import numpy as np
import pytest

from comprehend_engine.learning.classifier import train_classifier

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"the labeled sets are not at {SHARED}"),
]


def rows(name: str, part: str) -> tuple[list[str], list[list[str]]]:
    """Read one side of a set."""
    with (SHARED / name / f"{part}.csv").open(newline="", encoding="utf-8") as file:
        read = [(label, text) for label, text in csv.reader(file)]
    return [text for _, text in read], [label.split("|") for label, _ in read]


@pytest.mark.parametrize(
    ("name", "mode", "least_macro_f1", "most_error"),
    [
        ("banking77", "MULTI_CLASS", 0.906, 0.03),
        ("sms_spam", "MULTI_CLASS", 0.9725, 0.03),
        ("goemotions", "MULTI_LABEL", 0.444, 0.03),
    ],
)
def test_it_is_as_good_as_its_peers_and_means_its_scores_when_data_is_real(
    name: str, mode: str, least_macro_f1: float, most_error: float
) -> None:
    """The bounds are the best peer's macro-F1, and an expected calibration error."""
    model = train_classifier(*rows(name, "train"), mode=mode, seed=0)
    texts, labels = rows(name, "test")
    has = np.array([[label in each for label in model.labels] for each in labels])
    given = np.array([[label in each for label in model.labels] for each in model.predict(texts)])
    f1 = 2 * (given & has).sum(axis=0) / (given.sum(axis=0) + has.sum(axis=0))
    assert f1.mean() >= least_macro_f1
    scores = model.scores(texts)
    if mode == "MULTI_CLASS":
        places = (np.arange(len(texts)), scores.argmax(axis=1))
        scores, has = scores[places], has[places]
    gaps = (scores - has).ravel()
    bins = np.minimum((scores.ravel() * 15).astype(int), 14)
    assert sum(abs(gaps[bins == each].sum()) for each in range(15)) / len(gaps) <= most_error
