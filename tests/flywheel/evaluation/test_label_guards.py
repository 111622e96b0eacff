"""A label's drop rejects only where exchanged answers show it, over all guarded labels together."""

from dataclasses import replace

import pytest

from flywheel.evaluation.comparisons import Comparison
from flywheel.evaluation.effective_rules import Outcome, RuleOutcome
from flywheel.evaluation.label_guards import assess_guards, label_guards
from flywheel.settings.policy import Policy, Rule


def drop(
    label: str, champion: float, challenger: float, p_value: float | None, documents: int = 40
) -> Comparison:
    """Return what answers show of a label's F1."""
    return Comparison(
        "F1Score",
        label,
        champion,
        challenger,
        documents,
        None,
        None,
        None if p_value is None else 1 - p_value,
        0.04,
        "approximate randomization",
        0.05,
        p_value,
    )


def outcomes(policy: Policy, *compared: Comparison) -> list[RuleOutcome]:
    """Judge the guards of a policy's critical labels."""
    guards = {rule.label: rule for rule in label_guards(policy)}
    return assess_guards([(guards[each.label], each) for each in compared], policy)


@pytest.mark.parametrize(
    ("challenger", "p_value", "outcome"),
    [
        (0.86, 0.001, Outcome.PASS),
        (0.80, 0.20, Outcome.UNKNOWN),
        (0.80, 0.09, Outcome.FAIL),
        (0.80, None, Outcome.UNKNOWN),
    ],
)
def test_a_drop_has_three_zones_when_a_label_is_critical(
    challenger: float, p_value: float | None, outcome: Outcome
) -> None:
    """Not seen passes, seen holds, seen and shown rejects; without answers nothing is shown."""
    policy = Policy(critical_labels=("FRAUD",))
    (judged,) = outcomes(policy, drop("FRAUD", 0.9, challenger, p_value))
    assert judged.outcome is outcome


def test_a_hold_says_how_many_documents_settle_it_when_a_drop_may_be_chance() -> None:
    """Documents of the label alone; the number stands on the drop that was seen."""
    policy = Policy(critical_labels=("FRAUD",))
    (judged,) = outcomes(policy, drop("FRAUD", 0.9, 0.8, 0.2))
    assert "more test documents of 'FRAUD' would settle it in 4 of 5 cases" in judged.reason
    assert "p = 0.2 of a drop" in judged.reason


@pytest.mark.parametrize(
    ("challenger", "deviation", "documents", "more"),
    [
        # 40 * 0.1**2 * (1.2816 + 0.8416)**2 / 0.1**2 is 181 documents, of which 40 are there.
        (0.8, 0.1, 40, "about 150 more"),
        (0.7, 0.1, 40, "about 6 more"),
        (0.8, 0.04, 400, "about 40 more"),
    ],
)
def test_a_hold_asks_for_the_documents_of_that_power_when_a_drop_may_be_chance(
    challenger: float, deviation: float, documents: int, more: str
) -> None:
    """Four of five drops of that size are seen with so many, and a tenth more at the least."""
    compared = drop("FRAUD", 0.9, challenger, 0.2, documents)
    (judged,) = outcomes(Policy(critical_labels=("FRAUD",)), replace(compared, deviation=deviation))
    assert more in judged.reason


def test_labels_share_one_error_when_several_are_critical() -> None:
    """By Holm: the smallest p-value of twenty must be a twentieth as large."""
    labels = tuple(f"L{number}" for number in range(20))
    policy = Policy(critical_labels=labels)
    rest = [drop(label, 0.9, 0.9, 0.6) for label in labels[1:]]
    (first, *_) = outcomes(policy, drop("L0", 0.9, 0.8, 0.0051), *rest)
    assert first.outcome is Outcome.UNKNOWN
    (first, *_) = outcomes(policy, drop("L0", 0.9, 0.8, 0.0049), *rest)
    assert first.outcome is Outcome.FAIL


def test_a_label_takes_no_part_in_the_error_when_it_only_warns() -> None:
    """It has too few documents, so it cannot reject either."""
    policy = Policy(critical_labels=("FEW", "MANY"))
    few, many = outcomes(
        policy, drop("FEW", 0.9, 0.5, 0.001, documents=29), drop("MANY", 0.9, 0.8, 0.09)
    )
    assert (few.outcome, many.outcome) == (Outcome.WARNING, Outcome.FAIL)


@pytest.mark.parametrize(
    ("settings", "documents", "outcome"),
    [
        ({}, 29, Outcome.WARNING),
        ({}, 30, Outcome.FAIL),
        ({}, 31, Outcome.FAIL),
        ({"critical_min_documents": 12}, 11, Outcome.WARNING),
        ({"critical_min_documents": 12}, 12, Outcome.FAIL),
    ],
)
def test_a_guard_stops_a_challenger_when_its_label_has_documents_enough(
    settings: dict[str, int], documents: int, outcome: Outcome
) -> None:
    """From `critical_min_documents` on; with one fewer it only warns."""
    policy = Policy.model_validate({"critical_labels": ["FRAUD"], **settings})
    (judged,) = outcomes(policy, drop("FRAUD", 0.9, 0.5, 0.001, documents))
    assert judged.outcome is outcome


@pytest.mark.parametrize(
    ("settings", "challenger", "outcome"),
    [
        ({}, 0.85, Outcome.PASS),
        ({}, 0.849, Outcome.FAIL),
        ({"critical_max_drop": 0.2}, 0.70, Outcome.PASS),
        ({"critical_max_drop": 0.2}, 0.699, Outcome.FAIL),
        ({"critical_max_drop": 0.0}, 0.9, Outcome.PASS),
        ({"critical_max_drop": 0.0}, 0.899, Outcome.FAIL),
    ],
)
def test_a_critical_label_may_drop_when_it_stays_within_the_allowance(
    settings: dict[str, float], challenger: float, outcome: Outcome
) -> None:
    """Up to `critical_max_drop` itself, whatever the answers show."""
    policy = Policy.model_validate({"critical_labels": ["FRAUD"], **settings})
    (judged,) = outcomes(policy, drop("FRAUD", 0.9, challenger, 0.001))
    assert judged.outcome is outcome


@pytest.mark.parametrize(
    ("evidence", "high", "outcome"),
    [
        ("none", None, Outcome.FAIL),
        ("averages", -0.01, Outcome.FAIL),
        ("averages", 0.01, Outcome.UNKNOWN),
        ("paired", -0.01, Outcome.UNKNOWN),
    ],
)
def test_bounds_show_a_drop_when_answers_may_not_be_asked_for(
    evidence: str, high: float | None, outcome: Outcome
) -> None:
    """Point values decide without evidence; with paired evidence the answers are asked for."""
    policy = Policy.model_validate({"critical_labels": ["FRAUD"], "evidence": evidence})
    compared = replace(drop("FRAUD", 0.9, 0.8, None), low=-0.2, high=high)
    (judged,) = outcomes(policy, compared)
    assert judged.outcome is outcome


def test_a_rule_about_a_label_is_a_guard_when_it_limits_its_drop() -> None:
    """The same three zones hold for it as for critical labels."""
    rule = Rule(metric="Recall", label="FRAUD", min=0.5, max_drop=0.02)
    (guard,) = label_guards(Policy(rules=(rule,)))
    assert guard == Rule(metric="Recall", label="FRAUD", max_drop=0.02)
