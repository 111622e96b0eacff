"""What a policy's rule means for two models: pass, fail, or not known.

A bound is missed where the point value misses it. Where the point value meets it, a comparison must
be carried by evidence too, unless the policy wants none. Decides nothing on its own;
`flywheel.verdict` draws the conclusion. Rules are parsed and checked in `flywheel.policy_settings`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from flywheel.advice import more_documents
from flywheel.comparisons import Comparison
from flywheel.policy_settings import Policy, Rule

Metrics = Mapping[str, float]
"""The averages of one model, named as in DescribeFlywheelIteration; any may be missing."""

ERROR = 0.05
"""How often chance may pass for a gain, one-sided; `family_error = "strict"` shares it out."""

_ROUNDING = 1e-9
"""Two averages nearer than this are equal: the last digits of doubles are rounding."""


class Outcome(StrEnum):
    """What became of one rule."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    WARNING = "WARNING"
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
        One sentence with the numbers.
    metric : str
        Empty for what is no rule about a metric, e.g. a missing test set.
    champion, challenger : float or None
        The values in [0, 1]; None where there is none that can be used.
    bound : float
    label : str or None
    low, high : float or None
        One-sided bounds of the gain.
    p_value : float or None
    documents : int or None
        Test documents it stands on.
    method : str
        How the bounds were got.
    """

    rule: str
    outcome: Outcome
    reason: str
    metric: str
    champion: float | None
    challenger: float | None
    bound: float
    label: str | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    documents: int | None = None
    method: str = ""


def error_of(policy: Policy) -> float:
    """Return how often one look may err."""
    return ERROR / policy.looks_planned if policy.family_error == "strict" else ERROR


@cache
def guards(policy: Policy) -> tuple[Rule, ...]:
    """Return all rules of a policy, the guards of its critical labels among them."""
    critical = (
        Rule(metric="F1Score", label=label, max_drop=policy.critical_max_drop)
        for label in policy.critical_labels
    )
    return (*policy.all_rules(), *critical)


def assess(
    rule: Rule,
    found: Comparison,
    policy: Policy,
    *,
    is_bootstrap: bool = False,
    scarce_label: str | None = None,
) -> list[RuleOutcome]:
    """Say for each bound of a rule whether the challenger meets it.

    Parameters
    ----------
    rule : Rule
    found : Comparison
        What is known of the rule's metric.
    policy : Policy
    is_bootstrap : bool
        Whether there is no champion, so that floors alone count.
    scarce_label : str or None
        The label of which more test documents would tell most.

    Returns
    -------
    list of RuleOutcome
        One for each bound.
    """
    outcomes = []
    for kind, bound in rule.bounds():
        if kind == "min":
            outcome, reason = _floor(found, bound)
        elif is_bootstrap:
            outcome, reason = Outcome.SKIPPED, "there is no active model to compare with"
        elif found.gain is None:
            outcome, reason = Outcome.UNKNOWN, _lacking(found)
        elif kind == "min_improvement":
            outcome, reason = _improvement(found, bound, policy, scarce_label)
        elif rule.label is not None:
            outcome, reason = _guard(found, bound, policy)
        else:
            outcome, reason = _drop(found, bound, policy, scarce_label)
        outcomes.append(
            RuleOutcome(
                f"{measured(rule.metric, rule.label)} {_named(kind, bound)}",
                outcome,
                reason,
                rule.metric,
                found.champion,
                found.challenger,
                bound,
                rule.label,
                found.low,
                found.high,
                found.p_value,
                found.documents,
                found.method,
            )
        )
    return outcomes


def measured(metric: str, label: str | None) -> str:
    """Return what is measured, in words.

    Examples
    --------
    >>> measured("F1Score", "BILLING")
    "F1Score of 'BILLING'"
    """
    return metric if label is None else f"{metric} of {label!r}"


def usable(metrics: Metrics | None, metric: str) -> float | None:
    """Return a metric's value, or None where it is missing, not finite or outside [0, 1]."""
    value = None if metrics is None else metrics.get(metric)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= 1 else None


def _named(kind: str, bound: float) -> str:
    if kind == "min":
        return f"at least {bound:.3f}"
    if kind == "max_drop":
        return f"not worse by more than {bound:.3f}"
    return f"better by at least {bound:.3f}" if bound else "better"


