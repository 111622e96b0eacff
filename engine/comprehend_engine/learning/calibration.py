"""From margins to scores that mean what they say, and to labels.

Decides both by margins of documents that the decision had not seen: one temperature where labels
exclude each other; a sigmoid and a threshold per label where they do not. Knows no texts. Read
next: `comprehend_engine.learning.classifier`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DECISION = 0.5
"""Where labels do not exclude each other, the score from which on a label is given."""


@dataclass(frozen=True, slots=True)
class MarginCalibration:
    """What makes scores of margins.

    Who reads scores knows no thresholds, so in multi-label mode a score of 0.5 is the decision on
    each label. F1 is often best where a label is given that is less likely than not. Such scores
    are raised to just over 0.5, and those of labels that are likelier but not given are lowered to
    just under it, in the same order. From 0.51 on and up to 0.49 a score is the probability.

    Parameters
    ----------
    scale, shift : float
        Of the margins.
    thresholds : array of shape (n_labels,) or None
        The probability from which on each label is given; None where labels exclude each other.
    """

    scale: float
    shift: float
    thresholds: Floats | None

    def scores(self, margins: npt.NDArray[np.float32]) -> Floats:
        """Return scores, of the margins' shape (n_texts, n_labels).

        Where labels exclude each other, those of a text sum to one. Where they do not, the
        labels that reach their thresholds have 0.5 or more, and the likeliest where none does.
        """
        wide = margins.astype(np.float64) * self.scale + self.shift
        if self.thresholds is None:
            return np.asarray(softmax(wide, axis=1), np.float64)
        likely = expit(wide)
        given = likely >= self.thresholds
        without = np.flatnonzero(~given.any(axis=1))
        given[without, likely[without].argmax(axis=1)] = True
        raised = np.interp(likely, (0, DECISION + _NARROW, 1), (DECISION, DECISION + _NARROW, 1))
        lowered = np.interp(likely, (0, DECISION - _NARROW, 1), (0, DECISION - _NARROW, _BELOW))
        return np.asarray(np.where(given, raised, lowered), np.float64)


def calibrate(
    margins: npt.NDArray[np.float32], has: Flags, *, is_exclusive: bool
) -> MarginCalibration:
    """Fit a calibration; few documents leave it near the usual one.

    Parameters
    ----------
    margins : array of shape (n_documents, n_labels)
        Of documents that the decision had not seen; there may be none.
    has : array of shape (n_documents, n_labels)
        Their labels.
    is_exclusive : bool
        Whether each document has exactly one label.
    """
    wide = margins.astype(np.float64)
    if is_exclusive:
        scale, _ = _fitted(lambda scale, _: -log_softmax(wide * scale, axis=1)[has].sum())
        return MarginCalibration(scale, 0.0, None)
    signs = np.where(has, -1.0, 1.0)
    scale, shift = _fitted(
        lambda scale, shift: np.logaddexp(0, (wide * scale + shift) * signs).sum()
    )
    return MarginCalibration(scale, shift, _thresholds(expit(wide * scale + shift), has))


def _fitted(loss: Callable[[float, float], float]) -> tuple[float, float]:
    """Return the scale and the shift of the least loss, drawn towards the usual ones."""

    def drawn(place: Floats) -> float:
        return float(loss(_USUAL_SCALE * np.exp(place[0]), place[1]) + _FAITH * (place**2).sum())

    best = minimize(drawn, np.zeros(2), method="L-BFGS-B", bounds=[(-3, 3), (-5, 5)]).x
    return float(_USUAL_SCALE * np.exp(best[0])), float(best[1])


def _thresholds(likely: Floats, has: Flags) -> Floats:
    """Choose where the F1 of each label is best; with few examples, near what is best for all."""
    common = max(_CUTS, key=lambda cut: _mean_f1(likely >= cut, has))
    own = [_best_cut(column, is_label) for column, is_label in zip(likely.T, has.T, strict=True)]
    examples = has.sum(axis=0)
    return np.asarray(
        np.where(examples, (examples * own + _FEW * common) / (examples + _FEW), common)
    )


def _best_cut(likely: Floats, has: Flags) -> float:
    order = np.argsort(-likely, kind="stable")
    right = np.cumsum(has[order])
    if not len(order) or not right[-1]:
        return DECISION
    f1 = 2 * right / (np.arange(1, len(order) + 1) + right[-1])
    best = int(np.argmax(f1))
    return float(likely[order[best : best + 2]].mean())


def _mean_f1(given: Flags, has: Flags) -> float:
    right = (given & has).sum(axis=0)
    return float((2 * right / np.maximum(1, given.sum(axis=0) + has.sum(axis=0))).mean())


_NARROW = 0.01
"""How near to 0.5 scores are that tell a decision which the probability does not."""
_BELOW = DECISION - _NARROW / 10
_USUAL_SCALE = 3.0
_FAITH = 1.5
"""How much the usual counts."""
_FEW = 20
"""The examples of a label with which its own threshold counts as much as the common one."""
_CUTS = np.linspace(0.5, 0.05, 46)
