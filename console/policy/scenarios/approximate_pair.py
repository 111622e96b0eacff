"""A drawn pair of models, judged by the product's rules on approximated chances.

`flywheel.evaluation.resampling` exchanges answers and draws documents again. The mean and the
variance of either also follow from what each document contributes to a metric, in a millisecond.
Everything but that is the product's own, and verdicts are never made by it. Read next:
`console.policy.scenarios.judging` (the same without approximation).

Notes
-----
*Source*: the delta method, e.g. van der Vaart 1998, chapter 3.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from console.policy.scenarios.drawing import AnswerArrays, SimulatedPredictions
from console.policy.scenarios.judging import DrawnPair, answers_of
from flywheel.evaluation import intervals
from flywheel.evaluation.comparisons import Comparison, exact_accuracy, of_chance
from flywheel.evaluation.paired_evidence import PairedEvidence
from flywheel.evaluation.predictions import ACCURACY, AVERAGES_OF_LABELS, Kind, Tally
from flywheel.evaluation.resampling import Chance, Measured
from flywheel.evaluation.worth import answers_worth
from flywheel.intake.document_groups import GroupCounts, count_groups

Floats = NDArray[np.float64]

_PARTS = {"F1Score": (2, 1, 1), "Precision": (1, 1, 0), "Recall": (1, 0, 1)}
"""Right ones above the line; given and actual ones below it."""


_ROUNDING = 1e-12
_SAME_STEP = 1e-6


@dataclass(frozen=True, slots=True)
class _Counts:
    """A model's counts by the number of the label."""

    actual: Floats
    given: Floats
    right: Floats


@dataclass(frozen=True, slots=True)
class _Weights:
    """By how much a metric changes with one more right, given or actual label of each number."""

    right: Floats
    given: Floats
    actual: Floats


class NormalChances:
    """What chance could have done to each metric of two models.

    Parameters
    ----------
    answers : AnswerArrays
    tallies : tuple of Tally
        Their counts, of the champion and of the challenger.
    kind : Kind
    """

    def __init__(self, answers: AnswerArrays, tallies: tuple[Tally, Tally], kind: Kind) -> None:
        self._answers, self._kind = answers, kind
        self._old, self._new = (_counts(answers, tally) for tally in tallies)

    def chance(self, measured: Measured, gain: float, error: float) -> Chance:
        """Return what chance could have done to a metric.

        Parameters
        ----------
        gain : float
            Challenger less champion.
        error : float
        """
        answers, documents = self._answers, len(self._answers.actual)
        if measured[1] is not None:
            # All other documents contribute nothing.
            answers = answers.about(measured[1])
        of_old, of_pooled, of_new = (
            _weights(measured, counts, self._kind, documents, answers.names)
            for counts in (self._old, _pooled(self._old, self._new), self._new)
        )
        exchanged = _changes(answers.challenger, of_pooled) - _changes(answers.champion, of_pooled)
        resampled = _influence(answers, answers.challenger, of_new) - _influence(
            answers, answers.champion, of_old
        )
        deviation = math.sqrt(max(0.0, (resampled**2).sum() - resampled.sum() ** 2 / documents))
        reach = intervals.quantile(error) * deviation
        return Chance(
            p_value=_tail(gain, exchanged),
            drop_p_value=_tail(-gain, exchanged),
            low=gain - reach,
            high=gain + reach,
            deviation=deviation,
        )


def _tail(gain: float, exchanged: Floats) -> float:
    """Return how often exchanged answers, each of which adds or takes its part, gain as much."""
    sizes = np.abs(exchanged)
    sizes = sizes[sizes > _ROUNDING]
    if not len(sizes):
        return 1.0
    steps = sizes / sizes.min()
    # Gains that are sums of equal steps are often reached exactly: half a step counts for it.
    tie = sizes.min() if np.abs(steps - steps.round()).max() < _SAME_STEP else 0.0
    return NormalDist().cdf(-(gain - tie) / math.sqrt((sizes**2).sum()))


