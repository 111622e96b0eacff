"""The classifier: linear support vector machines on text features, with calibrated scores.

Decides how the parts work together and which data is refused. All data has one configuration. The
server must not import it, because its imports take long. Knows neither flywheels nor S3. Read next:
`comprehend_engine.learning.text_features`, then `calibration`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.svm import LinearSVC

from comprehend_engine.errors import IterationFailedError
from comprehend_engine.learning.calibration import DECISION_SCORE, MarginCalibration, calibrate
from comprehend_engine.learning.model_files import ModelParts
from comprehend_engine.learning.text_features import TextFeatures, fit_features
from comprehend_engine.tasks import MULTI_CLASS

MAX_WEIGHTS = 50_000_000
"""Limit of labels x features, which determine the memory: 8 bytes each during the training."""

HELD_OUT_DIVISOR, MAX_HELD_OUT = 5, 10_000
"""One document in this many calibrates the scores, and at most this many documents."""


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """A trained classifier.

    Parameters
    ----------
    labels : tuple of str
        Sorted; the columns of the scores.
    features : TextFeatures
        The features of a text.
    weights : array of shape (n_features, n_labels)
    intercepts : array of shape (n_labels,)
        Of each label's hyperplane; they give the signed distance of a text.
    calibration : Calibration
        Converts these distances to scores.
    """

    labels: tuple[str, ...]
    features: TextFeatures
    weights: npt.NDArray[np.float32]
    intercepts: npt.NDArray[np.float32]
    calibration: MarginCalibration

    def scores(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the score of each label for each text, of shape (n_texts, n_labels).

        In multi-class mode the scores of a text sum to 1. In multi-label mode each is independent,
        and a label is predicted from 0.5 on (see `MarginCalibration`).
        """
        rows = self.features.rows(texts)
        return self.calibration.scores(rows @ self.weights + self.intercepts)

    def predict(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the labels of each text, sorted: one in multi-class mode, else one or more."""
        scores = self.scores(texts)
        if self.calibration.thresholds is None:
            return [(self.labels[best],) for best in scores.argmax(axis=1)]
        return [
            tuple(self.labels[number] for number in np.flatnonzero(row))
            for row in scores >= DECISION_SCORE
        ]

    def to_parts(self) -> ModelParts:
        """Return the content of the model's file."""
        features, calibration = self.features, self.calibration
        description = {
            "labels": self.labels,
            "words": features.words,
            "trigrams": features.trigrams,
            "scale": calibration.scale,
            "shift": calibration.shift,
        }
        arrays: dict[str, npt.NDArray[Any]] = {
            "rarity": features.rarity,
            "weights": self.weights,
            "intercepts": self.intercepts,
        }
        if calibration.thresholds is not None:
            arrays["thresholds"] = calibration.thresholds
        return ModelParts(description, arrays)

    @classmethod
    def from_parts(cls, parts: ModelParts) -> "TextClassifier":
        """Return the model from the content of its file."""
        description, arrays = parts.description, parts.arrays
        return cls(
            tuple(description["labels"]),
            TextFeatures(description["words"], description["trigrams"], arrays["rarity"]),
            arrays["weights"],
            arrays["intercepts"],
            MarginCalibration(description["scale"], description["shift"], arrays.get("thresholds")),
        )


def train_classifier(
    texts: Sequence[str], labels: Sequence[Sequence[str]], *, mode: str, seed: int
) -> TextClassifier:
    """Train a classifier.

    Parameters
    ----------
    texts : sequence of str
        Training documents.
    labels : sequence of sequences of str
        The labels of each document; exactly one in multi-class mode.
    mode : {"MULTI_CLASS", "MULTI_LABEL"}
        Whether labels exclude each other.
    seed : int
        The same data and seed give the same model, byte for byte on the same kind of machine.

    Raises
    ------
    IterationFailedError
        There are fewer than two labels, or no text has a word; more data is needed.
    """
    names = tuple(sorted({label for each in labels for label in each}))
    if len(names) < _FEWEST_LABELS:
        message = (
            f"The training data has documents of these labels: {list(names)}; "
            f"at least {_FEWEST_LABELS} labels are needed."
        )
        raise IterationFailedError(message)
    if not any(_has_word(text) for text in texts):
        message = "The training documents have no words."
        raise IterationFailedError(message)
    is_exclusive = mode == MULTI_CLASS
    features, rows = fit_features(texts, most=MAX_WEIGHTS // len(names))
    is_actual = _label_matrix(labels, names)
    held_out = _held_out(is_actual, seed)
    rest = np.setdiff1d(np.arange(len(texts)), held_out)
    weights, intercepts = _fit(rows[rest], is_actual[rest], is_exclusive, seed)
    margins = rows[held_out] @ weights + intercepts
    calibration = calibrate(margins, is_actual[held_out].toarray(), is_exclusive=is_exclusive)
    if len(held_out) > _NEGLIGIBLE_FRACTION * len(texts):
        weights, intercepts = _fit(rows, is_actual, is_exclusive, seed)
    return TextClassifier(names, features, weights, intercepts, calibration)


def _label_matrix(labels: Sequence[Sequence[str]], names: Sequence[str]) -> Any:
    column = {name: number for number, name in enumerate(names)}
    beginnings = np.cumsum([0, *map(len, labels)])
    columns = [column[label] for each in labels for label in each]
    entries = np.ones(len(columns), np.bool_)
    return sparse.csr_matrix((entries, columns, beginnings), (len(labels), len(names)))


def _held_out(is_actual: Any, seed: int) -> npt.NDArray[np.int64]:
    """Draw documents for the calibration; the first of each label stays in the training."""
    order = np.random.default_rng(seed).permutation(is_actual.shape[0])
    by_label = is_actual[order].tocsc()
    is_candidate = np.ones(len(order), np.bool_)
    is_candidate[by_label.indices[by_label.indptr[:-1]]] = False
    return order[is_candidate][: min(len(order) // HELD_OUT_DIVISOR, MAX_HELD_OUT)]


def _fit(
    rows: Any, is_actual: Any, is_exclusive: bool, seed: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the weights and intercepts of one linear SVM per label."""
    if is_exclusive:
        svm = _svm(_MULTI_CLASS_PENALTY, seed).fit(rows, is_actual.indices)
        weights, intercepts = svm.coef_, svm.intercept_
        if len(weights) == 1:
            weights, intercepts = np.vstack([-weights, weights]), np.array([-1, 1]) * intercepts
        return weights.T.astype(np.float32, order="C"), intercepts.astype(np.float32)
    double_rows, by_label = rows.astype(np.float64), is_actual.tocsc()
    weights = np.zeros((rows.shape[1], is_actual.shape[1]), np.float32)
    intercepts = np.ones(is_actual.shape[1], np.float32)
    for number in range(is_actual.shape[1]):
        is_label = by_label[:, [number]].toarray().ravel()
        if not is_label.all():
            svm = _svm(_MULTI_LABEL_PENALTY, seed).fit(double_rows, is_label)
            weights[:, number], intercepts[number] = svm.coef_[0], svm.intercept_[0]
    return weights, intercepts


def _svm(penalty: float, seed: int) -> Any:
    # By default the data would choose the solver, and the primal one has another tolerance.
    return LinearSVC(C=penalty, tol=_TOLERANCE, dual=True, random_state=seed)


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


_FEWEST_LABELS = 2
_NEGLIGIBLE_FRACTION = 0.05
"""Up to this fraction of held-out documents, the final model does not train on them."""
_MULTI_CLASS_PENALTY = 1.0
_MULTI_LABEL_PENALTY = 0.2
"""With several labels per document, annotators agree less, so errors must cost less."""
_TOLERANCE = 0.1
"""The default of liblinear."""
