"""The entity recognizer: how it learns, how it answers.

Decides the stages: tokens, features, a chain of tags, and a calibration of its scores on documents
that the tagger has not seen by then. One configuration for all data and languages. Imported by the
training process alone. Knows neither flywheels nor S3. Read next:
`comprehend_engine.learning.entity_training`.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comprehend_engine.errors import IterationFailedError
from comprehend_engine.learning.entity_calibration import Calibration, calibrate
from comprehend_engine.learning.entity_chain import Places, Walk, best_spans
from comprehend_engine.learning.entity_features import FeatureMaker, FeatureNumbers
from comprehend_engine.learning.entity_tags import Mention, TagSet, TokenSpan, spans_of_mentions
from comprehend_engine.learning.entity_training import (
    Batch,
    Trainer,
    Weights,
    batch_count,
    emissions_of,
    epochs_for,
    make_batch,
    rate_at,
)
from comprehend_engine.learning.model_files import ModelParts
from comprehend_engine.learning.tokens import Tokens, chain_lengths, tokenise

__all__ = ["EntityModel", "Mention", "train_entities"]

HELD_OUT_BATCHES = 0.1
"""Part of the batches that calibrates the scores before it is learnt from."""

CROSS_FITTED_CHAINS = 200
"""Up to how many chains all of them calibrate the scores: a tenth of so few says too little."""

FOLDS = 5
"""Into how many parts little data falls, of which each calibrates what learns from the others."""

DOCUMENTS_AT_ONCE = 2_000
"""How many documents are tagged side by side, which is what owns the memory of answering."""


@dataclass(frozen=True, slots=True)
class EntityModel:
    """A trained recognizer.

    Attributes
    ----------
    types : tuple of str
        The entity types it knows, sorted.
    left_out : int
        Mentions of the training data that could not be learnt from: overlapped by a longer one,
        or without a letter, digit or sign.
    """

    types: tuple[str, ...]
    left_out: int
    numbers: FeatureNumbers
    weights: Weights
    calibration: Calibration

    def find(self, documents: Sequence[str]) -> list[list[Mention]]:
        """Find mentions.

        Parameters
        ----------
        documents : sequence of str
            Documents; what is found in one does not depend on the others.

        Returns
        -------
        list of list of Mention
            Of each document, in order and not overlapping.
        """
        found: list[list[Mention]] = []
        for begin in range(0, len(documents), DOCUMENTS_AT_ONCE):
            found += self._find(documents[begin : begin + DOCUMENTS_AT_ONCE])
        return found

    def to_parts(self) -> ModelParts:
        """Return what a file holds of the model."""
        return ModelParts({}, {"model": np.frombuffer(pickle.dumps(self), np.uint8)})

    @classmethod
    def from_parts(cls, parts: ModelParts) -> "EntityModel":
        """Return the model that a file holds."""
        model: EntityModel = pickle.loads(parts.arrays["model"].tobytes())
        return model

    def _find(self, documents: Sequence[str]) -> list[list[Mention]]:
        found: list[list[Mention]] = [[] for _ in documents]
        tokens = tokenise(documents)
        if not tokens.words:
            return found
        rows = FeatureMaker(self.numbers, learns=False).rows(tokens)
        lengths = chain_lengths(tokens)
        firsts = np.cumsum(lengths) - lengths
        walk = Walk.through(firsts, lengths)
        emissions = emissions_of(rows, self.weights, walk)
        is_first = _marked(firsts[lengths > 0], len(tokens.words))
        documents_begin = tokens.firsts()
        for span, probability in best_spans(
            emissions, self.weights.transitions, walk, TagSet(self.types), is_first
        ):
            document = int(np.searchsorted(documents_begin, span.first, side="right")) - 1
            begin, end = int(tokens.begins[span.first]), int(tokens.ends[span.stop - 1])
            score = self.calibration.correct(probability)
            found[document].append(Mention(begin, end, self.types[span.type], score))
        return found


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
    ValueError
        Not as many lists of mentions as documents.
    """
    if len(documents) != len(mentions):
        message = f"{len(documents)} documents have {len(mentions)} lists of mentions"
        raise ValueError(message)
    types = tuple(sorted({mention.type for found in mentions for mention in found}))
    if not types:
        message = (
            f"None of the {len(documents)} training documents has a mention of any entity type; "
            "annotations, or an entity list whose entries occur in the documents, are needed."
        )
        raise IterationFailedError(message)
    tokens = tokenise(documents)
    spans, left_out = spans_of_mentions(mentions, tokens, types)
    if not spans:
        message = f"None of the {left_out} mentions covers a letter, digit or sign of its document."
        raise IterationFailedError(message)
    numbers, tag_set, chooser = FeatureNumbers(), TagSet(types), np.random.default_rng(seed)
    lessons = _lessons(tokens, spans, tag_set, numbers, chooser)
    weights, calibration = _fitted(lessons, tag_set, numbers.size, chooser)
    return EntityModel(types, left_out, numbers, weights, calibration)


