"""What two models predict for the same test documents: from a job's output to the metrics.

Decides how a job's input and output are written and read, which scores make a prediction, and how
the metrics are defined, as the service defines them. Averages are over labels with test documents;
for entities they are over all mentions together. The accuracy of several labels is 1 less the
Hamming loss.
Knows neither intervals nor rules. Read next: `application.comparison.answers` (who asks for
predictions), `flywheel.evaluation.resampling`.

Notes
-----
*Source*: developer guide, "Outputs for asynchronous analysis jobs": one JSON object per line, with
Line and either Classes, Labels or Entities; pricing page: units of 100 characters, three at least.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flywheel.intake.document_groups import group_documents
from flywheel.intake.labeled_rows import LabeledRow, labels_of, spans_of, text_key
from flywheel.settings.data_format import DataFormat

Kind = Literal["multi-class", "multi-label", "entities"]
"""What an answer is: one label, any labels, or mentions of types."""

Counts = tuple[tuple[str, int], ...]
"""Labels or types with how many of each; sorted by name."""

AVERAGES_OF_LABELS = {
    "AverageF1Score": "F1Score",
    "AveragePrecision": "Precision",
    "AverageRecall": "Recall",
}
"""The averages, each with the metric of one label that it averages."""

ACCURACY = "AverageAccuracy"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one model predicts for one document.

    Parameters
    ----------
    predicted : Counts
        Labels, or how many mentions of each type.
    true_positives : Counts
        Those of them that are right.
    """

    predicted: Counts
    true_positives: Counts


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """One test document.

    Parameters
    ----------
    id : str
        Hash of its text.
    actual : Counts
    champion : Answer or None
        None where there is no champion.
    challenger : Answer
    group : str
        Documents of one group share it; empty for a document that stands alone.
    """

    id: str
    actual: Counts
    champion: Answer | None
    challenger: Answer
    group: str = ""

    @property
    def is_fixed(self) -> bool:
        """Whether only the challenger is wholly right."""
        return self._is_right(self.challenger) and not self._is_right(self.champion)

    @property
    def is_broken(self) -> bool:
        """Whether only the champion is wholly right."""
        return self._is_right(self.champion) and not self._is_right(self.challenger)

    @property
    def is_disputed(self) -> bool:
        """Whether the models' answers count differently."""
        return self.champion is not None and self.champion != self.challenger

    def _is_right(self, answer: Answer | None) -> bool:
        return answer is not None and answer.predicted == answer.true_positives == self.actual


