"""The entity recognizers that `benchmarks.learners` measures: the engine's, and CRFsuite's.

Decides how CRFsuite is used beside the engine, whose recognizer rests on it too: with the features
and settings of the tutorial of sklearn-crfsuite. Read next: `benchmarks.learners`.
"""

import csv
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.training import ENGINE, Outcome, calibration_error, seconds_of

Span = tuple[int, int, str]
"""First character, the one behind the last, and the type."""

Documents = Sequence[str]
Spans = Sequence[Sequence[Span]]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_OUTSIDE = "O"


class Recognizer(Protocol):
    """One way to recognize entities; making it imports what it needs."""

    def train(self, documents: Documents, mentions: Spans) -> None:
        """Learn."""
        ...

    def predict(self, documents: Documents) -> list[dict[Span, float | None]]:
        """Return the mentions of each document, with their probabilities where there are any."""
        ...


class EngineRecognizer:
    """The engine's own recognizer."""

    def __init__(self) -> None:
        self._library = import_module("comprehend_engine.learning.entities")

    def train(self, documents: Documents, mentions: Spans) -> None:
        """Learn as a flywheel's iteration does."""
        annotated = [[self._library.Mention(*span) for span in spans] for spans in mentions]
        self._model = self._library.train_entities(documents, annotated, seed=0)

    def predict(self, documents: Documents) -> list[dict[Span, float | None]]:
        """Recognize."""
        return [
            {(each.begin, each.end, each.type): each.score for each in found}
            for found in self._model.find(documents)
        ]


class CrfSuite:
    """CRFsuite by L-BFGS.

    Notes
    -----
    *Source*: sklearn-crfsuite, "Tutorial": features and settings, without parts of speech.
    """

    _SETTINGS: Mapping[str, Any] = {
        "c1": 0.1,
        "c2": 0.1,
        "max_iterations": 100,
        "feature.possible_transitions": True,
    }

    def __init__(self) -> None:
        self._library = import_module("pycrfsuite")

    def train(self, documents: Documents, mentions: Spans) -> None:
        """Learn."""
        trainer = self._library.Trainer("lbfgs", self._SETTINGS, verbose=False)
        for document, spans in zip(documents, mentions, strict=True):
            tokens = list(_TOKEN.finditer(document))
            trainer.append(_features([token[0] for token in tokens]), _tags(tokens, spans))
        self._tagger = self._library.Tagger()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "crf"
            trainer.train(str(file))
            # The tagger reads this memory as long as it is asked, and does not own it.
            self._model = file.read_bytes()
        self._tagger.open_inmemory(self._model)

    def predict(self, documents: Documents) -> list[dict[Span, float | None]]:
        """Recognize."""
        return [dict.fromkeys(self._found(list(_TOKEN.finditer(each)))) for each in documents]

    def _found(self, tokens: Sequence[re.Match[str]]) -> Iterator[Span]:
        tags = [*self._tagger.tag(_features([token[0] for token in tokens])), _OUTSIDE]
        begin = 0
        for place, tag in enumerate(tags):
            if tag.startswith("I-") and tag[2:] == tags[begin][2:]:
                continue
            if place and tags[begin] != _OUTSIDE:
                yield tokens[begin].start(), tokens[place - 1].end(), tags[begin][2:]
            begin = place


CRFSUITE = "CRFsuite"
RECOGNIZERS: Mapping[str, tuple[str, Callable[[], Recognizer]]] = {
    ENGINE: ("comprehend_engine", EngineRecognizer),
    CRFSUITE: ("pycrfsuite", CrfSuite),
}
"""Each way by its name, with the module that must be installed."""


def read(folder: Path, step: int = 1) -> tuple[list[str], list[list[Span]]]:
    """Read every `step`-th document, and its mentions."""
    text = (folder / "documents.txt").read_text(encoding="utf-8")
    documents = text.removesuffix("\n").split("\n")
    mentions: list[list[Span]] = [[] for _ in documents]
    with (folder / "annotations.csv").open(newline="", encoding="utf-8") as file:
        for _, line, begin, end, kind in list(csv.reader(file, skipinitialspace=True))[1:]:
            mentions[int(line)].append((int(begin), int(end), kind))
    return documents[::step], mentions[::step]


def measured(name: str, folder: Path, step: int) -> Outcome:
    """Train one way on a set, and find the mentions of its test documents."""
    recognizer = RECOGNIZERS[name][1]()
    documents, mentions = read(folder / "train", step)
    test_documents, expected = read(folder / "test", step)
    wall, cpu = seconds_of(lambda: recognizer.train(documents, mentions))
    predicted = recognizer.predict(test_documents)
    return Outcome(
        micro_f1(expected, predicted), _calibration_error(expected, predicted), wall, cpu
    )


def micro_f1(expected: Spans, predicted: Sequence[Mapping[Span, object]]) -> float:
    """Return F1 of all mentions; one counts where it matches exactly.

    Examples
    --------
    >>> micro_f1([[(0, 4, "CITY")], []], [{(0, 4, "CITY"): 0.9}, {(2, 3, "CITY"): 0.1}])
    0.6666666666666666
    """
    pairs = list(zip(expected, predicted, strict=True))
    right = sum(len(set(spans) & set(found)) for spans, found in pairs)
    return 2 * right / max(1, sum(len(set(spans)) + len(found) for spans, found in pairs))


def _calibration_error(
    expected: Spans, predicted: Sequence[Mapping[Span, float | None]]
) -> float | None:
    """Of the mentions that were found; None where they have no probabilities."""
    scored = [
        (score, span in spans)
        for spans, found in zip(expected, predicted, strict=True)
        for span, score in found.items()
        if score is not None
    ]
    if not scored:
        return None
    scores, is_right = zip(*scored, strict=True)
    return calibration_error(np.array(scores), np.array(is_right))


def _features(words: Sequence[str]) -> list[dict[str, Any]]:
    return [_of_word(words, place) for place in range(len(words))]


def _of_word(words: Sequence[str], place: int) -> dict[str, Any]:
    word = words[place]
    features: dict[str, Any] = {
        "bias": 1.0,
        "word[-3:]": word[-3:],
        "word[-2:]": word[-2:],
        "word.isdigit()": word.isdigit(),
        **_of_neighbour("", word),
    }
    if place:
        features |= _of_neighbour("-1:", words[place - 1])
    else:
        features["BOS"] = True
    if place + 1 < len(words):
        features |= _of_neighbour("+1:", words[place + 1])
    else:
        features["EOS"] = True
    return features


def _of_neighbour(step: str, word: str) -> dict[str, Any]:
    return {
        f"{step}word.lower()": word.lower(),
        f"{step}word.istitle()": word.istitle(),
        f"{step}word.isupper()": word.isupper(),
    }


def _tags(tokens: Sequence[re.Match[str]], spans: Sequence[Span]) -> list[str]:
    tags = [_OUTSIDE] * len(tokens)
    for begin, end, kind in spans:
        prefix = "B-"
        for place, token in enumerate(tokens):
            if token.start() < end and token.end() > begin:
                tags[place] = prefix + kind
                prefix = "I-"
    return tags
