"""Metrics of the engine against published iterations and against scikit-learn."""

import pytest
from sklearn.metrics import precision_recall_fscore_support

from local.comprehend.evaluation import Evaluation


def two_labels(*counts: int) -> Evaluation:
    """Build an evaluation of two labels from hits and misses, row by row."""
    first, second, third, fourth = counts
    return Evaluation(("ham", "spam"), ((first, second), (third, fourth)))


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
    averages = Evaluation.from_counts(("a", "b", "c"), counts).averages()
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
    score = Evaluation.from_counts(("a", "b"), [("a", "b", 4)]).per_label()["a"]
    assert (score.precision, score.recall, score.f1, score.support) == (0.0, 0.0, 0.0, 4)


def test_micro_metrics_are_the_accuracy_when_each_document_has_one_label() -> None:
    """Precision, recall and F1 over all documents are correct / documents."""
    metrics = two_labels(882, 35, 101, 111).classifier_metrics()
    assert metrics["MicroF1Score"] == metrics["MicroRecall"] == metrics["Accuracy"]
    assert metrics["HammingLoss"] == pytest.approx(1 - metrics["Accuracy"])


def test_the_confusion_document_has_actual_labels_as_rows_when_it_is_written() -> None:
    """Rows are actual, columns predicted, as in the service's confusion_matrix.json."""
    document = Evaluation.from_counts(("a", "b"), [("a", "b", 2)]).confusion_document()
    assert document["confusion_matrix"] == [[0, 2], [0, 0]]
    assert document["type"] == "multi_class"
