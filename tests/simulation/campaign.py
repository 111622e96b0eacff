"""Many histories at once, over processes: those that must all be clean, and those that must not.

Decides which seeds are played, and keeps those that broke something. Knows no invariant.
"""

import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.history import Played, play
from tests.simulation.invariants.safeguards import SAFEGUARDS
from tests.simulation.state_machine import UNKNOWN_ERROR

KEPT_SEEDS = Path(__file__).with_name("kept_seeds.json")
"""Seeds that once broke something; replayed for ever."""

CAUGHT_SEEDS = Path(__file__).with_name("caught_seeds.json")
"""For each safeguard, the first seed whose history misses it."""

MOST_HISTORIES = 5_000
"""Most histories until a missing safeguard must show."""

_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Missed:
    """The result of histories without one safeguard.

    Parameters
    ----------
    safeguard : str
    seed : int or None
        Of the first history in which an invariant that is there for it broke; None where none did.
    broken : tuple of str
        Those invariants.
    histories : int
        Number of histories played.
    seconds : float
    """

    safeguard: str
    seed: int | None
    broken: tuple[str, ...]
    histories: int
    seconds: float


def play_all(seeds: Iterable[int], processes: int) -> Iterator[Played]:
    """Play the histories of seeds, in order."""
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(play, seeds, chunksize=_AT_ONCE)


def miss_all(first_seed: int, processes: int) -> Iterator[Missed]:
    """Take each safeguard away and look for the first history that misses it."""
    with ProcessPoolExecutor(processes) as pool:
        seeds = [range(first_seed, first_seed + MOST_HISTORIES)] * len(SAFEGUARDS)
        yield from pool.map(miss, SAFEGUARDS, seeds)


def miss(safeguard: str, seeds: Iterable[int]) -> Missed:
    """Take a safeguard away and play histories until something breaks."""
    began, histories = time.monotonic(), 0
    known = SAFEGUARDS[safeguard]
    with known.removed():
        for seed in seeds:
            histories += 1
            played = play(seed)
            shown = tuple(sorted(known.shown_by & set(played.broken)))
            # A patch that does not fit the code any more proves nothing.
            if shown and UNKNOWN_ERROR not in played.broken:
                return Missed(safeguard, seed, shown, histories, time.monotonic() - began)
    return Missed(safeguard, None, (), histories, time.monotonic() - began)


def kept_seeds() -> list[int]:
    """Return the seeds that once broke something."""
    seeds: list[int] = json.loads(KEPT_SEEDS.read_text(encoding="utf-8"))
    return seeds


def keep(seed: int) -> None:
    """Keep a seed that broke something."""
    seeds = sorted({*kept_seeds(), seed})
    KEPT_SEEDS.write_text(json.dumps(seeds) + "\n", encoding="utf-8")


def caught_seeds() -> dict[str, int]:
    """Return for each safeguard a seed whose history missed it when that was last looked for."""
    caught: dict[str, int] = json.loads(CAUGHT_SEEDS.read_text(encoding="utf-8"))
    return caught


def note_caught(results: Iterable[Missed]) -> None:
    """Write down which seeds miss which safeguard, for the tests."""
    seeds = {missed.safeguard: missed.seed for missed in results if missed.seed is not None}
    CAUGHT_SEEDS.write_text(json.dumps(seeds, indent=2) + "\n", encoding="utf-8")
