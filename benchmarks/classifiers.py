"""The classifiers that `benchmarks.learners` measures: the engine's, and those of libraries.

Decides how each library is used: as its own documentation would have it, in one configuration for
all sets. Imports only the library that is measured. Read next: `benchmarks.recognizers`, which does
the same for entities.
"""

import csv
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.training import ENGINE, Outcome, calibration_error, seconds_of
from comprehend_engine.tasks import MULTI_CLASS, MULTI_LABEL

Flags = npt.NDArray[np.bool_]

_DELIMITER = "|"
_TOKEN = re.compile(r"\w+|[^\w\s]")
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class LabeledTexts:
    """Texts and their labels.

    Parameters
    ----------
    texts : sequence of str
    has : array of shape (n_texts, n_labels)
        Which labels each text has.
    is_exclusive : bool
        Whether each text has exactly one label.
    """

    texts: Sequence[str]
    has: Flags
    is_exclusive: bool

    def labels(self) -> list[list[int]]:
        """Return the numbers of the labels of each text."""
        return [np.flatnonzero(row).tolist() for row in self.has]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The labels that texts get, and their probabilities, both of shape (n_texts, n_labels)."""

    given: Flags
    probabilities: npt.NDArray[np.float64] | None = None


class Classifier(Protocol):
    """One way to classify; making it imports what it needs."""

    def train(self, data: LabeledTexts) -> None:
        """Learn."""
        ...

    def predict(self, texts: Sequence[str]) -> Prediction:
        """Classify."""
        ...


class EngineClassifier:
    """The engine's own classifier."""

    def __init__(self) -> None:
        self._library = import_module("comprehend_engine.learning.classifier")

    def train(self, data: LabeledTexts) -> None:
        """Learn as a flywheel's iteration does."""
        # Columns of probabilities are sorted labels: names of one width keep the numbers' order.
        labels = [[f"{number:04}" for number in each] for each in data.labels()]
        mode = MULTI_CLASS if data.is_exclusive else MULTI_LABEL
        self._is_exclusive = data.is_exclusive
        self._model = self._library.train_classifier(data.texts, labels, mode=mode, seed=0)

    def predict(self, texts: Sequence[str]) -> Prediction:
        """Classify."""
        scores = self._model.scores(texts)
        return Prediction(_best(scores) if self._is_exclusive else scores >= _HALF, scores)


class LinearSvc:
    """TF-IDF and LinearSVC of scikit-learn.

    With several labels per text, one threshold for all labels is chosen on a fifth of the texts.

    Parameters
    ----------
    views : Any
        Options of TfidfVectorizer.
    """

    def __init__(self, **views: Any) -> None:
        text = import_module("sklearn.feature_extraction.text")
        self._svc = import_module("sklearn.svm").LinearSVC
        self._one_vs_rest = import_module("sklearn.multiclass").OneVsRestClassifier
        self._vectorizer = text.TfidfVectorizer(sublinear_tf=True, **views)

    def train(self, data: LabeledTexts) -> None:
        """Learn."""
        features = self._vectorizer.fit_transform(data.texts)
        self._n_labels, self._threshold = data.has.shape[1], 0.0
        if data.is_exclusive:
            self._predict = self._svc().fit(features, data.has.argmax(axis=1)).predict
            return
        is_learned = np.random.default_rng(0).random(len(data.texts)) > 1 / 5
        fitted = self._one_vs_rest(self._svc()).fit(features[is_learned], data.has[is_learned])
        margins, has = fitted.decision_function(features[~is_learned]), data.has[~is_learned]
        thresholds = np.linspace(-1, 0.5, 31)
        self._threshold = max(thresholds, key=lambda each: macro_f1(_above(margins, each), has))
        self._predict = self._one_vs_rest(self._svc()).fit(features, data.has).decision_function

    def predict(self, texts: Sequence[str]) -> Prediction:
        """Classify."""
        predicted = self._predict(self._vectorizer.transform(texts))
        if predicted.ndim == 1:
            return Prediction(np.eye(self._n_labels, dtype=bool)[predicted])
        return Prediction(_above(predicted, self._threshold))


class FastText:
    """fastText; with several labels per text one label against all, from 0.3 on."""

    _OPTIONS: Mapping[str, Any] = {"lr": 1.0, "epoch": 25, "wordNgrams": 2, "bucket": 200_000}
    _THRESHOLD = 0.3
    _PREFIX = "__label__"

    def __init__(self) -> None:
        self._library = import_module("fasttext")

    def train(self, data: LabeledTexts) -> None:
        """Learn."""
        self._is_exclusive, self._n_labels = data.is_exclusive, data.has.shape[1]
        loss = "softmax" if data.is_exclusive else "ova"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "train.txt"
            with file.open("w", encoding="utf-8") as lines:
                for text, labels in zip(data.texts, data.labels(), strict=True):
                    marks = " ".join(f"{self._PREFIX}{number}" for number in labels)
                    lines.write(f"{marks} {_tokens(text)}\n")
            self._model = self._library.train_supervised(
                str(file), loss=loss, dim=50, thread=1, verbose=0, **self._OPTIONS
            )

    def predict(self, texts: Sequence[str]) -> Prediction:
        """Classify."""
        scores = np.zeros((len(texts), self._n_labels))
        answers = self._model.predict([_tokens(text) for text in texts], k=-1)
        for row, (labels, probabilities) in enumerate(zip(*answers, strict=True)):
            numbers = [int(label.removeprefix(self._PREFIX)) for label in labels]
            scores[row, numbers] = probabilities
        return Prediction(_best(scores) if self._is_exclusive else scores >= self._THRESHOLD)


