"""How often each policy promotes, over many pairs of models and test sets drawn at random.

Decides how a pair is drawn: the champion is wrong on some documents of the test set, and that stays
so over all looks; each challenger fixes some of them and breaks some others. Every verdict is the
product's own (`flywheel.evaluation.verdict.decide`); nothing of the gate is built again here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from console.errors import CommandError, ExitCode
from console.policy.scenarios.answers import CRITICAL_LABELS, ENTITIES_SPARSE, REPEATED_DOCUMENTS
from console.policy.scenarios.judging import BETTER_ACCURACY, judge_accuracy
from console.policy.scenarios.label_averages import MACRO_F1_AVERAGES, PRECISION_RARE
from console.policy.scenarios.looks import (
    ADVISED_NUMBER,
    GROWING_TEST_SET,
    HOLD_AND_EXTEND,
    NON_INFERIORITY_CHAIN,
)
from console.policy.scenarios.scenario import Scenario
from flywheel.evaluation.verdict import Decision
from flywheel.settings.policy import Policy, Rule

FEWEST_TRIALS = 20_000
DIFFERENCES = (0.0, -0.02, 0.03)
TEST_DOCUMENTS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
DISAGREEMENT = 0.1

_WRONG = 0.2
"""How often the champion is wrong, at least."""


@dataclass(frozen=True, slots=True)
class SimulatedCell:
    """The result of one simulation.

    Parameters
    ----------
    policy : str
        One of `policies`.
    difference : float
        True accuracy of the challenger less the champion's.
    test_documents : int
    disagreement : float
        How often only one of both models is right.
    iterations : int
        Looks at one test set, each at another challenger.
    promoted : float
        Part of the trials with at least one promotion.
    """

    policy: str
    difference: float
    test_documents: int
    disagreement: float
    iterations: int
    promoted: float

    def document(self) -> dict[str, str | float]:
        """Return it as JSON values."""
        return asdict(self)


def policies(iterations: int) -> Mapping[str, Policy]:
    """Return the policies that are compared, each about accuracy alone.

    ``paired-strict`` spends one error over all looks; it is there where there are several.
    """
    any_gain = Rule(metric="AverageAccuracy", min=0.0, min_improvement=0.0)
    no_worse = Rule(metric="AverageAccuracy", min=0.0, max_drop=0.01)
    compared = {
        "paired": Policy(rules=(BETTER_ACCURACY,)),
        "averages": Policy(rules=(BETTER_ACCURACY,), evidence="averages"),
        "non-inferiority": Policy(rules=(no_worse,), comparison="non-inferiority"),
        "higher-wins": Policy(rules=(any_gain,), evidence="none"),
    }
    if iterations > 1:
        most = Policy().test_looks_hold
        compared["paired-strict"] = Policy(
            rules=(BETTER_ACCURACY,), family_error="strict", looks_planned=min(iterations, most)
        )
    return compared


def simulated(
    *,
    differences: Sequence[float],
    test_documents: Sequence[int],
    disagreements: Sequence[float],
    iterations: int,
    trials: int,
    seed: int,
) -> Iterator[SimulatedCell]:
    """Simulate every combination, policy by policy.

    Raises
    ------
    CommandError
        A disagreement is smaller than the difference that it holds.
    """
    for difference, disagreement in product(differences, disagreements):
        if abs(difference) > disagreement:
            problem = (
                f"models that differ by {difference:+g} disagree on at least "
                f"{abs(difference):g} of all documents, not on {disagreement:g}"
            )
            raise CommandError(
                ExitCode.USAGE, "--disagreement", problem, "Give a larger disagreement"
            )
    for difference, documents, disagreement in product(differences, test_documents, disagreements):
        drawn = _drawn(
            difference, documents, disagreement, iterations=iterations, trials=trials, seed=seed
        )
        for name, policy in policies(iterations).items():
            promoted = _promoted(policy, documents, drawn)
            yield SimulatedCell(name, difference, documents, disagreement, iterations, promoted)


def checked_trials(trials: int | None) -> int:
    """Return how many trials a cell has.

    Raises
    ------
    CommandError
        They are too few for the rates that the table shows.
    """
    if trials is not None and trials < FEWEST_TRIALS:
        problem = f"{trials:,} trials are too few for a rate near 5 %"
        remedy = f"Give {FEWEST_TRIALS:,} at least, or a --scenario"
        raise CommandError(ExitCode.USAGE, "--trials", problem, remedy)
    return trials or FEWEST_TRIALS


def _drawn(
    difference: float,
    documents: int,
    disagreement: float,
    *,
    iterations: int,
    trials: int,
    seed: int,
) -> NDArray[np.int64]:
    """Return counts of shape (iterations, trials, 3): champion wrong, fixed, broken."""
    random = np.random.default_rng([seed, documents])
    fixed_share, broken_share = (disagreement + difference) / 2, (disagreement - difference) / 2
    wrong_share = max(_WRONG, fixed_share)
    wrong = random.binomial(documents, wrong_share, trials)
    looks = []
    for _ in range(iterations):
        fixed = random.binomial(wrong, fixed_share / wrong_share)
        broken = random.binomial(documents - wrong, broken_share / (1 - wrong_share))
        looks.append(np.stack([wrong, fixed, broken], axis=1))
    return np.stack(looks)


def _promoted(policy: Policy, documents: int, drawn: NDArray[np.int64]) -> float:
    """Return in which part of the trials at least one look promoted."""
    trials = drawn.shape[1]
    has_promoted = np.zeros(trials, np.bool_)
    for look, counts in enumerate(drawn):
        open_trials = np.flatnonzero(~has_promoted)
        distinct, places = np.unique(counts[open_trials], axis=0, return_inverse=True)
        promotes = np.array(
            [
                is_promoted(policy, documents, look, wrong=wrong, fixed=fixed, broken=broken)
                for wrong, fixed, broken in distinct.tolist()
            ],
            np.bool_,
        )
        has_promoted[open_trials] = promotes[places.ravel()]
    return float(has_promoted.mean())


def is_promoted(
    policy: Policy, documents: int, look: int, *, wrong: int, fixed: int, broken: int
) -> bool:
    """Return whether a policy promotes a challenger that fixed and broke so many documents.

    Parameters
    ----------
    look : int
        Verdicts on the test set, and in the flywheel's generation, before this one.
    wrong : int
        Documents on which the champion is wrong.
    """
    verdict = judge_accuracy(
        policy,
        documents,
        wrong=wrong,
        fixed=fixed,
        broken=broken,
        looks=look,
        generation_looks=look,
    )
    return verdict.decision is Decision.PROMOTE


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        ENTITIES_SPARSE,
        PRECISION_RARE,
        CRITICAL_LABELS,
        HOLD_AND_EXTEND,
        GROWING_TEST_SET,
        NON_INFERIORITY_CHAIN,
        REPEATED_DOCUMENTS,
        MACRO_F1_AVERAGES,
        ADVISED_NUMBER,
    )
}
