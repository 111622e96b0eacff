"""How well and how fast entities are learnt, beside what people would use instead.

``python -m benchmarks.entities [--set DIR] [--quick] [--slow]`` trains and tests the engine's
recognizer, CRFsuite with the usual features and, with ``--slow``, spaCy, on the same documents,
each in a process of its own. A DIR holds ``train`` and ``test``, each with ``documents.txt`` (one
document a line) and ``annotations.csv``. Without one: the data next to the checkout, where it is,
and documents made of patterns. Peers are in ``benchmarks/requirements.txt``; one that is not
installed is named as not measured. Asserts nothing.
"""

import argparse
import csv
import importlib.util
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import entity_peers
from benchmarks.entity_peers import ENGINE, WAYS, Documents, Spans

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "ncbi_disease"
_NEAR_BEST = 0.01
_MEASURES = ("micro_f1", "macro_f1", "precision", "recall", "wall", "cpu", "peak")


@dataclass(frozen=True, slots=True)
class Result:
    """What a way of learning achieved on a set: quality, seconds without imports, peak MiB."""

    micro_f1: float
    macro_f1: float
    precision: float
    recall: float
    wall: float
    cpu: float
    peak: float


def read(folder: Path) -> tuple[Documents, Spans]:
    """Read documents and the mentions of each."""
    text = (folder / "documents.txt").read_text(encoding="utf-8")
    documents = text.removesuffix("\n").split("\n")
    mentions: Spans = [[] for _ in documents]
    with (folder / "annotations.csv").open(newline="", encoding="utf-8") as file:
        for _, line, begin, end, entity_type in list(csv.reader(file, skipinitialspace=True))[1:]:
            mentions[int(line)].append((int(begin), int(end), entity_type))
    return documents, mentions


def quality(there: Spans, found: Spans) -> tuple[float, float, float, float]:
    """Return micro F1, macro F1, precision and recall of mentions that match exactly."""
    counts = [Counter[str]() for _ in range(3)]
    for expected, got in zip(there, found, strict=True):
        chosen = (set(expected) & set(got), set(got), set(expected))
        for counter, spans in zip(counts, chosen, strict=True):
            counter.update(entity_type for _, _, entity_type in spans)
    right, said, known = (counter.total() for counter in counts)
    macro = statistics.fmean(
        2 * counts[0][each] / (counts[1][each] + counts[2][each]) for each in counts[2]
    )
    return 2 * right / max(1, said + known), macro, right / max(1, said), right / max(1, known)


def run(way: str, folder: Path) -> None:
    """Be one measured process: print what a way achieves, or nothing when it is not installed."""
    learner = entity_peers.learner(way)
    began, cpu_began = time.perf_counter(), time.process_time()
    documents, mentions = read(folder / "train")
    test, there = read(folder / "test")
    found = learner(documents, mentions, test)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if sys.platform == "darwin":
        peak /= 1024
    sys.stdout.write(json.dumps([*quality(there, found), wall, cpu, peak]) + "\n")


def measure(folder: Path, ways: Sequence[str], runs: int) -> dict[str, Result]:
    """Return the medians of each way, run by turns."""
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    for _ in range(runs):
        for way in ways:
            command = [sys.executable, "-m", "benchmarks.entities", "--way", way]
            answer = subprocess.run(
                [*command, "--set", str(folder)],
                check=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # as the engine's worker has it
                stdout=subprocess.PIPE,
                text=True,
            )
            found[way].append(json.loads(answer.stdout.splitlines()[-1]))
    return {
        way: Result(*(statistics.median(column) for column in zip(*results, strict=True)))
        for way, results in found.items()
    }


def verdicts(results: dict[str, Result]) -> list[str]:
    """Say how the engine stands beside its peers."""
    peers = {way: result for way, result in results.items() if way != ENGINE}
    if not peers:
        return ["no peer was measured"]
    ours = results[ENGINE]
    best = max(peers, key=lambda way: peers[way].micro_f1)
    near = {
        way: result
        for way, result in peers.items()
        if result.micro_f1 >= peers[best].micro_f1 - _NEAR_BEST
    }
    lines = [f"micro-F1 {ours.micro_f1 - peers[best].micro_f1:+.4f} against the best peer, {best}"]
    aspects: dict[str, Callable[[Result], float]] = {
        "wall": lambda result: result.wall,
        "CPU": lambda result: result.cpu,
        "peak": lambda result: result.peak,
    }
    for aspect, value in aspects.items():
        least = min(near, key=lambda way: value(near[way]))
        ratio = value(ours) / value(near[least])
        lines.append(f"{aspect} {ratio:.2f} x the least of peers within {_NEAR_BEST}, {least}")
    return lines


