import pytest

from tests.simulation.campaign import caught_seeds, kept_seeds, miss
from tests.simulation.history import play
from tests.simulation.invariants.safeguards import SAFEGUARDS

_HISTORIES = 300
_REPLAYED = 50
_MOST_TRIES = 400


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, _HISTORIES, 100))
def test_nothing_breaks_when_histories_are_played(first: int) -> None:
    """Whatever goes wrong, every history comes to rest with all invariants whole."""
    broken = {}
    for seed in range(first, first + 100):
        played = play(seed)
        if played.broken:
            broken[seed] = played.broken
    assert not broken


def test_nothing_breaks_when_kept_seeds_are_replayed() -> None:
    """What broke once stays whole."""
    assert not {seed: broken for seed in kept_seeds() if (broken := play(seed).broken)}


@pytest.mark.slow
def test_the_same_happens_when_a_seed_is_played_again() -> None:
    """A seed is one history, to the last event."""
    for seed in range(_REPLAYED):
        assert play(seed) == play(seed)


@pytest.mark.slow
@pytest.mark.parametrize("safeguard", SAFEGUARDS)
def test_something_breaks_when_a_safeguard_is_removed(safeguard: str) -> None:
    """Each safeguard is missed, by the seed that missed it last or by another one soon."""
    known = caught_seeds().get(safeguard, 0)
    missed = miss(safeguard, [known, *range(_MOST_TRIES)])
    assert missed.seed is not None
