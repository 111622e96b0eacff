"""Scenarios of many looks: pairs judged again, growing test sets, chains of worse models.

All rules are about accuracy, whose test needs counts alone. Read next: `flywheel.evaluation.looks`,
`flywheel.evaluation.effective_rules` (what the anchor is for), `console.policy.scenarios.judging`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from console.policy.scenarios.drawing import Random, joint
from console.policy.scenarios.judging import BETTER_ACCURACY, judge_accuracy
from console.policy.scenarios.scenario import Policies, Scenario, Sizes, Tallies
from flywheel.evaluation.advice import documents_advised
from flywheel.evaluation.looks import worn_looks
from flywheel.evaluation.verdict import Decision, Verdict, can_be_judged_again
from flywheel.settings.policy import Policy, Rule

_RIGHT = 0.8
_DISAGREEMENT = 0.1
_WEEKS, _WEEKS_A_MONTH = 156, 4
_SHARED = "looks share 5 %"


@dataclass(slots=True)
class DecisionCounts:
    """One pair's answers, counted, to a test set that may grow."""

    documents: int = 0
    wrong: int = 0
    fixed: int = 0
    broken: int = 0

    def add(
        self,
        random: Random,
        documents: int,
        gain: float,
        *,
        right: float = _RIGHT,
        disagreement: float = _DISAGREEMENT,
    ) -> None:
        """Draw further documents of the same pair."""
        (shares,) = joint([right], [min(right + gain, 1.0)], disagreement)
        _, broken, fixed, both_wrong = random.multinomial(documents, shares).tolist()
        self.documents += documents
        self.wrong += fixed + both_wrong
        self.fixed += fixed
        self.broken += broken

    def judge(self, policy: Policy, *, looks: int = 0, pair_looks: int = 0) -> Verdict:
        """Judge the pair by all its documents."""
        return judge_accuracy(
            policy,
            self.documents,
            wrong=self.wrong,
            fixed=self.fixed,
            broken=self.broken,
            looks=looks,
            pair_looks=pair_looks,
        )


def _per_look(sizes: Sizes) -> Policies:
    return {"per-look": Policy(rules=(BETTER_ACCURACY,))}