def write_patterns(folder: Path, train: int, test: int) -> None:
    """Write documents with people, places and codes in them, of words that are mostly new."""
    chance = random.Random(7)
    for name, count in (("train", train), ("test", test)):
        (folder / name).mkdir(parents=True)
        lines, rows = [], []
        for line in range(count):
            text = ""
            for piece in chance.choice(_FRAMES).split(" "):
                entity_type = piece if piece in _MAKERS else ""
                word = _MAKERS[piece](chance) if entity_type else piece
                if entity_type:
                    rows.append(("documents.txt", line, len(text), len(text) + len(word), piece))
                text += word + " "
            lines.append(text.rstrip() + "\n")
        (folder / name / "documents.txt").write_text("".join(lines), encoding="utf-8")
        with (folder / name / "annotations.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("File", "Line", "Begin Offset", "End Offset", "Type"))
            writer.writerows(rows)


def main() -> None:
    """Measure, or be one measured process."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--set", type=Path, action="append", default=[], help="folder of a set")
    options.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--quick", action="store_true", help="patterns alone, two ways")
    options.add_argument("--slow", action="store_true", help="spaCy as well")
    chosen = options.parse_args()
    if chosen.way:
        run(chosen.way, chosen.set[0])
        return
    ways = [way for way in WAYS if chosen.slow or not way.startswith("spaCy")]
    if chosen.quick:
        ways = ways[:2]
    missing = [way for way in ways if importlib.util.find_spec(WAYS[way]) is None]
    with tempfile.TemporaryDirectory() as scratch:
        folders = chosen.set or ([_SHARED] if _SHARED.exists() and not chosen.quick else [])
        if not chosen.set:
            write_patterns(Path(scratch) / "patterns", 200, 200)
            folders = [*folders, Path(scratch) / "patterns"]
        for folder in folders:
            _report(folder, [way for way in ways if way not in missing], chosen.runs)
    for way in missing:
        Console().print(f"not measured: {way}; its package is not installed")


def _report(folder: Path, ways: Sequence[str], runs: int) -> None:
    heads = ("micro-F1", "macro-F1", "precision", "recall", "wall s", "CPU s", "peak MiB")
    formats = ("{:.4f}",) * 4 + ("{:.2f}", "{:.2f}", "{:.0f}")
    table, results = Table("set", "method", *heads), measure(folder, ways, runs)
    for way, result in results.items():
        numbers = [getattr(result, measure) for measure in _MEASURES]
        cells = [shown.format(each) for shown, each in zip(formats, numbers, strict=True)]
        table.add_row(folder.name, way, *cells)
    console = Console(width=130)
    console.print(table)
    for line in verdicts(results):
        console.print(f"{folder.name}: {line}")


def _invented(chance: random.Random, endings: Sequence[str]) -> str:
    syllables = ("ba", "ko", "lin", "mar", "ta", "ru", "vel", "no", "si", "der")
    return ("".join(chance.choices(syllables, k=2)) + chance.choice(endings)).capitalize()


_MAKERS: dict[str, Callable[[random.Random], str]] = {
    "PERSON": lambda chance: " ".join(
        [chance.choice(("Ana", "Björn", "Zoë", "Ravi")), _invented(chance, ("son", "ez", "ini"))]
    ),
    "PLACE": lambda chance: _invented(chance, ("burg", "ville", "stadt", "mouth")),
    "CODE": lambda chance: f"{chance.choice('ABC')}-{chance.randrange(10**4)}",
}
_FRAMES = (
    "yesterday PERSON left for PLACE with 3 bags",
    "order CODE was sent to PLACE",
    "PERSON asked about CODE and CODE again",
    "nobody in PLACE has met PERSON , it seems",
    "there were 12 of them , all late",
)

if __name__ == "__main__":
    main()
