"""What one measured training gives: its quality and its cost.

Knows neither documents nor learners. Read next: `benchmarks.classifiers` and
`benchmarks.recognizers`, which train.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ENGINE = "engine"
_BINS = 15


@dataclass(frozen=True, slots=True)
class Outcome:
    """One training, and how good its predictions are.

    Parameters
    ----------
    f1 : float
        Macro-F1 of labels, or micro-F1 of mentions.
    calibration_error : float or None
        None where the learner gives no probabilities.
    wall_seconds, cpu_seconds : float
        Of the training alone, without imports and predictions.
    """

    f1: float
    calibration_error: float | None
    wall_seconds: float
    cpu_seconds: float


def seconds_of(train: Callable[[], object]) -> tuple[float, float]:
    """Train, and return wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    train()
    return time.perf_counter() - wall, time.process_time() - cpu


def calibration_error(scores: npt.NDArray[np.float64], is_right: npt.NDArray[np.bool_]) -> float:
    """Return the expected calibration error over bins of one width.

    Examples
    --------
    >>> calibration_error(np.array([0.9, 0.9]), np.array([True, False]))
    0.4
    """
    bins = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    gaps = [abs((scores - is_right)[bins == each].sum()) for each in range(_BINS)]
    return float(sum(gaps) / len(scores))
