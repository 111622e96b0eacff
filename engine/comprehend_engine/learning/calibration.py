"""Calibration of a classifier: from margins to probabilities and predicted labels.

Fits both on margins of documents that did not train: one temperature where labels exclude each
other, otherwise a sigmoid and a threshold per label. Knows no texts. Read next:
`comprehend_engine.learning.classifier`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DECISION_SCORE = 0.5
"""The lowest score of a predicted label, where labels do not exclude each other."""


@dataclass(frozen=True, slots=True)
class MarginCalibration:
    """Converts margins to scores.

    Readers of scores do not know the thresholds, so in multi-label mode a label is predicted from
    0.5 on. F1 is often best with a threshold below that probability. Scores below 0.5 of predicted
    labels are raised to just over 0.5. Scores above it of other labels are lowered to just under
    0.5. The order stays. Scores up to 0.49 and from 0.51 on are probabilities.

    Parameters
    ----------
    scale, shift : float
        Factor and offset of the margins.
    thresholds : array of shape (n_labels,) or None
        The lowest probability of each label that is predicted; None where labels exclude each
        other.
    """

    scale: float
    shift: float
    thresholds: Floats | None

    def scores(self, margins: npt.NDArray[np.float32]) -> Floats:
        """Return scores of shape (n_texts, n_labels), as the margins.

        Where labels exclude each other, the scores of a text sum to 1. Otherwise the labels that
        reach their thresholds have 0.5 or more, or the most probable label where none does.
        """
        scaled = margins.astype(np.float64) * self.scale + self.shift
        if self.thresholds is None:
            return np.asarray(softmax(scaled, axis=1), np.float64)
        probabilities = expit(scaled)
        is_predicted = probabilities >= self.thresholds
        unlabeled = np.flatnonzero(~is_predicted.any(axis=1))
        is_predicted[unlabeled, probabilities[unlabeled].argmax(axis=1)] = True
        raised = np.interp(
            probabilities,
            (0, DECISION_SCORE + _MARGIN, 1),
            (DECISION_SCORE, DECISION_SCORE + _MARGIN, 1),
        )
        lowered = np.interp(
            probabilities,
            (0, DECISION_SCORE - _MARGIN, 1),
            (0, DECISION_SCORE - _MARGIN, _HIGHEST_NEGATIVE),
        )
        return np.asarray(np.where(is_predicted, raised, lowered), np.float64)


def calibrate(
    margins: npt.NDArray[np.float32], is_actual: Flags, *, is_exclusive: bool
) -> MarginCalibration:
    """Fit a calibration; with few documents it stays near the default.

    Parameters
    ----------
    margins : array of shape (n_documents, n_labels)
        Margins of documents that did not train; there can be none.
    is_actual : array of shape (n_documents, n_labels)
        Whether each label is one of the document's.
    is_exclusive : bool
        Whether each document has exactly one label.
    """
    scaled = margins.astype(np.float64)
    if is_exclusive:
        scale, _ = _minimize(lambda scale, _: -log_softmax(scaled * scale, axis=1)[is_actual].sum())
        return MarginCalibration(scale, 0.0, None)
    signs = np.where(is_actual, -1.0, 1.0)
    scale, shift = _minimize(
        lambda scale, shift: np.logaddexp(0, (scaled * scale + shift) * signs).sum()
    )
    return MarginCalibration(scale, shift, _thresholds(expit(scaled * scale + shift), is_actual))


def _minimize(loss: Callable[[float, float], float]) -> tuple[float, float]:
    """Return the scale and shift of the least loss, regularized towards the defaults."""

    def penalized(parameters: Floats) -> float:
        return float(
            loss(_DEFAULT_SCALE * np.exp(parameters[0]), parameters[1])
            + _PRIOR_WEIGHT * (parameters**2).sum()
        )

    best = minimize(penalized, np.zeros(2), method="L-BFGS-B", bounds=[(-3, 3), (-5, 5)]).x
    return float(_DEFAULT_SCALE * np.exp(best[0])), float(best[1])


def _thresholds(probabilities: Floats, is_actual: Flags) -> Floats:
    """Choose the threshold of the best F1 per label; with few examples, near that of all labels."""
    common = max(
        _CANDIDATE_THRESHOLDS, key=lambda threshold: _mean_f1(probabilities >= threshold, is_actual)
    )
    best = [
        _best_threshold(column, is_label)
        for column, is_label in zip(probabilities.T, is_actual.T, strict=True)
    ]
    examples = is_actual.sum(axis=0)
    return np.asarray(
        np.where(
            examples,
            (examples * best + _PRIOR_EXAMPLES * common) / (examples + _PRIOR_EXAMPLES),
            common,
        )
    )


def _best_threshold(probabilities: Floats, is_actual: Flags) -> float:
    order = np.argsort(-probabilities, kind="stable")
    true_positives = np.cumsum(is_actual[order])
    if not len(order) or not true_positives[-1]:
        return DECISION_SCORE
    f1 = 2 * true_positives / (np.arange(1, len(order) + 1) + true_positives[-1])
    best = int(np.argmax(f1))
    return float(probabilities[order[best : best + 2]].mean())


def _mean_f1(is_predicted: Flags, is_actual: Flags) -> float:
    true_positives = (is_predicted & is_actual).sum(axis=0)
    positives = is_predicted.sum(axis=0) + is_actual.sum(axis=0)
    return float((2 * true_positives / np.maximum(1, positives)).mean())


_MARGIN = 0.01
"""Largest distance from 0.5 of a score that differs from the probability."""
_HIGHEST_NEGATIVE = DECISION_SCORE - _MARGIN / 10
_DEFAULT_SCALE = 3.0
_PRIOR_WEIGHT = 1.5
"""Weight of the defaults."""
_PRIOR_EXAMPLES = 20
"""Number of examples at which a label's own threshold weighs as much as the common one."""
_CANDIDATE_THRESHOLDS = np.linspace(0.5, 0.05, 46)
