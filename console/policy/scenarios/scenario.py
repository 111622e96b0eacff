"""A scenario: what is drawn, which policies judge it, and the rates that follow.

Decides how trials are split over processes: in chunks of fixed size, each with its own random
stream, so the digits depend on the seed alone. Knows no metric and no rule. Read next:
`console.policy.gate_simulation` (all scenarios), `console.policy.scenarios.judging`.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from flywheel.evaluation.verdict import Decision
from flywheel.settings.policy import Policy

Size = int | float | str
Sizes = Mapping[str, Size]
"""The sizes of one draw of a scenario, e.g. its number of documents."""

Policies = Mapping[str, Policy]
"""The policies that judge a draw, by the name that the table shows."""

Sums = dict[str, float]
"""How often each decision occurred, and sums of whatever else a scenario measures."""

_CHUNK = 25
"""Trials that share one random stream; part of what a seed means."""

_FEW_CHUNKS = 8
"""Up to so many, further processes take longer to start than they save."""

DECISIONS = {
    Decision.PROMOTE: "promoted",
    Decision.REJECT: "rejected",
    Decision.HOLD: "held",
}


class Tallies:
    """Sums per policy over the trials of one chunk."""

    def __init__(self) -> None:
        self.sums: defaultdict[str, Sums] = defaultdict(dict)

    def add(self, policy: str, **values: float) -> None:
        """Add values, e.g. ``loss=0.005``; a value that a policy never had starts at 0."""
        sums = self.sums[policy]
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value

    def add_decision(self, policy: str, decision: Decision, **values: float) -> None:
        """Add one decision, and whatever else was measured in the same trial."""
        decided = {name: float(each is decision) for each, name in DECISIONS.items()}
        self.add(policy, **decided, **values)


Play = Callable[[np.random.Generator, Sizes, Policies, int, Tallies], None]
"""Draws so many trials of one size, and adds what each policy decided."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One question about the gate, and the trials that answer it.

    Its functions are module-level: other processes import them by name.

    Parameters
    ----------
    name : str
        As `flywheel simulate gate --scenario` takes it.
    drawn : str
        What is drawn, in a sentence.
    trials : int
        The default, for each draw; takes at most about two minutes on two cores.
    draws : sequence of Sizes
    policies : callable
        The policies that judge a draw.
    play : Play
    """

    name: str
    drawn: str
    trials: int
    draws: Sequence[Sizes]
    policies: Callable[[Sizes], Policies]
    play: Play


@dataclass(frozen=True, slots=True)
class _Chunk:
    scenario: Scenario
    sizes: Sizes
    number: int
    trials: int
    seed: int


def simulated(
    scenario: Scenario, *, trials: int, seed: int, processes: int
) -> Iterator[list[dict[str, Any]]]:
    """Play a scenario, and yield the rows of the table, draw by draw.

    Parameters
    ----------
    trials : int
        Of each draw.
    processes : int
        How many may run at once; the result does not depend on it.
    """
    chunks = [
        _Chunk(scenario, sizes, number, min(_CHUNK, trials - start), seed)
        for sizes in scenario.draws
        for number, start in enumerate(range(0, trials, _CHUNK))
    ]
    for_each_draw = len(chunks) // len(scenario.draws)
    with _mapping(processes if len(chunks) > _FEW_CHUNKS else 1) as mapped:
        played = mapped(_played, chunks)
        for sizes in scenario.draws:
            parts = [next(played) for _ in range(for_each_draw)]
            yield _rows(scenario, sizes, parts, trials)


_Mapped = Callable[[Callable[[_Chunk], dict[str, Sums]], Iterable[_Chunk]], Iterator[Any]]


@contextmanager
def _mapping(processes: int) -> Iterator[_Mapped]:
    """Yield a function like `map`, over several processes where they are worth it."""
    if processes == 1:
        yield map
        return
    # A fork of a process that shows its progress in a thread could lock up.
    executor: Executor
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
        try:
            yield executor.map
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _played(chunk: _Chunk) -> dict[str, Sums]:
    # The same sizes draw the same models, whatever else the scenario draws.
    place = zlib.crc32(repr(sorted(chunk.sizes.items())).encode())
    random = np.random.default_rng([chunk.seed, place, chunk.number])
    tallies = Tallies()
    policies = chunk.scenario.policies(chunk.sizes)
    chunk.scenario.play(random, chunk.sizes, policies, chunk.trials, tallies)
    return {name: tallies.sums[name] for name in policies}


def _rows(
    scenario: Scenario, sizes: Sizes, parts: Sequence[Mapping[str, Sums]], trials: int
) -> list[dict[str, Any]]:
    rows = []
    for policy in parts[0]:
        total = Tallies()
        for part in parts:
            total.add(policy, **part[policy])
        means = {name: float(value) / trials for name, value in total.sums[policy].items()}
        rows.append(
            {"scenario": scenario.name, "policy": policy, **sizes, "trials": trials, **means}
        )
    return rows
