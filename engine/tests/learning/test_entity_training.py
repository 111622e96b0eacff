"""How weights are learnt."""

import numpy as np

from comprehend_engine.learning.entity_chain import forward_backward
from comprehend_engine.learning.entity_features import FeatureMaker, FeatureNumbers
from comprehend_engine.learning.entity_training import (
    Batch,
    Trainer,
    batch_count,
    emissions_of,
    epochs_for,
    make_batch,
    rate_at,
)
from comprehend_engine.learning.tokens import tokenise

DOCUMENTS = ["Ana saw Roma", "it rained", "Roma is far from Ana"]
TAGS = np.array([4, 0, 4, 0, 0, 4, 0, 0, 0, 4])


def batch_of(numbers: FeatureNumbers, chains: list[int]) -> Batch:
    """Return a batch of some of the documents."""
    tokens = tokenise(DOCUMENTS)
    rows = FeatureMaker(numbers, learns=True).rows(tokens)
    return make_batch(np.array(chains), tokens.firsts(), tokens.counts, rows, TAGS)


def certainty(trainer: Trainer, batch: Batch) -> float:
    """Return the least probability that any token's right tag has."""
    weights = trainer.weights
    sums = forward_backward(batch.emissions(weights), weights.transitions, batch.walk)
    return float((sums.forward * sums.backward)[np.arange(len(batch.tags)), batch.tags].min())


def test_steps_lead_to_the_tags() -> None:
    """After some steps every right tag is the likely one."""
    numbers = FeatureNumbers()
    batch = batch_of(numbers, [0, 1, 2])
    trainer = Trainer(numbers.size, 5, 1)
    before = certainty(trainer, batch)
    for _ in range(20):
        trainer.step(batch, 0.5)
    assert before < 0.5 < certainty(trainer, batch)


def test_a_batch_holds_what_its_own_chains_need() -> None:
    """Features of other chains are neither in it nor changed by it."""
    numbers = FeatureNumbers()
    batch = batch_of(numbers, [1])
    trainer = Trainer(numbers.size, 5, 3)
    trainer.step(batch, 0.5)
    changed = np.flatnonzero(np.abs(trainer.weights.features).sum(axis=1))
    assert set(changed.tolist()) <= set(batch.features.tolist())
    assert len(batch.features) < numbers.size


def test_tokens_say_the_same_in_a_batch_and_when_answering() -> None:
    """The two ways to sum features agree."""
    numbers = FeatureNumbers()
    batch = batch_of(numbers, [2, 0])
    trainer = Trainer(numbers.size, 5, 1)
    trainer.step(batch, 0.5)
    tokens = tokenise(DOCUMENTS)
    rows = FeatureMaker(numbers, learns=False).rows(tokens)
    said = emissions_of(rows, trainer.weights, batch.walk)
    assert np.allclose(said, batch.emissions(trainer.weights), atol=1e-5)


def test_little_data_is_gone_through_more_often_and_in_smaller_steps() -> None:
    """The plan of the steps, at its ends."""
    assert batch_count(100, 1) == 1
    assert batch_count(1_000, 100) == 20
    assert batch_count(200_000, 14_000) == 100
    assert epochs_for(1) > epochs_for(100)
    assert rate_at(0, 10) > rate_at(9, 10) > 0
