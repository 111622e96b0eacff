"""What evidence does to a verdict: planted cases, each with its reason."""

import json
from dataclasses import replace
from typing import Any

import pytest

from flywheel.evaluation.advice import documents_needed
from flywheel.evaluation.comparisons import Comparison, of_averages
from flywheel.evaluation.effective_rules import Outcome
from flywheel.evaluation.evidence import Evidence, TestSetFacts
from flywheel.evaluation.paired_evidence import paired_evidence
from flywheel.evaluation.predictions import ScoredDocument
from flywheel.evaluation.verdict import Decision, Verdict, decide, measured_by, wants_answers
from flywheel.evaluation.worth import averages_worth
from flywheel.settings.policy import Policy, Rule
from tests.flywheel.evaluation.answers import answered, paired

ACCURACY = Rule(metric="AverageAccuracy", min_improvement=0.005)
FLOOR = Rule(metric="AverageF1Score", min=0.3)


def policy(**changes: Any) -> Policy:
    """Return a policy about accuracy, with changes."""
    return Policy(**{"rules": (FLOOR, ACCURACY), **changes})


def of_accuracies(old: float, new: float, documents: int, looks: int = 0) -> Evidence:
    """Return an iteration with these accuracies on so many test documents."""
    half = documents // 2
    return Evidence(
        champion_arn="arn:old",
        champion={"AverageAccuracy": old, "AverageF1Score": old},
        challenger_arn="arn:new",
        challenger={"AverageAccuracy": new, "AverageF1Score": new},
        has_test_set=True,
        test_set=TestSetFacts("ab" * 32, documents, {"A": documents - half, "B": half}, looks),
    )


def of_answers(documents: list[ScoredDocument], policy: Policy, **changes: Any) -> Evidence:
    """Return an iteration whose models answered these documents."""
    fixed = sum(each.is_fixed for each in documents)
    broken = sum(each.is_broken for each in documents)
    base = of_accuracies(0.8, 0.8 + (fixed - broken) / len(documents), len(documents))
    evidence = replace(base, **changes)
    answers = paired_evidence(
        documents,
        measured_by(policy),
        kind="multi-class",
        labels=2,
        error=evidence.error(policy),
        test_set_sha256="ab" * 32,
    )
    return replace(evidence, paired=answers)


def reason(verdict: Verdict, outcome: Outcome) -> str:
    """Return the one reason of an outcome."""
    (found,) = [rule.reason for rule in verdict.outcomes if rule.outcome is outcome]
    return found


@pytest.mark.parametrize(
    ("old", "new", "documents", "decision"),
    [
        (0.80, 0.90, 1000, Decision.PROMOTE),
        (0.80, 0.83, 1000, Decision.HOLD),
        (0.80, 0.90, 50, Decision.HOLD),
        (0.80, 0.803, 1000, Decision.REJECT),
        (0.80, 0.70, 50, Decision.REJECT),
    ],
)
def test_averages_decide_when_their_bounds_clear_the_rule(
    old: float, new: float, documents: int, decision: Decision
) -> None:
    """They are enough to reject, and to promote where even the worst pairing shows the gain."""
    verdict = decide(of_accuracies(old, new, documents), policy())
    assert verdict.decision is decision
    assert wants_answers(verdict, policy()) == (decision is Decision.HOLD)
    assert not wants_answers(verdict, policy(evidence="averages"))


def test_averages_prove_nothing_when_the_test_set_is_not_known() -> None:
    """Without its size no bound can be had; nobody is asked to answer what nobody has."""
    known = of_accuracies(0.5, 0.9, 1000)
    fields = {name: getattr(known, name) for name in known.__dataclass_fields__}
    verdict = decide(Evidence(**{**fields, "test_set": None}), policy())
    assert verdict.decision is Decision.HOLD
    assert "how many test documents they are of is not known" in reason(verdict, Outcome.UNKNOWN)
    assert not wants_answers(verdict, policy())


@pytest.mark.parametrize(
    ("fixed", "broken", "both_right", "decision", "words"),
    [
        (65, 35, 900, Decision.PROMOTE, "p = 0.0018"),
        (52, 48, 900, Decision.REJECT, "at least +0.005 is asked"),
        (4, 2, 24, Decision.HOLD, "chance alone may be: p = 0.34"),
        (30, 50, 920, Decision.REJECT, "-0.020"),
    ],
)
def test_answers_decide_when_both_models_gave_them(
    fixed: int, broken: int, both_right: int, decision: Decision, words: str
) -> None:
    """McNemar's exact test carries a gain in accuracy or leaves it open."""
    evidence = of_answers(paired(fixed, broken, both_right, 0), policy())
    verdict = decide(evidence, policy())
    assert verdict.decision is decision
    assert any(words in why for why in verdict.reasons)
    assert not wants_answers(verdict, policy())


