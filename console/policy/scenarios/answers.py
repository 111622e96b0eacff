"""Scenarios of both models' answers: guarded labels, repeated documents, sparse entities.

Read next: `console.policy.scenarios.judging`, `flywheel.evaluation.label_guards`,
`flywheel.intake.document_groups`.
"""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np

from console.policy.scenarios.approximate_pair import ApproximatePair, drawn_groups
from console.policy.scenarios.drawing import (
    Random,
    joint,
    label_names,
    seed_name,
    shared_out,
    single_label_answers,
    single_label_documents,
)
from console.policy.scenarios.judging import BETTER_ACCURACY, ModelPair, judge_pair
from console.policy.scenarios.scenario import Policies, Scenario, Sizes, Tallies
from flywheel.evaluation.effective_rules import Outcome, RuleOutcome
from flywheel.evaluation.predictions import Answer, ScoredDocument
from flywheel.evaluation.verdict import Decision
from flywheel.intake.document_groups import Grouped
from flywheel.settings.policy import Policy

_RECALL = 0.8
_GAIN, _BROKEN = 0.03, 0.30
_GUARDED_FROM = (30, 50)


def play_critical_labels(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Draw a challenger that is better, equal, or has lost one label."""
    names = label_names(int(sizes["labels"]))
    supports = dict.fromkeys(names, int(sizes["documents_each"]))
    recalls = np.full(len(names), _RECALL + (0 if sizes["challenger"] == "equal" else _GAIN))
    if sizes["challenger"] == "one broken":
        recalls[0] = _RECALL - _BROKEN
    disagreement = float(sizes["disagreement"])
    for _ in range(trials):
        drawn = single_label_answers(random, supports, _RECALL, recalls, disagreement)
        pair = ApproximatePair(drawn, "multi-class", drawn_groups(drawn))
        for name, policy in policies.items():
            _, verdict = pair.judge(policy)
            is_seen = any(map(_is_drop_seen, verdict.outcomes))
            at_sight = float(is_seen or verdict.decision is Decision.REJECT)
            tallies.add_decision(name, verdict.decision, rejected_at_sight=at_sight)


def _is_drop_seen(rule: RuleOutcome) -> bool:
    """Return whether a guard stops what it knows both values of."""
    is_known = rule.label is not None and None not in {rule.champion, rule.challenger}
    return is_known and rule.outcome in {Outcome.FAIL, Outcome.UNKNOWN}


def _critical(sizes: Sizes) -> Policies:
    labels = tuple(label_names(int(sizes["labels"])))
    # Labels with more documents are guarded by either.
    is_small = int(sizes["documents_each"]) < max(_GUARDED_FROM)
    return {
        f"from {least}": Policy(critical_labels=labels, critical_min_documents=least)
        for least in (_GUARDED_FROM if is_small else _GUARDED_FROM[:1])
    }


CRITICAL_LABELS = Scenario(
    "critical-labels",
    "All labels are critical (recall 0.80). The challenger is 3 points better in every label, "
    "equal, or better in every label but one, whose recall is 30 points lower. A guard stops from "
    "so many test documents of its label on (critical_min_documents). At sight: rejected where any "
    "guarded drop that is seen rejects. Chances follow the normal curve.",
    1000,
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
        pair = ModelPair(documents, "multi-class", len(names), seed_name(random), grouping)
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


_TYPE = "PERSON"
_FINDS = 0.8
"""How often a recognizer finds a mention; it finds a false one for as many as it misses."""

_DISPUTED = 0.2
_SAME_FALSE_FINDS = 0.6

_LIKE_ITS_DOCUMENT = 0.7
"""How often a mention is found, or missed, as the first one of its document is."""


def play_entities(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Draw recognizers that are equally good, on lines of which few have a mention."""
    lines, mentions = int(sizes["documents"]), int(sizes["mentions"])
    carriers = int(sizes["documents_with_mentions"])
    for _ in range(trials):
        places = _places(random, mentions, carriers)
        documents = _recognized(random, lines, places)
        judge_pair(tallies, policies, ModelPair(documents, "entities", 1, seed_name(random)))


def _places(random: Random, mentions: int, carriers: int) -> list[int]:
    """Return the document of each mention: every carrier has one at least."""
    spread = random.integers(0, carriers, mentions - carriers)
    return [*range(carriers), *spread.tolist()]


def _recognized(random: Random, lines: int, places: list[int]) -> list[ScoredDocument]:
    mentions = len(places)
    (shares,) = joint([_FINDS], [_FINDS], _DISPUTED)
    of_documents, of_mentions = random.choice(4, (2, max(lines, mentions)), p=shares)
    is_alike = random.random(mentions) < _LIKE_ITS_DOCUMENT
    kinds = np.where(is_alike, of_documents[places], of_mentions[:mentions])
    actual, right_old, right_new = Counter(places), Counter[int](), Counter[int]()
    for place, kind in zip(places, kinds.tolist(), strict=True):
        right_old[place] += kind in {0, 1}
        right_new[place] += kind in {0, 2}
    false_old, false_new = _false_finds(random, places)
    documents = []
    for place in range(lines):
        old, new = (
            Answer(_counted(right[place] + false[place]), _counted(right[place]))
            for right, false in ((right_old, false_old), (right_new, false_new))
        )
        documents.append(ScoredDocument(str(place), _counted(actual[place]), old, new))
    return documents


def _false_finds(random: Random, places: list[int]) -> tuple[Counter[int], Counter[int]]:
    """Return mentions that are none, per document, in documents like those that have some."""
    expected = (1 - _FINDS) * len(places)
    counts = [
        random.poisson(expected * share)
        for share in (_SAME_FALSE_FINDS, 1 - _SAME_FALSE_FINDS, 1 - _SAME_FALSE_FINDS)
    ]
    both, old, new = (Counter(random.choice(places, count).tolist()) for count in counts)
    return both + old, both + new


def _counted(count: int) -> tuple[tuple[str, int], ...]:
    return ((_TYPE, count),) if count else ()


def _policies(sizes: Sizes) -> Policies:
    return {"paired": Policy(), "averages": Policy(evidence="averages")}


ENTITIES_SPARSE = Scenario(
    "entities-sparse",
    "Two recognizers that are equally good (F1 about 0.80, 20 % of mentions found by only one), on "
    "documents of which few have a mention. The default policy, and one by averages.",
    1500,
    [
        {"documents": documents, "mentions": mentions, "documents_with_mentions": carriers}
        for documents, mentions, carriers in (
            (1000, 300, 260),
            (1000, 100, 95),
            (2000, 60, 59),
            (5000, 50, 50),
            (1000, 300, 30),
            (1000, 300, 100),
        )
    ],
    _policies,
    play_entities,
)
