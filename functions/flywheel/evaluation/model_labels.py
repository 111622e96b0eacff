"""What the service measured of single labels of one model, read from the forms in which it says it.

Decides what is a value, and on which scale. Whether two models' values may be compared is decided
in `application.comparison.measured_labels`, what they show in
`flywheel.evaluation.label_comparisons`.

Notes
-----
*Source*: botocore, EntityRecognizerMetadata and EntityTypesEvaluationMetrics; developer guide,
"Custom classifier metrics" (the confusion matrix: rows are actual, columns predicted; of several
labels one matrix a label, ``[[TN, FP], [FN, TP]]``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flywheel.errors import LabelsUnknownError
from flywheel.settings.policy import LABEL_METRICS

_PERCENT = 100
_LARGEST_IF_PERCENT = 1 / _PERCENT
"""No average is larger than this where all values are percentages of at most 1."""


@dataclass(frozen=True, slots=True)
class ModelLabels:
    """One model's metrics label by label, as the service reports them.

    Parameters
    ----------
    documents : int or None
        Test documents that they are measured on; None where the service does not say.
    values : mapping of str to mapping of str to float
        Of each label `LABEL_METRICS`, as parts of 1.
    support : mapping of str to int
        Test documents of each label; empty where the service does not say.
    """

    documents: int | None
    values: Mapping[str, Mapping[str, float]]
    support: Mapping[str, int]


def of_recognizer(metadata: Mapping[str, Any], average_f1: float | None) -> ModelLabels:
    """Read the metadata of DescribeEntityRecognizer.

    Parameters
    ----------
    metadata : mapping
        RecognizerMetadata.
    average_f1 : float or None
        The model's AverageF1Score in an iteration, a part of 1. It shows which scale the metadata
        has: they are documented both as parts of 1 and from 0 to 100.

    Raises
    ------
    LabelsUnknownError
        There are no metrics of types, or nothing shows their scale.

    Examples
    --------
    >>> metrics = {"Precision": 80.0, "Recall": 50.0, "F1Score": 61.5}
    >>> metadata = {"EntityTypes": [{"Type": "PERSON", "EvaluationMetrics": metrics}]}
    >>> of_recognizer(metadata, 0.6).values["PERSON"]["Recall"]
    0.5
    """
    metrics_of = {
        entry["Type"]: metrics
        for entry in metadata.get("EntityTypes") or ()
        if (metrics := entry.get("EvaluationMetrics"))
    }
    if not metrics_of:
        raise LabelsUnknownError("DescribeEntityRecognizer tells no metrics of single types")
    largest = max((one for metrics in metrics_of.values() for one in metrics.values()), default=0.0)
    if largest > 1:
        scale = _PERCENT
    elif not largest or (average_f1 or 0.0) > _LARGEST_IF_PERCENT:
        scale = 1
    else:
        raise LabelsUnknownError(
            "DescribeEntityRecognizer tells metrics of at most 1, which may be parts or percentages"
        )
    values: dict[str, dict[str, float]] = {
        kind: {name: metrics[name] / scale for name in LABEL_METRICS if name in metrics}
        for kind, metrics in metrics_of.items()
    }
    return ModelLabels(metadata.get("NumberOfTestDocuments"), values, {})


def of_confusion(document: Mapping[str, Any]) -> ModelLabels:
    """Read the ``confusion_matrix.json`` of a classifier.

    Raises
    ------
    LabelsUnknownError
        It has another form than the documented one.

    Examples
    --------
    >>> matrix = [[8, 2], [1, 9]]
    >>> document = {"type": "multi_class", "confusion_matrix": matrix, "labels": ["A", "B"]}
    >>> measured = of_confusion(document)
    >>> measured.support, measured.values["A"]["Recall"]
    ({'A': 10, 'B': 10}, 0.8)
    """
    try:
        labels, matrix = document["labels"], document["confusion_matrix"]
        counts, documents = _COUNTED[document["type"]](matrix)
        counted = dict(zip(labels, counts, strict=True))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise LabelsUnknownError(
            f"the confusion matrix is not of the documented form ({type(error).__name__}: {error})"
        ) from error
    return ModelLabels(
        documents,
        {label: _metrics(*each) for label, each in counted.items()},
        {label: hits + missed for label, (hits, _, missed) in counted.items()},
    )


_Counts = tuple[int, int, int]
"""True positives, false positives, false negatives of one label."""


def _of_single(matrix: Sequence[Sequence[int]]) -> tuple[list[_Counts], int]:
    predicted = [sum(column) for column in zip(*matrix, strict=True)]
    counts = []
    for place, (row, count) in enumerate(zip(matrix, predicted, strict=True)):
        hits = row[place]
        counts.append((hits, count - hits, sum(row) - hits))
    return counts, sum(predicted)


def _of_several(matrices: Sequence[Sequence[Sequence[int]]]) -> tuple[list[_Counts], int]:
    counts, documents = [], set()
    for (neither, false), (missed, hits) in matrices:
        counts.append((hits, false, missed))
        documents.add(neither + false + missed + hits)
    (total,) = documents
    return counts, total


_COUNTED: Mapping[str, Any] = {"multi_class": _of_single, "multi_label": _of_several}


def _metrics(hits: int, false: int, missed: int) -> dict[str, float]:
    return {
        "F1Score": _ratio(2 * hits, 2 * hits + false + missed),
        "Precision": _ratio(hits, hits + false),
        "Recall": _ratio(hits, hits + missed),
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
