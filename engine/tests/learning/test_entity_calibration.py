"""Scores that mean what they say."""

import random

import pytest

from comprehend_engine.learning.entity_calibration import Calibration, calibrate


def test_scores_are_lowered_when_the_tagger_is_too_sure() -> None:
    """Said 0.95, right in 7 of 10: the score comes near 0.7."""
    right = [number % 10 < 7 for number in range(400)]
    calibration = calibrate([0.95] * 200 + [0.5] * 200, right)
    assert 0.65 < calibration.correct(0.95) < 0.75


def test_scores_stay_when_they_are_right() -> None:
    """A tagger that is right as often as it says is left alone."""
    chance = random.Random(3)
    said = [chance.random() for _ in range(2000)]
    calibration = calibrate(said, [chance.random() < each for each in said])
    assert all(abs(calibration.correct(each) - each) < 0.04 for each in (0.1, 0.5, 0.9))


@pytest.mark.parametrize("is_right", [True, False])
@pytest.mark.parametrize("said", [0.0, 1e-9, 0.5, 1.0])
def test_scores_are_between_0_and_1_and_keep_their_order(said: float, is_right: bool) -> None:
    """Also where all mentions say the same, or are certain, or wrong."""
    calibration = calibrate([said] * 50, [is_right] * 50)
    scores = [calibration.correct(each) for each in (0.0, 0.2, 0.8, 1.0)]
    assert scores == sorted(set(scores))
    assert 0 <= scores[0] <= scores[-1] <= 1


def test_nothing_is_corrected_when_nothing_is_known() -> None:
    """Too little data for a hold-out leaves the tagger's own scores."""
    assert calibrate([], []) == Calibration()