@dataclass(frozen=True, slots=True)
class _Lessons:
    """Training documents made ready: their batches, and what all tokens are tagged with."""

    batches: list[Batch]
    tags: Places
    is_first: NDArray[np.bool_]


def _lessons(
    tokens: Tokens,
    spans: list[TokenSpan],
    tag_set: TagSet,
    numbers: FeatureNumbers,
    chooser: np.random.Generator,
) -> _Lessons:
    tags = tag_set.encode(spans, len(tokens.words))
    is_joined = np.zeros(len(tags), dtype=bool)
    for span in spans:
        is_joined[span.first : span.stop - 1] = True
    lengths = chain_lengths(tokens, is_joined)
    firsts = np.cumsum(lengths) - lengths
    rows = FeatureMaker(numbers, learns=True).rows(tokens)
    order = chooser.permutation(np.flatnonzero(lengths))
    parts = np.array_split(order, batch_count(len(tags), len(order)))
    batches = [make_batch(chains, firsts, lengths, rows, tags) for chains in parts]
    return _Lessons(batches, tags, _marked(firsts[lengths > 0], len(tags)))


def _fitted(
    lessons: _Lessons, tag_set: TagSet, features: int, chooser: np.random.Generator
) -> tuple[Weights, Calibration]:
    """Learn the weights, and calibrate them on batches that were not learnt from by then."""
    batches = lessons.batches
    if sum(batch.walk.chains for batch in batches) <= CROSS_FITTED_CHAINS:
        calibration = _cross_fitted(lessons, tag_set, features, chooser)
        return _learnt(batches, tag_set, features, chooser), calibration
    trainer, calibration = Trainer(features, len(tag_set), len(batches)), Calibration()
    held_out, epochs = int(HELD_OUT_BATCHES * len(batches)), epochs_for(len(batches))
    for epoch in range(epochs):
        if 2 * epoch >= epochs and held_out:
            calibration = _calibrated(_said(lessons, batches[:held_out], trainer.weights, tag_set))
            held_out = 0
        chosen = held_out + chooser.permutation(len(batches) - held_out)
        for step, place in enumerate(chosen.tolist()):
            rate = rate_at(epoch * len(chosen) + step, epochs * len(chosen))
            trainer.step(batches[place], rate)
    return trainer.weights, calibration


def _learnt(
    batches: Sequence[Batch], tag_set: TagSet, features: int, chooser: np.random.Generator
) -> Weights:
    trainer, epochs = Trainer(features, len(tag_set), len(batches)), epochs_for(len(batches))
    for epoch in range(epochs):
        for step, place in enumerate(chooser.permutation(len(batches)).tolist()):
            trainer.step(
                batches[place], rate_at(epoch * len(batches) + step, epochs * len(batches))
            )
    return trainer.weights


def _cross_fitted(
    lessons: _Lessons, tag_set: TagSet, features: int, chooser: np.random.Generator
) -> Calibration:
    """Calibrate on all of little data: each part by a tagger that learns from the others."""
    batches, said = lessons.batches, list[_Said]()
    for fold in range(min(FOLDS, len(batches))):
        others = [batch for place, batch in enumerate(batches) if place % FOLDS != fold]
        if others:
            weights = _learnt(others, tag_set, features, chooser)
            said += _said(lessons, batches[fold::FOLDS], weights, tag_set)
    return _calibrated(said)


_Said = tuple[float, bool]
"""How probable the tagger took a mention to be, and whether it is one."""


def _said(
    lessons: _Lessons, batches: Sequence[Batch], weights: Weights, tag_set: TagSet
) -> list[_Said]:
    """Return what the tagger finds in batches that it has not learnt from."""
    there = set(tag_set.decode(lessons.tags, lessons.is_first))
    return [
        (probability, span in there)
        for batch in batches
        for span, probability in best_spans(
            batch.emissions(weights), weights.transitions, batch.walk, tag_set, lessons.is_first
        )
    ]


def _calibrated(said: Sequence[_Said]) -> Calibration:
    return calibrate([probability for probability, _ in said], [right for _, right in said])


def _marked(places: Places, size: int) -> NDArray[np.bool_]:
    is_marked = np.zeros(size, dtype=bool)
    is_marked[places] = True
    return is_marked
