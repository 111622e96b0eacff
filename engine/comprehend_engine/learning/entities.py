"""The entity recognizer: how it learns, how it answers.

A conditional random field over the tags of tokens (CRFsuite, L-BFGS), and a calibration of its
scores on documents that it had not seen. One configuration for all data and languages. Imported by
the training process alone. Knows neither flywheels nor S3. Read next:
`comprehend_engine.learning.entity_tokens` and `entity_features`.
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pycrfsuite
from sklearn.linear_model import LogisticRegression

from comprehend_engine.errors import IterationFailedError
from comprehend_engine.learning.entity_features import features_of
from comprehend_engine.learning.entity_tokens import (
    OUTSIDE,
    Mention,
    Token,
    chains_of,
    spans_of,
    tags_of,
    tokens_of,
)
from comprehend_engine.learning.model_files import ModelParts

__all__ = ["EntityModel", "Mention", "train_entities"]

_SETTINGS = {"c1": 0.1, "c2": 0.01, "max_iterations": 60, "feature.possible_transitions": True}
_PARTS = 5
"""One part of so many calibrates the scores, by a field that learns from the others."""

_FEW_DOCUMENTS = 200
"""Up to how many documents every part does, in turns: one part of so few says too little."""

_BLOCKS = 25
_LEAST_SLOPE = 0.05
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class MentionCalibration:
    """How probable a mention is: ``logit(p') = shift + slope * logit(p)``."""

    shift: float = 0.0
    slope: float = 1.0

    def correct(self, probability: float) -> float:
        """Return the corrected probability, between 0 and 1; the order of any two stays.

        Examples
        --------
        >>> Calibration().correct(0.25), Calibration(shift=-1.0).correct(0.5) < 0.5
        (0.25, True)
        """
        return 1 / (1 + math.exp(-self.shift - self.slope * _logit(probability)))


@dataclass(frozen=True, slots=True)
class EntityModel:
    """A trained recognizer.

    Attributes
    ----------
    types : tuple of str
        The entity types it knows, sorted.
    crf : bytes
        The field, in CRFsuite's own form.
    calibration : Calibration
    """

    types: tuple[str, ...]
    crf: bytes
    calibration: MentionCalibration
    _tagger: pycrfsuite.Tagger = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the field."""
        tagger = pycrfsuite.Tagger()
        tagger.open_inmemory(self.crf)
        object.__setattr__(self, "_tagger", tagger)

    def find(self, documents: Sequence[str]) -> list[list[Mention]]:
        """Find mentions; what is found in one document does not depend on the others.

        Returns
        -------
        list of list of Mention
            Of each document, in order and not overlapping.
        """
        return [
            [
                Mention(found.begin, found.end, found.type, self.calibration.correct(found.score))
                for found in _found(self._tagger, document)
            ]
            for document in documents
        ]

    def to_parts(self) -> ModelParts:
        """Return what a file holds of the model."""
        calibration = [self.calibration.shift, self.calibration.slope]
        description = {"types": self.types, "calibration": calibration}
        return ModelParts(description, {"crf": np.frombuffer(self.crf, np.uint8)})

    @classmethod
    def from_parts(cls, parts: ModelParts) -> "EntityModel":
        """Return the model that a file holds."""
        described = parts.description
        calibration = MentionCalibration(*described["calibration"])
        return cls(tuple(described["types"]), parts.arrays["crf"].tobytes(), calibration)


def train_entities(
    documents: Sequence[str], mentions: Sequence[Sequence[Mention]], *, seed: int
) -> EntityModel:
    """Learn from documents and the mentions in them.

    Parameters
    ----------
    documents : sequence of str
        Training documents.
    mentions : sequence of sequence of Mention
        The mentions of each document, in any order; of overlapping ones the longest counts.
    seed : int
        Same data and seed, same model.

    Raises
    ------
    IterationFailedError
        There is no mention to learn from; annotations, or an entity list that occurs in the
        documents, are needed.
    """
    types = tuple(sorted({mention.type for found in mentions for mention in found}))
    if not types:
        message = (
            f"None of the {len(documents)} training documents has a mention of any entity type; "
            "annotations, or an entity list whose entries occur in the documents, are needed."
        )
        raise IterationFailedError(message)
    tokens = [tokens_of(document) for document in documents]
    tags = [tags_of(each, found) for each, found in zip(tokens, mentions, strict=True)]
    if all(tag == OUTSIDE for each in tags for tag in each):
        count = sum(map(len, mentions))
        message = f"None of the {count} mentions covers a letter, digit or sign of its document."
        raise IterationFailedError(message)
    calibration = _calibrated(documents, tokens, tags, seed)
    return EntityModel(types, _learnt(tokens, tags), calibration)


def _learnt(tokens: Sequence[Sequence[Token]], tags: Sequence[Sequence[str]]) -> bytes:
    """Return a field that has learnt from documents."""
    trainer = pycrfsuite.Trainer(verbose=False)
    for words, marks in zip(tokens, tags, strict=True):
        for chain in chains_of(words, marks):
            trainer.append(features_of(words[chain]), marks[chain])
    trainer.set_params(_SETTINGS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crf"
        trainer.train(str(file))
        return file.read_bytes()


def _found(tagger: pycrfsuite.Tagger, document: str) -> Iterator[Mention]:
    """Give the mentions of a document, each as probable as the least probable of its tags."""
    tokens = tokens_of(document)
    for chain in chains_of(tokens):
        words = tokens[chain]
        tags = tagger.tag(features_of(words))
        for first, stop, kind in spans_of(tags):
            marginals = [tagger.marginal(tags[place], place) for place in range(first, stop)]
            if stop < len(tags):
                marginals.append(tagger.marginal(tags[stop], stop))
            yield Mention(words[first].begin, words[stop - 1].end, kind, min(marginals))


def _calibrated(
    documents: Sequence[str],
    tokens: Sequence[Sequence[Token]],
    tags: Sequence[Sequence[str]],
    seed: int,
) -> MentionCalibration:
    """Fit how often mentions are right in documents that were not learnt from.

    Neighbouring documents are held out together: sentences of one text know each other. Of few
    documents each is held out once.
    """
    blocks = np.arange(len(documents)) * _BLOCKS // max(1, len(documents))
    parts = (np.random.default_rng(seed).permutation(_BLOCKS)[blocks] % _PARTS).tolist()
    scores: list[float] = []
    is_right: list[bool] = []
    for part in range(_PARTS if len(documents) <= _FEW_DOCUMENTS else 1):
        seen = [place for place, held_out in enumerate(parts) if held_out != part]
        if not any(tag != OUTSIDE for place in seen for tag in tags[place]):
            continue
        tagger = pycrfsuite.Tagger()
        crf = _learnt([tokens[place] for place in seen], [tags[place] for place in seen])
        tagger.open_inmemory(crf)
        for place, held_out in enumerate(parts):
            if held_out == part:
                words = tokens[place]
                there = {
                    (words[first].begin, words[stop - 1].end, kind)
                    for first, stop, kind in spans_of(tags[place])
                }
                found = list(_found(tagger, documents[place]))
                scores += [_logit(each.score) for each in found]
                is_right += [(each.begin, each.end, each.type) in there for each in found]
    if all(is_right) or not any(is_right):  # nothing to tell apart
        return MentionCalibration()
    line = LogisticRegression().fit(np.array(scores)[:, None], is_right)
    return MentionCalibration(float(line.intercept_[0]), max(_LEAST_SLOPE, float(line.coef_[0, 0])))


def _logit(probability: float) -> float:
    clipped = min(1 - _EDGE, max(_EDGE, probability))
    return math.log(clipped / (1 - clipped))
