"""The ways of learning to classify that are compared: the engine's learner, and what people use.

Decides how each peer is set up: as its own documentation would have it. Each runs in a
process of its own and imports only what it needs. Read next: `benchmarks.classification`.
"""

import importlib
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.side_by_side import ENGINE
from comprehend_engine.tasks import MULTI_CLASS, MULTI_LABEL

TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be learned: training and test texts, labels, and whether these are exclusive."""

    texts: Sequence[str]
    labels: Sequence[Sequence[str]]
    test_texts: Sequence[str]
    names: Sequence[str]
    is_exclusive: bool

    def has(self) -> Any:
        """Return which labels the training texts have, of shape (n_texts, n_labels)."""
        place = {name: number for number, name in enumerate(self.names)}
        has = np.zeros((len(self.labels), len(self.names)), bool)
        for row, labels in enumerate(self.labels):
            has[row, [place[label] for label in labels]] = True
        return has


@dataclass(frozen=True, slots=True)
class Answer:
    """Which labels the test texts get, and how likely all are, both (n_texts, n_labels)."""

    given: Any
    scores: Any = None


@dataclass(frozen=True, slots=True)
class Way:
    """One way: what must be installed and imported for it, and what it does."""

    package: str
    imports: Sequence[str]
    run: Callable[[Task], Answer]


def engine(task: Task) -> Answer:
    """Learn as the engine does."""
    classifier = importlib.import_module("comprehend_engine.learning.classifier")
    mode = MULTI_CLASS if task.is_exclusive else MULTI_LABEL
    model = classifier.train_classifier(task.texts, task.labels, mode=mode, seed=0)
    scores = model.scores(task.test_texts)
    return Answer(_best(scores) if task.is_exclusive else scores >= 0.5, scores)  # noqa: PLR2004


def linear_svc(views: dict[str, Any], tuned: bool) -> Callable[[Task], Answer]:
    """Return TF-IDF into LinearSVC, in multi-label mode with a tuned threshold or without."""

    def run(task: Task) -> Answer:
        text = importlib.import_module("sklearn.feature_extraction.text")
        svm = importlib.import_module("sklearn.svm")
        vectorizer = text.TfidfVectorizer(sublinear_tf=True, **views)
        features = vectorizer.fit_transform(task.texts)
        test = vectorizer.transform(task.test_texts)
        if task.is_exclusive:
            fitted = svm.LinearSVC().fit(features, task.has().argmax(axis=1))
            return Answer(np.eye(len(task.names), dtype=bool)[fitted.predict(test)])
        has = task.has()
        multiclass = importlib.import_module("sklearn.multiclass")

        def margins(rows: Any, of: Any) -> Any:
            machine = multiclass.OneVsRestClassifier(svm.LinearSVC())
            return machine.fit(features[rows], has[rows]).decision_function(of)

        everything = np.arange(len(has))
        if not tuned:
            return Answer(margins(everything, test) > 0)
        kept = np.random.default_rng(0).random(len(has)) < 0.8  # noqa: PLR2004 - a fifth held out
        held_out = margins(everything[kept], features[~kept])
        cuts = np.linspace(-1, 0.5, 31)
        best = max(cuts, key=lambda cut: _macro_f1(_with_best(held_out, cut), has[~kept]))
        return Answer(_with_best(margins(everything, test), best))

    return run


def fast_text(task: Task) -> Answer:
    """Learn by fastText, in multi-label mode one label against all with threshold 0.3."""
    library = importlib.import_module("fasttext")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        place = {name: number for number, name in enumerate(task.names)}
        with file.open("w", encoding="utf-8") as lines:
            for text, labels in zip(task.texts, task.labels, strict=True):
                marks = " ".join(f"__label__{place[label]}" for label in labels)
                lines.write(f"{marks} {_tokens(text)}\n")
        loss = "softmax" if task.is_exclusive else "ova"
        model = library.train_supervised(str(file), loss=loss, thread=1, verbose=0, **_FAST_TEXT)
    scores = np.zeros((len(task.test_texts), len(task.names)))
    # Not model.predict: it breaks under today's numpy.
    for row, text in enumerate(task.test_texts):
        for score, mark in model.f.predict(_tokens(text) + "\n", len(task.names), 0.0, "strict"):
            scores[row, int(mark.removeprefix("__label__"))] = score
    if task.is_exclusive:
        return Answer(_best(scores), scores)
    return Answer(scores >= 0.3, np.minimum(scores, 1))  # noqa: PLR2004 - as said above


def vowpal_wabbit(task: Task) -> Answer:
    """Learn by Vowpal Wabbit over words and pairs, one label against all."""
    library = importlib.import_module("vowpalwabbit")
    place = {name: number + task.is_exclusive for number, name in enumerate(task.names)}
    kind = "--oaa" if task.is_exclusive else "--multilabel_oaa"
    with tempfile.TemporaryDirectory() as folder:
        train, test, model, answers = (Path(folder) / name for name in "abmp")
        with train.open("w", encoding="utf-8") as lines:
            for text, labels in zip(task.texts, task.labels, strict=True):
                marks = ",".join(str(place[label]) for label in labels)
                lines.write(f"{marks} |w {_vw_tokens(text)}\n")
        with test.open("w", encoding="utf-8") as lines:
            lines.writelines(f"|w {_vw_tokens(text)}\n" for text in task.test_texts)
        library.Workspace(
            f"{kind} {len(task.names)} -d {train} -c -k --passes 10 --holdout_off "
            f"--ngram 2 -b 22 -f {model} --quiet"
        ).finish()
        library.Workspace(f"-t -d {test} -i {model} -p {answers} --quiet").finish()
        said = answers.read_text().splitlines()
    given = np.zeros((len(task.test_texts), len(task.names)), bool)
    for row, line in enumerate(said):
        for mark in filter(None, line.strip().split(",")):
            given[row, int(mark) - task.is_exclusive] = True
    return Answer(given)


def _tokens(text: str) -> str:
    return " ".join(TOKEN.findall(text.lower()))


def _vw_tokens(text: str) -> str:
    return _tokens(text).replace(":", "").replace("|", "")


def _best(scores: Any) -> Any:
    given = np.zeros(scores.shape, bool)
    given[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return given


def _with_best(scores: Any, cut: float) -> Any:
    return (scores > cut) | _best(scores)


def _macro_f1(given: Any, has: Any) -> float:
    right = 2 * (given & has).sum(axis=0)
    return float((right / np.maximum(1, given.sum(axis=0) + has.sum(axis=0))).mean())


_WORDS = {"ngram_range": (1, 2)}
_CHARACTERS = {"analyzer": "char_wb", "ngram_range": (2, 5)}
_FAST_TEXT = {"lr": 1.0, "epoch": 25, "dim": 50, "wordNgrams": 2, "bucket": 200_000}
_SKLEARN = ("sklearn.feature_extraction.text", "sklearn.svm", "sklearn.multiclass")

WAYS = {
    ENGINE: Way("sklearn", ["comprehend_engine.learning.classifier"], engine),
    "scikit-learn words": Way("sklearn", _SKLEARN, linear_svc(_WORDS, tuned=False)),
    "scikit-learn characters": Way("sklearn", _SKLEARN, linear_svc(_CHARACTERS, tuned=False)),
    "scikit-learn words, tuned": Way("sklearn", _SKLEARN, linear_svc(_WORDS, tuned=True)),
    "fastText": Way("fasttext", ["fasttext"], fast_text),
    "Vowpal Wabbit": Way("vowpalwabbit", ["vowpalwabbit"], vowpal_wabbit),
}
ONLY_MULTI_LABEL = ("scikit-learn words, tuned",)
