"""How the weights of the entity tagger are learnt.

Decides the learner: a linear-chain conditional random field, trained on small batches of chains
with AdaGrad, with a margin that makes missing a mention dearer than inventing one. Must not know
text. Read next: `comprehend_engine.learning.entity_chain`, the mathematics;
`comprehend_engine.learning.entity_calibration`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from comprehend_engine.learning.entity_chain import (
    Floats,
    Places,
    Transitions,
    Walk,
    forward_backward,
)
from comprehend_engine.learning.entity_features import Rows

TOKENS_PER_BATCH = 2_000
"""About how many tokens a step looks at, where there are enough of them."""

FEWEST_BATCHES = 20
"""Into how many batches little data falls, so that there are steps enough."""

EPOCHS = 6
RATE = 1.0
LAST_RATE = 0.1
"""Part of the rate that is left at the end."""

DECAY = 0.03
"""Pull of the weights towards 0, for each time a chain is seen."""

MARGIN = 1.0
"""By how much the right tag has to win."""

MISSING_MARGIN = 1.25
"""By how much more it has to win over taking a mention's token for none."""

_FIRST_SQUARES = 1e-2


@dataclass(slots=True)
class Weights:
    """What is learnt: `features` of shape (n_features, n_tags), and what tags say of each other."""

    features: Floats
    transitions: Transitions


@dataclass(frozen=True, slots=True)
class Batch:
    """Chains that make one step.

    Attributes
    ----------
    token_rows, row_features : sparse matrices
        Rows of tokens, in the order of the walk, and features of rows; both only those in use.
    features : array
        Which features those are.
    walk : Walk
        The order of the tokens.
    tags : array of shape (n_tokens,)
        Their tags, in that order.
    """

    token_rows: Any
    row_features: Any
    features: Places
    walk: Walk
    tags: Places

    def emissions(self, weights: Weights) -> Floats:
        """Return what each token says about its tag, of shape (n_tokens, n_tags)."""
        said: Floats = self.token_rows @ (self.row_features @ weights.features[self.features])
        return said


class AdaGrad:
    """Steps that shrink for each weight as it is changed.

    Parameters
    ----------
    shape : tuple of int
        Shape of the weights.
    """

    def __init__(self, *shape: int) -> None:
        self._squares = np.full(shape, _FIRST_SQUARES, dtype=np.float32)

    def step(self, weights: Floats, slope: Floats, rate: float, at: Places | None = None) -> None:
        """Change weights against their slope; with `at` only those rows."""
        if at is None:
            self._squares += slope * slope
            weights -= rate * slope / np.sqrt(self._squares)
            return
        squares = self._squares[at]
        squares += slope * slope
        self._squares[at] = squares
        np.sqrt(squares, out=squares)
        np.divide(slope, squares, out=slope)
        slope *= np.float32(rate)
        weights[at] -= slope


class Trainer:
    """Learns the weights of a tagger, step by step.

    Parameters
    ----------
    features, tags : int
        How many there are.
    batches : int
        Over how many batches the decay is spread.
    """

    def __init__(self, features: int, tags: int, batches: int) -> None:
        self.weights = Weights(
            np.zeros((features, tags), dtype=np.float32),
            Transitions(np.zeros((tags, tags), dtype=np.float32), np.zeros(tags, dtype=np.float32)),
        )
        self._features = AdaGrad(features, tags)
        self._pairs, self._starts = AdaGrad(tags, tags), AdaGrad(tags)
        self._decay = np.float32(DECAY / batches)
        self._margin = np.full((tags, tags), MARGIN, dtype=np.float32)
        self._margin[1:, 0] += MISSING_MARGIN
        np.fill_diagonal(self._margin, 0)

    def step(self, batch: Batch, rate: float) -> None:
        """Learn from one batch."""
        weights, walk, tags = self.weights, batch.walk, batch.tags
        local = weights.features[batch.features]
        emissions = batch.token_rows @ (batch.row_features @ local)
        emissions += self._margin[tags]
        sums = forward_backward(emissions, weights.transitions, walk)
        share = np.float32(1 / walk.chains)
        pairs, starts = weights.transitions.pairs, weights.transitions.starts
        surplus = sums.pair_counts(walk) - _pair_counts(walk, tags, len(starts))
        self._pairs.step(pairs, surplus * share + self._decay * pairs, rate)
        surplus = sums.forward * sums.backward
        surplus[np.arange(len(tags)), tags] -= 1
        first = surplus[: walk.chains].sum(axis=0)
        self._starts.step(starts, first * share + self._decay * starts, rate)
        slope = batch.row_features.T @ (batch.token_rows.T @ surplus)
        slope *= share
        slope += self._decay * local
        self._features.step(weights.features, slope, rate, batch.features)


