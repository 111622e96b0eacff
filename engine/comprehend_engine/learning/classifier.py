"""The classifier: how it learns, how it answers.

Decides how the parts go together and what is refused. One configuration for all data; what differs
between data is decided by the data. Imported by the training process alone, because what it
imports takes long. Knows neither flywheels nor S3. Read next:
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
from comprehend_engine.learning.calibration import DECISION, MarginCalibration, calibrate
from comprehend_engine.learning.model_files import ModelParts
from comprehend_engine.learning.text_features import TextFeatures, fit_features
from comprehend_engine.tasks import MULTI_CLASS

MAX_WEIGHTS = 50_000_000
"""Bound of labels x features, which is what owns the memory: 8 bytes each while learning."""

HELD_OUT_DIVISOR, MAX_HELD_OUT = 5, 10_000
"""One document in so many calibrates the scores, and at most so many documents."""


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """A trained model.

    Parameters
    ----------
    labels : tuple of str
        Sorted; the columns of the scores.
    features : TextFeatures
        What it sees of a text.
    weights : array of shape (n_features, n_labels)
    intercepts : array of shape (n_labels,)
        Which side of the plane of each label a text is on, and how far.
    calibration : Calibration
        What that means as a probability.
    """

    labels: tuple[str, ...]
    features: TextFeatures
    weights: npt.NDArray[np.float32]
    intercepts: npt.NDArray[np.float32]
    calibration: MarginCalibration

    def scores(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return how likely each label is for each text, of shape (n_texts, n_labels).

        In multi-class mode the scores of a text sum to 1; in multi-label mode each stands alone,
        and a label is given from 0.5 on (`MarginCalibration` says what that makes of scores).
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
            for row in scores >= DECISION
        ]

    def to_parts(self) -> ModelParts:
        """Return what a file holds of the model."""
        seen, calibration = self.features, self.calibration
        described = {
            "labels": self.labels,
            "words": seen.words,
            "trigrams": seen.trigrams,
            "scale": calibration.scale,
            "shift": calibration.shift,
        }
        arrays: dict[str, npt.NDArray[Any]] = {
            "rarity": seen.rarity,
            "weights": self.weights,
            "intercepts": self.intercepts,
        }
        if calibration.thresholds is not None:
            arrays["thresholds"] = calibration.thresholds
        return ModelParts(described, arrays)

    @classmethod
    def from_parts(cls, parts: ModelParts) -> "TextClassifier":
        """Return the model that a file holds."""
        described, arrays = parts.description, parts.arrays
        return cls(
            tuple(described["labels"]),
            TextFeatures(described["words"], described["trigrams"], arrays["rarity"]),
            arrays["weights"],
            arrays["intercepts"],
            MarginCalibration(described["scale"], described["shift"], arrays.get("thresholds")),
        )


def train_classifier(
    texts: Sequence[str], labels: Sequence[Sequence[str]], *, mode: str, seed: int
) -> TextClassifier:
    """Learn from documents.

    Parameters
    ----------
    texts : sequence of str
        Training documents.
    labels : sequence of sequences of str
        The labels of each; exactly one in multi-class mode.
    mode : {"MULTI_CLASS", "MULTI_LABEL"}
        Whether labels exclude each other.
    seed : int
        Same data and seed, same model, byte for byte on the same kind of machine.

    Raises
    ------
    IterationFailedError
        There are not two labels to tell apart, or no text has a word; more data is needed.
    """
    names = tuple(sorted({label for each in labels for label in each}))
    if len(names) < _FEWEST_LABELS:
        message = (
            f"The training data has documents of these labels: {list(names)}; "
            f"at least {_FEWEST_LABELS} labels are needed."
        )
        raise IterationFailedError(message)
    if not any(_has_word(text) for text in texts):
        message = "The training documents hold no words to learn from."
        raise IterationFailedError(message)
    is_exclusive = mode == MULTI_CLASS
    features, rows = fit_features(texts, most=MAX_WEIGHTS // len(names))
    has = _label_matrix(labels, names)
    held_out = _held_out(has, seed)
    rest = np.setdiff1d(np.arange(len(texts)), held_out)
    weights, intercepts = _fit(rows[rest], has[rest], is_exclusive, seed)
    margins = rows[held_out] @ weights + intercepts
    calibration = calibrate(margins, has[held_out].toarray(), is_exclusive=is_exclusive)
    if len(held_out) > _TOO_FEW_TO_MATTER * len(texts):
        weights, intercepts = _fit(rows, has, is_exclusive, seed)
    return TextClassifier(names, features, weights, intercepts, calibration)


def _label_matrix(labels: Sequence[Sequence[str]], names: Sequence[str]) -> Any:
    column = {name: number for number, name in enumerate(names)}
    beginnings = np.cumsum([0, *map(len, labels)])
    columns = [column[label] for each in labels for label in each]
    entries = np.ones(len(columns), np.bool_)
    return sparse.csr_matrix((entries, columns, beginnings), (len(labels), len(names)))


def _held_out(has: Any, seed: int) -> npt.NDArray[np.int64]:
    """Draw documents that calibrate; the first of each label stays to learn from."""
    order = np.random.default_rng(seed).permutation(has.shape[0])
    by_label = has[order].tocsc()
    may = np.ones(len(order), np.bool_)
    may[by_label.indices[by_label.indptr[:-1]]] = False
    return order[may][: min(len(order) // HELD_OUT_DIVISOR, MAX_HELD_OUT)]


def _fit(
    rows: Any, has: Any, is_exclusive: bool, seed: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the weights and intercepts of one linear machine per label."""
    if is_exclusive:
        machine = _machine(_PENALTY, seed).fit(rows, has.indices)
        weights, intercepts = machine.coef_, machine.intercept_
        if len(weights) == 1:
            weights, intercepts = np.vstack([-weights, weights]), np.array([-1, 1]) * intercepts
        return weights.T.astype(np.float32, order="C"), intercepts.astype(np.float32)
    wide, by_label = rows.astype(np.float64), has.tocsc()
    weights = np.zeros((rows.shape[1], has.shape[1]), np.float32)
    intercepts = np.ones(has.shape[1], np.float32)
    for number in range(has.shape[1]):
        is_label = by_label[:, [number]].toarray().ravel()
        if not is_label.all():
            machine = _machine(_PENALTY_OF_MANY, seed).fit(wide, is_label)
            weights[:, number], intercepts[number] = machine.coef_[0], machine.intercept_[0]
    return weights, intercepts


def _machine(penalty: float, seed: int) -> Any:
    # The tolerance means something else to the primal solver, which the data would choose.
    return LinearSVC(C=penalty, tol=_TOLERANCE, dual=True, random_state=seed)


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


_FEWEST_LABELS = 2
_TOO_FEW_TO_MATTER = 0.05
"""The share of documents held out up to which they are not learned from afterwards."""
_PENALTY = 1.0
_PENALTY_OF_MANY = 0.2
"""Where documents have several labels, people agree less about each: errors must cost less."""
_TOLERANCE = 0.1
"""What liblinear itself stops at."""
