"""The metrics that the service reports per label: read, and compared between two models.

Decides what is a value and on which scale, and how far chance carries a gain where the models'
predictions are not known. The bounds of each value follow from the counts behind it. They are
joined as if the predictions were paired as unfavourably as possible. Whether two models' values may
be compared is decided in `application.comparison.measured_labels`. Knows no rules. Read next:
`flywheel.evaluation.comparisons` (averages, and answers), `flywheel.evaluation.evidence`.

Notes
-----
*Source*: botocore, EntityRecognizerMetadata and EntityTypesEvaluationMetrics; developer guide,
"Custom classifier metrics" (the confusion matrix: rows are actual, columns predicted; of several
labels one matrix per label, ``[[TN, FP], [FN, TP]]``). Newcombe 1998, methods 10 and of paired
data, and its general form, Zou and Donner 2008 (the bounds of a difference of any two measures from
the bounds of each).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flywheel.errors import LabelsUnknownError
from flywheel.evaluation import intervals
from flywheel.evaluation.comparisons import Comparison
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
        raise LabelsUnknownError("DescribeEntityRecognizer reports no metrics per type")
    largest = max((one for metrics in metrics_of.values() for one in metrics.values()), default=0.0)
    if largest > 1:
        scale = _PERCENT
    elif not largest or (average_f1 or 0.0) > _LARGEST_IF_PERCENT:
        scale = 1
    else:
        raise LabelsUnknownError(
            "DescribeEntityRecognizer reports metrics up to 1, which may be parts or percentages"
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


_F1, _PRECISION, _RECALL = "F1Score", "Precision", "Recall"
_OPPOSITE = -1.0


@dataclass(frozen=True, slots=True)
class _Measure:
    """A value, its bounds, and its variance; None where it is not known what the value is of."""

    value: float
    low: float
    high: float
    variance: float | None


def of_label(
    metric: str,
    label: str,
    champion: Mapping[str, float | None],
    challenger: Mapping[str, float | None],
    *,
    support: int,
    documents: int,
    error: float,
    missing: str = "",
) -> Comparison:
    """Compare one metric of one label by the service's own values of both models.

    Parameters
    ----------
    champion, challenger : mapping of str to float or None
        F1Score, Precision and Recall, each in [0, 1] or None.
    support : int
        Test documents of the label, or mentions of the type.
    documents : int
        In the test set. Mentions of one document are not independent, so no more of them count.
    missing : str
        Why a model has no values.

    Notes
    -----
    Recall is a share of the label's documents, the same for both models: the correlation is the
    lowest that the two shares allow. Precision is a share of what a model predicted. F1 follows
    from a share, too: ``F1 = 2J / (1 + J)``, where ``J`` is the share of true positives among true
    positives, false positives and false negatives. The two models have different wholes here, so
    the correlation is assumed to be -1, the worst case.
    """
    old, new = champion.get(metric), challenger.get(metric)
    low = high = deviation = None
    worth = min(support, documents)
    method = f"the service's values of {support:,} of the label in the test set"
    if old is None or new is None:
        method = missing or "the service tells no usable value"
    elif worth:
        of_old, of_new = (
            _measure(metric, values, worth, error) for values in (champion, challenger)
        )
        low, high = _joined(metric, of_old, of_new)
        if of_old.variance is not None and of_new.variance is not None:
            deviation = math.sqrt(of_old.variance + of_new.variance)
    return Comparison(
        metric, label, old, new, support or None, low, high, None, error, method, deviation
    )


def _joined(metric: str, old: _Measure, new: _Measure) -> tuple[float, float]:
    correlation = _OPPOSITE
    if metric == _RECALL:
        correlation = intervals.least_favourable_correlation(old.value, new.value)
    return intervals.joined_gain(
        old.value,
        new.value,
        (old.low, old.high),
        (new.low, new.high),
        correlation=correlation,
    )


def _measure(
    metric: str, values: Mapping[str, float | None], worth: float, error: float
) -> _Measure:
    value = values[metric] or 0.0
    hits = (values.get(_RECALL) or 0.0) * worth
    precision = values.get(_PRECISION) or 0.0
    # Without a hit, nothing shows how much was predicted.
    predicted = hits / precision if hits and precision else 0.0
    if metric == _RECALL:
        return _share(value, worth, error)
    if metric == _PRECISION:
        return _share(value, predicted, error) if predicted else _Measure(value, 0.0, 1.0, None)
    return _of_f1(value, worth + max(0.0, predicted - hits), error)


def _share(value: float, whole: float, error: float) -> _Measure:
    return _Measure(value, *intervals.wilson(value, whole, error), value * (1 - value) / whole)


def _of_f1(value: float, events: float, error: float) -> _Measure:
    """Return F1 with bounds: those of the share of hits among all events, carried over."""
    share = value / (2 - value)
    low, high = intervals.wilson(share, events, error)
    slope = 2 / (1 + share) ** 2
    return _Measure(
        value,
        2 * low / (1 + low),
        2 * high / (1 + high),
        slope**2 * share * (1 - share) / events,
    )
