"""Scenarios of both models' answers: labels that may not get worse, and documents that repeat.

Read next: `console.scenarios.judging`, `flywheel.label_guards`, `flywheel.document_groups`.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from console.scenarios.drawing import (
    Random,
    label_names,
    seed_name,
    shared_out,
    single_label_documents,
)
from console.scenarios.judging import BETTER_ACCURACY, Pair, judge_pair
from console.scenarios.scenario import Policies, Scenario, Sizes, Tallies
from flywheel.document_groups import Grouped
from flywheel.policy import Outcome
from flywheel.policy_settings import Policy
from flywheel.verdict import Decision

_RECALL = 0.8
_GAIN, _BROKEN = 0.03, 0.30
_GUARDED_FROM = (10, 30, 50, 100)


def play_critical_labels(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Draw a challenger that is better, equal, or has lost one label."""
    names = label_names(int(sizes["labels"]))
    supports = dict.fromkeys(names, int(sizes["documents_each"]))
    recalls = np.full(len(names), _RECALL + (0 if sizes["challenger"] == "equal" else _GAIN))
    if sizes["challenger"] == "one broken":
        recalls[0] = _RECALL - _BROKEN
    for _ in range(trials):
        documents = single_label_documents(
            random, supports, _RECALL, recalls, float(sizes["disagreement"])
        )
        pair = Pair(documents, "multi-class", len(names), seed_name(random))
        for name, policy in policies.items():
            _, verdict = pair.judge(policy)
            guards = {each.outcome for each in verdict.outcomes if each.label is not None}
            is_held = verdict.decision is Decision.HOLD and Outcome.UNKNOWN in guards
            tallies.add_decision(
                name,
                verdict.decision,
                guard_fails=float(Outcome.FAIL in guards),
                guard_holds=float(is_held),
            )


def _critical(sizes: Sizes) -> Policies:
    labels = tuple(label_names(int(sizes["labels"])))
    return {
        f"from {least}": Policy(critical_labels=labels, critical_min_documents=least)
        for least in _GUARDED_FROM
    }


CRITICAL_LABELS = Scenario(
    "critical-labels",
    "All labels are critical (recall 0.80). The challenger is 3 points better in every label, "
    "equal, or better in every label but one, whose recall is 30 points lower. A guard stops from "
    "so many test documents of its label on (critical_min_documents).",
    200,
    [
        {
            "labels": labels,
            "documents_each": documents,
            "challenger": challenger,
            "disagreement": disagreement,
        }
        for labels, documents, challenger, disagreement in product(
            (5, 20), (30, 100), ("better", "equal", "one broken"), (0.1, 0.2)
        )
    ],
    _critical,
    play_critical_labels,
)


def play_repeated_documents(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Draw equal models on documents that are in the test set several times."""
    names = label_names(5)
    supports = shared_out(int(sizes["different_documents"]), names)
    copies = range(int(sizes["copies"]))
    grouping: Grouped = "named" if sizes["groups"] == "named" else "none"
    for _ in range(trials):
        different = single_label_documents(random, supports, _RECALL, _RECALL, 0.1)
        documents = [
            replace(each, group=each.id if grouping == "named" else "")
            for each in different
            for _ in copies
        ]
        pair = Pair(documents, "multi-class", len(names), seed_name(random), grouping)
        judge_pair(tallies, policies, pair)


def _metrics(sizes: Sizes) -> Policies:
    return {"accuracy": Policy(rules=(BETTER_ACCURACY,)), "macro-F1": Policy()}


REPEATED_DOCUMENTS = Scenario(
    "repeated-documents",
    "Two equal classifiers of five labels (disagreement 10 %), on test documents that each occur "
    "several times: once as groups, as the product judges them, once as if they were independent.",
    1500,
    [
        {"different_documents": 150, "copies": copies, "groups": groups}
        for copies, groups in (
            (1, "none"),
            (2, "named"),
            (5, "named"),
            (2, "none"),
            (5, "none"),
        )
    ],
    _metrics,
    play_repeated_documents,
)
