"""Metrics of recognizers against the guide's own example."""

import pytest

from comprehend_engine.evaluation.counts import EvaluationCounts
from comprehend_engine.evaluation.model_evaluation import EntityEvaluation

# John Washington, Smith, San Francisco, San Diego, Seattle, as the guide's model tells them.
GUIDE = EvaluationCounts(1, [("Person", 1, 1, 1), ("Place", 2, 1, 1)])


def test_metrics_are_the_published_ones_when_the_mentions_are_those_of_the_sample() -> None:
    """Global metrics come from sums over types; each type has its own."""
    evaluation = EntityEvaluation.from_counts(("Person", "Place", "Date"), GUIDE)
    assert evaluation.model_metrics() == pytest.approx(
        {"Precision": 0.6, "Recall": 0.6, "F1Score": 0.6}
    )
    scores = evaluation.per_label()
    assert (scores["Person"].precision, scores["Person"].f1) == (0.5, 0.5)
    assert scores["Place"].recall == scores["Place"].f1 == pytest.approx(2 / 3)
    assert [score.support for score in scores.values()] == [2, 3, 0]


def test_an_iteration_has_no_accuracy_when_it_is_of_a_recognizer() -> None:
    """The service defines none; the three others are parts of 1."""
    averages = EntityEvaluation.from_counts(("Person", "Place"), GUIDE).averages()
    assert averages == pytest.approx(
        {"AverageF1Score": 0.6, "AveragePrecision": 0.6, "AverageRecall": 0.6}
    )


def test_a_score_is_zero_when_nothing_is_found() -> None:
    """Nothing is divided by zero."""
    evaluation = EntityEvaluation.from_counts(
        ("Person",), EvaluationCounts(4, [("Person", 0, 0, 3)])
    )
    assert set(evaluation.averages().values()) == {0.0}
    assert evaluation.confusion_document() is None
