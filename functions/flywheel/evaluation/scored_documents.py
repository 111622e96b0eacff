"""What two models predict for the same test documents, counted, and the metrics that follow.

Decides the definitions, which are the service's: averages over labels with test documents, all
mentions together for entities, accuracy as what the Hamming loss lacks to 1 for several labels.
Knows neither intervals nor rules. Read next: `flywheel.evaluation.resampling`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

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


def ratio_of(name: str, actual: int, predicted: int, true_positives: int) -> float:
    """Return a label's metric from its counts; 0 where it is undefined."""
    above, below = {
        "F1Score": (2 * true_positives, actual + predicted),
        "Precision": (true_positives, predicted),
        "Recall": (true_positives, actual),
    }[name]
    return above / below if below else 0.0


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
