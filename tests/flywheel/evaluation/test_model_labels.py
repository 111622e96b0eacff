"""What the service tells of a model's labels, in each of its forms."""

from typing import Any

import pytest
from sklearn.metrics import multilabel_confusion_matrix, precision_recall_fscore_support

from flywheel.errors import LabelsUnknownError
from flywheel.evaluation.label_metrics import of_confusion, of_recognizer

ACTUAL = [0, 0, 0, 1, 1, 2, 2, 2, 2]
PREDICTED = [0, 1, 0, 1, 1, 2, 0, 2, 1]


def recognizer(**types: dict[str, float]) -> dict[str, Any]:
    """Return the metadata of a recognizer with these types."""
    told = [{"Type": name, "EvaluationMetrics": metrics} for name, metrics in types.items()]
    return {"NumberOfTestDocuments": 40, "EntityTypes": told}


def metrics(precision: float, recall: float, f1: float) -> dict[str, float]:
    """Return a type's metrics."""
    return {"Precision": precision, "Recall": recall, "F1Score": f1}


@pytest.mark.parametrize(
    ("scale", "average_f1"), [(100, 0.7), (100, None), (1, 0.7)], ids=["0-100", "no mean", "0-1"]
)
def test_metrics_of_types_are_parts_of_1_when_the_service_tells_either(
    scale: int, average_f1: float | None
) -> None:
    """Its guide and its model differ, so the values themselves say which it is."""
    told = recognizer(
        PERSON=metrics(0.8 * scale, 0.6 * scale, 0.69 * scale), ORG=metrics(0.0, 0.0, 0.0)
    )
    found = of_recognizer(told, average_f1)
    assert found.values["PERSON"] == pytest.approx(metrics(0.8, 0.6, 0.69))
    assert found.values["ORG"] == metrics(0.0, 0.0, 0.0)
    assert (found.documents, found.support) == (40, {})


@pytest.mark.parametrize("average_f1", [None, 0.0, 0.009])
def test_nothing_is_known_when_the_scale_cannot_be_told(average_f1: float | None) -> None:
    """A value of 0.8 is good as a part and hopeless as a percentage."""
    with pytest.raises(LabelsUnknownError, match="parts or percentages"):
        of_recognizer(recognizer(PERSON=metrics(0.8, 0.6, 0.7)), average_f1)


def test_zeros_are_zeros_when_a_recognizer_finds_nothing() -> None:
    """On either scale."""
    found = of_recognizer(recognizer(PERSON=metrics(0.0, 0.0, 0.0)), None)
    assert found.values["PERSON"]["Recall"] == 0


@pytest.mark.parametrize("metadata", [{}, {"EntityTypes": None}, {"EntityTypes": [{"Type": "A"}]}])
def test_nothing_is_known_when_no_type_has_metrics(metadata: dict[str, Any]) -> None:
    """All members are optional."""
    with pytest.raises(LabelsUnknownError, match="no metrics per type"):
        of_recognizer(metadata, 0.5)


def holds(found: Any, names: list[str], actual: Any, predicted: Any) -> None:
    """Hold values against scikit-learn's."""
    precision, recall, f1, support = precision_recall_fscore_support(
        actual, predicted, zero_division=0
    )
    for place, name in enumerate(names):
        expected = metrics(precision[place], recall[place], f1[place])
        assert found.values[name] == pytest.approx(expected, abs=1e-12)
        assert found.support[name] == support[place]


def test_labels_are_counted_when_a_document_has_one() -> None:
    """Rows are actual, columns predicted."""
    matrix = [[0] * 3 for _ in range(3)]
    for actual, predicted in zip(ACTUAL, PREDICTED, strict=True):
        matrix[actual][predicted] += 1
    document = {"type": "multi_class", "confusion_matrix": matrix, "labels": ["A", "B", "C"]}
    found = of_confusion(document)
    holds(found, ["A", "B", "C"], ACTUAL, PREDICTED)
    assert found.documents == len(ACTUAL)


def test_labels_are_counted_when_a_document_has_several() -> None:
    """One matrix a label, as scikit-learn has it."""
    actual = [[1, 0], [1, 1], [0, 1], [0, 0], [1, 0]]
    predicted = [[1, 0], [0, 1], [1, 1], [0, 0], [1, 1]]
    matrix = multilabel_confusion_matrix(actual, predicted).tolist()
    document = {"type": "multi_label", "confusion_matrix": matrix, "labels": ["A", "B"]}
    found = of_confusion(document)
    holds(found, ["A", "B"], actual, predicted)
    assert found.documents == len(actual)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"type": "other", "confusion_matrix": [[1]], "labels": ["A"]},
        {"type": "multi_class", "confusion_matrix": [[1, 2]], "labels": ["A"]},
        {"type": "multi_class", "confusion_matrix": [[1, 2], [3]], "labels": ["A", "B"]},
        {"type": "multi_class", "confusion_matrix": [[1]], "labels": ["A", "B"]},
        {"type": "multi_class", "confusion_matrix": "none", "labels": ["A"]},
        {"type": "multi_label", "confusion_matrix": [[1, 2], [3, 4]], "labels": ["A", "B"]},
        {
            "type": "multi_label",
            "confusion_matrix": [[[1, 2], [3, 4]], [[1, 2], [3, 5]]],
            "labels": ["A", "B"],
        },
    ],
)
def test_nothing_is_known_when_a_matrix_has_another_form(document: dict[str, Any]) -> None:
    """It is refused with a reason and never guessed at."""
    with pytest.raises(LabelsUnknownError, match="not of the documented form"):
        of_confusion(document)
