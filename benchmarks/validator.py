"""How fast an upload is checked, beside Python's csv module that does nothing with its rows.

``python -m benchmarks.validator`` writes three files, the same ones at each run, and reads each in
processes of their own, by turns: the csv module alone, the validator, and the validator that also
writes the canonical copy. Prints medians; asserts nothing.
"""

import argparse
import csv
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flywheel.labeled_documents import LabeledDocuments, Limits

_CHUNK_BYTES = 1 << 16
_LABELS = [f"LABEL_{number:02d}" for number in range(20)]
_NO_LIMITS = Limits(rows=10**9, size_bytes=10**12)
_FILES = {
    "short rows (82 B), plain": (82, 0.0),
    "short rows (82 B), 1 in 10 quoted": (82, 0.1),
    "long rows (765 B), most quoted": (765, 0.9),
}
_WAYS = ("csv module alone", "validator", "validator and copy")


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
    """Read a file in one way and print seconds and the peak of memory in MB."""
    began = time.perf_counter()
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
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{seconds} {peak}\n")


def measure(path: Path, runs: int) -> dict[str, tuple[float, float]]:
    """Return median seconds and the highest memory of each way, run by turns."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS}
    for _ in range(runs):
        for way in _WAYS:
            command = [sys.executable, "-m", "benchmarks.validator", "--way", way, str(path)]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, peak = map(float, answer.stdout.split())
            found[way].append((seconds, peak))
    return {
        way: (
            statistics.median(seconds for seconds, _ in results),
            max(peak for _, peak in results),
        )
        for way, results in found.items()
    }


def main() -> None:
    """Measure, or be one measured process."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--way", choices=_WAYS, help=argparse.SUPPRESS)
    options.add_argument("--megabytes", type=int, default=200)
    options.add_argument("--runs", type=int, default=5)
    chosen = options.parse_args()
    if chosen.way:
        read(chosen.way, chosen.path)
        return
    table = Table("file", "way", "seconds", "MB/s", "against csv", "peak RSS, MB")
    with tempfile.TemporaryDirectory() as folder:
        for name, (row_bytes, quoted) in _FILES.items():
            path = Path(folder) / "rows.csv"
            write_file(path, chosen.megabytes, row_bytes, quoted)
            results = measure(path, chosen.runs)
            alone = results[_WAYS[0]][0]
            for way, (seconds, peak) in results.items():
                table.add_row(
                    name,
                    way,
                    f"{seconds:.2f}",
                    f"{chosen.megabytes / seconds:.0f}",
                    f"{alone / seconds:.2f}x as fast",
                    f"{peak:.0f}",
                )
    Console(width=120).print(table)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


if __name__ == "__main__":
    main()