class VowpalWabbit:
    """Vowpal Wabbit over words and pairs of words, one label against all."""

    _OPTIONS = "-c -k --passes 10 --holdout_off --ngram 2 -b 22 --quiet"

    def __init__(self) -> None:
        self._library = import_module("vowpalwabbit")

    def train(self, data: LabeledTexts) -> None:
        """Learn."""
        self._n_labels = data.has.shape[1]
        # The labels of --oaa begin at 1, those of --multilabel_oaa at 0.
        self._first = int(data.is_exclusive)
        kind = "--oaa" if data.is_exclusive else "--multilabel_oaa"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "train.txt"
            with file.open("w", encoding="utf-8") as lines:
                for text, labels in zip(data.texts, data.labels(), strict=True):
                    marks = ",".join(str(number + self._first) for number in labels)
                    lines.write(f"{marks} {self._example(text)}\n")
            options = f"{kind} {self._n_labels} -d {file} {self._OPTIONS}"
            self._workspace = self._library.Workspace(options)

    def predict(self, texts: Sequence[str]) -> Prediction:
        """Classify."""
        given = np.zeros((len(texts), self._n_labels), bool)
        for row, text in enumerate(texts):
            labels = np.atleast_1d(self._workspace.predict(self._example(text)))
            given[row, labels.astype(int) - self._first] = True
        return Prediction(given)

    def _example(self, text: str) -> str:
        return f"|w {_tokens(text).replace(':', '').replace('|', '')}"


SCIKIT_LEARN = "scikit-learn"
CLASSIFIERS: Mapping[str, tuple[str, Callable[[], Classifier]]] = {
    ENGINE: ("comprehend_engine", EngineClassifier),
    f"{SCIKIT_LEARN}, words": ("sklearn", partial(LinearSvc, ngram_range=(1, 2))),
    f"{SCIKIT_LEARN}, characters": (
        "sklearn",
        partial(LinearSvc, analyzer="char_wb", ngram_range=(2, 5)),
    ),
    "fastText": ("fasttext", FastText),
    "Vowpal Wabbit": ("vowpalwabbit", VowpalWabbit),
}
"""Each way by its name, with the module that must be installed."""


def read(folder: Path, step: int = 1) -> tuple[LabeledTexts, LabeledTexts]:
    """Return what is learned, and what is predicted: every `step`-th row."""
    train, test = (_rows(folder / f"{part}.csv")[::step] for part in ("train", "test"))
    # A label that no training text has cannot be learned by any of them.
    names = sorted({label for labels, _ in train for label in labels})
    is_exclusive = all(len(labels) == 1 for labels, _ in train)
    return (
        LabeledTexts([text for _, text in train], _matrix(train, names), is_exclusive),
        LabeledTexts([text for _, text in test], _matrix(test, names), is_exclusive),
    )


def measured(name: str, folder: Path, step: int) -> Outcome:
    """Train one way on a set, and predict its test texts."""
    classifier = CLASSIFIERS[name][1]()
    train, test = read(folder, step)
    wall, cpu = seconds_of(lambda: classifier.train(train))
    prediction = classifier.predict(test.texts)
    f1 = macro_f1(prediction.given, test.has)
    return Outcome(f1, _calibration_error(prediction.probabilities, test), wall, cpu)


def macro_f1(given: Flags, has: Flags) -> float:
    """Return the mean F1 of the labels that occur.

    Examples
    --------
    >>> macro_f1(np.array([[True, False], [True, False]]), np.array([[True, False], [False, True]]))
    0.3333333333333333
    """
    right = 2 * (given & has).sum(axis=0)
    both = given.sum(axis=0) + has.sum(axis=0)
    return float((right / np.maximum(1, both))[has.any(axis=0)].mean())


def _calibration_error(probabilities: Any, test: LabeledTexts) -> float | None:
    """Of the likeliest label where labels exclude each other, else of each label of each text."""
    if probabilities is None:
        return None
    if not test.is_exclusive:
        return calibration_error(probabilities.ravel(), test.has.ravel())
    likeliest = _best(probabilities)
    return calibration_error(probabilities[likeliest], test.has[likeliest])


def _rows(file: Path) -> list[tuple[list[str], str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return [(label.split(_DELIMITER), text) for label, text in csv.reader(lines)]


def _matrix(rows: Sequence[tuple[list[str], str]], names: Sequence[str]) -> Flags:
    column = {name: number for number, name in enumerate(names)}
    has = np.zeros((len(rows), len(names)), bool)
    for row, (labels, _) in enumerate(rows):
        has[row, [column[label] for label in labels if label in column]] = True
    return has


def _tokens(text: str) -> str:
    return " ".join(_TOKEN.findall(text.lower()))


def _best(scores: Any) -> Flags:
    best = np.zeros(scores.shape, bool)
    best[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return best


def _above(margins: Any, threshold: float) -> Flags:
    above = _best(margins)
    above[margins > threshold] = True
    return above