def _lacking(found: Comparison, who: str = "") -> str:
    who = who or ("champion" if found.champion is None else "challenger")
    why = "" if found.label is None else f": {found.method}"
    return f"the {who} has no usable {measured(found.metric, found.label)}{why}"


def _floor(found: Comparison, bound: float) -> tuple[Outcome, str]:
    """Judge a floor: it says what is good enough on this test set, so the value decides."""
    value = found.challenger
    if value is None:
        return Outcome.UNKNOWN, _lacking(found, "challenger")
    if value >= bound - _ROUNDING:
        return Outcome.PASS, f"{value:.3f} is at least {bound:.3f}"
    shown = f"{value:.{_decimals(value, bound)}f}"
    return Outcome.FAIL, f"{shown} is below {bound:.3f}"


def _improvement(
    found: Comparison, bound: float, policy: Policy, scarce_label: str | None
) -> tuple[Outcome, str]:
    """Judge a gain: it must be as large as asked for, and more than chance would give."""
    gain = found.gain or 0.0
    is_met = gain > _ROUNDING and gain >= bound - _ROUNDING
    change = _change(found, 3 if is_met else _decimals(gain, bound))
    if not is_met:
        wanted = f"at least +{bound:.3f}" if bound else "a gain"
        return Outcome.FAIL, f"{change}, {wanted} is asked"
    if policy.evidence == "none":
        return Outcome.PASS, change
    if found.shows_gain:
        return Outcome.PASS, f"{change}, {_carried(found)}"
    advice = more_documents(found.needed, found.documents, scarce_label)
    return Outcome.UNKNOWN, f"{change}, which chance alone may be: {_carried(found)}{advice}"


def _drop(
    found: Comparison, bound: float, policy: Policy, scarce_label: str | None
) -> tuple[Outcome, str]:
    """Judge a drop of an average: a larger one must be ruled out."""
    gain = found.gain or 0.0
    is_met = gain >= -bound - _ROUNDING
    change = _change(found, 3 if is_met else _decimals(gain, bound))
    if not is_met:
        return Outcome.FAIL, f"{change}, a drop of at most {bound:.3f} is allowed"
    if policy.evidence == "none":
        return Outcome.PASS, change
    if found.rules_out_drop(bound):
        return Outcome.PASS, f"{change}, {_carried(found)}"
    needed = None
    if found.low is not None and found.documents and gain + bound > _ROUNDING:
        ratio = (gain - found.low) / (gain + bound)
        needed = math.ceil(found.documents * ratio**2)
    advice = more_documents(needed, found.documents, scarce_label)
    return (
        Outcome.UNKNOWN,
        f"{change}, and a drop of more than {bound:.3f} is not ruled out: "
        f"{_carried(found)}{advice}",
    )


def _guard(found: Comparison, bound: float, policy: Policy) -> tuple[Outcome, str]:
    """Judge a label's guard, a veto: it stops a drop that is seen, and asks for no proof."""
    is_met = (found.gain or 0.0) >= -bound - _ROUNDING
    change = _change(found, 3 if is_met else _decimals(found.gain or 0.0, bound))
    if is_met:
        return Outcome.PASS, change
    missed = f"{change}, a drop of at most {bound:.3f} is allowed"
    is_critical = found.label in policy.critical_labels
    if is_critical and (found.documents or 0) < policy.critical_min_documents:
        return Outcome.WARNING, (
            f"{missed}; it has {found.documents} test documents, and with fewer than "
            f"{policy.critical_min_documents} the guard only warns"
        )
    return Outcome.FAIL, missed


def _change(found: Comparison, decimals: int) -> str:
    return (
        f"{found.champion:.{decimals}f} -> {found.challenger:.{decimals}f} "
        f"is {found.gain:+z.{decimals}f}"
    )


def _carried(found: Comparison) -> str:
    """Say what the evidence shows of a gain."""
    if found.low is None or found.high is None:
        return found.method
    chance = "" if found.p_value is None else f"p = {found.p_value:.2g}, "
    return f"{chance}bounds {found.low:+z.3f} to {found.high:+z.3f}, {found.method}"


def _decimals(value: float, bound: float) -> int:
    """Return how many decimals show that a value misses its bound; 3 where they do."""
    return next((n for n in range(3, 10) if f"{abs(value):.{n}f}" != f"{bound:.{n}f}"), 3)
