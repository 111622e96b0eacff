"""Metrics of the engine against published iterations and against scikit-learn."""

import pytest
from sklearn.metrics import hamming_loss, precision_recall_fscore_support

from comprehend_engine.evaluation.counts import EvaluationCounts
from comprehend_engine.evaluation.model_evaluation import (
    MultiClassEvaluation,
    MultiLabelEvaluation,
)


def two_labels(*counts: int) -> MultiClassEvaluation:
    """Build an evaluation of two labels from hits and misses, row by row."""
    first, second, third, fourth = counts
    return MultiClassEvaluation(("ham", "spam"), ((first, second), (third, fourth)))


@pytest.mark.parametrize(
    ("counts", "f1", "accuracy"),
    [((882, 35, 101, 111), 0.774266, 993 / 1129), ((909, 8, 8, 204), 0.976770, 1113 / 1129)],
)
def test_averages_are_the_published_ones_when_the_matrix_is_that_of_the_sample(
    counts: tuple[int, ...], f1: float, accuracy: float
) -> None:
    """The two models of the service's published iteration get its published numbers."""
    averages = two_labels(*counts).averages()
    assert averages["AverageF1Score"] == pytest.approx(f1, abs=5e-7)
    assert averages["AverageAccuracy"] == pytest.approx(accuracy, abs=1e-12)


def test_averages_equal_scikit_learn_when_a_label_has_no_test_documents() -> None:
    """Labels without support are left out, as with labels= in scikit-learn."""
    counts = [("a", "a", 5), ("a", "c", 2), ("b", "a", 1), ("b", "b", 3)]
    averages = MultiClassEvaluation.from_counts(("a", "b", "c"), counts).averages()
    actual = [label for label, _, number in counts for _ in range(number)]
    predicted = [label for _, label, number in counts for _ in range(number)]
    precision, recall, f1, _ = precision_recall_fscore_support(
        actual, predicted, labels=["a", "b"], average="macro", zero_division=0
    )
    assert averages["AveragePrecision"] == pytest.approx(precision)
    assert averages["AverageRecall"] == pytest.approx(recall)
    assert averages["AverageF1Score"] == pytest.approx(f1)


def test_a_score_is_zero_when_a_label_is_never_predicted() -> None:
    """Nothing is divided by zero, and nothing is NaN."""
    score = MultiClassEvaluation.from_counts(("a", "b"), [("a", "b", 4)]).per_label()["a"]
    assert (score.precision, score.recall, score.f1, score.support) == (0.0, 0.0, 0.0, 4)


def test_micro_metrics_are_the_accuracy_when_each_document_has_one_label() -> None:
    """Precision, recall and F1 over all documents are correct / documents."""
    metrics = two_labels(882, 35, 101, 111).model_metrics()
    assert metrics["MicroF1Score"] == metrics["MicroRecall"] == metrics["Accuracy"]
    assert metrics["HammingLoss"] == pytest.approx(1 - metrics["Accuracy"])


def test_the_confusion_document_has_actual_labels_as_rows_when_it_is_written() -> None:
    """Rows are actual, columns predicted, as in the service's confusion_matrix.json."""
    document = MultiClassEvaluation.from_counts(("a", "b"), [("a", "b", 2)]).confusion_document()
    assert document is not None
    assert document["confusion_matrix"] == [[0, 2], [0, 0]]
    assert document["type"] == "multi_class"


# Both models of the sample were tested with 16 documents, of which each label has 8.
EVALUATED = EvaluationCounts(16, [("a", 8, 2, 0), ("b", 7, 3, 1)])
TRAINED = EvaluationCounts(16, [("a", 8, 2, 0), ("b", 8, 3, 0)])


@pytest.mark.parametrize(
    ("counted", "published"),
    [
        (EVALUATED, (0.8333333333333333, 0.75, 0.9375, 0.8125)),
        (TRAINED, (0.865497076023392, 0.7636363636363637, 1.0, 0.84375)),
    ],
)
def test_averages_are_the_published_ones_when_the_decisions_are_those_of_the_sample(
    counted: EvaluationCounts, published: tuple[float, ...]
) -> None:
    """F1, precision, recall and accuracy of the guide's iteration with several labels."""
    averages = MultiLabelEvaluation.from_counts(("a", "b"), counted).averages()
    returned = [
        averages[f"Average{name}"] for name in ("F1Score", "Precision", "Recall", "Accuracy")
    ]
    assert returned == pytest.approx(published, abs=1e-15)


def test_metrics_equal_scikit_learn_when_documents_have_several_labels() -> None:
    """Micro metrics come from sums over labels, the Hamming loss from all decisions."""
    actual = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]]
    predicted = [[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]]
    counted = EvaluationCounts(4, [("a", 2, 1, 0), ("b", 1, 0, 1)])
    metrics = MultiLabelEvaluation.from_counts(("a", "b", "c"), counted).model_metrics()
    micro = precision_recall_fscore_support(actual, predicted, average="micro", zero_division=0)
    macro = precision_recall_fscore_support(
        actual, predicted, labels=[0, 1], average="macro", zero_division=0
    )
    names = ("Precision", "Recall", "F1Score")
    assert [metrics[f"Micro{name}"] for name in names] == pytest.approx(list(micro[:3]))
    assert [metrics[name] for name in names] == pytest.approx(list(macro[:3]))
    assert metrics["HammingLoss"] == pytest.approx(hamming_loss(actual, predicted))
    assert metrics["Accuracy"] == pytest.approx(1 - metrics["HammingLoss"])


def test_the_confusion_document_has_a_matrix_a_label_when_documents_have_several() -> None:
    """The guide's example: rows are actual, columns predicted decisions."""
    counted = EvaluationCounts(5, [("Comedy", 2, 1, 0), ("Action", 1, 1, 2), ("Drama", 1, 0, 1)])
    labels = ("Comedy", "Action", "Drama")
    document = MultiLabelEvaluation.from_counts(labels, counted).confusion_document()
    assert document == {
        "type": "multi_label",
        "confusion_matrix": [[[2, 1], [0, 2]], [[1, 1], [2, 1]], [[3, 0], [1, 1]]],
        "labels": list(labels),
        "all_labels": list(labels),
    }
