"""The ways to learn entities that `benchmarks.entities` measures: the engine's, and its peers'.

Decides how each peer is used: CRFsuite as its documentation's example does it (the word, its
beginnings and ends, its shape, two words to either side, pairs), spaCy from a blank pipeline. Each
is imported only when it is measured. Read next: `benchmarks.entities`.
"""

import importlib
import random
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import ENGINE

Documents = list[str]
Spans = list[list[tuple[int, int, str]]]
Learner = Callable[[Documents, Spans, Documents], Spans]

WAYS = {
    ENGINE: "local",
    "CRFsuite averaged perceptron, 15": "pycrfsuite",
    "CRFsuite l2sgd, 20": "pycrfsuite",
    "CRFsuite L-BFGS, 50": "pycrfsuite",
    "CRFsuite L-BFGS, 100": "pycrfsuite",
    "spaCy blank, 3 epochs": "spacy",
}
"""Every way, and the module it needs."""

_ALGORITHMS = {"averaged": "averaged-perceptron", "l2sgd,": "l2sgd", "L-BFGS,": "lbfgs"}
_BATCH = 16
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SHAPE = ((re.compile("[A-Z]"), "X"), (re.compile("[a-z]"), "x"), (re.compile(r"\d"), "d"))


def learner(way: str) -> Learner:
    """Import what a way needs, and return it."""
    package, _, rest = way.partition(" ")
    number = int("".join(sign for sign in rest if sign.isdigit()) or 0)
    if way == ENGINE:
        return _engine(importlib.import_module("comprehend_engine.learning.entities"))
    if package == "CRFsuite":
        algorithm = _ALGORITHMS[rest.split(" ")[0]]
        return _crfsuite(importlib.import_module("pycrfsuite"), algorithm, number)
    return _spacy(importlib.import_module("spacy"), number)


def _engine(entities: Any) -> Learner:
    def learn(documents: Documents, mentions: Spans, test: Documents) -> Spans:
        known = [[entities.Mention(*span) for span in spans] for spans in mentions]
        model = entities.train_entities(documents, known, seed=0)
        return [[(each.begin, each.end, each.type) for each in found] for found in model.find(test)]

    return learn


def _crfsuite(pycrfsuite: Any, algorithm: str, iterations: int) -> Learner:
    def learn(documents: Documents, mentions: Spans, test: Documents) -> Spans:
        trainer = pycrfsuite.Trainer(algorithm, {"max_iterations": iterations}, verbose=False)
        for document, spans in zip(documents, mentions, strict=True):
            tokens = list(_TOKEN.finditer(document))
            if tokens:
                trainer.append(_features([token[0] for token in tokens]), _tags(tokens, spans))
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "model")
            trainer.train(file)
            tagger = pycrfsuite.Tagger()
            tagger.open(file)
            return [_mentions(tagger, list(_TOKEN.finditer(document))) for document in test]

    return learn


def _features(words: list[str]) -> list[list[str]]:
    low = [word.lower() for word in words]
    shapes = list(map(_shape, words))
    features = []
    for place, word in enumerate(words):
        plain = low[place]
        names = ["bias", f"word={word}", f"low={plain}", f"shape={shapes[place]}"]
        for size in (2, 3, 4):
            names += (f"begin={plain[:size]}", f"end={plain[-size:]}")
        for step in (-2, -1, 1, 2):
            if 0 <= place + step < len(words):
                names += (f"{step}:low={low[place + step]}", f"{step}:shape={shapes[place + step]}")
            else:
                names.append(f"{step}:none")
        if place:
            names.append(f"-1+0={low[place - 1]}|{plain}")
        if place + 1 < len(words):
            names.append(f"0+1={plain}|{low[place + 1]}")
        features.append(names)
    return features


def _shape(word: str) -> str:
    for pattern, sign in _SHAPE:
        word = pattern.sub(sign, word)
    return word


def _tags(tokens: list[re.Match[str]], spans: list[tuple[int, int, str]]) -> list[str]:
    tags = ["O"] * len(tokens)
    for begin, end, entity_type in spans:
        prefix = "B-"
        for place, token in enumerate(tokens):
            if token.start() < end and token.end() > begin:
                tags[place] = prefix + entity_type
                prefix = "I-"
    return tags


def _mentions(tagger: Any, tokens: list[re.Match[str]]) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    tags = tagger.tag(_features([token[0] for token in tokens])) if tokens else []
    for before, (tag, token) in zip(["O", *tags], zip(tags, tokens, strict=True), strict=False):
        if tag == "O":
            continue
        if tag.startswith("B-") or before[2:] != tag[2:]:
            found.append((token.start(), token.end(), tag[2:]))
        else:
            found[-1] = (found[-1][0], token.end(), tag[2:])
    return found


def _spacy(spacy: Any, epochs: int) -> Learner:
    def learn(documents: Documents, mentions: Spans, test: Documents) -> Spans:
        spacy.util.fix_random_seed(0)
        pipeline = spacy.blank("xx")
        recognizer = pipeline.add_pipe("ner")
        for entity_type in sorted({span[2] for spans in mentions for span in spans}):
            recognizer.add_label(entity_type)
        examples = [
            spacy.training.Example.from_dict(pipeline.make_doc(document), {"entities": spans})
            for document, spans in zip(documents, map(_apart, mentions), strict=True)
        ]
        optimizer = pipeline.initialize(lambda: examples)
        chance = random.Random(0)
        for _ in range(epochs):
            chance.shuffle(examples)
            for begin in range(0, len(examples), _BATCH):
                batch = examples[begin : begin + _BATCH]
                pipeline.update(batch, sgd=optimizer, drop=0.2)
        return [
            [(each.start_char, each.end_char, each.label_) for each in document.ents]
            for document in pipeline.pipe(test)
        ]

    return learn


def _apart(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Leave out mentions that overlap an earlier one, which spaCy refuses."""
    kept: list[tuple[int, int, str]] = []
    for span in sorted(spans):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept
