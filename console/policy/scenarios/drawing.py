"""How pairs of models and their test documents are drawn, and how answers become counts.

Decides how two models' answers go together: how often each is right, how often only one of them
is, and what a wrong answer is. Answers are arrays, which NumPy counts a hundred times faster than
documents. Judges nothing. Read next: `console.policy.scenarios.judging`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


_SAME_ANSWER = 0.7
"""How often two models with the same confusion matrix answer alike for a reason."""

Random = np.random.Generator

_SAME_MISTAKE = 0.5
"""How often two models that are both wrong give the same wrong label."""


def joint(
    champion: ArrayLike, challenger: ArrayLike, disagreement: ArrayLike
) -> NDArray[np.float64]:
    """Return how often both models are right, only the champion, only the challenger, and none.

    Parameters
    ----------
    champion, challenger : array of shape (n_labels,)
        How often each is right.
    disagreement : float or array of shape (n_labels,)
        How often only one is right; moved to the nearest value that the two shares allow.

    Returns
    -------
    array of shape (n_labels, 4)
    """
    old, new = np.asarray(champion, float), np.asarray(challenger, float)
    allowed = np.clip(disagreement, np.abs(new - old), np.minimum(old + new, 2 - old - new))
    both = (old + new - allowed) / 2
    shares = np.stack([both, old - both, new - both, 1 - old - new + both], axis=-1).clip(0)
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


@cache
def one_label(actual: str, predicted: str) -> Answer:
    """Return the answer of a model that gives one label."""
    return Answer(((predicted, 1),), ((predicted, 1),) if predicted == actual else ())


def single_label_answers(
    random: Random,
    supports: Mapping[str, int],
    champion: ArrayLike,
    challenger: ArrayLike,
    disagreement: ArrayLike,
) -> AnswerArrays:
    """Draw answers to documents of one label each; a wrong answer is any other label.

    Parameters
    ----------
    supports : mapping of str to int
        Documents of each label.
    champion, challenger : float or array of shape (n_labels,)
        Recall of each label.
    """
    names = tuple(supports)
    shape = (len(names),)
    shares = joint(
        np.broadcast_to(champion, shape), np.broadcast_to(challenger, shape), disagreement
    )
    actual = np.repeat(np.arange(len(names)), list(supports.values()))
    are_right = _answered_so(random, shares.cumsum(axis=-1).T[:, actual])
    # Another label: one of the places after this one, round the circle.
    others = random.integers(1, max(2, len(names)), (2, len(actual)))
    others[1] = np.where(random.random(len(actual)) < _SAME_MISTAKE, others[0], others[1])
    others = (actual + others) % len(names)
    models = []
    for is_right, other in zip(are_right, others, strict=True):
        labels = np.where(is_right, actual, other)[:, None]
        models.append(SimulatedPredictions(labels, np.full(labels.shape, True), is_right[:, None]))
    return AnswerArrays(names, actual[:, None], *models)


def single_label_documents(
    random: Random,
    supports: Mapping[str, int],
    champion: ArrayLike,
    challenger: ArrayLike,
    disagreement: ArrayLike,
) -> list[ScoredDocument]:
    """Draw documents of one label each, as `single_label_answers` does."""
    drawn = single_label_answers(random, supports, champion, challenger, disagreement)
    return drawn.documents()


def confused_documents(
    random: Random, supports: Mapping[str, int], confusion: NDArray[np.float64]
) -> list[ScoredDocument]:
    """Draw documents of one label each, answered by two models with the same confusion matrix.

    Parameters
    ----------
    supports : mapping of str to int
        Documents of each label.
    confusion : array of shape (n_labels, n_labels)
        How often each label, row by row, is answered with each label.
    """
    names = list(supports)
    documents: list[ScoredDocument] = []
    for (label, count), chances in zip(supports.items(), confusion, strict=True):
        old, new, fresh = random.random((3, count))
        new = np.where(fresh < _SAME_ANSWER, old, new)
        steps = np.cumsum(chances)[:-1]
        pairs = zip(np.searchsorted(steps, old), np.searchsorted(steps, new), strict=True)
        documents += (
            ScoredDocument(
                str(number),
                ((label, 1),),
                one_label(label, names[before]),
                one_label(label, names[after]),
            )
            for number, (before, after) in enumerate(pairs, len(documents))
        )
    return documents


def fact_answers(
    random: Random,
    names: Sequence[str],
    documents: int,
    *,
    kind: Kind,
    champion: float,
    challenger: float,
    disagreement: float,
) -> AnswerArrays:
    """Draw documents of several labels, or with mentions of several types; all equally frequent.

    Parameters
    ----------
    champion, challenger : float
        Recall, precision and F1 of each label or type: a model has a false fact for each miss.
    disagreement : float
        How often only one of both models has a fact.
    """
    # Each document needs a label that is not its own, for false ones.
    facts = 2 if kind == "entities" or len(names) > 3 else 1  # noqa: PLR2004 - the drawn shape
    (hits,) = joint([champion], [challenger], disagreement)
    (false_hits,) = joint([1 - champion], [1 - challenger], disagreement)
    shape = (4, documents, facts)
    rights, wrongs = (
        _answered_so(random, np.broadcast_to(shares.cumsum()[:, None, None], shape))
        for shares in (hits, false_hits)
    )
    actual, labels = _labels_of_facts(documents, facts, len(names))
    models = []
    for right, wrong in zip(rights, wrongs, strict=True):
        is_given = np.concatenate([right, wrong], axis=1)
        is_right = np.concatenate([right, np.zeros_like(wrong)], axis=1)
        models.append(SimulatedPredictions(labels, is_given, is_right))
    return AnswerArrays(tuple(names), actual, *models)


@lru_cache(maxsize=4)
def _labels_of_facts(documents: int, facts: int, labels: int) -> tuple[Labels, Labels]:
    """Return each document's labels, and all that a model may give: these, then false ones."""
    actual = np.arange(documents * facts).reshape(documents, facts) % labels
    return actual, np.concatenate([actual, (actual + facts) % labels], axis=1)


def _answered_so(random: Random, steps: NDArray[np.float64]) -> tuple[Flags, Flags]:
    """Draw whether the champion, and whether the challenger, answers so.

    Parameters
    ----------
    steps : array of shape (4, ...)
        Sums of the shares that `joint` returns.
    """
    both, champion, challenger, _ = steps
    drawn = random.random(both.shape)
    is_old = drawn < champion
    return is_old, (drawn < both) | (~is_old & (drawn < challenger))


def label_names(count: int) -> list[str]:
    """Return names of labels; they sort in this order."""
    return [f"L{number:03d}" for number in range(count)]


def seed_name(random: Random) -> str:
    """Return 64 hex digits for a test set, from which the resampling takes its seed."""
    return random.bytes(32).hex()


def shared_out(documents: int, labels: Sequence[str]) -> dict[str, int]:
    """Return a number of documents for each label that differ by one at most.

    Examples
    --------
    >>> shared_out(5, ["A", "B"])
    {'A': 3, 'B': 2}
    """
    each, more = divmod(documents, len(labels))
    return {label: each + (place < more) for place, label in enumerate(labels)}