def test_a_hold_says_how_many_documents_would_end_it_when_a_test_set_is_small() -> None:
    """The number, and the label of which they should be."""
    documents = paired(4, 2, 24, 0)
    verdict = decide(of_answers(documents, policy()), policy())
    assert "more test documents, drawn at random," in reason(verdict, Outcome.UNKNOWN)


def test_macro_f1_is_resampled_when_a_rule_asks_for_it() -> None:
    """A clear gain passes, and the method is named."""
    wanted = Policy()
    evidence = of_answers(paired(60, 10, 330, 20), wanted)
    verdict = decide(evidence, wanted)
    assert verdict.decision is Decision.PROMOTE
    improvement = next(rule for rule in verdict.outcomes if "better" in rule.rule)
    assert "approximate randomization (2,000 draws)" in improvement.reason
    assert improvement.low is not None
    assert 0 < improvement.low < 0.12


@pytest.mark.parametrize(
    ("fixed", "broken", "decision"),
    [(50, 50, Decision.HOLD), (12, 12, Decision.PROMOTE), (40, 60, Decision.REJECT)],
)
def test_a_newer_model_is_taken_when_non_inferiority_is_shown(
    fixed: int, broken: int, decision: Decision
) -> None:
    """The same data that show no gain may show that nothing was lost."""
    wanted = Policy(
        comparison="non-inferiority",
        margin=0.01,
        rules=(FLOOR, Rule(metric="AverageAccuracy", max_drop=0.01)),
    )
    documents = paired(fixed, broken, 1000 - fixed - broken, 0)
    verdict = decide(of_answers(documents, wanted), wanted)
    assert verdict.decision is decision
    superior = decide(of_answers(documents, policy()), policy())
    assert superior.decision is Decision.REJECT


def fraud(documents: int) -> list[ScoredDocument]:
    """Return answers that are better on the whole, and worse on a rare label."""
    good = paired(60, 5, 800, 40)
    lost = [
        answered(f"f{place}", "FRAUD", "FRAUD", "A" if place % 4 == 0 else "FRAUD")
        for place in range(documents)
    ]
    return [*good, *lost]


def test_a_better_average_is_rejected_when_a_critical_label_drops() -> None:
    """The veto names the label and the drop."""
    wanted = policy(critical_labels=("FRAUD",))
    verdict = decide(of_answers(fraud(40), wanted), wanted)
    assert verdict.decision is Decision.REJECT
    (why,) = verdict.reasons
    assert why.startswith("F1Score of 'FRAUD' not worse by more than 0.050: 1.000 -> 0.857")


def test_a_critical_label_only_warns_when_it_has_few_test_documents() -> None:
    """Too few to accuse a model by: people are told, and nothing is held."""
    wanted = policy(critical_labels=("FRAUD",))
    verdict = decide(of_answers(fraud(20), wanted), wanted)
    assert verdict.decision is Decision.PROMOTE
    (warning,) = verdict.warnings
    assert "it has 20 test documents, and with fewer than 30 the guard only warns" in warning


def test_a_label_needs_answers_when_the_averages_say_nothing_of_it() -> None:
    """A guard of a label is not known before both models answered."""
    wanted = policy(critical_labels=("A",))
    verdict = decide(of_accuracies(0.8, 0.9, 1000), wanted)
    assert verdict.decision is Decision.HOLD
    assert wants_answers(verdict, wanted)


@pytest.mark.parametrize(
    ("looks", "decision", "warnings"),
    [
        (0, Decision.PROMOTE, 0),
        (18, Decision.PROMOTE, 0),
        (19, Decision.PROMOTE, 1),
        (51, Decision.PROMOTE, 1),
        (52, Decision.HOLD, 0),
    ],
)
def test_a_test_set_wears_when_it_is_looked_at(
    looks: int, decision: Decision, warnings: int
) -> None:
    """A warning from the twentieth look on, and no promotion after the fifty-second."""
    verdict = decide(of_accuracies(0.8, 0.9, 1000, looks), policy())
    assert (verdict.decision, len(verdict.warnings)) == (decision, warnings)
    assert not wants_answers(verdict, policy())


