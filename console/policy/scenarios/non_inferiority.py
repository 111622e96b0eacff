"""The scenario of a chain of challengers, each a little worse than the champion of its time.

Read next: `flywheel.evaluation.effective_rules` (what the anchor is for),
`console.policy.scenarios.judging`.
"""

import numpy as np
from numpy.typing import NDArray

from console.policy.scenarios.drawing import Random
from console.policy.scenarios.judging import judge_accuracy
from console.policy.scenarios.scenario import Policies, Scenario, Sizes, Tallies
from flywheel.evaluation.verdict import Decision
from flywheel.settings.policy import Policy, Rule

_RIGHT = 0.85
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
    accuracy, promotions = _RIGHT, 0
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
