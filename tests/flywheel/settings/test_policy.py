import math

import pytest

from flywheel.evaluation.comparisons import of_averages
from flywheel.evaluation.effective_rules import Metrics, Outcome, RuleOutcome, assess, usable
from flywheel.evaluation.worth import averages_worth
from flywheel.settings.policy import METRICS, MetricName, Policy, Rule

F1: MetricName = "AverageF1Score"
POINTS = Policy(evidence="none")


def judged(
    rule: Rule, champion: Metrics | None, challenger: Metrics, policy: Policy = POINTS
) -> list[RuleOutcome]:
    """Judge a rule by the point values of an iteration."""
    found = of_averages(
        rule.metric,
        usable(champion, rule.metric),
        usable(challenger, rule.metric),
        documents=None,
        worth=averages_worth(rule.metric, "multi-class", None, {}),
        error=0.05,
    )
    return assess(rule, found, policy, lambda *_: "", is_bootstrap=champion is None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, 0.5),
        (0, 0.0),
        (1, 1.0),
        (None, None),
        (math.nan, None),
        (math.inf, None),
        (-0.01, None),
        (1.01, None),
        (True, None),
        ("0.5", None),
    ],
)
def test_a_value_is_usable_when_it_is_a_number_from_zero_to_one(
    value: float, expected: float | None
) -> None:
    """Whatever else the service gives counts as missing."""
    assert usable({F1: value}, F1) == expected


def test_a_value_is_missing_when_nothing_was_measured() -> None:
    """No model and no such metric are the same: nothing usable."""
    assert usable(None, F1) is None
    assert usable({}, F1) is None


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("value", "outcome", "reason"),
    [
        (0.6, Outcome.PASS, "0.600 is at least 0.500"),
        (0.5, Outcome.PASS, "0.500 is at least 0.500"),
        (0.1 + 0.2 + 0.2, Outcome.PASS, "0.500 is at least 0.500"),
        (0.49, Outcome.FAIL, "0.490 is below 0.500"),
        (0.4996, Outcome.FAIL, "0.4996 is below 0.500"),
        (0.49999996, Outcome.FAIL, "0.49999996 is below 0.500"),
        (math.nan, Outcome.UNKNOWN, "the challenger has no usable"),
        (2.0, Outcome.UNKNOWN, "the challenger has no usable"),
    ],
)
def test_a_floor_is_met_when_the_challenger_reaches_it(
    metric: MetricName, value: float, outcome: Outcome, reason: str
) -> None:
    """The floor itself is enough, and an unusable value is never a pass or a fail."""
    (found,) = judged(Rule(metric=metric, min=0.5), {metric: 0.9}, {metric: value})
    assert found.outcome is outcome
    assert found.reason.startswith(reason)
    assert (found.rule, found.metric, found.bound) == (f"{metric} at least 0.500", metric, 0.5)
    assert found.champion == 0.9


@pytest.mark.parametrize(
    ("old", "new", "bound", "outcome", "reason"),
    [
        (0.8, 0.81, 0.005, Outcome.PASS, "0.800 -> 0.810 is +0.010"),
        (0.8, 0.805, 0.005, Outcome.PASS, "0.800 -> 0.805 is +0.005"),
        (0.3, 0.1 + 0.2 + 0.005, 0.005, Outcome.PASS, "0.300 -> 0.305 is +0.005"),
        (0.8, 0.804, 0.005, Outcome.FAIL, "0.800 -> 0.804 is +0.004, at least +0.005 is asked"),
        (0.8, 0.8046, 0.005, Outcome.FAIL, "0.8000 -> 0.8046 is +0.0046, at least +0.005 is asked"),
        (0.8, 0.8, 0.005, Outcome.FAIL, "0.800 -> 0.800 is +0.000, at least +0.005 is asked"),
        (0.8, 0.7, 0.005, Outcome.FAIL, "0.800 -> 0.700 is -0.100, at least +0.005 is asked"),
        (0.8, 0.7998, 0.0, Outcome.FAIL, "0.8000 -> 0.7998 is -0.0002, a gain is asked"),
        (0.8, 0.8, 0.0, Outcome.FAIL, "0.800 -> 0.800 is +0.000, a gain is asked"),
        (0.3, 0.1 + 0.2, 0.0, Outcome.FAIL, "0.300 -> 0.300 is +0.000, a gain is asked"),
        (0.8, 0.7998, 0.005, Outcome.FAIL, "0.800 -> 0.800 is +0.000, at least +0.005 is asked"),
        (0.8, 0.801, 0.0, Outcome.PASS, "0.800 -> 0.801 is +0.001"),
        (math.nan, 0.8, 0.0, Outcome.UNKNOWN, "the champion has no usable AverageF1Score"),
        (0.8, math.nan, 0.0, Outcome.UNKNOWN, "the challenger has no usable AverageF1Score"),
        (0.0, 1.0, 1.0, Outcome.PASS, "0.000 -> 1.000 is +1.000"),
    ],
)
def test_an_improvement_is_met_when_the_gain_reaches_it(
    old: float, new: float, bound: float, outcome: Outcome, reason: str
) -> None:
    """The asked gain itself is enough, rounding is no gain, and a tie never passes."""
    (found,) = judged(Rule(metric=F1, min_improvement=bound), {F1: old}, {F1: new})
    assert (found.outcome, found.reason) == (outcome, reason)


def test_an_improvement_is_skipped_when_there_is_no_champion() -> None:
    """A first model is judged by floors alone."""
    floor, improvement = judged(Rule(metric=F1, min=0.5, min_improvement=0.1), None, {F1: 0.6})
    assert (floor.outcome, improvement.outcome) == (Outcome.PASS, Outcome.SKIPPED)
    assert improvement.reason == "there is no active model to compare with"


def test_an_improvement_is_unknown_when_the_champion_has_no_numbers() -> None:
    """A champion without numbers is not the same as no champion."""
    (found,) = judged(Rule(metric=F1, min_improvement=0.1), {}, {F1: 0.6})
    assert found.outcome is Outcome.UNKNOWN


FLOOR = Rule(metric="AverageF1Score", min=0.5)
ANY_DROP = Rule(metric="AverageRecall", max_drop=0.2)
ANY_FLOOR = Rule(metric="AverageAccuracy", min=0.1)
ANY_GAIN = Rule(metric="AverageAccuracy", min_improvement=0.1)
OF_A_LABEL = Rule(metric="F1Score", label="FRAUD", min=0.4)


@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        (Policy(), (FLOOR, Rule(metric="AverageF1Score", min_improvement=0.005))),
        (Policy(rules=(ANY_FLOOR, ANY_GAIN)), (ANY_FLOOR, ANY_GAIN)),
        (
            Policy(comparison="non-inferiority", margin=0.03),
            (FLOOR, Rule(metric="AverageF1Score", max_drop=0.03)),
        ),
        (
            Policy(comparison="non-inferiority", rules=(ANY_DROP,)),
            (FLOOR, ANY_DROP),
        ),
        (
            Policy(comparison="non-inferiority", rules=(OF_A_LABEL, ANY_DROP)),
            (FLOOR, OF_A_LABEL, ANY_DROP),
        ),
    ],
)
def test_a_policy_has_the_default_bounds_when_its_rules_of_averages_give_none(
    policy: Policy, rules: tuple[Rule, ...]
) -> None:
    """A floor always, and a gain or the margin; a label's bound stands for none of them."""
    assert policy.all_rules() == rules
