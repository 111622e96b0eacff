"""Odds of a policy: its chances are approximated, its verdicts and its trials are held here."""

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import pytest

from console.policy.odds import Task, odds, trials_of
from console.policy.scenarios.approximate_pair import ApproximatePair, NormalChances, drawn_groups
from console.policy.scenarios.drawing import (
    AnswerArrays,
    Random,
    fact_answers,
    label_names,
    seed_name,
    shared_out,
    single_label_answers,
)
from console.policy.scenarios.judging import ModelPair
from flywheel.evaluation.predictions import Kind, tallies
from flywheel.evaluation.resampling import Measured, chances
from flywheel.evaluation.verdict import Decision, Verdict
from flywheel.settings.policy import Policy, Rule

FIVE = tuple(label_names(5))
STRICT = Policy(family_error="strict", looks_planned=156)


def answers(
    random: Random, kind: Kind, labels: int, documents: int, difference: float
) -> AnswerArrays:
    """Draw two models, one of them right in 80 %; they disagree on 10 %."""
    names, new = label_names(labels), 0.8 + difference
    if kind == "multi-class":
        return single_label_answers(random, shared_out(documents, names), 0.8, new, 0.1)
    shares = {"champion": 0.8, "challenger": new, "disagreement": 0.1}
    return fact_answers(random, names, documents, kind=kind, **shares)


def judged_both_ways(
    policy: Policy, kind: Kind, labels: int, documents: int, trials: int
) -> Iterator[tuple[Verdict, Verdict]]:
    """Give the gate's own verdict on pairs of models, and the approximated one."""
    random = np.random.default_rng(1)
    for _ in range(trials):
        drawn = answers(random, kind, labels, documents, 0.03)
        groups = drawn_groups(drawn)
        _, real = ModelPair(drawn.documents(), kind, labels, seed_name(random)).judge(policy)
        yield real, ApproximatePair(drawn, kind, groups).judge(policy)[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "kind", "labels", "documents"),
    [
        (Policy(), "multi-class", 5, 100),
        (Policy(), "multi-class", 5, 500),
        (Policy(critical_labels=tuple(label_names(10))), "multi-class", 10, 300),
        (Policy(family_error="strict", looks_planned=12), "multi-class", 3, 300),
        (
            Policy(
                rules=(
                    Rule(metric="AverageAccuracy", min_improvement=0.01),
                    Rule(metric="AverageRecall", max_drop=0.02),
                    Rule(metric="Precision", label="L001", max_drop=0.1),
                )
            ),
            "multi-class",
            5,
            300,
        ),
        (Policy(comparison="non-inferiority", margin=0.02), "multi-class", 3, 300),
        (Policy(), "entities", 2, 150),
        (
            Policy(rules=(Rule(metric="AverageAccuracy", min_improvement=0.003),)),
            "multi-label",
            6,
            150,
        ),
    ],
)
def test_an_approximated_verdict_is_the_gates_when_both_judge_the_same_answers(
    policy: Policy, kind: Kind, labels: int, documents: int
) -> None:
    """All but a few that are decided by a hair; these go either way."""
    pairs = list(judged_both_ways(policy, kind, labels, documents, 40))
    decisions = [(one.decision, other.decision) for one, other in pairs]
    differing = [(one, other) for one, other in decisions if one is not other]
    assert len(differing) <= 4
    promoted = [one is Decision.PROMOTE for one, _ in differing]
    assert abs(2 * sum(promoted) - len(promoted)) <= 4
    assert len({one for one, _ in decisions}) > 1


@pytest.mark.parametrize(
    ("kind", "labels", "measured"),
    [
        ("multi-class", 5, ("AverageF1Score", None)),
        ("multi-class", 5, ("AveragePrecision", None)),
        ("multi-class", 5, ("AverageRecall", None)),
        ("multi-class", 5, ("F1Score", "L002")),
        ("multi-class", 5, ("Precision", "L002")),
        ("multi-class", 5, ("Recall", "L002")),
        ("multi-label", 6, ("AverageF1Score", None)),
        ("multi-label", 6, ("AverageAccuracy", None)),
        ("entities", 2, ("AverageF1Score", None)),
        ("entities", 2, ("AveragePrecision", None)),
        ("entities", 2, ("Recall", "L001")),
    ],
)
def test_the_normal_curve_is_near_the_draws_when_a_metric_is_compared(
    kind: Kind, labels: int, measured: Measured
) -> None:
    """P-values to 3 points, bounds to a quarter of the deviation."""
    drawn = answers(np.random.default_rng(3), kind, labels, 1000, 0.01)
    documents, error = drawn.documents(), 0.04
    by_draws = chances(documents, [measured], kind=kind, labels=labels, error=error, seed=1)
    old, new = tallies(documents, kind=kind, labels=labels)
    assert old is not None
    assert drawn.tallies(kind) == (old, new)
    before, after = old.metric(*measured), new.metric(*measured)
    assert before is not None
    assert after is not None
    found = NormalChances(drawn, (old, new), kind).chance(measured, after - before, error)
    real = by_draws[measured]
    assert found.p_value == pytest.approx(real.p_value, abs=0.03)
    assert found.drop_p_value == pytest.approx(real.drop_p_value, abs=0.03)
    assert found.deviation == pytest.approx(real.deviation, rel=0.1)
    # The bounds are quantiles of 1,000 resamples: their standard error is 0.07 deviations.
    assert found.low == pytest.approx(real.low, abs=0.25 * real.deviation)
    assert found.high == pytest.approx(real.high, abs=0.25 * real.deviation)


@pytest.mark.parametrize("documents", [100, 500, 2000, 10_000])
@pytest.mark.parametrize(
    ("policy", "kind"),
    [(Policy(), "multi-class"), (STRICT, "multi-class"), (STRICT, "entities")],
)
def test_the_standard_error_is_at_most_2_points_however_small_a_looks_error_is(
    policy: Policy, kind: Kind, documents: int
) -> None:
    """A hundred thousand draws for each verdict left 20 to 40 trials, and took a minute."""
    trials = trials_of([(policy, Task(kind, FIVE))], documents)
    assert 0.5 / trials**0.5 <= 0.02
    assert trials == trials_of([(Policy(), Task(kind, FIVE))], documents)


def test_trials_are_fewer_when_many_large_policies_share_the_time() -> None:
    """But never so few that nothing follows."""
    labels = tuple(label_names(100))
    guarded = (Policy(critical_labels=labels), Task("multi-class", labels))
    alone = trials_of([(Policy(), Task("multi-class", labels))], 10_000)
    assert 25 <= trials_of([guarded] * 3, 10_000) < trials_of([guarded], 10_000) < alone


def test_no_answers_are_exchanged_when_odds_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error that would ask for 124,800 draws of each verdict."""

    def draw(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("answers were exchanged")

    monkeypatch.setattr("flywheel.evaluation.comparisons.chances", draw)
    monkeypatch.setattr("console.policy.odds._MOST_TRIALS", 100)
    equal, better, worse = odds([(STRICT, Task("multi-class", FIVE))], 1000, processes=1)[0]
    assert (equal.trials, better.trials, worse.trials) == (100, 100, 100)
    assert (equal.promoted, worse.promoted) == (0, 0)
    assert 0.1 < better.promoted < 0.6
    assert 0 < equal.standard_error < 0.02 < better.standard_error < 0.06
