"""How often a flywheel's policy promotes, on a test set of a given size.

Decides which models are drawn for a flywheel: as many labels as it has, all equally frequent, and
a champion that meets the policy's floors. Everything else is the product's own. Read next:
`console.policy.scenarios.approximate_pair`, `console.views.policy` (the policy in words).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from console.policy.scenarios.approximate_pair import ApproximatePair, drawn_groups
from console.policy.scenarios.drawing import (
    AnswerArrays,
    Random,
    fact_answers,
    label_names,
    shared_out,
    single_label_answers,
)
from console.policy.scenarios.scenario import Policies, Scenario, Sizes, Tallies, simulated
from flywheel.evaluation.predictions import Kind, kind_of
from flywheel.evaluation.verdict import measured_by
from flywheel.intake.document_groups import GroupCounts
from flywheel.settings.environment import FlywheelSettings
from flywheel.settings.policy import Policy

DIFFERENCES = (0.0, 0.03, -0.02)

_SEED = 1
_RIGHT, _BEST = 0.8, 0.97
_DISAGREEMENT = 0.1
_LABELS_UNKNOWN = 5
"""Labels that are drawn for an adopted flywheel, whose file does not name them."""

_MOST_TRIALS = 750
"""The standard error of any rate is then 1.9 points at most."""

_FEWEST_TRIALS = 25
_MILLISECONDS = 16_000
"""Computing time of all trials together by `_milliseconds`; large policies have fewer for it.

On two cores the command then takes less than ten seconds.
"""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of a flywheel's models.

    Parameters
    ----------
    kind : Kind
    labels : tuple of str
        Labels or entity types.
    """

    kind: Kind
    labels: tuple[str, ...]


Judged = tuple[Policy, Task]


@dataclass(frozen=True, slots=True)
class Odds:
    """The rate at which a policy promotes challengers with a true difference.

    Parameters
    ----------
    difference : float
    promoted, standard_error : float
    trials : int
    right : float
        How often the drawn champion is right.
    """

    difference: float
    promoted: float
    standard_error: float
    trials: int
    right: float


def task_of(flywheel: FlywheelSettings) -> Task:
    """Return the task of a flywheel's models; labels that the file does not name are made up."""
    names = {*(flywheel.labels or flywheel.entity_types or ()), *flywheel.policy.labels_named()}
    missing = _LABELS_UNKNOWN - len(names) if flywheel.labels is flywheel.entity_types else 0
    return Task(kind_of(flywheel.shape()), (*sorted(names), *label_names(max(0, missing))))


def odds(judged: Sequence[Judged], test_documents: int, *, processes: int) -> list[list[Odds]]:
    """Return the odds of each policy and task, in their order.

    Parameters
    ----------
    judged : sequence of tuple of Policy and Task
    test_documents : int
    """
    simulation = _Simulation(tuple(judged), test_documents)
    trials = trials_of(judged, test_documents)
    draws = simulation.draws()
    scenario = Scenario("policy", "", trials, draws, simulation.policies, simulation.play)
    rows = [row for (row,) in simulated(scenario, trials=trials, seed=_SEED, processes=processes)]
    return [
        [_odds(row, policy) for row in rows if row["place"] == place]
        for place, (policy, _) in enumerate(judged)
    ]


def trials_of(judged: Sequence[Judged], documents: int) -> int:
    """Return how many trials of each difference fit the time."""
    milliseconds = sum(_milliseconds(policy, task, documents) for policy, task in judged)
    fitting = int(_MILLISECONDS / (len(DIFFERENCES) * milliseconds))
    return max(_FEWEST_TRIALS, min(_MOST_TRIALS, fitting))


def _milliseconds(policy: Policy, task: Task, documents: int) -> float:
    """Return the longest measured time of a trial; the error of a look does not matter."""
    each_document = 1.2e-4 if task.kind == "multi-class" else 2.5e-4
    return (
        0.7 + each_document * documents + 0.01 * len(task.labels) + 0.3 * len(measured_by(policy))
    )


def _odds(row: Mapping[str, Any], policy: Policy) -> Odds:
    trials, promoted = row["trials"], round(row["trials"] * row["promoted"])
    # With one success and one failure more, none at all does not pass for certainty.
    share = (promoted + 1) / (trials + 2)
    error = math.sqrt(share * (1 - share) / (trials + 2))
    return Odds(row["difference"], promoted / trials, error, trials, _right(policy))


@dataclass(frozen=True, slots=True)
class _Simulation:
    judged: tuple[Judged, ...]
    test_documents: int

    def draws(self) -> list[Sizes]:
        return [
            {"place": place, "difference": difference}
            for place in range(len(self.judged))
            for difference in DIFFERENCES
        ]

    def policies(self, sizes: Sizes) -> Policies:
        return {"policy": self.judged[int(sizes["place"])][0]}

    def play(
        self, random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
    ) -> None:
        _, task = self.judged[int(sizes["place"])]
        groups = _groups(task, self.test_documents)
        for name, policy in policies.items():
            old = _right(policy)
            new = old + float(sizes["difference"])
            for _ in range(trials):
                answers = _answers(random, task, self.test_documents, old, new)
                _, verdict = ApproximatePair(answers, task.kind, groups).judge(policy)
                tallies.add_decision(name, verdict.decision)


@lru_cache(maxsize=8)
def _groups(task: Task, documents: int) -> GroupCounts:
    return drawn_groups(_answers(np.random.default_rng(_SEED), task, documents, _RIGHT, _RIGHT))


def _answers(random: Random, task: Task, documents: int, old: float, new: float) -> AnswerArrays:
    if task.kind == "multi-class":
        supports = shared_out(documents, task.labels)
        return single_label_answers(random, supports, old, new, _DISAGREEMENT)
    return fact_answers(
        random,
        task.labels,
        documents,
        kind=task.kind,
        champion=old,
        challenger=new,
        disagreement=_DISAGREEMENT,
    )


def _right(policy: Policy) -> float:
    """Return the rate at which the drawn champion is right: well above every floor."""
    floor = max((rule.min for rule in policy.all_rules() if rule.min is not None), default=0.0)
    return min(_BEST, max(_RIGHT, (1 + floor) / 2))
