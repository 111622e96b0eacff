"""How well and how fast the engine learns, beside libraries: `python -m benchmarks.learners`.

One row per labeled set that lies beside this checkout, or in the folder that ``--data`` names.
Sets are folders with ``train.csv`` and ``test.csv``, or with ``train`` and ``test``, each of which
has ``documents.txt`` and ``annotations.csv``. Every training has a process of its own. Asserts
nothing. Read next: `benchmarks.classifiers` and `benchmarks.recognizers`.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.classifiers import CLASSIFIERS, SCIKIT_LEARN
from benchmarks.classifiers import measured as measured_classifier
from benchmarks.recognizers import CRFSUITE, RECOGNIZERS
from benchmarks.recognizers import measured as measured_recognizer
from benchmarks.tables import Result, show
from benchmarks.training import ENGINE, Outcome
from flywheel.number_words import number_of

_ROOT = Path(__file__).resolve().parents[1]
_DATA = _ROOT.parent / "shared" / "data"
_NEAR_BEST = 0.01
_RUNS = 2
_QUICK_STEP = 10
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PEERS = tuple(name for name in (*CLASSIFIERS, *RECOGNIZERS) if name != ENGINE)


@dataclass(frozen=True, slots=True)
class Task:
    """What a set is there to learn.

    Parameters
    ----------
    packages : mapping of str to str
        Each way to learn it, and the module that must be installed.
    reference : str
        Seconds are compared with the ways whose names begin so.
    measured : callable
        Trains one way on every n-th row of a set.
    """

    packages: Mapping[str, str]
    reference: str
    measured: Callable[[str, Path, int], Outcome]

    def is_reference(self, name: str) -> bool:
        """Tell whether a way's seconds are compared with the engine's."""
        return name.startswith(self.reference)


_CLASSIFICATION = Task(
    {name: package for name, (package, _) in CLASSIFIERS.items()},
    SCIKIT_LEARN,
    measured_classifier,
)
_ENTITIES = Task(
    {name: package for name, (package, _) in RECOGNIZERS.items()}, CRFSUITE, measured_recognizer
)


def measure(*, quick: bool = False, data: Path = _DATA) -> list[Result]:
    """Learn all sets in all ways; in the quick form a part of their rows, once.

    Returns
    -------
    list of Result
        One table; none where there are no sets, which is reported.
    """
    runs, step = (1, _QUICK_STEP) if quick else (_RUNS, 1)
    rows = [
        row_of(folder.name, task, outcomes_of(folder, task, runs, step))
        for folder in sorted(data.glob("*/"))
        if (task := task_of(folder))
    ]
    if not rows:
        sys.stderr.write(f"There are no labeled sets in {data}: learners are not measured.\n")
        return []
    columns = ("set", ENGINE, "ECE", "CPU, s", *_PEERS, "wall ratio", "CPU ratio")
    notes = (
        "A cell is F1 on the test rows / wall seconds of training. F1 is macro-F1 of labels, or "
        "micro-F1 of mentions that match exactly. ECE (expected calibration error) and CPU seconds "
        f"are the engine's. A ratio compares its seconds with those of the fastest {SCIKIT_LEARN} "
        f"way within {_NEAR_BEST} of the best such way; for entities, with those of {CRFSUITE}.",
        "Each training has a separate process and one thread per library. The ways take turns, "
        f"{number_of(runs, 'run')} each; the run with the fewest CPU seconds counts. "
        "Imports do not count.",
    )
    return [Result("The engine beside other learners", columns, rows, notes)]


def task_of(folder: Path) -> Task | None:
    """Return what a folder is there to learn; None where it is no set."""
    if (folder / "train.csv").exists():
        return _CLASSIFICATION
    return _ENTITIES if (folder / "train" / "documents.txt").exists() else None


def outcomes_of(folder: Path, task: Task, runs: int, step: int) -> dict[str, Outcome]:
    """Train each way that is installed, by turns; of its runs return the least disturbed one."""
    names = [name for name, package in task.packages.items() if find_spec(package)]
    turns = [{name: _in_own_process(name, folder, step) for name in names} for _ in range(runs)]
    return {
        name: min((turn[name] for turn in turns), key=lambda each: each.cpu_seconds)
        for name in names
    }


def row_of(name: str, task: Task, outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
    """Return the table's row of a set.

    Parameters
    ----------
    name : str
        Of the set.
    task : Task
    outcomes : mapping of str to Outcome
        Of the ways that are installed; the engine is one.
    """
    engine = outcomes[ENGINE]
    error = engine.calibration_error
    return (
        *(name, _cell(engine), "-" if error is None else f"{error:.3f}"),
        f"{engine.cpu_seconds:.1f}",
        *(_peer_cell(peer, task, outcomes) for peer in _PEERS),
        *_ratios(engine, [each for peer, each in outcomes.items() if task.is_reference(peer)]),
    )


def _peer_cell(peer: str, task: Task, outcomes: Mapping[str, Outcome]) -> str:
    if peer not in task.packages:
        return "-"
    return _cell(outcomes[peer]) if peer in outcomes else "not installed"


def _cell(outcome: Outcome) -> str:
    return f"{outcome.f1:.3f} / {outcome.wall_seconds:.1f}"


def _ratios(engine: Outcome, references: Sequence[Outcome]) -> tuple[str, str]:
    """Return the ratios of wall and of CPU seconds to the fastest reference that is good enough."""
    if not references:
        return "-", "-"
    best = max(each.f1 for each in references)
    good = [each for each in references if each.f1 >= best - _NEAR_BEST]
    return (
        f"{engine.wall_seconds / min(each.wall_seconds for each in good):.2f}",
        f"{engine.cpu_seconds / min(each.cpu_seconds for each in good):.2f}",
    )


def _in_own_process(name: str, folder: Path, step: int) -> Outcome:
    """Train once; a learner that fails ends the benchmark with its traceback."""
    command = [sys.executable, "-m", "benchmarks.learners", "--data", str(folder.resolve())]
    command += ["--train", name, "--step", str(step)]
    environment = {**os.environ, **_ONE_THREAD}
    answer = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT
    )
    return Outcome(**json.loads(answer.stdout.splitlines()[-1]))


def main() -> None:
    """Print the table, or be the process of one training."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.learners", description=__doc__)
    options.add_argument("--data", type=Path, default=_DATA, help="folder of sets")
    options.add_argument("--quick", action="store_true", help="a part of the rows, once")
    options.add_argument("--train", metavar="WAY", help=argparse.SUPPRESS)
    options.add_argument("--step", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.train and (task := task_of(chosen.data)):
        outcome = task.measured(chosen.train, chosen.data, chosen.step)
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
        return
    for result in measure(quick=chosen.quick, data=chosen.data):
        show(result)


if __name__ == "__main__":
    main()
