"""How often a flywheel's policy promotes, on a test set of a given size.

Decides which models are drawn for a flywheel: as many labels as it has, all equally frequent, and
a champion that meets the policy's floors. Everything else is the product's own. Read next:
`console.scenarios.judging`, `console.policy_words` (the policy in words).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.scenarios.drawing import (
    Random,
    fact_documents,
    label_names,
    seed_name,
    shared_out,
    single_label_documents,
)
from console.scenarios.judging import Pair
from console.scenarios.scenario import Policies, Scenario, Sizes, Tallies, simulated
from flywheel.policy_settings import Policy
from flywheel.scored_documents import ACCURACY, Kind, ScoredDocument
from flywheel.settings import FlywheelSettings
from flywheel.test_documents import kind_of
from flywheel.verdict import measured_by

DIFFERENCES = (0.0, 0.03, -0.02)
_DRAWS = ((0.0, 1), (0.0, 2), (0.03, 1), (-0.02, 1))
"""Differences with the number of the draw: equal models need more trials for the same error."""

_SEED = 1
_RIGHT, _BEST = 0.8, 0.97
_DISAGREEMENT = 0.1
_LABELS_UNKNOWN = 5
"""Labels that are drawn for an adopted flywheel, whose file does not name them."""

_SECONDS = 20.0
"""Computing time of all trials together by `_seconds`; sets their number.

On two cores the command then takes less than ten seconds.
"""

_FEWEST, _MOST = 20, 2000


@dataclass(frozen=True, slots=True)
class Task:
    """What a flywheel's models answer.

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
    """How often a policy promotes challengers that truly differ by so much.

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
    """Return what a flywheel's models answer; labels that the file does not name are made up."""
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
    scenario = Scenario(
        "policy",
        "",
        _trials(judged, test_documents),
        simulation.draws(),
        simulation.policies,
        simulation.play,
    )
    rows = [
        row
        for (row,) in simulated(scenario, trials=scenario.trials, seed=_SEED, processes=processes)
    ]
    return [
        [
            _odds(
                difference,
                [row for row in rows if (row["place"], row["difference"]) == (place, difference)],
                policy,
            )
            for difference in DIFFERENCES
        ]
        for place, (policy, _) in enumerate(judged)
    ]


def _odds(difference: float, rows: Sequence[Mapping[str, Any]], policy: Policy) -> Odds:
    trials = sum(row["trials"] for row in rows)
    promoted = round(sum(row["trials"] * row["promoted"] for row in rows))
    # With one success and one failure more, none at all does not pass for certainty.
    share = (promoted + 1) / (trials + 2)
    error = math.sqrt(share * (1 - share) / (trials + 2))
    return Odds(difference, promoted / trials, error, trials, _right(policy))


@dataclass(frozen=True, slots=True)
class _Simulation:
    judged: tuple[Judged, ...]
    test_documents: int

    def draws(self) -> list[Sizes]:
        return [
            {"place": place, "difference": difference, "draw": number}
            for place in range(len(self.judged))
            for difference, number in _DRAWS
        ]

    def policies(self, sizes: Sizes) -> Policies:
        return {"policy": self.judged[int(sizes["place"])][0]}

    def play(
        self, random: Random, sizes: Sizes, policies: Policies, trials: int, tallies: Tallies
    ) -> None:
        _, task = self.judged[int(sizes["place"])]
        for name, policy in policies.items():
            old = _right(policy)
            new = old + float(sizes["difference"])
            for _ in range(trials):
                documents = _documents(random, task, self.test_documents, old, new)
                pair = Pair(documents, task.kind, len(task.labels), seed_name(random))
                _, verdict = pair.judge(policy)
                tallies.add_decision(name, verdict.decision)


def _documents(
    random: Random, task: Task, documents: int, old: float, new: float
) -> list[ScoredDocument]:
    if task.kind == "multi-class":
        supports = shared_out(documents, task.labels)
        return single_label_documents(random, supports, old, new, _DISAGREEMENT)
    return fact_documents(
        random,
        task.labels,
        documents,
        kind=task.kind,
        champion=old,
        challenger=new,
        disagreement=_DISAGREEMENT,
    )


def _right(policy: Policy) -> float:
    """Return how often the drawn champion is right: well above every floor."""
    floor = max((rule.min for rule in policy.all_rules() if rule.min is not None), default=0.0)
    return min(_BEST, max(_RIGHT, (1 + floor) / 2))


def _trials(judged: Sequence[Judged], documents: int) -> int:
    """Return how many trials of each draw fit the time."""
    seconds = sum(_seconds(policy, task, documents) for policy, task in judged)
    return max(_FEWEST, min(_MOST, int(_SECONDS / seconds)))


def _seconds(policy: Policy, task: Task, documents: int) -> float:
    """Return at most how long one trial of each draw takes, as measured."""
    is_exact = task.kind == "multi-class" and {(ACCURACY, None)}.issuperset(measured_by(policy))
    if is_exact or policy.evidence != "paired":
        return 7e-5 * documents
    facts = documents * (1 if task.kind == "multi-class" else 2)
    measured = len(measured_by(policy))
    return 0.015 + 1.3e-4 * facts + 4e-3 * len(task.labels) + 4e-3 * measured
