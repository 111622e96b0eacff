"""Chains of tags: sums over all taggings, the best one, and how sure one is.

Decides how many chains are gone through side by side: sorted by length, step by step, with no
padding. The mathematics of a linear-chain conditional random field and nothing else; must not know
text, features or how weights are learnt. Read next: `comprehend_engine.learning.entity_training`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comprehend_engine.learning.entity_tags import TagSet, TokenSpan

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

_SMALLEST = np.float32(1e-20)


@dataclass(frozen=True, slots=True)
class Walk:
    """The order in which tokens of many chains are gone through: all first ones, all second ...

    Attributes
    ----------
    tokens : array of shape (n_tokens,)
        Place of the token that is the n-th of the walk.
    steps : list of int
        Where in the walk each step begins; one more at the end.
    before : array of shape (n_tokens - n_chains,)
        Where in the walk the token before is, for each token that is not a chain's first.
    """

    tokens: Places
    steps: list[int]
    before: Places

    @property
    def chains(self) -> int:
        """How many chains there are."""
        return self.steps[1]

    @classmethod
    def through(cls, firsts: Places, lengths: Places) -> "Walk":
        """Order chains, given where each begins and how long it is; empty ones are left out."""
        chosen = np.argsort(-lengths, kind="stable")
        chosen = chosen[lengths[chosen] > 0]
        firsts, lengths = firsts[chosen], lengths[chosen]
        longest = int(lengths[0]) if len(lengths) else 0
        counts = np.searchsorted(-lengths, -np.arange(longest), side="left")
        steps = np.concatenate([[0], np.cumsum(counts)]).tolist() if longest else [0, 0]
        tokens = [firsts[:count] + step for step, count in enumerate(counts.tolist())]
        before = [
            np.arange(begin, begin + count)
            for begin, count in zip(steps, counts.tolist()[1:], strict=False)
        ]
        return cls(_joined(tokens), steps, _joined(before))


@dataclass(frozen=True, slots=True)
class Transitions:
    """Weights between tags: `pairs` of shape (n_tags, n_tags), `starts` of shape (n_tags,)."""

    pairs: Floats
    starts: Floats


@dataclass(frozen=True, slots=True)
class Sums:
    """What forward-backward leaves, in the order of the walk and scaled so that all is near 1.

    Attributes
    ----------
    forward, backward : array of shape (n_tokens, n_tags)
        Their product is the probability of each tag at each token.
    local : array of shape (n_tokens, n_tags)
        What the token itself says.
    pairs : array of shape (n_tags, n_tags)
        What a tag says about the next.
    """

    forward: Floats
    backward: Floats
    local: Floats
    pairs: Floats

    def pair_counts(self, walk: Walk) -> Floats:
        """Return how often each pair of tags is expected, of shape (n_tags, n_tags)."""
        later = self.local[walk.chains :] * self.backward[walk.chains :]
        counts: Floats = (self.forward[walk.before].T @ later) * self.pairs
        return counts

    def probability(self, places: Sequence[int], tags: Sequence[int]) -> float:
        """Return how probable it is that tokens next to each other have just these tags."""
        product = float(self.forward[places[0], tags[0]])
        for step in range(1, len(places)):
            product *= float(self.pairs[tags[step - 1], tags[step]])
            product *= float(self.local[places[step], tags[step]])
        return min(1.0, product * float(self.backward[places[-1], tags[-1]]))


def forward_backward(emissions: Floats, transitions: Transitions, walk: Walk) -> Sums:
    """Sum over all taggings.

    Parameters
    ----------
    emissions : array of shape (n_tokens, n_tags)
        What each token says about its tag, in the order of the walk.
    transitions : Transitions
        What tags say about the next.
    walk : Walk
        The order.
    """
    local = np.exp(emissions - emissions.max(axis=1, keepdims=True))
    np.maximum(local, _SMALLEST, out=local)
    pairs, steps = np.exp(transitions.pairs), walk.steps
    forward, scales = np.empty_like(local), np.empty((len(local), 1), dtype=local.dtype)
    now = local[: steps[1]] * np.exp(transitions.starts)
    for step in range(len(steps) - 1):
        begin, end = steps[step], steps[step + 1]
        if step:
            now = now[: end - begin] @ pairs
            now *= local[begin:end]
        scale = now.sum(axis=1, keepdims=True)
        now /= scale
        forward[begin:end], scales[begin:end] = now, scale
    local /= scales
    backward, turned = np.ones_like(local), np.ascontiguousarray(pairs.T)
    for step in range(len(steps) - 2, 0, -1):
        begin, end, earlier = steps[step], steps[step + 1], steps[step - 1]
        backward[earlier : earlier + end - begin] = (
            local[begin:end] * backward[begin:end]
        ) @ turned
    return Sums(forward, backward, local, pairs)


def best_tags(emissions: Floats, transitions: Transitions, walk: Walk) -> Places:
    """Return the tags of the best tagging (Viterbi), in the order of the walk."""
    steps, turned = walk.steps, np.ascontiguousarray(transitions.pairs.T)
    from_tags = np.zeros(emissions.shape, dtype=np.int16)
    scores = emissions.copy()
    scores[: steps[1]] += transitions.starts
    for step in range(1, len(steps) - 1):
        begin, end, earlier = steps[step], steps[step + 1], steps[step - 1]
        ways = scores[earlier : earlier + end - begin, None, :] + turned
        from_tags[begin:end] = ways.argmax(axis=2)
        scores[begin:end] += ways.max(axis=2)
    tags: Places = scores.argmax(axis=1)
    for step in range(len(steps) - 2, 0, -1):
        begin, end, earlier = steps[step], steps[step + 1], steps[step - 1]
        tags[earlier : earlier + end - begin] = from_tags[np.arange(begin, end), tags[begin:end]]
    return tags


def best_spans(
    emissions: Floats,
    transitions: Transitions,
    walk: Walk,
    tag_set: TagSet,
    is_first: NDArray[np.bool_],
) -> list[tuple[TokenSpan, float]]:
    """Return the mentions of the best tagging, in order, each with the probability of just it.

    Parameters
    ----------
    emissions : array of shape (n_tokens_of_walk, n_tags)
        What each token says about its tag, in the order of the walk.
    transitions, walk, tag_set : Transitions, Walk, TagSet
        What tags say about the next, the order, and what the tags mean.
    is_first : array of shape (n_tokens,)
        Whether a token is the first of its chain; of all tokens, also those not walked through.
    """
    tags = np.zeros(len(is_first), dtype=np.int64)
    tags[walk.tokens] = best_tags(emissions, transitions, walk)
    spans = tag_set.decode(tags, is_first)
    if not spans:
        return []
    place = np.zeros(len(is_first), dtype=np.int64)
    place[walk.tokens] = np.arange(len(walk.tokens))
    sums = forward_backward(emissions, transitions, walk)
    return [
        (
            span,
            sums.probability(place[span.first : span.stop].tolist(), tag_set.tags_of(span)),
        )
        for span in spans
    ]


def _joined(parts: Sequence[Any]) -> Places:
    if not parts:
        return np.zeros(0, dtype=np.int64)
    return np.concatenate(parts).astype(np.int64)
