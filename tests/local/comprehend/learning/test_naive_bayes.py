"""What features say by themselves, worked out by hand."""

import math

import numpy as np
import pytest

from local.comprehend.learning.arrays import Floats
from local.comprehend.learning.decision import Targets
from local.comprehend.learning.features import Rows
from local.comprehend.learning.naive_bayes import naive_bayes


def rows(texts: list[list[int]], width: int) -> Rows:
    """Make texts of the features they have, each of weight one."""
    beginnings = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    columns = np.array([column for text in texts for column in text], np.int32)
    return Rows(beginnings, columns, np.ones(len(columns), np.float32), width)


def targets(labels: list[int], count: int) -> Targets:
    """Give each text its one label."""
    beginnings = np.arange(len(labels) + 1, dtype=np.int64)
    return Targets(beginnings, np.array(labels, np.int32), count, is_exclusive=True)


def margins(texts: list[list[int]], labels: list[int], count: int) -> Floats:
    """Count all texts, and ask about them again."""
    seen = rows(texts, 3)
    decision = naive_bayes(seen, targets(labels, count), np.arange(len(texts)))
    return decision.margins(seen)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_margins_are_zero_on_average_when_any_number_of_labels_is_counted(count: int) -> None:
    """The blend shall move no label's threshold."""
    labels = [place % count for place in range(3 * count)]
    found = margins([[label % 3, place % 3] for place, label in enumerate(labels)], labels, count)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)


def test_a_feature_weighs_its_log_odds_when_it_is_of_one_label_more() -> None:
    """Three of four texts with feature 0 are of label 1, who has half of all that is counted."""
    seen = rows([[0], [0], [0], [0], [1], [1]], 2)
    known = targets([1, 1, 1, 0, 0, 0], 2)
    weights = naive_bayes(seen, known, np.arange(6)).blocks[0].weights
    assert weights[0, 0] == pytest.approx(math.log(3.5 / 1.5))
    assert weights[1, 0] == pytest.approx(math.log(0.5 / 2.5))


def test_everything_is_finite_when_a_label_is_in_no_counted_text() -> None:
    """A label may be held out as a whole."""
    seen = rows([[0], [1], [2]], 3)
    decision = naive_bayes(seen, targets([0, 1, 2], 3), np.arange(2))
    assert np.isfinite(decision.margins(seen)).all()
    assert decision.margins(seen)[:, 2].argmax() == 2
