"""The mathematics of chains, against sums over all taggings one by one."""

import itertools

import numpy as np
import pytest

from comprehend_engine.learning.entity_chain import (
    Transitions,
    Walk,
    best_spans,
    best_tags,
    forward_backward,
)
from comprehend_engine.learning.entity_tags import TagSet, TokenSpan

LENGTHS = np.array([2, 0, 4, 1, 3])
FIRSTS = np.cumsum(LENGTHS) - LENGTHS
TAGS = 5


@pytest.fixture
def weights() -> tuple[np.ndarray, Transitions]:
    """Return what ten tokens and the pairs of five tags say."""
    chance = np.random.default_rng(7)
    emissions = chance.normal(size=(int(LENGTHS.sum()), TAGS)).astype(np.float32)
    pairs = chance.normal(size=(TAGS, TAGS)).astype(np.float32)
    return emissions, Transitions(pairs, chance.normal(size=TAGS).astype(np.float32))


def taggings(
    emissions: np.ndarray, transitions: Transitions, first: int, length: int
) -> dict[tuple[int, ...], float]:
    """Return the probability of every tagging of a chain."""
    scores = {
        tags: transitions.starts[tags[0]]
        + sum(emissions[first + place, tag] for place, tag in enumerate(tags))
        + sum(transitions.pairs[pair] for pair in itertools.pairwise(tags))
        for tags in itertools.product(range(TAGS), repeat=length)
    }
    total = sum(np.exp(score) for score in scores.values())
    return {tags: float(np.exp(score) / total) for tags, score in scores.items()}


def test_the_walk_takes_each_token_once_and_knows_the_one_before() -> None:
    """First tokens come first, and an empty chain is none."""
    walk = Walk.through(FIRSTS, LENGTHS)
    assert walk.chains == 4
    assert sorted(walk.tokens.tolist()) == list(range(10))
    assert (walk.tokens[walk.before] == walk.tokens[walk.chains :] - 1).all()


def test_probabilities_are_those_of_all_taggings(
    weights: tuple[np.ndarray, Transitions],
) -> None:
    """Of each tag at each token, and of each pair of tags."""
    emissions, transitions = weights
    walk = Walk.through(FIRSTS, LENGTHS)
    sums = forward_backward(emissions[walk.tokens], transitions, walk)
    expected = np.zeros((10, TAGS))
    pairs = np.zeros((TAGS, TAGS))
    for first, length in zip(FIRSTS, LENGTHS, strict=True):
        if length:
            for tags, probability in taggings(emissions, transitions, first, length).items():
                expected[np.arange(first, first + length), tags] += probability
                for pair in itertools.pairwise(tags):
                    pairs[pair] += probability
    assert np.allclose(sums.forward * sums.backward, expected[walk.tokens], atol=1e-5)
    assert np.allclose(sums.pair_counts(walk), pairs, atol=1e-4)


def test_the_best_tagging_is_the_most_probable(weights: tuple[np.ndarray, Transitions]) -> None:
    """Of each chain by itself."""
    emissions, transitions = weights
    walk = Walk.through(FIRSTS, LENGTHS)
    tags = np.zeros(10, dtype=np.int64)
    tags[walk.tokens] = best_tags(emissions[walk.tokens], transitions, walk)
    for first, length in zip(FIRSTS, LENGTHS, strict=True):
        if length:
            found = taggings(emissions, transitions, first, length)
            assert tuple(tags[first : first + length]) == max(found, key=found.__getitem__)


def test_a_mention_is_as_probable_as_all_taggings_that_have_its_tags(
    weights: tuple[np.ndarray, Transitions],
) -> None:
    """The score of a mention is that of its tokens' tags together."""
    emissions, transitions = weights
    emissions[2:6] += np.array([[0, 9, 0, 0, 0], [0, 0, 0, 9, 0], [9, 0, 0, 0, 0], [9, 0, 0, 0, 0]])
    walk = Walk.through(FIRSTS, LENGTHS)
    is_first = np.zeros(10, dtype=bool)
    is_first[[0, 2, 6, 7]] = True
    spans = best_spans(emissions[walk.tokens], transitions, walk, TagSet(("A",)), is_first)
    probability = dict(spans)[TokenSpan(2, 4, 0)]
    found = taggings(emissions, transitions, 2, 4)
    expected = sum(each for tags, each in found.items() if tags[:2] == (1, 3))
    assert probability == pytest.approx(expected, abs=1e-5)


def test_no_chain_has_no_mention(weights: tuple[np.ndarray, Transitions]) -> None:
    """Nothing to tag is no error."""
    walk = Walk.through(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    nothing = np.zeros((0, TAGS), dtype=np.float32)
    assert best_spans(nothing, weights[1], walk, TagSet(("A",)), np.zeros(0, dtype=bool)) == []
