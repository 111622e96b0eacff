"""What people are shown of a verdict, and which kind of bound a rule has."""

import json
from dataclasses import replace

import pytest

from flywheel.evaluation.comparisons import Comparison
from flywheel.evaluation.evidence import Evidence, MeasuredLabels, TestSetFacts
from flywheel.evaluation.paired_evidence import LabelChange, PairedEvidence
from flywheel.evaluation.verdict import Verdict, decide
from flywheel.evaluation.verdict_view import VerdictView
from flywheel.settings.policy import Policy, Rule

SAME = {"AverageF1Score": 0.8, "AverageAccuracy": 0.8}
EVIDENCE = Evidence("m/1", SAME, "m/2", {"AverageF1Score": 0.9, "AverageAccuracy": 0.8}, True)


def paired(*labels: LabelChange) -> PairedEvidence:
    """Return both models' answers with these labels."""
    return PairedEvidence("a" * 64, 400, 52, 12, 80, ("x",), ("y",), (), labels, 0)


def view_of(*labels: LabelChange) -> VerdictView:
    """Return the view of a verdict on answers with these labels."""
    return VerdictView(decide(replace(EVIDENCE, paired=paired(*labels)), Policy()))


def test_answers_are_counted_when_both_models_answered() -> None:
    """In one sentence; without answers, or without a champion, there is none."""
    assert view_of().answers_summary == (
        "Of 400 test documents the challenger fixes 52 and breaks 12; "
        "the models' answers differ on 80."
    )
    first = replace(EVIDENCE, champion_arn=None, champion=None, paired=paired())
    for evidence in (EVIDENCE, first):
        assert VerdictView(decide(evidence, Policy())).answers_summary == ""


def test_labels_are_those_of_the_service_when_nobody_answered() -> None:
    """As far as it measured both models' F1 of a label that the policy names."""
    measured = MeasuredLabels(
        {"FRAUD": {"F1Score": 0.9}, "BILL": {"F1Score": 0.5}, "OLD": {"F1Score": 0.5}},
        {"FRAUD": {"F1Score": 0.7}, "BILL": {"F1Score": 0.6}, "NEW": {"F1Score": 0.5}},
    )
    test_set = TestSetFacts("a" * 64, 400, {"FRAUD": 40})
    evidence = replace(EVIDENCE, labels=measured, test_set=test_set)
    view = VerdictView(decide(evidence, Policy(evidence="averages")))
    assert view.worse == (LabelChange("FRAUD", 40, 0.9, 0.7),)
    assert view.better == (LabelChange("BILL", 0, 0.5, 0.6),)


def test_f1_is_summed_up_when_a_model_has_none() -> None:
    """Both values, the challenger's, or nothing."""
    first = replace(EVIDENCE, champion_arn=None, champion=None)
    unknown = replace(EVIDENCE, challenger={})
    views = [VerdictView(decide(each, Policy())) for each in (EVIDENCE, first, unknown)]
    assert [view.f1.summary for view in views] == ["0.800 -> 0.900 (+0.100)", "0.900", ""]


EVERY_KIND = Policy(
    evidence="paired",
    rules=(
        Rule(metric="AverageF1Score", min=0.05, max_drop=0.05),
        Rule(metric="AverageAccuracy", min_improvement=0.0),
        Rule(metric="F1Score", label="at least 0.050", min=0.05, max_drop=0.05),
        Rule(metric="Recall", label="better", min_improvement=0.05),
    ),
    critical_labels=("BILL",),
)


@pytest.mark.parametrize("metric", ["AverageF1Score", "AverageAccuracy"])
def test_the_kind_of_a_bound_is_known_when_an_earlier_release_stored_it(metric: str) -> None:
    """Whatever the label is named, and the limit to a drop from the anchor, too."""
    nearer = Comparison(metric, None, 0.8, 0.8, 400, -0.01, 0.01, 0.5, 0.04, "answers")
    answers = replace(paired(), anchor=(nearer,))
    evidence = replace(EVIDENCE, challenger_arn=None, paired=answers, anchor_arn="m/0")
    verdict = decide(evidence, EVERY_KIND)
    stored = json.loads(verdict.to_json())
    for rule in stored["outcomes"]:
        del rule["bound_kind"]
    assert Verdict.from_values(stored) == verdict
    kinds = {rule.bound_kind for rule in verdict.outcomes}
    assert kinds == {"min", "min_improvement", "max_drop", None}


def test_a_member_is_left_out_when_a_later_release_stored_it() -> None:
    """A function of this release reads what the next one wrote while both run."""
    verdict = decide(EVIDENCE, Policy())
    stored = json.loads(verdict.to_json())
    for rule in stored["outcomes"]:
        rule["of_later"] = 1
    assert Verdict.from_values(stored) == verdict


def test_a_rule_asks_for_a_gain_when_it_is_no_floor() -> None:
    """A limit to a drop asks for a gain below nothing."""
    rules = decide(EVIDENCE, EVERY_KIND).outcomes
    asked = {rule.bound_kind: rule.least_gain for rule in rules if rule.metric == "AverageF1Score"}
    assert asked == {"min": None, "max_drop": -0.05}
