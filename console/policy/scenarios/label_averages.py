"""Scenarios of averages over labels: rarely predicted ones, and ones with few documents.

An average says nothing of how many predictions or documents its rarest label has. Read next:
`console.policy.scenarios.judging`.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from console.policy.scenarios.drawing import (
    Random,
    confused_documents,
    joint,
    label_names,
    seed_name,
)
from console.policy.scenarios.judging import ModelPair, judge_pair, of_averages
from console.policy.scenarios.scenario import Policies, Scenario, Sizes, Tallies
from flywheel.evaluation.evidence import TestSetFacts
from flywheel.evaluation.verdict import decide
from flywheel.settings.policy import Policy, Rule

Counts = NDArray[np.int64]

_PRECISION = 0.8


def play_rare_predictions(
    random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
) -> None:
    """Draw classifiers that are equally precise, with one label that they hardly ever predict."""
    predicted, support = int(sizes["predicted"]), int(sizes["documents_of_label"])
    supports = dict.fromkeys(label_names(3), support)
    # Of the rare label's predictions four in five are right, whatever their number.
    right = predicted * _PRECISION / support
    false = predicted * (1 - _PRECISION) / (2 * support)
    confusion = np.array(
        [
            [right, (1 - right) / 2, (1 - right) / 2],
            [false, _PRECISION, 1 - _PRECISION - false],
            [false, 1 - _PRECISION - false, _PRECISION],
        ]
    )
    for _ in range(trials):
        documents = confused_documents(random, supports, confusion)
        pair = ModelPair(documents, "multi-class", len(supports), seed_name(random))
        judge_pair(tallies, policies, pair)


def _precision(sizes: Sizes) -> Policies:
    rule = Rule(metric="AveragePrecision", min=0.0, min_improvement=0.005)
    return {"precision": Policy(rules=(rule,))}


PRECISION_RARE = Scenario(
    "precision-rare",
    "Two classifiers of three labels that are equally precise (0.80), where one label is hardly "
    "ever predicted. The rule is AveragePrecision, better by 0.005.",
    2500,
    [{"predicted": count, "documents_of_label": 400} for count in (400, 100, 30, 8)],
    _precision,
    play_rare_predictions,
)


_SUPPORTS = {
    "balanced": (1, 1),
    "one rare": (25, 1),
    "fifth rare": (25, 1),
}
_RECALLS = {"alike": (0.8, 0.8), "rare low": (0.5, 0.97)}


def supports_of(labels: int, shape: str, rarest: int) -> Counts:
    """Return the documents of each label; the rare ones come first."""
    rare = {"balanced": labels, "one rare": 1}.get(shape, max(1, labels // 5))
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
    test_set = TestSetFacts("0" * 64, documents, counts, groups=documents, label_groups=counts)
    for old, new in values.tolist():
        evidence = of_averages({"AverageF1Score": old}, {"AverageF1Score": new}, test_set)
        for name, policy in policies.items():
            tallies.add_decision(name, decide(evidence, policy).decision)


def _recalls(shape: str, supports: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if shape == "swapped":
        champion = np.where(np.arange(len(supports)) % 2, 0.6, 0.9)
        if len(supports) % 2:
            champion[-1] = 0.75
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
            ("one rare", "alike", 8),
            ("one rare", "rare low", 8),
            ("fifth rare", "rare low", 8),
            ("fifth rare", "rare low", 40),
        ):
            if shape == "fifth rare" and labels == 2:  # noqa: PLR2004 - the grid
                continue
            # Models that differ by 0.3 in each label disagree at least as often.
            if recalls == "swapped" and disagreement < 0.3:  # noqa: PLR2004 - the grid
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


def _averages(sizes: Sizes) -> Policies:
    return {"averages": Policy(evidence="averages")}


MACRO_F1_AVERAGES = Scenario(
    "macro-f1-averages",
    "Two classifiers with equal macro-F1 that are compared by averages alone. Rare labels have "
    "`rarest` documents, others 25 times as many. Recall is 0.8 alike; rare low: 0.5 beside 0.97; "
    "swapped: 0.9 and 0.6 in turn, in the other model 0.6 and 0.9, an odd label 0.75 in both. "
    "Disagreement is the part of a label's documents that only one answers rightly, as far as "
    "recalls allow it.",
    5000,
    _macro_f1_draws(),
    _averages,
    play_macro_f1,
)
