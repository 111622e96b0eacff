"""How well and how fast the engine's classifier learns, beside what people would use instead.

``python -m benchmarks.classification`` takes the labeled sets in ``../shared/data`` (any folder of
folders with ``train.csv`` and ``test.csv``, label and text: ``--data``), learns each in every way
that is installed, by turns and in processes of their own, and prints medians and two verdicts a
set. ``--million`` shows instead that the engine's time and memory grow with the documents alone.
Peers: ``pip install -r benchmarks/requirements.txt``. Prints; asserts nothing.
"""

import argparse
import csv
import importlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.classification_ways import ENGINE, ONLY_MULTI_LABEL, WAYS, Answer, Task

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_DELIMITER = "|"
_NEAR = 0.01
_BINS = 15
_PINNED = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def read(folder: Path) -> tuple[Task, Any]:
    """Return what is to be learned, and which labels the test texts have."""
    csv.field_size_limit(1 << 30)
    texts, labels = _rows(folder / "train.csv")
    test_texts, test_labels = _rows(folder / "test.csv")
    # A label that no training text has cannot be learned by any of them.
    names = sorted({label for each in labels for label in each})
    known = set(names)
    test_labels = [[label for label in each if label in known] for each in test_labels]
    is_exclusive = all(len(each) == 1 for each in labels)
    task = Task(texts, labels, test_texts, names, is_exclusive)
    return task, Task(test_texts, test_labels, (), names, is_exclusive).has()


def run(way: str, folder: Path) -> None:
    """Be one measured process: print what was found as JSON."""
    for module in WAYS[way].imports:
        importlib.import_module(module)
    began, began_cpu = time.perf_counter(), time.process_time()
    task, has = read(folder)
    answer = WAYS[way].run(task)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        json.dumps({"wall": seconds, "cpu": cpu, "peak": peak, **quality(answer, has)}) + "\n"
    )


def quality(answer: Answer, has: Any) -> dict[str, float | None]:
    """Return macro-F1 of the labels that occur in the test, micro-F1, accuracy, and ECE."""
    right = 2 * (answer.given & has).sum(axis=0)
    both = answer.given.sum(axis=0) + has.sum(axis=0)
    occurs = has.any(axis=0)
    scores = answer.scores
    error = None
    if scores is not None:
        is_exclusive = bool((has.sum(axis=1) == 1).all())
        rows, best = np.arange(len(has)), scores.argmax(axis=1)
        error = (
            calibration_error(scores[rows, best], has[rows, best])
            if is_exclusive
            else calibration_error(scores.ravel(), has.ravel())
        )
    return {
        "macro": float((right / np.maximum(1, both))[occurs].mean()),
        "micro": float(right.sum() / both.sum()),
        "accuracy": float((answer.given == has).all(axis=1).mean()),
        "ece": error,
    }


def calibration_error(scores: Any, is_right: Any) -> float:
    """Return the expected difference of score and share that is right, over equal bins."""
    bins = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    gaps = [abs((scores - is_right)[bins == each].sum()) for each in range(_BINS)]
    return float(sum(gaps) / len(scores))


def measure(folder: Path, runs: int) -> dict[str, dict[str, Any]]:
    """Return the median of every way's runs, run by turns."""
    is_exclusive = read(folder)[0].is_exclusive
    ways = [
        name
        for name, way in WAYS.items()
        if way.is_installed and not (is_exclusive and name in ONLY_MULTI_LABEL)
    ]
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for _ in range(runs):
        for way in ways:
            found[way].append(_in_own_process("--way", way, str(folder)))
    return {way: _median(results) for way, results in found.items()}


def verdicts(found: dict[str, dict[str, Any]]) -> list[str]:
    """Say how the engine stands to the best peer, and to the fastest that is nearly as good."""
    peers = {way: result for way, result in found.items() if way != ENGINE}
    if not peers:
        return ["no peer is installed"]
    best = max(peers, key=lambda way: peers[way]["macro"])
    near = [way for way in peers if peers[way]["macro"] >= peers[best]["macro"] - _NEAR]
    fastest = min(near, key=lambda way: peers[way]["wall"])
    mine = found[ENGINE]
    return [
        f"quality: {mine['macro']:.4f} to {peers[best]['macro']:.4f} of {best}, "
        f"ratio {mine['macro'] / peers[best]['macro']:.3f} "
        f"({mine['macro'] - peers[best]['macro']:+.4f})",
        f"time: {mine['wall']:.2f} s to {peers[fastest]['wall']:.2f} s of {fastest}, "
        f"ratio {mine['wall'] / peers[fastest]['wall']:.2f}",
    ]


