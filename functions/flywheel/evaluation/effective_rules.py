"""What a policy's rule means for two models: pass, fail, or not known.

A bound is missed where the point value misses it. Where the point value meets it, a comparison must
be carried by evidence too, unless the policy wants none. Decides nothing on its own;
`flywheel.evaluation.verdict` draws the conclusion. Rules are parsed and checked in
`flywheel.settings.policy`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flywheel.evaluation.comparisons import Comparison
from flywheel.settings.policy import BOUNDS, Bound, Policy, Rule

Metrics = Mapping[str, float]
"""The averages of one model, named as in DescribeFlywheelIteration; any may be missing."""

Advise = Callable[[Comparison, float, float], str]
"""Says what would end a hold: of a comparison, the gain to be shown, and the gain to be reached."""

ROUNDING = 1e-9
"""Two averages nearer than this are equal: the last digits of doubles are rounding."""


class Outcome(StrEnum):
    """The outcome of one rule."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    WARNING = "WARNING"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One rule, the values it compared, and its outcome.

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
        The test documents behind it.
    method : str
        How the bounds were computed.
    bound_kind : {"min", "min_improvement", "max_drop"} or None
        What `bound` limits; None for what is no rule about a metric.
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
    bound_kind: Bound | None = None

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "RuleOutcome":
        """Read a stored outcome; members of a later release are left out."""
        values = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        values["outcome"] = Outcome(stored["outcome"])
        values.setdefault("bound_kind", _bound_kind_of_earlier(stored))
        return cls(**values)

    @property
    def gain(self) -> float | None:
        """What the challenger has more."""
        if self.champion is None or self.challenger is None:
            return None
        return self.challenger - self.champion

    @property
    def least_gain(self) -> float | None:
        """The gain that the bound requires; None where it requires none."""
        signs: dict[Bound | None, int] = {"min_improvement": 1, "max_drop": -1}
        sign = signs.get(self.bound_kind)
        return None if sign is None else sign * self.bound


def assess(
    rule: Rule,
    compared: Comparison,
    policy: Policy,
    advise: Advise,
    *,
    is_bootstrap: bool = False,
) -> list[RuleOutcome]:
    """Return for each bound of a rule whether the challenger meets it.

    A limit to a label's drop is not judged here but with all others
    (`flywheel.evaluation.label_guards`).

    Parameters
    ----------
    rule : Rule
    compared : Comparison
        What is known of the rule's metric.
    policy : Policy
    advise : callable
    is_bootstrap : bool
        Whether there is no champion, so that floors alone count.

    Returns
    -------
    list of RuleOutcome
        One for each bound.
    """
    outcomes = []
    for kind, bound in rule.bounds():
        if kind == "max_drop" and rule.label is not None:
            continue
        if kind == "min":
            outcome, reason = _floor(compared, bound)
        elif is_bootstrap:
            outcome, reason = Outcome.SKIPPED, "there is no active model to compare with"
        elif compared.gain is None:
            outcome, reason = Outcome.UNKNOWN, lacking(compared)
        elif kind == "min_improvement":
            outcome, reason = _improvement(compared, bound, policy, advise)
        else:
            outcome, reason = _drop(compared, bound, policy, advise)
        outcomes.append(rule_outcome(rule, kind, compared, (outcome, reason)))
    return outcomes


def assess_anchor(
    rule: Rule, compared: Comparison, policy: Policy, advise: Advise
) -> list[RuleOutcome]:
    """Return whether a challenger stays near the anchor, for each limit on an average's drop.

    Parameters
    ----------
    compared : Comparison
        Of the anchor and the challenger.
    """
    if rule.max_drop is None or rule.label is not None or policy.evidence == "none":
        return []
    bound = rule.max_drop
    if compared.gain is None:
        outcome, reason = Outcome.UNKNOWN, lacking(compared, "anchor")
    else:
        outcome, reason = _near(compared, bound, advise)
    name = f"{rule.metric} not worse than the anchor's by more than {bound:.3f}"
    return [rule_outcome(rule, "max_drop", compared, (outcome, reason), name=name)]


def rule_outcome(
    rule: Rule,
    kind: Bound,
    compared: Comparison,
    judged: tuple[Outcome, str],
    *,
    name: str = "",
) -> RuleOutcome:
    """Return the outcome of one bound of a rule, with the values that it compared."""
    bound = getattr(rule, kind)
    return RuleOutcome(
        name or f"{measured(rule.metric, rule.label)} {_named(kind, bound)}",
        *judged,
        rule.metric,
        compared.champion,
        compared.challenger,
        bound,
        rule.label,
        compared.low,
        compared.high,
        compared.p_value,
        compared.documents,
        compared.method,
        kind,
    )


def _bound_kind_of_earlier(stored: Mapping[str, Any]) -> Bound | None:
    """Return the kind of a bound that a release stored which named it in `rule` alone.

    Those names are fixed; the one that is left is the limit to a drop from the anchor.
    """
    if not stored["metric"]:
        return None
    subject = measured(stored["metric"], stored.get("label"))
    names: dict[str, Bound] = {
        f"{subject} {_named(kind, stored['bound'])}": kind for kind in BOUNDS
    }
    return names.get(stored["rule"], "max_drop")


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


