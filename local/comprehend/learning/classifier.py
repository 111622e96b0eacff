"""The classifier: how it learns, how it is kept, how it answers.

Decides the learner: TF-IDF over words and pairs of words, and over character sequences inside
words, into linear support vector machines. One configuration for all data. Imported by the
training process alone, because importing scikit-learn takes longer than training on small data.
Knows neither flywheels nor S3. Read next: `local.comprehend.training`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from local.comprehend.errors import IterationFailedError
from local.comprehend.tasks import MULTI_CLASS

MAX_WEIGHTS = 50_000_000
"""Bound of labels x features, which is what owns the memory: 8 bytes each while fitting."""

OPENING_CHARACTERS = 300
"""How much of a document the character sequences see: they help short texts and cost on long."""

_FEWEST_LABELS = 2


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """A trained model: two views of the text, a linear decision for each label.

    Parameters
    ----------
    labels : tuple of str, of shape (n_labels,)
        The labels it can give.
    mode : str
        MULTI_CLASS or MULTI_LABEL.
    words, characters : TfidfVectorizer
        The views.
    decisions : sequence of LinearSVC
        One between all labels, or one a label.
    """

    labels: tuple[str, ...]
    mode: str
    words: TfidfVectorizer
    characters: TfidfVectorizer
    decisions: Sequence[LinearSVC]

    def scores(self, texts: Sequence[str]) -> Any:
        """Return how much each label fits, as an array of shape (n_texts, n_labels)."""
        features = sparse.hstack(
            [self.words.transform(texts), self.characters.transform(_openings(texts))], format="csr"
        )
        values = [decision.decision_function(features) for decision in self.decisions]
        if self.mode != MULTI_CLASS:
            return np.column_stack(values)
        (margins,) = values
        return np.column_stack([-margins, margins]) if margins.ndim == 1 else margins

    def predict(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the labels of each text: one, or, with several, at least the best."""
        scores = self.scores(texts)
        best = scores.argmax(axis=1)
        if self.mode == MULTI_CLASS:
            return [(self.labels[index],) for index in best]
        return [
            tuple(
                label
                for index, label in enumerate(self.labels)
                if row[index] > 0 or index == at_best
            )
            for row, at_best in zip(scores, best, strict=True)
        ]


def train_classifier(
    texts: Sequence[str], labels: Sequence[Sequence[str]], *, mode: str, seed: int
) -> TextClassifier:
    """Learn from documents.

    Parameters
    ----------
    texts : sequence of str, of shape (n_documents,)
        Documents.
    labels : sequence of sequence of str, of shape (n_documents,)
        The labels of each; one each where the mode is MULTI_CLASS.
    mode : str
        MULTI_CLASS or MULTI_LABEL.
    seed : int
        Same data and seed, same model.

    Raises
    ------
    IterationFailedError
        There are not two labels to tell apart, or no text has a word; more data is needed.
    """
    found = sorted({label for chosen in labels for label in chosen})
    if len(found) < _FEWEST_LABELS:
        message = (
            f"The training data has documents of {len(found)} label(s) {found}; "
            f"at least {_FEWEST_LABELS} labels are needed."
        )
        raise IterationFailedError(message)
    words, characters = _views(len(found))
    try:
        features = sparse.hstack(
            [words.fit_transform(texts), characters.fit_transform(_openings(texts))],
            format="csr",
        )
    except ValueError as error:
        message = f"The training documents hold no words to learn from: {error}"
        raise IterationFailedError(message) from error
    place = {label: index for index, label in enumerate(found)}
    if mode == MULTI_CLASS:
        targets = [[place[label] for (label,) in labels]]
    else:
        targets = [[label in chosen for chosen in labels] for label in found]
    decisions = [_decision(features, target, seed) for target in targets]
    return TextClassifier(tuple(found), mode, words, characters, decisions)


def _decision(features: Any, target: Sequence[int], seed: int) -> LinearSVC:
    if all(target):
        # A label that every document has: nothing tells it apart.
        target = [*target[:-1], 0]
    decision = LinearSVC(C=1.0, tol=0.1, random_state=seed)
    decision.fit(features, target)
    # Halves the file and the memory of every later evaluation.
    decision.coef_ = decision.coef_.astype(np.float32)
    return decision


def _views(labels: int) -> tuple[TfidfVectorizer, TfidfVectorizer]:
    """Make the two views of a text, small enough for a number of labels."""
    most_features = max(1, MAX_WEIGHTS // (2 * labels))
    words = TfidfVectorizer(
        sublinear_tf=True,
        ngram_range=(1, 2),
        token_pattern=r"(?u)\b\w+\b",
        max_features=most_features,
        dtype=np.float32,
    )
    characters = TfidfVectorizer(
        sublinear_tf=True,
        analyzer="char_wb",
        ngram_range=(2, 4),
        max_features=most_features,
        dtype=np.float32,
    )
    return words, characters


def _openings(texts: Sequence[str]) -> list[str]:
    return [text[:OPENING_CHARACTERS] for text in texts]
