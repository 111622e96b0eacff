"""Guards of single labels: a drop of a label's metric stops a challenger, if it is no chance.

Three zones. A drop that is not seen passes. One that is seen and shown rejects: exchanged answers
lose as much too rarely, over all guarded labels together. One that is seen but not shown holds, and
says what would settle it. Read next: `flywheel.evaluation.effective_rules` (all other bounds),
`flywheel.evaluation.verdict`.

Notes
-----
*Source*: Holm 1979 on several tests with one error.
"""

import math
from collections.abc import Sequence

from flywheel.evaluation import intervals
from flywheel.evaluation.advice import POWER, rounded_up
from flywheel.evaluation.comparisons import Comparison
from flywheel.evaluation.effective_rules import (
    ROUNDING,
    Outcome,
    RuleOutcome,
    change,
    lacking,
    rule_outcome,
    shown_drop,
)
from flywheel.number_words import number_of
from flywheel.settings.policy import Policy, Rule

GUARD_ERROR = 0.10
"""How often labels that did not lose may reject a challenger, all guarded labels together."""

Guarded = tuple[Rule, Comparison]


def label_guards(policy: Policy) -> tuple[Rule, ...]:
    """Return the guards: the rules that limit a label's drop, and one for each critical label."""
    named = (
        Rule(metric=rule.metric, label=rule.label, max_drop=rule.max_drop)
        for rule in policy.rules
        if rule.label is not None and rule.max_drop is not None
    )
    critical = (
        Rule(metric="F1Score", label=label, max_drop=policy.critical_max_drop)
        for label in policy.critical_labels
    )
    return (*named, *critical)


def assess_guards(guarded: Sequence[Guarded], policy: Policy) -> list[RuleOutcome]:
    """Return the outcome of each guard.

    Parameters
    ----------
    guarded : sequence of tuple of Rule and Comparison
        All guards, each with what is known of its metric.
    policy : Policy
    """
    judged = [each for each in guarded if not _only_warns(*each, policy)]
    shown = _shown(judged, policy)
    outcomes = []
    for rule, compared in guarded:
        if compared.gain is None:
            outcome, reason = Outcome.UNKNOWN, lacking(compared)
        elif not _is_seen(rule, compared):
            outcome, reason = Outcome.PASS, change(compared, 0.0)
        else:
            outcome, reason = _judge_drop(rule, compared, policy, shown, len(judged))
        outcomes.append(rule_outcome(rule, "max_drop", compared, (outcome, reason)))
    return outcomes


def _judge_drop(
    rule: Rule, compared: Comparison, policy: Policy, shown: set[tuple[str, str | None]], tests: int
) -> tuple[Outcome, str]:
    """Judge a drop that is seen."""
    bound = rule.max_drop or 0.0
    missed = f"{change(compared, bound)}, a drop of at most {bound:.3f} is allowed"
    if _only_warns(rule, compared, policy):
        return Outcome.WARNING, (
            f"{missed}; it has {number_of(compared.documents or 0, 'test document')}, and with "
            f"fewer than {policy.critical_min_documents} the guard only warns"
        )
    if (rule.metric, rule.label) in shown:
        return Outcome.FAIL, f"{missed}{shown_drop(compared)}"
    if compared.drop_p_value is None:
        return Outcome.UNKNOWN, f"{missed}; whether it is chance is not known: {compared.method}"
    return Outcome.UNKNOWN, (
        f"{missed}, which chance alone may be{shown_drop(compared)}"
        f"{_settled(rule, compared, GUARD_ERROR / max(tests, 1))}"
    )


def _is_seen(rule: Rule, compared: Comparison) -> bool:
    return (compared.gain or 0.0) < -(rule.max_drop or 0.0) - ROUNDING


def _only_warns(rule: Rule, compared: Comparison, policy: Policy) -> bool:
    """Whether a critical label has too few test documents for its guard to stop anything."""
    is_critical = rule.label in policy.critical_labels and rule.metric == "F1Score"
    return is_critical and (compared.documents or 0) < policy.critical_min_documents


def _shown(guarded: Sequence[Guarded], policy: Policy) -> set[tuple[str, str | None]]:
    """Return the metrics and labels whose drop is more than chance; point values with no evidence.

    By Holm's steps over all guards whose answers were exchanged; from averages alone, by bounds.
    """
    if policy.evidence == "none":
        return {(rule.metric, rule.label) for rule, _ in guarded}
    drops = [(compared.drop_p_value, rule) for rule, compared in guarded]
    tested = sorted(
        ((p_value, rule) for p_value, rule in drops if p_value is not None),
        key=lambda each: each[0],
    )
    shown: set[tuple[str, str | None]] = set()
    for step, (p_value, rule) in enumerate(tested):
        if p_value > GUARD_ERROR / (len(tested) - step):
            break
        shown.add((rule.metric, rule.label))
    if policy.evidence == "averages":
        shown |= {
            (rule.metric, rule.label)
            for rule, compared in guarded
            if compared.high is not None and compared.high < 0
        }
    return shown


def _settled(rule: Rule, compared: Comparison, error: float) -> str:
    """Return how many more documents of the label would settle it, as the end of a sentence."""
    drop, count = -(compared.gain or 0.0), compared.documents
    if not compared.deviation or not count or drop <= 0:
        return ""
    reach = intervals.quantile(error) + intervals.quantile(1 - POWER)
    needed = math.ceil(count * compared.deviation**2 * reach**2 / drop**2)
    more = rounded_up(max(needed - count, math.ceil(count / 10)))
    return (
        f"; about {number_of(more, 'more test document')} of {rule.label!r} would settle it in 4 "
        "of 5 cases if the drop is as large as seen"
    )