def play_hold_and_extend(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Judge one pair again and again, each time with half as many documents added."""
    for _ in range(trials):
        for name, policy in policies.items():
            first, last = _held_chain(random, sizes, policy, is_shared=name == _SHARED)
            at_first = float(first is Decision.PROMOTE)
            tallies.add_decision(name, last, promoted_at_first_look=at_first)


def _held_chain(
    random: Random, sizes: Sizes, policy: Policy, *, is_shared: bool
) -> tuple[Decision, Decision]:
    """Return the first and the last decision on one pair."""
    pair, gain, looks = DecisionCounts(), float(sizes["difference"]), 0
    pair.add(random, int(sizes["documents"]), gain)
    verdict = first = pair.judge(policy)
    for look in range(1, int(sizes["looks"])):
        if not can_be_judged_again(verdict, policy):
            break
        before = pair.documents
        pair.add(random, before // 2, gain)
        looks = worn_looks(looks + 1, before, pair.documents)
        verdict = pair.judge(policy, looks=looks, pair_looks=look if is_shared else 0)
    return first.decision, verdict.decision


def _sharing(sizes: Sizes) -> Policies:
    policy = Policy(rules=(BETTER_ACCURACY,))
    return {_SHARED: policy, "each look alone": policy}


HOLD_AND_EXTEND = Scenario(
    "hold-and-extend",
    "A challenger that is held is judged again with half as many test documents more, as long as "
    "the product does so and for ten looks at most (accuracy, disagreement 10 %). The looks share "
    "5 %, as in the product, or each one has the error of a first look.",
    20_000,
    [{"documents": 500, "difference": gain, "looks": 10} for gain in (0.0, 0.03)],
    _sharing,
    play_hold_and_extend,
)


def play_growing_test_set(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Judge another equal challenger every week, on a test set that grows every month."""
    for _ in range(trials):
        history = _history(random, int(sizes["documents"]), int(sizes["added_each_month"]))
        for name, policy in policies.items():
            promoted = any(
                _decision(policy, counts, looks, week) is Decision.PROMOTE
                for week, (looks, counts) in enumerate(history)
            )
            tallies.add(name, promoted=float(promoted))


_Counted = tuple[int, int, int, int]
_Look = tuple[int, _Counted]


def _history(random: Random, documents: int, added: int) -> list[_Look]:
    """Return what every look sees: looks at the test set before, and the pair's counts."""
    wrong = int(random.binomial(documents, 1 - _RIGHT))
    looks, history = 0, []
    for week in range(_WEEKS):
        if week and week % _WEEKS_A_MONTH == 0:
            looks = worn_looks(looks, documents, documents + added)
            documents += added
            wrong += int(random.binomial(added, 1 - _RIGHT))
        # Each half of the disagreement, as a part of what the champion has wrong, or right.
        fixed = int(random.binomial(wrong, _DISAGREEMENT / 2 / (1 - _RIGHT)))
        broken = int(random.binomial(documents - wrong, _DISAGREEMENT / 2 / _RIGHT))
        history.append((looks, (documents, wrong, fixed, broken)))
        looks += 1
    return history


@lru_cache(maxsize=100_000)
def _decision(policy: Policy, counts: _Counted, looks: int, week: int) -> Decision:
    documents, wrong, fixed, broken = counts
    return judge_accuracy(
        policy,
        documents,
        wrong=wrong,
        fixed=fixed,
        broken=broken,
        looks=looks,
        generation_looks=week,
    ).decision


def _families(sizes: Sizes) -> Policies:
    rules = (BETTER_ACCURACY,)
    strict = {
        f"strict, looks_planned = {planned}": Policy(
            rules=rules, family_error="strict", looks_planned=planned
        )
        for planned in (12, 52)
    }
    return {**strict, **_per_look(sizes)}


GROWING_TEST_SET = Scenario(
    "growing-test-set",
    "Another equal challenger every week for three years, on a test set to which documents are "
    "added every four weeks (accuracy, disagreement 10 %). Promoted: histories with a promotion.",
    5000,
    [{"documents": 200, "added_each_month": 20, "looks": _WEEKS}],
    _families,
    play_growing_test_set,
)


def play_advised_number(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Judge held pairs again, with as many more documents as the verdict advises."""
    ((name, policy),) = policies.items()
    for _ in range(trials):
        pair, more = _held(random, policy, sizes)
        gain, disagreement, right = float(sizes["difference"]), _DISAGREEMENT, _RIGHT
        if sizes["true_gain"] == "as seen":
            gain = (pair.fixed - pair.broken) / pair.documents
            disagreement = (pair.fixed + pair.broken) / pair.documents
            right = 1 - pair.wrong / pair.documents
        pair.add(random, more, gain, right=right, disagreement=disagreement)
        verdict = pair.judge(policy, pair_looks=1)
        tallies.add_decision(name, verdict.decision, documents_advised=more)


def _held(random: Random, policy: Policy, sizes: Sizes) -> tuple[DecisionCounts, int]:
    """Draw pairs until one is held with an advice; returns it with the advised number."""
    while True:
        pair = DecisionCounts()
        pair.add(random, int(sizes["documents"]), float(sizes["difference"]))
        verdict = pair.judge(policy)
        if verdict.decision is Decision.HOLD and (more := _advised(verdict, policy)):
            return pair, more


def _advised(verdict: Verdict, policy: Policy) -> int | None:
    evidence, rule = verdict.evidence, BETTER_ACCURACY
    compared = evidence.comparison(rule.metric, None, verdict.error)
    next_error = evidence.error(policy, later=1)
    return documents_advised(compared, 0.0, rule.min_improvement or 0.0, next_error)


ADVISED_NUMBER = Scenario(
    "advised-number",
    "A held challenger is judged again with exactly as many more test documents as the verdict "
    "advises (accuracy; it is truly 3 points better, or from then on as much as was seen).",
    5000,
    [
        {"documents": documents, "difference": 0.03, "true_gain": gain}
        for documents in (100, 300, 1000)
        for gain in ("as seen", "0.03")
    ],
    _per_look,
    play_advised_number,
)


_CHAIN_RIGHT = 0.85
_MARGIN = 0.01
_ANCHORED = "with anchor"

_Right = NDArray[np.bool_]


def play_non_inferiority_chain(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Judge one challenger after the other; each promoted one becomes the champion."""
    for _ in range(trials):
        for name, policy in policies.items():
            promotions = _chain(random, sizes, policy, has_anchor=name == _ANCHORED)
            tallies.add(
                name,
                promoted=float(promotions > 0),
                loss=promotions * float(sizes["drop"]),
            )


def _chain(random: Random, sizes: Sizes, policy: Policy, *, has_anchor: bool) -> int:
    documents, drop = int(sizes["documents"]), float(sizes["drop"])
    accuracy, promotions = _CHAIN_RIGHT, 0
    champion: _Right = random.random(documents) < accuracy
    anchor = champion
    for _ in range(int(sizes["challengers"])):
        challenger = _successor(random, champion, accuracy, drop, float(sizes["disagreement"]))
        fixed, broken = _changes(champion, challenger)
        verdict = judge_accuracy(
            policy,
            documents,
            wrong=documents - int(champion.sum()),
            fixed=fixed,
            broken=broken,
            anchor=_changes(anchor, challenger) if has_anchor and anchor is not champion else None,
        )
        if verdict.decision is Decision.PROMOTE:
            champion, accuracy, promotions = challenger, accuracy - drop, promotions + 1
            if verdict.shows_gain:
                anchor = champion
    return promotions


def _successor(
    random: Random, champion: _Right, accuracy: float, drop: float, disagreement: float
) -> _Right:
    """Draw which documents the next challenger gets right."""
    fixes = (disagreement - drop) / 2 / (1 - accuracy)
    breaks = (disagreement + drop) / 2 / accuracy
    changes = random.random(len(champion)) < np.where(champion, breaks, fixes)
    return np.asarray(champion ^ changes)


def _changes(old: _Right, new: _Right) -> tuple[int, int]:
    """Return how many documents only the later model, and only the earlier one, gets right."""
    return int((new & ~old).sum()), int((old & ~new).sum())


def _no_worse(sizes: Sizes) -> Policies:
    rules = (Rule(metric="AverageAccuracy", min=0.0, max_drop=_MARGIN),)
    policy = Policy(rules=rules, comparison="non-inferiority")
    return {_ANCHORED: policy, "champion alone": policy}


NON_INFERIORITY_CHAIN = Scenario(
    "non-inferiority-chain",
    "Twenty challengers, each truly 0.5 points worse than the champion of its time (accuracy, "
    "margin 0.01), as the product judges them and by the champion alone. Promoted: chains with a "
    "promotion. Loss: what the last champion has less than the first one, in points.",
    2000,
    [
        {"documents": 1000, "challengers": 20, "drop": 0.005, "disagreement": disagreement}
        for disagreement in (0.02, 0.05, 0.1)
    ],
    _no_worse,
    play_non_inferiority_chain,
)
