"""Both models' answers to a drawn test set as arrays, which NumPy counts a hundred times faster.

Decides how answers become counts, and scored documents where each one is needed. Judges nothing.
Read next: `console.policy.scenarios.drawing` (who draws them),
`console.policy.scenarios.normal_chances`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from flywheel.evaluation.predictions import Answer, Counts, Kind, ScoredDocument, Tally

Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SimulatedPredictions:
    """What one model answered.

    Parameters
    ----------
    labels : array of shape (n_documents, n_columns)
        Numbers of the labels that it may have given.
    is_given, is_right : array of shape (n_documents, n_columns)
        Whether it gave the label, and whether that is right.
    """

    labels: Labels
    is_given: Flags
    is_right: Flags

    def of(self, chosen: Flags) -> "SimulatedPredictions":
        """Return the answers to some documents."""
        return SimulatedPredictions(
            self.labels[chosen], self.is_given[chosen], self.is_right[chosen]
        )


@dataclass(frozen=True, slots=True)
class AnswerArrays:
    """Both models' answers.

    Parameters
    ----------
    names : tuple of str
        Of the labels, by number.
    actual : array of shape (n_documents, n_facts)
        Numbers of each document's labels, or of its mentions' types.
    champion, challenger : SimulatedPredictions
    """

    names: tuple[str, ...]
    actual: Labels
    champion: SimulatedPredictions
    challenger: SimulatedPredictions

    def documents(self) -> list[ScoredDocument]:
        """Return the same answers as scored documents."""
        names = self.names
        actual = [_counts(tuple(names[label] for label in row)) for row in self.actual.tolist()]
        answers = [_answers(names, model) for model in (self.champion, self.challenger)]
        return [
            ScoredDocument(str(number), *each)
            for number, each in enumerate(zip(actual, *answers, strict=True))
        ]

    def about(self, label: str) -> "AnswerArrays":
        """Return only the documents that have a label, or may have been given it."""
        number = self.names.index(label)
        columns = (self.actual, self.champion.labels, self.challenger.labels)
        chosen = np.logical_or.reduce([(each == number).any(axis=1) for each in columns])
        return AnswerArrays(
            self.names,
            self.actual[chosen],
            self.champion.of(chosen),
            self.challenger.of(chosen),
        )

    def tallies(self, kind: Kind) -> tuple[Tally, Tally]:
        """Return the counts of the champion and of the challenger."""
        actual = self._counter(self.actual)
        old, new = (
            Tally(
                kind,
                len(self.names),
                len(self.actual),
                actual,
                self._counter(model.labels[model.is_given]),
                self._counter(model.labels[model.is_right]),
            )
            for model in (self.champion, self.challenger)
        )
        return old, new

    def _counter(self, labels: Labels) -> Counter[str]:
        counts = np.bincount(labels.ravel(), minlength=len(self.names)).tolist()
        return Counter(
            {name: count for name, count in zip(self.names, counts, strict=True) if count}
        )


def _answers(names: Sequence[str], model: SimulatedPredictions) -> Iterable[Answer]:
    rows = (model.labels.tolist(), model.is_given.tolist(), model.is_right.tolist())
    for labels, given, right in zip(*rows, strict=True):
        yield _answer(
            tuple(names[label] for label, is_so in zip(labels, given, strict=True) if is_so),
            tuple(names[label] for label, is_so in zip(labels, right, strict=True) if is_so),
        )


@cache
def _answer(given: tuple[str, ...], right: tuple[str, ...]) -> Answer:
    return Answer(_counts(given), _counts(right))


@cache
def _counts(labels: tuple[str, ...]) -> Counts:
    return tuple(sorted(Counter(labels).items()))
