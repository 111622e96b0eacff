"""How probable a mention is in truth, given how probable the tagger takes it to be.

Decides the correction: a line through the logits, pulled towards no correction where few mentions
speak for one. Must not know what a mention is. Read next: `comprehend_engine.learning.entities`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_EDGE = 1e-6
_PULL = 4.0
_ROUNDS = 25
_SMALLEST_SLOPE, _LARGEST_SLOPE = 0.05, 5.0
_LARGEST_SHIFT = 10.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A correction of probabilities: ``logit(p') = shift + slope * logit(p)``; `slope` above 0."""

    shift: float = 0.0
    slope: float = 1.0

    def correct(self, probability: float) -> float:
        """Return the corrected probability, between 0 and 1; the order of any two stays.

        Examples
        --------
        >>> Calibration().correct(0.25), Calibration(shift=-1.0).correct(0.5) < 0.5
        (0.25, True)
        """
        return 1 / (1 + math.exp(-self.shift - self.slope * _logit(probability)))


def calibrate(probabilities: Sequence[float], is_right: Sequence[bool]) -> Calibration:
    """Find the correction that fits mentions of which it is known whether they are right.

    Parameters
    ----------
    probabilities : sequence of float
        What the tagger said, between 0 and 1.
    is_right : sequence of bool
        Whether it was right.
    """
    if not probabilities:
        return Calibration()
    logits = np.array([_logit(each) for each in probabilities])
    known, pull = np.array(is_right, dtype=np.float64), _PULL * np.eye(2)
    inputs = np.stack([np.ones_like(logits), logits], axis=1)
    line = neutral = np.array([0.0, 1.0])
    for _ in range(_ROUNDS):
        found = 1 / (1 + np.exp(-np.clip(inputs @ line, -30, 30)))
        slope = inputs.T @ (found - known) + pull @ (line - neutral)
        bend = (inputs * (found * (1 - found))[:, None]).T @ inputs + pull
        change = np.linalg.solve(bend, slope)
        # A whole step may jump over the answer to where all is certain, and never come back.
        line = line - change / max(1.0, float(np.abs(change).max()))
    shift, slope = line.tolist()
    return Calibration(
        max(-_LARGEST_SHIFT, min(_LARGEST_SHIFT, shift)),
        max(_SMALLEST_SLOPE, min(_LARGEST_SLOPE, slope)),
    )


def _logit(probability: float) -> float:
    clipped = min(1 - _EDGE, max(_EDGE, probability))
    return math.log(clipped / (1 - clipped))
