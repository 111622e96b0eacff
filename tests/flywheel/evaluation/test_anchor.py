"""Non-inferiority is measured from an anchor, so that small losses do not add up."""

from dataclasses import replace

import pytest

from flywheel.evaluation.effective_rules import Outcome
from flywheel.evaluation.evidence import Evidence, TestSetFacts
from flywheel.evaluation.paired_evidence import paired_evidence
from flywheel.evaluation.predictions import Answer, ScoredDocument
from flywheel.evaluation.verdict import Decision, Verdict, decide, measured_by, wants_answers
from flywheel.settings.policy import Policy, Rule

NO_WORSE = Policy(
    comparison="non-inferiority",
    margin=0.01,
    rules=(Rule(metric="AverageAccuracy", max_drop=0.01),),
)
DOCUMENTS = 2000


def answers(champion_wrong: range, challenger_wrong: range) -> list[ScoredDocument]:
    """Return the answers of two models that are wrong on these documents."""

    def answered(is_wrong: bool) -> Answer:
        return Answer((("B", 1),), ()) if is_wrong else Answer((("A", 1),), (("A", 1),))

    return [
        ScoredDocument(
            f"d{place}",
            (("A", 1),),
            answered(place in champion_wrong),
            answered(place in challenger_wrong),
        )
        for place in range(DOCUMENTS)
    ]


def verdict(
    *,
    champion: range,
    challenger: range,
    anchor: range | None,
    policy: Policy = NO_WORSE,
    has_answers: bool = True,
) -> Verdict:
    """Judge a challenger by the documents on which each model is wrong."""
    averages = {
        name: {"AverageF1Score": 0.9, "AverageAccuracy": 1 - len(wrong) / DOCUMENTS}
        for name, wrong in (("old", champion), ("new", challenger))
    }
    evidence = Evidence(
        "m/old",
        averages["old"],
        "m/new",
        averages["new"],
        True,
        test_set=TestSetFacts("a" * 64, DOCUMENTS, {"A": DOCUMENTS}, groups=DOCUMENTS),
        anchor_arn=None if anchor is None else "m/first",
    )
    if has_answers:
        paired = paired_evidence(
            answers(champion, challenger),
            measured_by(policy),
            kind="multi-class",
            labels=2,
            error=evidence.error(policy),
            test_set_sha256="a" * 64,
            anchor=None if anchor is None else answers(anchor, challenger),
        )
        evidence = replace(evidence, paired=paired)
    return decide(evidence, policy)


def test_small_losses_do_not_add_up_when_there_is_an_anchor() -> None:
    """As good as the champion, and both far below the anchor."""
    same = range(300)
    assert verdict(champion=same, challenger=same, anchor=None).decision is Decision.PROMOTE
    held = verdict(champion=same, challenger=same, anchor=range(285))
    assert held.decision is Decision.HOLD
    (reason,) = held.reasons
    assert reason.startswith("AverageAccuracy not worse than the anchor's by more than 0.010: ")
    assert verdict(champion=same, challenger=same, anchor=range(270)).decision is Decision.REJECT
    assert verdict(champion=same, challenger=same, anchor=range(300)).decision is Decision.PROMOTE


def test_the_anchors_answers_are_asked_for_when_averages_would_do_for_the_champion() -> None:
    """Averages name only the champion and the challenger."""
    waiting = verdict(
        champion=range(1500),
        challenger=range(100),
        anchor=range(1400),
        has_answers=False,
    )
    assert waiting.decision is Decision.HOLD
    assert wants_answers(waiting, NO_WORSE)


@pytest.mark.parametrize(
    ("is_allowed", "decision"), [(False, Decision.REJECT), (True, Decision.PROMOTE)]
)
def test_a_proven_loss_is_rejected_unless_it_is_allowed(
    decision: Decision, *, is_allowed: bool
) -> None:
    """Within the margin, and the upper bound below zero."""
    policy = NO_WORSE.model_copy(update={"allow_proven_loss": is_allowed})
    judged = verdict(champion=range(300), challenger=range(306), anchor=None, policy=policy)
    assert judged.decision is decision
    if not is_allowed:
        (reason,) = [each.reason for each in judged.outcomes if each.outcome is Outcome.FAIL]
        assert "it is proven to be worse" in reason


def test_a_gain_is_shown_when_it_is_more_than_chance_over_champion_and_anchor() -> None:
    """A gain that makes up for a part of an earlier loss moves nothing."""
    old, new = range(300), range(250)
    assert verdict(champion=old, challenger=new, anchor=None).shows_gain
    assert verdict(champion=old, challenger=new, anchor=range(300)).shows_gain
    regained = verdict(champion=old, challenger=new, anchor=range(250))
    assert regained.decision is Decision.PROMOTE
    assert not regained.shows_gain
    assert not verdict(champion=range(300), challenger=range(300), anchor=None).shows_gain