@dataclass(slots=True)
class Tally:
    """One model's counts over a test set, label by label.

    Parameters
    ----------
    kind : Kind
    labels : int
        How many labels there are to choose from; multi-label accuracy is over all of them.
    documents : int
    actual, predicted, true_positives : Counter of str
    """

    kind: Kind
    labels: int
    documents: int = 0
    actual: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    true_positives: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, answers: Iterable[tuple[Counts, Answer]], *, kind: Kind, labels: int) -> "Tally":
        """Count answers, each with what is so."""
        tally = cls(kind, labels)
        for actual, answer in answers:
            tally.documents += 1
            for counter, counts in (
                (tally.actual, actual),
                (tally.predicted, answer.predicted),
                (tally.true_positives, answer.true_positives),
            ):
                for label, count in counts:
                    counter[label] += count
        return tally

    def metric(self, name: str, label: str | None = None) -> float | None:
        """Return a metric in [0, 1]; None where the task has none, or the label no document."""
        if label is not None:
            if not self.actual[label]:
                return None
            return ratio_of(name, *(counts[label] for counts in self._counters()))
        if name == ACCURACY:
            return self._accuracy()
        of_label = AVERAGES_OF_LABELS[name]
        if self.kind == "entities":
            return ratio_of(of_label, *(sum(each.values()) for each in self._counters()))
        return mean_of(of_label, *self._counters())

    def _counters(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        return self.actual, self.predicted, self.true_positives

    def _accuracy(self) -> float | None:
        if self.kind == "entities" or not self.documents:
            return None
        actual, predicted, true_positives = (sum(each.values()) for each in self._counters())
        if self.kind == "multi-class":
            return true_positives / self.documents
        wrong = predicted + actual - 2 * true_positives
        return 1 - wrong / (self.documents * self.labels)


def clusters(documents: Sequence[ScoredDocument]) -> list[list[ScoredDocument]]:
    """Return the documents group by group, in the order in which groups begin."""
    grouped: dict[str | int, list[ScoredDocument]] = {}
    for number, document in enumerate(documents):
        grouped.setdefault(document.group or number, []).append(document)
    return list(grouped.values())


def ratios(
    metric: str, actual: Sequence[int], predicted: Sequence[int], true_positives: Sequence[int]
) -> list[float]:
    """Return a label's metric from each of many counts; 0 where it is undefined."""
    if metric == "F1Score":
        sums = (a + p for a, p in zip(actual, predicted, strict=True))
        return [2 * t / s if s else 0.0 for t, s in zip(true_positives, sums, strict=True)]
    below = {"Precision": predicted, "Recall": actual}[metric]
    return [t / b if b else 0.0 for t, b in zip(true_positives, below, strict=True)]


def ratio_of(metric: str, actual: int, predicted: int, true_positives: int) -> float:
    """Return a label's metric from its counts; 0 where it is undefined."""
    return ratios(metric, [actual], [predicted], [true_positives])[0]


def mean_of(
    name: str,
    actual: Mapping[str, int],
    predicted: Mapping[str, int],
    true_positives: Mapping[str, int],
) -> float | None:
    """Return the mean of a metric over the labels that have test documents."""
    seen = [label for label, count in actual.items() if count]
    if not seen:
        return None
    total = math.fsum(
        ratio_of(name, actual[label], predicted.get(label, 0), true_positives.get(label, 0))
        for label in seen
    )
    return total / len(seen)


def tallies(
    documents: Sequence[ScoredDocument], *, kind: Kind, labels: int
) -> tuple[Tally | None, Tally]:
    """Return the counts of the champion, where there is one, and of the challenger."""
    champions = [(each.actual, each.champion) for each in documents if each.champion is not None]
    challengers = ((each.actual, each.challenger) for each in documents)
    return (
        Tally.of(champions, kind=kind, labels=labels) if champions else None,
        Tally.of(challengers, kind=kind, labels=labels),
    )


_LINE_ENDS = str.maketrans(dict.fromkeys("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
"""What may end a line, each turned into one space, so that offsets stay what they are."""

_LEAST_SCORE = 0.5
"""Labels of several that a score makes an answer; the service documents no other threshold."""

_USD_PER_UNIT = 0.0005
_UNIT_CHARACTERS = 100
_LEAST_UNITS = 3

Prediction = Sequence[Any]
"""What one model predicts for one document: labels, or ``[begin, end, type]`` of each mention."""


def kind_of(shape: DataFormat) -> Kind:
    """Return what an answer is in a flywheel."""
    if shape.task == "entities":
        return "entities"
    return "multi-label" if shape.is_multi_label else "multi-class"


def one_line(text: str) -> str:
    """Return a text as one line of a job's input, as long as before."""
    return text.translate(_LINE_ENDS)


def cost(texts: Iterable[str]) -> float:
    """Return what a job on these texts costs, in USD."""
    units = (max(_LEAST_UNITS, -(-len(text) // _UNIT_CHARACTERS)) for text in texts)
    return sum(units) * _USD_PER_UNIT


def answers_of(lines: Iterable[str], documents: int) -> list[Prediction]:
    """Return the predictions in a job's output, document by document.

    Raises
    ------
    ValueError
        A document has no answer, or the output is of another form; the message says which.
    """
    predictions: dict[int, Prediction] = {}
    for line in lines:
        if line.strip():
            answer = json.loads(line)
            if "Line" not in answer:
                raise ValueError("a line of the output has no Line")
            predictions[int(answer["Line"])] = _prediction(answer)
    missing = [number for number in range(documents) if number not in predictions]
    if missing:
        raise ValueError(f"{len(missing):,} documents have no answer, the first is {missing[0]:,}")
    return [predictions[number] for number in range(documents)]


def _prediction(answer: Mapping[str, Any]) -> Prediction:
    if "Classes" in answer:
        best = max(answer["Classes"], key=lambda each: each["Score"], default=None)
        return [best["Name"]] if best else []
    if "Labels" in answer:
        return sorted(each["Name"] for each in answer["Labels"] if each["Score"] >= _LEAST_SCORE)
    if "Entities" in answer:
        entities = answer["Entities"]
        return [[each["BeginOffset"], each["EndOffset"], each["Type"]] for each in entities]
    reason = answer.get("ErrorMessage", "it has neither Classes, Labels nor Entities")
    raise ValueError(f"document {answer['Line']} has no answer: {reason}")


def scored(
    rows: Sequence[LabeledRow],
    champion: Sequence[Prediction] | None,
    challenger: Sequence[Prediction],
    shape: DataFormat,
) -> Iterator[ScoredDocument]:
    """Yield each row with both models' predictions, and the group that it belongs to."""
    grouping = group_documents(rows)
    is_grouped = grouping.grouped != "none"
    for number, (row, group) in enumerate(zip(rows, grouping.groups, strict=True)):
        actual = _actual(row, shape)
        old = None if champion is None else _answer(champion[number], actual, shape)
        yield ScoredDocument(
            id=text_key(row.text).hex()[:12],
            actual=_counted(actual, shape),
            champion=old,
            challenger=_answer(challenger[number], actual, shape),
            group=str(group) if is_grouped else "",
        )


_Fact = Any
"""A label, or a mention as ``(begin, end, type)``."""


def _actual(row: LabeledRow, shape: DataFormat) -> list[_Fact]:
    if shape.task == "entities":
        return list(spans_of(row.label))
    return list(labels_of(row.label, shape))


def _answer(prediction: Prediction, actual: Sequence[_Fact], shape: DataFormat) -> Answer:
    facts = {tuple(each) for each in prediction} if shape.task == "entities" else {*prediction}
    return Answer(_counted(facts, shape), _counted(facts.intersection(actual), shape))


def _counted(facts: Iterable[_Fact], shape: DataFormat) -> Counts:
    if shape.task == "entities":
        return tuple(sorted(Counter(kind for _, _, kind in facts).items()))
    return tuple(sorted((label, 1) for label in facts))
