"""The engine and its peers beside each other: how each is run, and what is said of them.

Decides that every way has a process of its own, that ways take turns, which figures count, and the
verdicts under a table. It knows neither documents nor learners. Read next:
`benchmarks.classification` and `benchmarks.entities`, which use it.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.memory import peak_mib
from benchmarks.tables import Result, show

ENGINE = "engine"
NEAR_BEST = 0.01
"""Peers whose quality is at most this much below the best one's are those to be as fast as."""

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Labeled sets that are not part of the project; measured where they are."""

ALONE = " No real documents are beside this checkout: generated ones are measured alone."
RUNS, QUICK_ROWS = 3, 600
_ROOT = Path(__file__).resolve().parents[1]
_LONG_SECONDS = 10.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Quality = Mapping[str, float | None]
"""Figures by name, in the order of the columns; verdicts compare the first."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a way took: seconds without those of imports, MiB with what these hold."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a way achieved on a set, and what it took."""

    quality: Quality
    cost: Cost


@dataclass(frozen=True, slots=True)
class Watch:
    """Measures from when it is made, which is after the imports."""

    _wall: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=time.process_time)

    def cost(self) -> Cost:
        """Return what it took up to now."""
        return Cost(time.perf_counter() - self._wall, time.process_time() - self._cpu, peak_mib())


def tell(outcome: Outcome) -> None:
    """Hand the outcome of this process to the one that waits for it."""
    sys.stdout.write(json.dumps(asdict(outcome)) + "\n")


def in_own_process(module: str, way: str, folder: Path) -> Outcome:
    """Run a way on a set once; the libraries that could take more threads get one.

    Raises
    ------
    subprocess.CalledProcessError
        It failed; `stderr` says why.
    """
    command = [sys.executable, "-m", module, "--way", way, str(folder.resolve())]
    environment = {**os.environ, **_ONE_THREAD}
    answer = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment, cwd=_ROOT
    )
    found = json.loads(answer.stdout.splitlines()[-1])
    return Outcome(found["quality"], Cost(**found["cost"]))


def compare(
    title: str,
    *,
    module: str,
    folder: Path,
    ways: Mapping[str, str],
    kin: str,
    about: str,
    runs: int,
) -> Result:
    """Measure the ways that are installed on a set, and say how the engine stands.

    Parameters
    ----------
    title, about : str
        Of the set.
    module : str
        What is run: with ``--way WAY FOLDER`` it tells one outcome.
    folder : Path
        Where the set is.
    ways : mapping of str to str
        Each way, and the package it needs.
    kin : str
        How the names begin of those ways that memory is compared with.
    runs : int
        How often each way is run, unless it takes long.
    """
    missing = [way for way, package in ways.items() if importlib.util.find_spec(package) is None]
    found, failed = _by_turns(module, [way for way in ways if way not in missing], folder, runs)
    notes = [*verdicts(found, kin), f"{about} {_METHOD.format(runs=_times(runs))}"]
    if missing:
        notes.append(f"Not measured, because not installed: {'; '.join(missing)}.")
    notes += [f"Not measured, because it failed: {way} ({why})." for way, why in failed.items()]
    columns = ("way", *found[ENGINE].quality, "wall, s", "CPU, s", "peak, MiB")
    return Result(title, columns, [_row(way, outcome) for way, outcome in found.items()], notes)


def verdicts(found: Mapping[str, Outcome], kin: str) -> list[str]:
    """Say how the engine stands to the best peer, the fastest good one, and the leanest kin."""
    peers = {way: outcome for way, outcome in found.items() if way != ENGINE}
    if not peers:
        return ["No peer was measured."]
    engine, measure = found[ENGINE], next(iter(found[ENGINE].quality))
    quality = {way: outcome.quality[measure] or 0.0 for way, outcome in found.items()}
    best = max(peers, key=lambda way: quality[way])
    lines = [
        f"Quality ({measure}): {quality[ENGINE]:.4f}, the best peer ({best}) {quality[best]:.4f}: "
        f"difference {quality[ENGINE] - quality[best]:+.4f}."
    ]
    near = [way for way in peers if quality[way] >= quality[best] - NEAR_BEST]
    for name, seconds in _SECONDS.items():
        mine, (fastest, least) = seconds(engine.cost), _least(peers, near, seconds)
        lines.append(
            f"{name}: {mine:.2f} s, the fastest peer within {NEAR_BEST} of the best ({fastest}) "
            f"{least:.2f} s: ratio {mine / least:.2f}."
        )
    if alike := [way for way in peers if way.startswith(kin)]:
        mine, (leanest, least) = engine.cost.peak_mib, _least(peers, alike, _memory)
        lines.append(
            f"Memory: {mine:.0f} MiB, the leanest way of {kin} ({leanest}) {least:.0f} MiB: "
            f"ratio {mine / least:.2f}."
        )
    return lines


def main(
    description: str | None,
    run: Callable[[str, Path], None],
    tables: Callable[[Path, str | None, int, bool], Iterable[Result]],
) -> None:
    """Be the command of a benchmark: measure, or be one measured process."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--way", help=argparse.SUPPRESS)
    options.add_argument("--data", type=Path, default=DATA, help="folder of sets")
    options.add_argument("--set", metavar="NAME", help="one set alone")
    options.add_argument("--runs", type=int, default=RUNS)
    options.add_argument("--quick", action="store_true", help="small parts of the sets, one run")
    chosen = options.parse_args()
    if chosen.way:
        run(chosen.way, chosen.folder)
        return
    for result in tables(chosen.data, chosen.set, chosen.runs, chosen.quick):
        show(result)


