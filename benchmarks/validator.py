"""How fast an upload is checked, beside Python's csv module that does nothing with its rows.

``python -m benchmarks.validator`` writes three files, the same ones at each run, and reads each in
processes of their own, by turns: the csv module alone, the validator, and the validator that also
writes the canonical copy. Prints medians; asserts nothing. CPU time is there beside the clock's,
since other processes make the clock's say little.
"""

import argparse
import csv
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory import peak_mib
from benchmarks.tables import Result, show
from flywheel.intake.labeled_documents import LabeledDocuments, Limits
from flywheel.number_words import number_of

_CHUNK_BYTES = 1 << 16
_LABELS = [f"LABEL_{number:02d}" for number in range(20)]
_NO_LIMITS = Limits(rows=10**9, size_bytes=10**12)
_FILES = {
    "short rows (82 B), plain": (82, 0.0),
    "short rows (82 B), 1 in 10 quoted": (82, 0.1),
    "long rows (765 B), most quoted": (765, 0.9),
}
_WAYS = ("csv module alone", "validator", "validator and copy")
_MEGABYTES, _QUICK_MEGABYTES, _RUNS = 200, 5, 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What one way of reading a file took: medians of seconds, the highest memory in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def write_file(path: Path, megabytes: int, row_bytes: int, quoted: float) -> None:
    """Write rows of a mean length; one in a hundred is not ASCII, one in a thousand comes twice."""
    chance = random.Random(row_bytes)
    letters = "abcdefghijklmnoprstuvwy"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(5000)]
    pool = " ".join(chance.choices(words, k=200_000))
    size = number = 0
    with path.open("wb") as file:
        while size < megabytes * 1_000_000:
            number += 1
            length = max(10, int(chance.gauss(row_bytes - 20, row_bytes / 8)))
            begin = chance.randrange(len(pool) - 2 * length)
            text = f"{pool[begin : begin + length].strip()} {number}"
            if chance.random() < 0.01:  # noqa: PLR2004 - one in a hundred
                text = text.replace("e", "é", 1)
            if chance.random() < quoted:
                text = '"' + text.replace(" ", ", ", 1) + '"'
            line = f"{chance.choice(_LABELS)},{text}\n".encode() * (1 + (number % 1000 == 0))
            file.write(line)
            size += len(line)


def read(way: str, path: Path) -> None:
    """Read a file in one way and print seconds, seconds of CPU, and the peak of memory in MiB."""
    began, cpu_began = time.perf_counter(), time.process_time()
    if way == _WAYS[0]:
        with path.open(newline="", encoding="utf-8") as file:
            for _ in csv.reader(file):
                pass
    else:
        documents = LabeledDocuments(_chunks(path), _LABELS, limits=_NO_LIMITS)
        if way == _WAYS[1]:
            documents.read_through()
        else:
            with tempfile.TemporaryFile(dir=path.parent) as copy:
                for piece in documents.canonical_copy():
                    copy.write(piece)
        if documents.report.is_refused:
            sys.exit("\n".join(documents.report.lines()))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    sys.stdout.write(f"{seconds} {cpu_seconds} {peak_mib()}\n")


def readings(path: Path, runs: int) -> dict[str, Reading]:
    """Return what each way took, run by turns."""
    found: dict[str, list[Reading]] = {way: [] for way in _WAYS}
    for _ in range(runs):
        for way in _WAYS:
            command = [sys.executable, "-m", "benchmarks.validator", "--way", way, str(path)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
            found[way].append(Reading(*map(float, answer.stdout.split())))
    return {
        way: Reading(
            statistics.median(reading.seconds for reading in results),
            statistics.median(reading.cpu_seconds for reading in results),
            max(reading.peak_mib for reading in results),
        )
        for way, results in found.items()
    }


def measure(*, quick: bool = False) -> list[Result]:
    """Read every file in every way."""
    return [_table(_QUICK_MEGABYTES, 1) if quick else _table(_MEGABYTES, _RUNS)]


def _table(megabytes: int, runs: int) -> Result:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        for name, (row_bytes, quoted) in _FILES.items():
            write_file(path, megabytes, row_bytes, quoted)
            found = readings(path, runs)
            alone = found[_WAYS[0]]
            rows += [
                (
                    *(name, way, f"{reading.seconds:.2f}", f"{reading.cpu_seconds:.2f}"),
                    f"{megabytes / reading.seconds:.0f}",
                    f"{alone.seconds / reading.seconds:.2f}x",
                    f"{alone.cpu_seconds / reading.cpu_seconds:.2f}x",
                    f"{reading.peak_mib:.0f}",
                )
                for way, reading in found.items()
            ]
    columns = (
        *("file", "way", "seconds", "CPU seconds", "MB/s", "speed against csv"),
        *("the same in CPU time", "peak MiB"),
    )
    notes = (
        f"Files of {megabytes} MB, each read {number_of(runs, 'time')} in each way, by turns, in "
        "separate processes; medians. Python's csv module reads the rows and does nothing with "
        "them.",
    )
    return Result("Checking an upload", columns, rows, notes)


def main() -> None:
    """Measure, or be one measured process."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--way", choices=_WAYS, help=argparse.SUPPRESS)
    options.add_argument("--megabytes", type=int, default=_MEGABYTES)
    options.add_argument("--runs", type=int, default=_RUNS)
    chosen = options.parse_args()
    if chosen.way:
        read(chosen.way, chosen.path)
        return
    show(_table(chosen.megabytes, chosen.runs))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


if __name__ == "__main__":
    main()
