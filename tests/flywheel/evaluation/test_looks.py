"""How the error of 5 % is shared out over looks, and how looks wear off."""

import pytest

from flywheel.evaluation.looks import ERROR, error_of_look, worn_looks
from flywheel.evaluation.verdict import policy_sha256
from flywheel.settings.policy import Policy


def test_all_looks_at_a_pair_share_the_error_when_a_held_model_is_judged_again() -> None:
    """0.04, 0.008, 0.0016 ...: together at most 5 %, however many there are."""
    errors = [error_of_look(Policy(), pair_looks=look) for look in range(30)]
    assert errors[:3] == [0.04, 0.008, 0.0016]
    assert sum(errors) <= ERROR + 1e-9


@pytest.mark.parametrize("planned", [1, 12, 52, 600])
def test_all_looks_of_a_generation_share_the_error_when_a_policy_is_strict(planned: int) -> None:
    """Half of it for those that are planned, a quarter for as many after them, and so on."""
    strict = Policy(family_error="strict", looks_planned=planned)
    errors = [error_of_look(strict, generation_looks=look) for look in range(40 * planned)]
    assert sum(errors[:planned]) == pytest.approx(ERROR / 2)
    assert sum(errors) <= ERROR + 1e-6
    assert min(errors) > 0


@pytest.mark.parametrize(
    ("looks", "before", "after", "worn"),
    [(12, 1000, 1001, 12), (12, 1000, 2000, 6), (12, 1000, 2001, 6), (1, 10, 10_000, 1)],
)
def test_looks_wear_off_slowly_when_rows_are_added(
    looks: int, before: int, after: int, worn: int
) -> None:
    """One row more is the same test set but for one row."""
    assert worn_looks(looks, before, after) == worn


def test_an_old_policy_keeps_its_hash_when_keys_are_new() -> None:
    """A key at its default is left out; any other value changes the hash."""
    default = "3d669782b1bea2ea"
    assert policy_sha256(Policy())[:16] == default
    other = Policy(comparison="non-inferiority")
    assert policy_sha256(other) != policy_sha256(
        Policy(comparison="non-inferiority", allow_proven_loss=True)
    )