_METHOD = (
    "Each way is run {runs}, by turns, in processes of their own; medians; one that takes over "
    f"{_LONG_SECONDS:.0f} seconds is run once. Seconds are those of reading, learning and "
    "answering the test texts, without imports; peak is the highest resident set (VmHWM on "
    "Linux), imports included."
)


def _wall(cost: Cost) -> float:
    return cost.wall_seconds


def _cpu(cost: Cost) -> float:
    return cost.cpu_seconds


def _memory(cost: Cost) -> float:
    return cost.peak_mib


_SECONDS = {"Wall": _wall, "CPU": _cpu}


def _least(
    peers: Mapping[str, Outcome], among: Iterable[str], value: Callable[[Cost], float]
) -> tuple[str, float]:
    way = min(among, key=lambda way: value(peers[way].cost))
    return way, value(peers[way].cost)


def _times(runs: int) -> str:
    return "once" if runs == 1 else f"{runs} times"


def _by_turns(
    module: str, ways: Iterable[str], folder: Path, runs: int
) -> tuple[dict[str, Outcome], dict[str, str]]:
    """Return the medians of each way, and why others failed."""
    found: dict[str, list[Outcome]] = {way: [] for way in ways}
    failed: dict[str, str] = {}
    for _ in range(runs):
        for way, outcomes in found.items():
            if way in failed or (outcomes and outcomes[0].cost.wall_seconds > _LONG_SECONDS):
                continue
            try:
                outcomes.append(in_own_process(module, way, folder))
            except subprocess.CalledProcessError as error:
                if way == ENGINE:
                    sys.stderr.write(error.stderr)
                    raise
                failed[way] = (error.stderr.strip().splitlines() or [str(error)])[-1]
    return {way: _median(each) for way, each in found.items() if way not in failed}, failed


def _median(outcomes: Sequence[Outcome]) -> Outcome:
    figures = {name: [each.quality[name] for each in outcomes] for name in outcomes[0].quality}
    costs = [each.cost for each in outcomes]
    return Outcome(
        {name: _middle(each) for name, each in figures.items()},
        Cost(*(statistics.median(map(value, costs)) for value in (_wall, _cpu, _memory))),
    )


def _middle(figures: Iterable[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return statistics.median(known) if known else None


def _row(way: str, outcome: Outcome) -> tuple[str, ...]:
    cost = outcome.cost
    return (
        way,
        *("-" if figure is None else f"{figure:.4f}" for figure in outcome.quality.values()),
        *(f"{cost.wall_seconds:.2f}", f"{cost.cpu_seconds:.2f}", f"{cost.peak_mib:.0f}"),
    )