def _counts(answers: AnswerArrays, tally: Tally) -> _Counts:
    def by_number(counts: Mapping[str, int]) -> Floats:
        return np.array([counts.get(name, 0) for name in answers.names], float)

    return _Counts(
        by_number(tally.actual), by_number(tally.predicted), by_number(tally.true_positives)
    )


def _pooled(old: _Counts, new: _Counts) -> _Counts:
    """Return the counts that both models have in the mean when answers are exchanged."""
    return _Counts(old.actual, (old.given + new.given) / 2, (old.right + new.right) / 2)


def _weights(
    measured: Measured, counts: _Counts, kind: Kind, documents: int, names: tuple[str, ...]
) -> _Weights:
    metric, label = measured
    if metric == ACCURACY:
        each = np.full(len(names), 1 / (documents * len(names)))
        return _Weights(2 * each, each, each)
    of_right, of_given, of_actual = _PARTS[metric if label else AVERAGES_OF_LABELS[metric]]
    below, right = of_given * counts.given + of_actual * counts.actual, counts.right
    if label is not None:
        share = np.zeros(len(names))
        share[names.index(label)] = 1
    elif kind == "entities":
        below, right = np.full(len(names), below.sum()), np.full(len(names), right.sum())
        share = np.ones(len(names))
    else:
        share = (counts.actual > 0) / np.count_nonzero(counts.actual)
    # A label that is nowhere has no ratio, and no part in the change.
    each = np.divide(share, below, out=np.zeros(len(names)), where=below > 0)
    ratio = np.divide(of_right * right, below, out=np.zeros(len(names)), where=below > 0)
    return _Weights(of_right * each, of_given * ratio * each, of_actual * ratio * each)


def _changes(model: SimulatedPredictions, weights: _Weights) -> Floats:
    """Return what each document's answer contributes to a metric."""
    right, given = weights.right[model.labels], weights.given[model.labels]
    return np.asarray((model.is_right * right - model.is_given * given).sum(axis=1))


def _influence(answers: AnswerArrays, model: SimulatedPredictions, weights: _Weights) -> Floats:
    """Return by how much a metric changes with one more document like each."""
    return np.asarray(_changes(model, weights) - weights.actual[answers.actual].sum(axis=1))


def drawn_groups(answers: AnswerArrays) -> GroupCounts:
    """Return in how many documents each label is; all draws with the same labels share it."""
    labels = ([answers.names[number] for number in row] for row in answers.actual.tolist())
    return count_groups(range(len(answers.actual)), labels)


class ApproximatePair(DrawnPair):
    """A pair whose answers are compared by the normal curve.

    Parameters
    ----------
    answers : AnswerArrays
    kind : Kind
    groups : GroupCounts
        `drawn_groups` of the test set.
    """

    def __init__(self, answers: AnswerArrays, kind: Kind, groups: GroupCounts) -> None:
        self._arrays, self._kind, self._groups = answers, kind, groups
        self._tallies = answers.tallies(kind)
        super().__init__(kind, *self._tallies, groups)

    def compared(self, measured: tuple[Measured, ...], error: float) -> PairedEvidence:
        """Return what both models' answers show, by approximated chances."""
        old, new = self._tallies
        chances = NormalChances(self._arrays, self._tallies, self._kind)
        compared = []
        for each in measured:
            before, after = old.metric(*each), new.metric(*each)
            if before is None or after is None:
                continue
            if each == (ACCURACY, None) and self._kind == "multi-class":
                compared.append(self._exact(before, after, error))
                continue
            metric, label = each
            compared.append(
                of_chance(
                    each,
                    (before, after),
                    chances.chance(each, after - before, error),
                    documents=new.documents if label is None else new.actual[label],
                    worth=answers_worth(metric, label, self._kind, self._groups, new.actual),
                    error=error,
                )
            )
        return answers_of(tuple(compared), new.documents)

    def _exact(self, before: float, after: float, error: float) -> Comparison:
        old, new = self._arrays.champion.is_right, self._arrays.challenger.is_right
        return exact_accuracy(
            before,
            after,
            fixed=int(np.count_nonzero(new & ~old)),
            broken=int(np.count_nonzero(old & ~new)),
            documents=len(old),
            error=error,
        )