def write_documents(folder: Path, documents: int) -> None:
    """Write short made-up documents of 20 labels; a hundred of them are the test."""
    chance = random.Random(documents)
    words = [
        "".join(chance.choices("abcdefghiklmnoprstu", k=chance.randint(3, 9)))
        for _ in range(50_000)
    ]
    for name, rows in (("train.csv", documents), ("test.csv", 100)):
        with (folder / name).open("w", encoding="utf-8") as file:
            for _ in range(rows):
                label = chance.randrange(20)
                # Few words are frequent, many are rare, and each label has its own.
                own = [words[int(2500 * chance.random() ** 2) * 20 + label] for _ in range(3)]
                any_ = [words[int(50_000 * chance.random() ** 3)] for _ in range(7)]
                file.write(f"LABEL_{label},{' '.join(own + any_)}\n")


def show_growth(console: Console) -> None:
    """Learn from more and more documents."""
    table = Table("documents", "wall, s", "CPU, s", "us a document", "peak, MiB", "macro-F1")
    for documents in (125_000, 250_000, 500_000, 1_000_000):
        with tempfile.TemporaryDirectory() as folder:
            write_documents(Path(folder), documents)
            result = _in_own_process("--way", ENGINE, folder)
        table.add_row(
            f"{documents:,}",
            f"{result['wall']:.1f}",
            f"{result['cpu']:.1f}",
            f"{1e6 * result['cpu'] / documents:.0f}",
            f"{result['peak']:.0f}",
            f"{result['macro']:.3f}",
        )
    console.print(table)


def show_set(console: Console, folder: Path, runs: int) -> None:
    """Measure one set and print its table."""
    found = measure(folder, runs)
    table = Table(
        "set", "method", "macro-F1", "micro-F1", "accuracy", "ECE", "wall, s", "CPU, s", "peak, MiB"
    )
    for way, result in found.items():
        table.add_row(
            folder.name,
            way,
            *(f"{result[key]:.4f}" for key in ("macro", "micro", "accuracy")),
            "-" if result["ece"] is None else f"{result['ece']:.4f}",
            *(f"{result[key]:.2f}" for key in ("wall", "cpu")),
            f"{result['peak']:.0f}",
        )
    console.print(table)
    for verdict in verdicts(found):
        console.print(f"{folder.name}: {verdict}")


def main() -> None:
    """Measure, or be one measured process."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options.add_argument("--data", type=Path, default=_DATA, help="folder of sets")
    options.add_argument("--set", help="one set alone")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--quick", action="store_true", help="one run of each")
    options.add_argument("--million", action="store_true", help="growth up to a million documents")
    chosen = options.parse_args()
    if chosen.way:
        run(chosen.way, chosen.path)
        return
    console = Console(width=130)
    if chosen.million:
        show_growth(console)
        return
    missing = sorted({way.package for way in WAYS.values() if not way.is_installed})
    if missing:
        console.print(f"not measured, because not installed: {', '.join(missing)}")
    folders = sorted(file.parent for file in chosen.data.glob("*/train.csv"))
    folders = [folder for folder in folders if chosen.set in (None, folder.name)]
    if not folders:
        sys.exit(f"no labeled sets in {chosen.data}; name a folder of them with --data")
    for folder in folders:
        show_set(console, folder, 1 if chosen.quick else chosen.runs)


def _rows(file: Path) -> tuple[list[str], list[list[str]]]:
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [(label, text) for label, text in csv.reader(lines)]
    return [text for _, text in rows], [label.split(_DELIMITER) for label, _ in rows]


def _in_own_process(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.classification", *arguments]
    environment = {**os.environ, **_PINNED}
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


def _median(results: list[dict[str, Any]]) -> dict[str, Any]:
    middle = dict(results[0])
    for key in ("wall", "cpu", "peak"):
        middle[key] = statistics.median(result[key] for result in results)
    return middle


if __name__ == "__main__":
    main()