def lacking(compared: Comparison, who: str = "") -> str:
    """Return a sentence on whose value is missing."""
    who = who or ("champion" if compared.champion is None else "challenger")
    why = "" if compared.label is None and who != "anchor" else f": {compared.method}"
    return f"the {who} has no usable {measured(compared.metric, compared.label)}{why}"


def change(compared: Comparison, bound: float) -> str:
    """Return both values and the gain, with enough decimals to show the side of a bound.

    Examples
    --------
    >>> change(Comparison("F1Score", "A", 0.9, 0.85, 40, None, None, None, 0.04, ""), 0.03)
    '0.900 -> 0.850 is -0.050'
    """
    gain = compared.gain or 0.0
    decimals = _decimals(gain, bound)
    return (
        f"{compared.champion:.{decimals}f} -> {compared.challenger:.{decimals}f} "
        f"is {gain:+z.{decimals}f}"
    )


def shown_drop(compared: Comparison) -> str:
    """Return how rarely chance loses as much, as the end of a sentence."""
    if compared.drop_p_value is None:
        return f": {_carried(compared)}"
    return f": p = {compared.drop_p_value:.2g} of a drop, {compared.method}"


def _floor(compared: Comparison, bound: float) -> tuple[Outcome, str]:
    """Judge a floor: it says what is good enough on this test set, so the value decides."""
    value = compared.challenger
    if value is None:
        return Outcome.UNKNOWN, lacking(compared, "challenger")
    if value >= bound - ROUNDING:
        return Outcome.PASS, f"{value:.3f} is at least {bound:.3f}"
    shown = f"{value:.{_decimals(value, bound)}f}"
    return Outcome.FAIL, f"{shown} is below {bound:.3f}"


def _improvement(
    compared: Comparison, bound: float, policy: Policy, advise: Advise
) -> tuple[Outcome, str]:
    """Judge a gain: it must be as large as required, and more than chance would give."""
    gain = compared.gain or 0.0
    if gain <= ROUNDING or gain < bound - ROUNDING:
        wanted = f"at least +{bound:.3f}" if bound else "a gain"
        return Outcome.FAIL, f"{change(compared, bound)}, {wanted} is asked"
    changed = change(compared, 0.0)
    if policy.evidence == "none":
        return Outcome.PASS, changed
    if compared.shows_gain:
        return Outcome.PASS, f"{changed}, {_carried(compared)}"
    advised = advise(compared, 0.0, bound)
    return Outcome.UNKNOWN, f"{changed}, which chance alone may be: {_carried(compared)}{advised}"


def _drop(
    compared: Comparison, bound: float, policy: Policy, advise: Advise
) -> tuple[Outcome, str]:
    """Judge a drop of an average: a larger one must be ruled out.

    Where no gain is required, a small proven loss is a loss all the same: many of them add up.
    """
    is_proven = compared.high is not None and compared.high < 0
    is_loss = policy.comparison == "non-inferiority" and not policy.allow_proven_loss
    if policy.evidence != "none" and is_proven and is_loss:
        return Outcome.FAIL, (
            f"{change(compared, bound)}, and it is proven to be worse: {_carried(compared)}; "
            "allow_proven_loss = true would let it pass"
        )
    if policy.evidence == "none" and (compared.gain or 0.0) >= -bound - ROUNDING:
        return Outcome.PASS, change(compared, 0.0)
    return _near(compared, bound, advise)


def _near(compared: Comparison, bound: float, advise: Advise) -> tuple[Outcome, str]:
    """Judge whether a challenger is at most so much worse."""
    if (compared.gain or 0.0) < -bound - ROUNDING:
        return Outcome.FAIL, f"{change(compared, bound)}, a drop of at most {bound:.3f} is allowed"
    changed = change(compared, 0.0)
    if compared.rules_out_drop(bound):
        return Outcome.PASS, f"{changed}, {_carried(compared)}"
    return Outcome.UNKNOWN, (
        f"{changed}, and a drop of more than {bound:.3f} is not ruled out: "
        f"{_carried(compared)}{advise(compared, -bound, -bound)}"
    )


def _carried(compared: Comparison) -> str:
    """Return what the evidence shows of a gain, and which error this look may use."""
    if compared.low is None or compared.high is None:
        return compared.method
    chance = "" if compared.p_value is None else f"p = {compared.p_value:.2g}, "
    return (
        f"{chance}bounds {compared.low:+z.3f} to {compared.high:+z.3f} at this look's error of "
        f"{compared.error:.2g}, {compared.method}"
    )


def _decimals(value: float, bound: float) -> int:
    """Return how many decimals show that a value misses its bound; 3 where they do."""
    return next((n for n in range(3, 10) if f"{abs(value):.{n}f}" != f"{bound:.{n}f}"), 3)
