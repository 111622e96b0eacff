import json
import math
from typing import Any

import pytest

from flywheel.evaluation.effective_rules import Outcome
from flywheel.evaluation.evidence import Evidence, averages
from flywheel.evaluation.verdict import Decision, Verdict, decide, policy_sha256
from flywheel.settings.policy import METRICS, Policy, Rule

OLD = {"AverageF1Score": 0.80, "AveragePrecision": 0.80, "AverageRecall": 0.80}
BETTER = {"AverageF1Score": 0.85, "AveragePrecision": 0.85, "AverageRecall": 0.85}
POLICY = Policy(evidence="none")


def evidence(**changes: Any) -> Evidence:
    """Return an iteration whose challenger is better, with changes."""
    known: dict[str, Any] = {
        "champion_arn": "arn:old",
        "champion": OLD,
        "challenger_arn": "arn:new",
        "challenger": BETTER,
        "has_test_set": True,
    }
    return Evidence(**{**known, **changes})


def f1(value: float | None) -> dict[str, float | None]:
    """Return averages whose F1 is a value."""
    return {"AverageF1Score": value}


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, Decision.PROMOTE),
        ({"challenger": f1(0.805)}, Decision.PROMOTE),
        ({"challenger": f1(0.80)}, Decision.REJECT),
        ({"champion": f1(0.1 + 0.2), "challenger": f1(0.3)}, Decision.REJECT),
        ({"challenger": f1(0.804)}, Decision.REJECT),
        ({"challenger": f1(0.10)}, Decision.REJECT),
        ({"champion": f1(0.10), "challenger": f1(0.49)}, Decision.REJECT),
        ({"challenger": {}}, Decision.HOLD),
        ({"challenger": f1(None)}, Decision.HOLD),
        ({"challenger": f1(math.nan)}, Decision.HOLD),
        ({"challenger": f1(math.inf)}, Decision.HOLD),
        ({"challenger": f1(-0.1)}, Decision.HOLD),
        ({"challenger": f1(1.5)}, Decision.HOLD),
        ({"champion": None}, Decision.HOLD),
        ({"champion": {}}, Decision.HOLD),
        ({"champion": f1(math.nan)}, Decision.HOLD),
        ({"champion": {}, "challenger": f1(0.10)}, Decision.REJECT),
        ({"challenger_arn": None}, Decision.HOLD),
        ({"challenger_arn": None, "challenger": {}}, Decision.HOLD),
        ({"has_test_set": False}, Decision.HOLD),
        ({"has_test_set": False, "challenger": f1(0.7)}, Decision.REJECT),
    ],
)
def test_a_challenger_is_judged_when_there_is_a_champion(
    changes: dict[str, Any], decision: Decision
) -> None:
    """Any rule that fails rejects, else anything unknown holds, and a tie never promotes."""
    verdict = decide(evidence(**changes), POLICY)
    assert verdict.decision is decision
    assert not verdict.is_bootstrap
    assert verdict.reasons


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, Decision.PROMOTE),
        ({"has_test_set": False}, Decision.PROMOTE),
        ({"challenger": f1(0.50)}, Decision.PROMOTE),
        ({"challenger": f1(0.49)}, Decision.REJECT),
        ({"challenger": {}}, Decision.HOLD),
        ({"challenger": f1(math.nan)}, Decision.HOLD),
        ({"challenger_arn": None}, Decision.HOLD),
    ],
)
def test_floors_alone_decide_when_there_is_no_champion(
    changes: dict[str, Any], decision: Decision
) -> None:
    """A first model needs no test set and no improvement, but it does need its floors."""
    verdict = decide(evidence(champion_arn=None, champion=None, **changes), POLICY)
    assert verdict.decision is decision
    assert verdict.is_bootstrap


@pytest.mark.parametrize(
    ("recall", "decision"),
    [(0.80, Decision.REJECT), (0.82, Decision.PROMOTE), (None, Decision.HOLD)],
)
def test_every_rule_counts_when_a_policy_has_several(
    recall: float | None, decision: Decision
) -> None:
    """A better F1 promotes nothing when another rule fails or is not known."""
    rule = Rule(metric="AverageRecall", min_improvement=0.01)
    verdict = decide(
        evidence(challenger={**BETTER, "AverageRecall": recall}),
        Policy(rules=(rule,), evidence="none"),
    )
    assert verdict.decision is decision
    floor, improvement = verdict.outcomes
    assert floor.rule == "AverageF1Score at least 0.500"
    assert improvement.metric == "AverageRecall"


def test_only_what_decided_is_said_when_reasons_are_asked() -> None:
    """REJECT names failed rules, HOLD what is missing, PROMOTE all that passed."""
    rejected = decide(evidence(challenger=f1(0.80), has_test_set=False), POLICY)
    assert rejected.reasons == [
        "AverageF1Score better by at least 0.005: 0.800 -> 0.800 is +0.000, "
        "at least +0.005 is asked"
    ]
    held = decide(evidence(has_test_set=False), POLICY)
    assert held.reasons == [
        "a test set: the flywheel has no test set: upload one under test/ to end this"
    ]
    assert [outcome.outcome for outcome in held.outcomes] == [
        Outcome.PASS,
        Outcome.PASS,
        Outcome.UNKNOWN,
    ]
    assert len(decide(evidence(), POLICY).reasons) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"champion_arn": None, "champion": None},
        {"challenger": {}},
        {"challenger_arn": None},
        {"has_test_set": False},
    ],
)
def test_a_verdict_is_the_same_when_it_is_read_again(changes: dict[str, Any]) -> None:
    """The stored form gives the whole verdict back, and writes itself the same."""
    verdict = decide(evidence(**changes), POLICY)
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert Verdict.from_json(verdict.to_json()).to_json() == verdict.to_json()


def test_a_verdict_is_the_same_when_a_number_was_nan() -> None:
    """NaN, which equals nothing, is stored and comes back as NaN."""
    verdict = decide(evidence(challenger=f1(math.nan)), POLICY)
    again = Verdict.from_json(verdict.to_json())
    assert math.isnan(again.evidence.challenger["AverageF1Score"])
    assert again.to_json() == verdict.to_json()
    assert (again.decision, again.outcomes) == (verdict.decision, verdict.outcomes)


def test_a_verdict_names_its_policy_when_it_is_made() -> None:
    """The policy's hash is stable over a round trip and differs for another policy."""
    verdict = decide(evidence(), POLICY)
    assert verdict.policy_sha256 == policy_sha256(Policy.model_validate(POLICY.model_dump()))
    assert len(verdict.policy_sha256) == 64
    other = Policy(rules=(Rule(metric="AverageF1Score", min=0.51),))
    assert policy_sha256(other) != verdict.policy_sha256


def test_the_stored_form_is_plain_when_a_verdict_is_written() -> None:
    """Whoever reads the ledger finds words, not Python's names."""
    stored = json.loads(decide(evidence(), POLICY).to_json())
    assert stored["decision"] == "PROMOTE"
    assert stored["outcomes"][0]["outcome"] == "PASS"
    assert stored["evidence"]["challenger"] == BETTER


def test_only_the_four_averages_are_kept_when_the_service_gives_more() -> None:
    """Averages are taken by their names, and those that are missing stay missing."""
    given: dict[str, float] = {"MicroF1Score": 0.5}
    given.update(dict.fromkeys(METRICS, 1))
    assert averages(given) == dict.fromkeys(METRICS, 1.0)
    assert averages({"AverageRecall": 0.5}) == {"AverageRecall": 0.5}
    assert averages(None) == {}
