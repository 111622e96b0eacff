"""Scenarios of averages over labels: rarely predicted ones, and ones with few documents.

An average says nothing of how many predictions or documents its rarest label has. Read next:
`console.scenarios.judging`.
"""

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from console.scenarios.drawing import (
    Random,
    joint,
    label_names,
    seed_name,
    single_label_documents,
)
from console.scenarios.judging import Pair, judge_pair, of_averages
from console.scenarios.scenario import Policies, Scenario, Sizes, Tallies
from flywheel.evidence import TestSet
from flywheel.policy_settings import Policy, Rule
from flywheel.scored_documents import Answer, ScoredDocument
from flywheel.verdict import decide

Counts = NDArray[np.int64]

_PRECISION = 0.8


def play_rare_predictions(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Draw classifiers that are equally precise, with one label that they hardly ever predict."""
    predicted, support = int(sizes["predicted"]), int(sizes["documents_of_label"])
    names = label_names(3)
    recalls = np.array([predicted * _PRECISION / support, _PRECISION, _PRECISION])
    for _ in range(trials):
        documents = _rarely_predicted(random, names, support, recalls, predicted)
        test_set = TestSet(seed_name(random), len(documents), dict.fromkeys(names, support))
        judge_pair(tallies, policies, Pair(documents, "multi-class", len(names), test_set))


def _rarely_predicted(
    random: Random, names: list[str], support: int, recalls: NDArray[np.float64], predicted: int
) -> list[ScoredDocument]:
    """Draw documents; the first label is predicted falsely for one in five of its predictions."""
    supports = dict.fromkeys(names, support)
    documents = single_label_documents(random, supports, recalls, recalls, 0.1)
    false_share = (1 - _PRECISION) * predicted / (2 * support)
    rare, other, third = names
    turned = {(name, other if name == third else third) for name in (other, third)}
    instead = dict(turned) | {rare: other}
    false = random.random((2, len(documents))) < false_share

    def answer(actual: str, said: Answer, is_false: bool) -> Answer:
        ((predicted_label, _),) = said.told
        if actual != rare and predicted_label == rare:
            predicted_label = instead[actual]
        if actual != rare and is_false:
            predicted_label = rare
        return Answer(
            ((predicted_label, 1),), ((predicted_label, 1),) if predicted_label == actual else ()
        )

    answered = []
    for place, each in enumerate(documents):
        ((actual, _),) = each.actual
        old = answer(actual, each.champion or each.challenger, bool(false[0, place]))
        new = answer(actual, each.challenger, bool(false[1, place]))
        answered.append(replace(each, champion=old, challenger=new))
    return answered


def _precision(sizes: Sizes) -> Policies:
    rule = Rule(metric="AveragePrecision", min=0.0, min_improvement=0.005)
    return {"precision": Policy(rules=(rule,))}


PRECISION_RARE = Scenario(
    "precision-rare",
    "Two classifiers of three labels that are equally precise (0.80), where one label is hardly "
    "ever predicted. The rule is AveragePrecision, better by 0.005.",
    500,
    [{"predicted": count, "documents_of_label": 400} for count in (400, 100, 30, 8)],
    _precision,
    play_rare_predictions,
)


_SUPPORTS = {
    "balanced": (1, 1),
    "one rare label": (25, 1),
    "one label in five rare": (25, 1),
}
_RECALLS = {"alike": (0.8, 0.8), "rare ones low": (0.5, 0.97)}


def supports_of(labels: int, shape: str, rarest: int) -> Counts:
    """Return the documents of each label; the rare ones come first."""
    rare = {"balanced": labels, "one rare label": 1}.get(shape, max(1, labels // 5))
    counts = np.full(labels, rarest * _SUPPORTS[shape][0])
    counts[:rare] = rarest
    return counts


def play_macro_f1(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Draw classifiers that are equally good, label by label; only counts are needed."""
    labels, shape = int(sizes["labels"]), str(sizes["supports"])
    supports = supports_of(labels, shape, int(sizes["rarest"]))
    champion, challenger = _recalls(str(sizes["recalls"]), supports)
    shares = joint(champion, challenger, float(sizes["disagreement"]))
    values = _macro_f1(random, supports, shares, trials)
    counts = dict(zip(label_names(labels), supports.tolist(), strict=True))
    documents = int(supports.sum())
    test_set = TestSet("0" * 64, documents, counts, groups=documents, label_groups=counts)
    for old, new in values.tolist():
        evidence = of_averages({"AverageF1Score": old}, {"AverageF1Score": new}, test_set)
        for name, policy in policies.items():
            tallies.add_decision(name, decide(evidence, policy).decision)


def _recalls(shape: str, supports: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if shape == "swapped":
        champion = np.where(np.arange(len(supports)) % 2, 0.6, 0.9)
        return champion, 1.5 - champion
    low, high = _RECALLS[shape]
    recalls = np.where(supports == supports.min(), low, high)
    return recalls, recalls


def _macro_f1(
    random: Random, supports: Counts, shares: NDArray[np.float64], trials: int
) -> NDArray[np.float64]:
    """Return both models' mean F1, of shape (trials, 2)."""
    # (labels, trials, 4): both right, only the champion, only the challenger, none.
    kinds = np.stack(
        [
            random.multinomial(count, share, trials)
            for count, share in zip(supports, shares, strict=True)
        ]
    )
    same = random.binomial(kinds[..., 3], 0.5)
    confused = _confused(random, same, supports)
    averages = []
    for only in (1, 2):
        right = kinds[..., 0] + kinds[..., only]
        wrong_alone = kinds[..., 3 - only] + kinds[..., 3] - same
        predicted = right + confused + _confused(random, wrong_alone, supports)
        averages.append((2 * right / (supports[:, None] + predicted)).mean(axis=0))
    return np.stack(averages, axis=1)


def _confused(random: Random, wrong: Counts, supports: Counts) -> Counts:
    """Return how often each label is predicted falsely; common labels attract more mistakes."""
    falsely = np.zeros_like(wrong)
    for label, counts in enumerate(wrong):
        weights = supports.astype(float)
        weights[label] = 0
        falsely += random.multinomial(counts, weights / weights.sum()).T
    return falsely


def _macro_f1_draws() -> list[Sizes]:
    draws: list[Sizes] = []
    for labels, disagreement in product((2, 5, 20, 77), (0.1, 0.2, 0.3, 0.4)):
        for shape, recalls, rarest in (
            ("balanced", "alike", -(-42 // labels)),
            ("balanced", "alike", 100),
            ("balanced", "swapped", 100),
            ("one rare label", "alike", 8),
            ("one rare label", "rare ones low", 8),
            ("one label in five rare", "rare ones low", 8),
            ("one label in five rare", "rare ones low", 40),
        ):
            if shape == "one label in five rare" and labels == 2:  # noqa: PLR2004
                continue
            # Models that differ by 0.3 in each label disagree at least as often.
            if recalls == "swapped" and disagreement < 0.3:  # noqa: PLR2004
                continue
            draws.append(
                {
                    "labels": labels,
                    "supports": shape,
                    "rarest": rarest,
                    "recalls": recalls,
                    "disagreement": disagreement,
                }
            )
    return draws


MACRO_F1_AVERAGES = Scenario(
    "macro-f1-averages",
    "Two classifiers with equal macro-F1 that are compared by averages alone. Disagreement is the "
    "part of each label's documents that only one answers rightly, as far as recalls allow it.",
    1000,
    _macro_f1_draws(),
    lambda sizes: {"averages": Policy(evidence="averages")},
    play_macro_f1,
)
