"""From margins to probabilities, and from probabilities to labels.

Decides both from margins of texts that the decision had not seen: one temperature where labels
exclude each other; a sigmoid and a threshold a label where they do not. Labels with few examples
are drawn towards what holds for all. Knows no texts. Read next:
`local.comprehend.learning.classifier`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from local.comprehend.learning.arrays import Floats

Has = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]


DECISION = 0.5
"""Where labels do not exclude each other, the score from which on a label is given."""


class Calibration(Protocol):
    """What makes probabilities of margins and labels of probabilities."""

    def scores(self, margins: Floats) -> Doubles:
        """Return probabilities, of the margins' shape (n_texts, n_labels)."""
        ...

    def chosen(self, scores: Doubles) -> Has:
        """Return which labels the texts get, of shape (n_texts, n_labels)."""
        ...


@dataclass(frozen=True, slots=True)
class OneOfAll:
    """Labels exclude each other: the softmax of the margins, scaled."""

    scale: float

    def scores(self, margins: Floats) -> Doubles:
        """Return probabilities that sum to one for each text."""
        return _softmax(margins.astype(np.float64) * self.scale)

    def chosen(self, scores: Doubles) -> Has:
        """Choose the likeliest."""
        return _likeliest(scores)


@dataclass(frozen=True, slots=True)
class EachForItself:
    """Labels do not exclude each other: a sigmoid of the margin of each.

    Who reads scores knows no thresholds, so a score of a half is where each label's decision lies.
    F1 is best where many a label is given that is less likely than not: such scores are told as
    just over a half, and those of labels that are not given as under it, in the same order. From
    0.51 on and up to 0.49 a score is the probability.

    Parameters
    ----------
    scales, shifts, thresholds : array of shape (n_labels,)
        Of each label: the sigmoid, and the probability from which on the label is given.
    """

    scales: Doubles
    shifts: Doubles
    thresholds: Doubles

    def scores(self, margins: Floats) -> Doubles:
        """Return independent probabilities, a half or more for the labels that are given.

        These are what reaches its threshold, and the likeliest where nothing does.
        """
        likely = _sigmoid(margins * self.scales + self.shifts)
        passing = likely >= self.thresholds
        given = passing | (_likeliest(likely) & ~passing.any(axis=1, keepdims=True))
        return np.where(
            given,
            np.interp(likely, (0, DECISION + _NARROW, 1), (DECISION, DECISION + _NARROW, 1)),
            np.interp(likely, (0, DECISION - _NARROW, 1), (0, DECISION - _NARROW, _LESS)),
        )

    def chosen(self, scores: Doubles) -> Has:
        """Choose what has a half or more."""
        return scores >= DECISION


def one_of_all(margins: Floats, has: Has) -> OneOfAll:
    """Fit the scale: where the texts' own labels are likeliest, by Newton's steps.

    Parameters
    ----------
    margins : array of shape (n_texts, n_labels)
        Of texts that the decision had not seen.
    has : array of shape (n_texts, n_labels)
        The one label of each.
    """
    wide = margins.astype(np.float64)
    scale = _USUAL_SCALE
    for _ in range(_NEWTON_STEPS):
        likely = _softmax(wide * scale)
        mean = (likely * wide).sum(axis=1)
        spread = (likely * wide**2).sum(axis=1) - mean**2
        slope = (mean - wide[has]).sum() + _FAITH * (scale - _USUAL_SCALE)
        scale = max(scale - slope / (spread.sum() + _FAITH), scale / 3)
    return OneOfAll(float(scale))


def each_for_itself(margins: Floats, has: Has) -> EachForItself:
    """Fit the sigmoids, all labels' as one and then each one's own; then the thresholds.

    Parameters
    ----------
    margins : array of shape (n_texts, n_labels)
        Of texts that the decision had not seen.
    has : array of shape (n_texts, n_labels)
        Their labels.
    """
    wide = margins.astype(np.float64)
    scale, shift = _sigmoids(wide.reshape(-1, 1), has.reshape(-1, 1), _USUAL_SCALE, 0.0)
    scales, shifts = _sigmoids(wide, has, scale[0], shift[0])
    likely = _sigmoid(wide * scales + shifts)
    return EachForItself(scales, shifts, _thresholds(likely, has))


def _sigmoids(
    margins: Doubles, has: Has, usual_scale: float, usual_shift: float
) -> tuple[Doubles, Doubles]:
    """Fit a sigmoid to each column, drawn towards a usual one."""
    scale = np.full(margins.shape[1], usual_scale)
    shift = np.full(margins.shape[1], usual_shift)
    for _ in range(_NEWTON_STEPS):
        likely = _sigmoid(margins * scale + shift)
        excess, spread = likely - has, likely * (1 - likely)
        slope_scale = (excess * margins).sum(axis=0) + _FAITH * (scale - usual_scale)
        slope_shift = excess.sum(axis=0) + _FAITH * (shift - usual_shift)
        bend_scale = (spread * margins**2).sum(axis=0) + _FAITH
        bend_shift = spread.sum(axis=0) + _FAITH
        bend_both = (spread * margins).sum(axis=0)
        size = bend_scale * bend_shift - bend_both**2
        scale = scale - np.clip(
            (bend_shift * slope_scale - bend_both * slope_shift) / size, -_STRIDE, _STRIDE
        )
        shift = shift - np.clip(
            (bend_scale * slope_shift - bend_both * slope_scale) / size, -_STRIDE, _STRIDE
        )
    return np.maximum(scale, _LEAST_SCALE), shift


def _thresholds(likely: Doubles, has: Has) -> Doubles:
    """Find where each label's F1 is best; with few examples, near where all labels' is."""
    best = np.array([_best_cut(likely[:, one], has[:, one]) for one in range(has.shape[1])])
    grid = np.linspace(0.05, 0.6, 45)
    common = grid[int(np.argmax([_mean_f1(likely >= cut, has) for cut in grid]))]
    examples = has.sum(axis=0)
    blended = (examples * best + _EXAMPLES_TRUSTED * common) / (examples + _EXAMPLES_TRUSTED)
    return np.asarray(blended, np.float64)


def _best_cut(likely: Doubles, has: Has) -> float:
    order = np.argsort(-likely, kind="stable")
    right = np.cumsum(has[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + max(1, right[-1]))
    at = int(np.argmax(f1))
    after = likely[order[min(at + 1, len(order) - 1)]]
    return float((likely[order[at]] + after) / 2)


def _mean_f1(given: Has, has: Has) -> float:
    right = (given & has).sum(axis=0)
    return float((2 * right / np.maximum(1, given.sum(axis=0) + has.sum(axis=0))).mean())


def _likeliest(scores: Doubles) -> Has:
    chosen = np.zeros(scores.shape, np.bool_)
    chosen[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return chosen


def _softmax(values: Doubles) -> Doubles:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _sigmoid(values: Doubles) -> Doubles:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)))


_NARROW = 0.01
"""How near a half scores are that tell a decision which the probability does not."""
_LESS = DECISION - _NARROW / 10
_USUAL_SCALE = 3.0
_FAITH = 3.0
"""How much the usual counts, in the currency of texts."""
_EXAMPLES_TRUSTED = 20
_NEWTON_STEPS = 10
_STRIDE = 2.0
_LEAST_SCALE = 0.05