def rate_at(step: int, steps: int) -> float:
    """Return how large the n-th of all steps is."""
    return RATE * (1 - (1 - LAST_RATE) * step / max(1, steps))


def batch_count(tokens: int, chains: int) -> int:
    """Return into how many batches the chains of the training data fall."""
    return max(1, min(chains // 2, max(FEWEST_BATCHES, tokens // TOKENS_PER_BATCH)))


def make_batch(
    chains: Places, firsts: Places, lengths: Places, rows: Rows, tags: NDArray[np.int64]
) -> Batch:
    """Put chains together for one step.

    Parameters
    ----------
    chains : array
        Which chains.
    firsts, lengths : array of shape (n_chains,)
        Where every chain begins and how long it is.
    rows : Rows
        Features of all tokens.
    tags : array of shape (n_tokens,)
        Tags of all tokens.
    """
    walk = Walk.through(firsts[chains], lengths[chains])
    used, token_rows = _compact(rows.of_tokens[walk.tokens].reshape(-1))
    sizes = rows.ends[used + 1] - rows.ends[used]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    entries = np.repeat(rows.ends[used] - ends[:-1], sizes) + np.arange(ends[-1])
    features, row_features = _compact(rows.features[entries])
    views = rows.of_tokens.shape[1]
    token_ends = np.arange(0, len(walk.tokens) * views + 1, views)
    return Batch(
        _ones(token_rows, token_ends, len(used)),
        _ones(row_features, ends, len(features)),
        features,
        walk,
        tags[walk.tokens],
    )


def emissions_of(rows: Rows, weights: Weights, walk: Walk) -> Floats:
    """Return what tokens say about their tags, in the order of a walk."""
    row_features = _ones(rows.features, rows.ends, len(weights.features))
    said = row_features @ weights.features
    emissions: Floats = said[rows.of_tokens[walk.tokens, 0]]
    for view in range(1, rows.of_tokens.shape[1]):
        emissions += said[rows.of_tokens[walk.tokens, view]]
    return emissions


def epochs_for(batches: int) -> int:
    """Return how often the data is gone through: more often where it is little."""
    return max(EPOCHS, min(2 * EPOCHS, math.ceil(_FEWEST_STEPS / batches)))


def _pair_counts(walk: Walk, tags: Places, size: int) -> Floats:
    keys = tags[walk.before] * size + tags[walk.chains :]
    return np.bincount(keys, minlength=size * size).reshape(size, size).astype(np.float32)


def _compact(numbers: NDArray[Any]) -> tuple[Places, NDArray[np.int32]]:
    """Return the numbers in use, sorted, and each number's place among them."""
    used, places = np.unique(numbers, return_inverse=True)
    return used.astype(np.int64), places.reshape(-1).astype(np.int32)


def _ones(columns: NDArray[Any], ends: Sequence[int] | NDArray[Any], width: int) -> Any:
    ends = np.asarray(ends, dtype=np.int32)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((ones, columns, ends), shape=(len(ends) - 1, width))


_FEWEST_STEPS = 240