@pytest.mark.parametrize(
    ("fixed", "looks", "decision"),
    [
        (62, 0, Decision.HOLD),
        (80, 0, Decision.PROMOTE),
        (80, 12, Decision.PROMOTE),
        (62, 12, Decision.HOLD),
        pytest.param(80, 96, Decision.HOLD, marks=pytest.mark.slow),
    ],
)
def test_all_looks_of_a_generation_share_one_error_when_that_is_asked(
    fixed: int, looks: int, decision: Decision
) -> None:
    """A twelfth of 2.5 % for each of the first twelve looks, half of it for the next twelve."""
    strict = policy(family_error="strict", evidence="paired")
    documents = paired(fixed, 38, 900 - fixed, 62)
    test_set = TestSetFacts("ab" * 32, 1000, {"A": 500, "B": 500}, generation_looks=looks)
    verdict = decide(of_answers(documents, strict, test_set=test_set), strict)
    assert verdict.error == pytest.approx(0.05 / 2 ** (1 + looks // 12) / 12)
    assert verdict.decision is decision


@pytest.mark.parametrize(("documents", "is_enough"), [(29, False), (30, True), (31, True)])
def test_a_test_set_is_large_enough_when_it_has_the_minimum(
    documents: int, *, is_enough: bool
) -> None:
    """`min_test_documents` itself is enough."""
    verdict = decide(of_accuracies(0.1, 0.9, documents), policy())
    assert any("a large enough test set" in reason for reason in verdict.reasons) != is_enough


def test_a_test_set_is_too_small_when_it_is_below_the_minimum() -> None:
    """However large the gain, and no model is asked for answers."""
    verdict = decide(of_accuracies(0.1, 0.9, 20), policy())
    assert verdict.decision is Decision.HOLD
    assert any("10 more would end this" in reason for reason in verdict.reasons)
    assert not wants_answers(verdict, policy())


def macro_f1(counts: dict[str, int]) -> Comparison:
    """Compare averages that differ much, of a test set with these labels."""
    documents = sum(counts.values())
    worth = averages_worth("AverageF1Score", "multi-class", documents, counts)
    return of_averages("AverageF1Score", 0.474, 0.919, documents=documents, worth=worth, error=0.04)


def test_averages_promote_nothing_when_they_hang_on_a_few_documents_of_a_label() -> None:
    """Three documents of the rare label make or break an average over labels; answers decide."""
    counts = {"HAM": 27, "SPAM": 3}
    compared = macro_f1(counts)
    assert (compared.low, compared.high) == (None, None)
    assert not compared.shows_gain
    assert compared.method.endswith("worth 6 by its rarest label: too few for bounds")
    # As many as make it worth forty, however large the gain.
    assert documents_needed(compared, 0.0, 0.005, 0.04) == 200
    enough = {label: 7 * count for label, count in counts.items()}
    assert macro_f1(enough).shows_gain


def test_averages_have_bounds_when_they_are_worth_forty_documents() -> None:
    """Labels are equally frequent."""
    assert macro_f1({"HAM": 19, "SPAM": 19}).low is None
    assert macro_f1({"HAM": 20, "SPAM": 20}).low is not None


def test_what_could_not_be_had_is_named_when_answers_are_missing() -> None:
    """A job that failed ends as HOLD, and is not asked for again."""
    known = of_accuracies(0.80, 0.83, 1000)
    fields = {name: getattr(known, name) for name in known.__dataclass_fields__}
    failed = Evidence(**{**fields, "paired_missing": "the job of the champion failed: no access"})
    verdict = decide(failed, policy())
    assert verdict.decision is Decision.HOLD
    assert "both models' answers: the job of the champion failed: no access" in verdict.reasons
    assert not wants_answers(verdict, policy())


def test_the_reason_is_told_when_a_first_model_s_job_failed() -> None:
    """There is no champion, and the challenger's averages are missing."""
    first = Evidence(None, None, "arn:new", {}, True, paired_missing="the job failed: no access")
    verdict = decide(first, policy())
    assert verdict.decision is Decision.HOLD
    assert "both models' answers: the job failed: no access" in verdict.reasons


def test_a_verdict_is_the_same_when_it_is_read_back() -> None:
    """Whatever it stands on is kept."""
    wanted = policy(critical_labels=("FRAUD",))
    verdict = decide(of_answers(fraud(40), wanted), wanted)
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_a_verdict_of_an_earlier_release_is_read_when_it_lacks_fields() -> None:
    """What it did not know has its default."""
    verdict = decide(of_accuracies(0.8, 0.9, 1000), policy())
    stored = json.loads(verdict.to_json())
    for name in ("kind", "test_set", "paired", "paired_missing"):
        del stored["evidence"][name]
    for rule in stored["outcomes"]:
        for name in ("label", "low", "high", "p_value", "documents", "method"):
            del rule[name]
    read = Verdict.from_json(json.dumps(stored))
    assert read.decision is Decision.PROMOTE
    assert read.evidence.test_set is None
