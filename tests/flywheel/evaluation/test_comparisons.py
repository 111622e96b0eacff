"""What a comparison of one metric shows at the very limits of its evidence."""

import pytest

from flywheel.evaluation.comparisons import Comparison


def compared(*, low: float | None = None, p_value: float | None = None) -> Comparison:
    """Return a comparison that is wrong in at most a twentieth of all cases."""
    return Comparison("Accuracy", None, 0.8, 0.85, 500, low, None, p_value, 0.05, "answers")


@pytest.mark.parametrize(
    ("p_value", "is_shown"), [(0.049, True), (0.05, True), (0.051, False), (1.0, False)]
)
def test_answers_show_a_gain_when_chance_is_in_the_error(p_value: float, *, is_shown: bool) -> None:
    """At most the error itself, whatever the bounds are."""
    assert compared(p_value=p_value, low=-0.1).shows_gain is is_shown


@pytest.mark.parametrize(("low", "is_shown"), [(None, False), (0.0, False), (0.001, True)])
def test_averages_show_a_gain_when_their_bound_is_above_none(
    low: float | None, *, is_shown: bool
) -> None:
    """A bound of no gain shows none."""
    assert compared(low=low).shows_gain is is_shown


@pytest.mark.parametrize(
    ("low", "is_ruled_out"), [(None, False), (-0.03, False), (-0.02, False), (-0.019, True)]
)
def test_a_drop_is_ruled_out_when_its_bound_is_within_the_margin(
    low: float | None, *, is_ruled_out: bool
) -> None:
    """A bound at the margin itself rules out nothing."""
    assert compared(low=low).rules_out_drop(0.02) is is_ruled_out
