"""What a policy's rule means for two models: pass, fail, or not known.

Decides nothing on its own; `flywheel.verdict` draws the conclusion. Rules are parsed and checked
in `flywheel.settings`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from flywheel.policy_settings import Rule

Metrics = Mapping[str, float]
"""The averages of one model, named as in DescribeFlywheelIteration; any may be missing."""

_ROUNDING = 1e-9
"""Two averages nearer than this are equal: the last digits of doubles are rounding."""


class Outcome(StrEnum):
    """What became of one rule."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One rule, the values it saw and what became of it.

    Parameters
    ----------
    rule : str
        The rule in words, e.g. ``AverageF1Score at least 0.500``.
    outcome : Outcome
    reason : str
        One sentence with both numbers.
    metric : str
    champion, challenger : float or None
        The values in [0, 1]; None where the service gave none that can be used.
    bound : float
    """

    rule: str
    outcome: Outcome
    reason: str
    metric: str
    champion: float | None
    challenger: float | None
    bound: float


def assess(rule: Rule, champion: Metrics | None, challenger: Metrics) -> list[RuleOutcome]:
    """Say for each bound of a rule whether the challenger meets it.

    Parameters
    ----------
    rule : Rule
    champion : mapping or None
        Averages of the active model; None where there is no active model.
    challenger : mapping
        Averages of the newly trained model.

    Returns
    -------
    list of RuleOutcome
        One or two: the floor and the improvement.
    """
    outcomes = []
    if rule.min is not None:
        outcomes.append(_floor(rule.metric, rule.min, champion, challenger))
    if rule.min_improvement is not None:
        outcomes.append(_improvement(rule.metric, rule.min_improvement, champion, challenger))
    return outcomes


def usable(metrics: Metrics | None, metric: str) -> float | None:
    """Return a metric's value, or None where it is missing, not finite or outside [0, 1]."""
    value = None if metrics is None else metrics.get(metric)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= 1 else None


def _floor(metric: str, bound: float, champion: Metrics | None, challenger: Metrics) -> RuleOutcome:
    value = usable(challenger, metric)
    if value is None:
        outcome, reason = Outcome.UNKNOWN, f"the challenger has no usable {metric}"
    elif value >= bound - _ROUNDING:
        outcome, reason = Outcome.PASS, f"{value:.3f} is at least {bound:.3f}"
    else:
        shown = f"{value:.{_decimals(value, bound)}f}"
        outcome, reason = Outcome.FAIL, f"{shown} is below {bound:.3f}"
    rule = f"{metric} at least {bound:.3f}"
    return RuleOutcome(rule, outcome, reason, metric, usable(champion, metric), value, bound)


def _improvement(
    metric: str, bound: float, champion: Metrics | None, challenger: Metrics
) -> RuleOutcome:
    rule = f"{metric} better by at least {bound:.3f}" if bound else f"{metric} better"
    old, new = usable(champion, metric), usable(challenger, metric)
    if champion is None:
        reason = "there is no active model to compare with"
        return RuleOutcome(rule, Outcome.SKIPPED, reason, metric, None, new, bound)
    if old is None or new is None:
        who = "champion" if old is None else "challenger"
        reason = f"the {who} has no usable {metric}"
        return RuleOutcome(rule, Outcome.UNKNOWN, reason, metric, old, new, bound)
    gain = new - old
    is_met = gain > _ROUNDING and gain >= bound - _ROUNDING
    decimals = 3 if is_met else _decimals(gain, bound)
    change = f"{old:.{decimals}f} -> {new:.{decimals}f} is {gain:+z.{decimals}f}"
    wanted = f"at least +{bound:.3f}" if bound else "a gain"
    reason = f"{change}, {wanted} is asked" if not is_met else change
    outcome = Outcome.PASS if is_met else Outcome.FAIL
    return RuleOutcome(rule, outcome, reason, metric, old, new, bound)


def _decimals(value: float, bound: float) -> int:
    """Return how many decimals show that a value misses its bound; 3 where they do."""
    return next((n for n in range(3, 10) if f"{abs(value):.{n}f}" != f"{bound:.{n}f}"), 3)
