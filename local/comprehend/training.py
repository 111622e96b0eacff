"""The classifier: how it learns, how it is kept, how it answers.

Decides the learner: TF-IDF over words and pairs of words, and over character sequences inside
words, into a linear support vector machine. One configuration for all data. Imported by the
training process alone, because importing scikit-learn takes longer than training on small data.
Knows neither flywheels nor S3. Read next: `local.comprehend.training_process`.
"""

import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from local.comprehend.documents import labeled_documents
from local.comprehend.errors import IterationFailedError
from local.comprehend.hold_out import is_held_out

MAX_WEIGHTS = 50_000_000
"""Bound of labels x features, which is what owns the memory: 8 bytes each while fitting."""

OPENING_CHARACTERS = 300
"""How much of a document the character sequences see: they help short texts and cost on long."""


@dataclass(frozen=True, slots=True)
class LabeledTexts:
    """Documents and their labels, of shape (n_documents,) each."""

    texts: Sequence[str]
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """A trained model: two views of the text, one linear decision between numbered labels."""

    labels: tuple[str, ...]
    words: TfidfVectorizer
    characters: TfidfVectorizer
    decision: LinearSVC

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Return the label of each text."""
        features = sparse.hstack(
            [self.words.transform(texts), self.characters.transform(_openings(texts))], format="csr"
        )
        return [self.labels[index] for index in self.decision.predict(features)]


def read_texts(files: Sequence[Path], *, side: str = "both") -> LabeledTexts:
    """Read files of the data lake.

    Parameters
    ----------
    files : sequence of Path
        CSV files, label and text.
    side : {"both", "train", "held out"}
        All documents, or one side of the hold-out.
    """
    chosen = [
        (label, text)
        for label, text in _rows(files)
        if side == "both" or is_held_out(text) == (side == "held out")
    ]
    return LabeledTexts([text for _, text in chosen], [label for label, _ in chosen])


def train(data: LabeledTexts, *, seed: int) -> TextClassifier:
    """Learn from documents.

    Parameters
    ----------
    data : LabeledTexts
        Training documents.
    seed : int
        Same data and seed, same model.

    Raises
    ------
    IterationFailedError
        There are not two labels to tell apart, or no text has a word; more data is needed.
    """
    found = sorted(set(data.labels))
    if len(found) < _FEWEST_LABELS:
        message = (
            f"The training data has documents of {len(found)} label(s) {found}; "
            f"at least {_FEWEST_LABELS} labels are needed."
        )
        raise IterationFailedError(message)
    words, characters = _views(len(found))
    try:
        features = sparse.hstack(
            [words.fit_transform(data.texts), characters.fit_transform(_openings(data.texts))],
            format="csr",
        )
    except ValueError as error:
        message = f"The training documents hold no words to learn from: {error}"
        raise IterationFailedError(message) from error
    place = {label: index for index, label in enumerate(found)}
    decision = LinearSVC(C=1.0, tol=0.1, random_state=seed)
    decision.fit(features, [place[label] for label in data.labels])
    # Halves the file and the memory of every later evaluation.
    decision.coef_ = decision.coef_.astype(np.float32)
    return TextClassifier(tuple(found), words, characters, decision)


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


def confusion_counts(model: TextClassifier, data: LabeledTexts) -> list[tuple[str, str, int]]:
    """Return (actual, predicted, documents) for every pair that occurs, sorted."""
    if not data.texts:
        return []
    pairs = Counter(zip(data.labels, model.predict(data.texts), strict=True))
    return sorted((actual, predicted, count) for (actual, predicted), count in pairs.items())


def save(model: TextClassifier, file: Path) -> None:
    """Keep a model; the file is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    # Not joblib: its pickler is Python code and takes ten times as long over a vocabulary.
    draft.write_bytes(pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL))
    draft.replace(file)


def load(file: Path) -> TextClassifier:
    """Return a kept model.

    Raises
    ------
    IterationFailedError
        The file is not there; whoever removed it restores it, or another model is made active.
    """
    if not file.exists():
        message = f"The model file {file.name} is missing from the engine's data directory."
        raise IterationFailedError(message)
    model: TextClassifier = pickle.loads(file.read_bytes())
    return model


def _rows(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for file in files:
        yield from labeled_documents(file.read_bytes(), file.name)


def _openings(texts: Sequence[str]) -> list[str]:
    return [text[:OPENING_CHARACTERS] for text in texts]


_FEWEST_LABELS = 2
