"""The entity recognizer: a conditional random field with calibrated scores.

The field is over the tags of tokens (CRFsuite, L-BFGS). Documents that did not train calibrate its
scores. All data and languages have one configuration. The server must not import it. Knows neither
flywheels nor S3. Read next: `comprehend_engine.learning.entity_tokens` and `entity_features`.
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
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

_CRF_PARAMETERS = {
    "c1": 0.1,
    "c2": 0.01,
    "max_iterations": 60,
    "feature.possible_transitions": True,
}
_FOLDS = 5
"""The scores are calibrated on one fold of this many, by a field trained on the others."""

_FEW_DOCUMENTS = 200
"""Up to this many documents, every fold calibrates in turn: one fold would be too small."""

_FOLD_BLOCKS = 25
_MIN_SLOPE = 0.05
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class MentionCalibration:
    """The probability of a mention: ``logit(p') = shift + slope * logit(p)``."""

    shift: float = 0.0
    slope: float = 1.0

    def correct(self, probability: float) -> float:
        """Return the corrected probability, between 0 and 1; the order of mentions stays.

        Examples
        --------
        >>> MentionCalibration().correct(0.25), MentionCalibration(shift=-1.0).correct(0.5) < 0.5
        (0.25, True)
        """
        return 1 / (1 + math.exp(-self.shift - self.slope * _logit(probability)))


@dataclass(frozen=True, slots=True)
class EntityModel:
    """A trained recognizer.

    Attributes
    ----------
    types : tuple of str
        The entity types, sorted.
    crf : bytes
        The field in CRFsuite's file format.
    calibration : Calibration
    """

    types: tuple[str, ...]
    crf: bytes
    calibration: MentionCalibration
    _tagger: pycrfsuite.Tagger = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Load the field."""
        tagger = pycrfsuite.Tagger()
        tagger.open_inmemory(self.crf)
        object.__setattr__(self, "_tagger", tagger)

    def find(self, documents: Sequence[str]) -> list[list[Mention]]:
        """Predict mentions; each document is independent of the others.

        Returns
        -------
        list of list of Mention
            The mentions of each document, in order and without overlap.
        """
        return [
            [
                replace(mention, score=self.calibration.correct(mention.score))
                for mention in _predict_mentions(self._tagger, document)
            ]
            for document in documents
        ]

    def to_parts(self) -> ModelParts:
        """Return the content of the model's file."""
        calibration = [self.calibration.shift, self.calibration.slope]
        description = {"types": self.types, "calibration": calibration}
        return ModelParts(description, {"crf": np.frombuffer(self.crf, np.uint8)})

    @classmethod
    def from_parts(cls, parts: ModelParts) -> "EntityModel":
        """Return the model from the content of its file."""
        described = parts.description
        calibration = MentionCalibration(*described["calibration"])
        return cls(tuple(described["types"]), parts.arrays["crf"].tobytes(), calibration)


def train_entities(
    documents: Sequence[str], mentions: Sequence[Sequence[Mention]], *, seed: int
) -> EntityModel:
    """Train an entity recognizer.

    Parameters
    ----------
    documents : sequence of str
        Training documents.
    mentions : sequence of sequence of Mention
        The mentions of each document, in any order; of overlapping mentions the longest counts.
    seed : int
        The same data and seed give the same model.

    Raises
    ------
    IterationFailedError
        There are no mentions; add annotations, or an entity list whose entries occur in the
        documents.
    """
    types = tuple(sorted({mention.type for each in mentions for mention in each}))
    if not types:
        message = (
            f"None of the {len(documents)} training documents has a mention of any entity type; "
            "add annotations, or an entity list whose entries occur in the documents."
        )
        raise IterationFailedError(message)
    tokens = [tokens_of(document) for document in documents]
    tags = [tags_of(words, each) for words, each in zip(tokens, mentions, strict=True)]
    if all(tag == OUTSIDE for each in tags for tag in each):
        count = sum(map(len, mentions))
        message = f"None of the {count} mentions covers a letter, digit or sign of its document."
        raise IterationFailedError(message)
    calibration = _fit_calibration(documents, tokens, tags, seed)
    return EntityModel(types, _train_crf(tokens, tags), calibration)


def _train_crf(tokens: Sequence[Sequence[Token]], tags: Sequence[Sequence[str]]) -> bytes:
    """Train a field; return it in CRFsuite's file format."""
    trainer = pycrfsuite.Trainer(verbose=False)
    for words, marks in zip(tokens, tags, strict=True):
        for chain in chains_of(words, marks):
            trainer.append(features_of(words[chain]), marks[chain])
    trainer.set_params(_CRF_PARAMETERS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crf"
        trainer.train(str(file))
        return file.read_bytes()


def _predict_mentions(tagger: pycrfsuite.Tagger, document: str) -> Iterator[Mention]:
    """Give the mentions of a document, each with the probability of its least probable tag."""
    tokens = tokens_of(document)
    for chain in chains_of(tokens):
        words = tokens[chain]
        tags = tagger.tag(features_of(words))
        for first, stop, kind in spans_of(tags):
            marginals = [tagger.marginal(tags[place], place) for place in range(first, stop)]
            if stop < len(tags):
                marginals.append(tagger.marginal(tags[stop], stop))
            yield Mention(words[first].begin, words[stop - 1].end, kind, min(marginals))


def _fit_calibration(
    documents: Sequence[str],
    tokens: Sequence[Sequence[Token]],
    tags: Sequence[Sequence[str]],
    seed: int,
) -> MentionCalibration:
    """Fit how often predicted mentions are correct in documents that did not train.

    Neighbouring documents are held out together, since sentences of one text depend on each other.
    With few documents, each is held out once.
    """
    blocks = np.arange(len(documents)) * _FOLD_BLOCKS // max(1, len(documents))
    folds = (np.random.default_rng(seed).permutation(_FOLD_BLOCKS)[blocks] % _FOLDS).tolist()
    scores: list[float] = []
    is_correct: list[bool] = []
    for fold in range(_FOLDS if len(documents) <= _FEW_DOCUMENTS else 1):
        training = [place for place, held_out in enumerate(folds) if held_out != fold]
        if not any(tag != OUTSIDE for place in training for tag in tags[place]):
            continue
        tagger = pycrfsuite.Tagger()
        crf = _train_crf([tokens[place] for place in training], [tags[place] for place in training])
        tagger.open_inmemory(crf)
        for place, held_out in enumerate(folds):
            if held_out == fold:
                words = tokens[place]
                actual = {
                    (words[first].begin, words[stop - 1].end, kind)
                    for first, stop, kind in spans_of(tags[place])
                }
                predicted = list(_predict_mentions(tagger, documents[place]))
                scores += [_logit(each.score) for each in predicted]
                is_correct += [(each.begin, each.end, each.type) in actual for each in predicted]
    if all(is_correct) or not any(is_correct):  # there is nothing to fit
        return MentionCalibration()
    line = LogisticRegression().fit(np.array(scores)[:, None], is_correct)
    return MentionCalibration(float(line.intercept_[0]), max(_MIN_SLOPE, float(line.coef_[0, 0])))


def _logit(probability: float) -> float:
    clipped = min(1 - _EDGE, max(_EDGE, probability))
    return math.log(clipped / (1 - clipped))
