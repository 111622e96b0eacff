"""What a seal costs when a flywheel holds many rows: `python -m benchmarks known_rows`.

A batch, half of its rows known already, is decided and written against more and more known rows,
each time in a process of its own, by the code that seals; the bucket is a folder.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from adapters.objects import CHUNK_BYTES
from application.batches.sealed_content import ContentWriter
from benchmarks.memory import peak_mib
from benchmarks.tables import Result
from flywheel.batches.batches import BatchManifest, BatchName
from flywheel.batches.known_rows import RECORD_BYTES, record
from flywheel.intake.labeled_rows import LabeledRow, csv_line
from flywheel.settings.data_format import DataFormat
from flywheel.settings.environment import BatchRules

_CASES = ((10_000, 0), (10_000, 10_000), (10_000, 100_000), (10_000, 1_000_000), (10**6, 10**6))
"""Rows of the batch, and known rows; the last is the most that a dataset may have."""

_QUICK_CASES = 3
_UPLOADS = 500
_SEGMENTS = 49
"""A flywheel takes 50 TRAIN datasets in its life, and each left one segment."""

_LAMBDA_MIB = 2048
"""Of SealBatch, as in infra/loop_functions.py."""

_LABELS = ("billing", "delivery", "account", "other")
_NAME = BatchName("tickets", _SEGMENTS + 1, 1)


@dataclass(frozen=True, slots=True)
class FolderStaging:
    """The staging bucket as a folder; see `application.ports.StagingObjects`."""

    folder: Path
    bucket: str = "staging"

    def chunks(self, key: str) -> Iterator[bytes]:
        """Give an object's bytes in pieces."""
        with (self.folder / key).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def lines(self, key: str) -> Iterator[str]:
        """Give a text object's lines, ends included."""
        with (self.folder / key).open(encoding="utf-8", newline="\n") as file:
            yield from file

    def all_lines(self, keys: Iterable[str]) -> Iterator[Iterator[str]]:
        """Give the lines of one object after the other."""
        return map(self.lines, keys)

    def text(self, key: str) -> str | None:
        """Return a small text object, or None."""
        path = self.folder / key
        return path.read_text("utf-8") if path.exists() else None

    def create(self, key: str, body: bytes | IO[bytes]) -> bool:
        """Write an object that is never overwritten; False where it was there already."""
        path = self.folder / key
        if path.exists():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.read())
        return True


def measure(*, quick: bool = False) -> list[Result]:
    """Seal batches against more and more known rows."""
    rows = []
    for batch, known in _CASES[:_QUICK_CASES] if quick else _CASES:
        with tempfile.TemporaryDirectory() as folder:
            _lay_out(FolderStaging(Path(folder)), batch, known)
            command = [sys.executable, "-m", "benchmarks.known_rows", str(known), folder]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(answer.stdout)
        rows.append(
            (
                *(f"{batch:,}", f"{known:,}", f"{known * RECORD_BYTES / (1 << 20):.1f}"),
                *(f"{found['new']:,}", f"{found['cpu']:.2f}", f"{found['before']:.0f}"),
                *(f"{found['peak']:.0f}", f"{_LAMBDA_MIB:,}"),
            )
        )
    columns = (
        *("rows of the batch", "known rows", "segments, MiB", "new rows", "CPU seconds"),
        *("MiB before", "peak MiB", "SealBatch has, MiB"),
    )
    notes = (
        f"A batch of {_UPLOADS} uploads is decided and written; half of its rows are known, except "
        f"in the first line. Each line is a separate process; known rows are in {_SEGMENTS} "
        "segments. Memory is the resident set, with Python and the function's code.",
    )
    return [Result("Sealing with known rows", columns, rows, notes)]


def _row(number: int) -> LabeledRow:
    return LabeledRow(
        _LABELS[number % len(_LABELS)], f"document {number} is here and says its own number"
    )


def _lay_out(staging: FolderStaging, batch: int, known: int) -> None:
    """Write segments and uploads: the known rows end in the middle of the batch's."""
    first, each = known - min(known, batch // 2), batch // _UPLOADS
    for upload in range(_UPLOADS):
        begin = first + upload * each
        lines = map(csv_line, map(_row, range(begin, begin + each)))
        staging.create(_upload(upload)["staged_key"], "".join(lines).encode())
    for number, numbers in enumerate(_parts(known)):
        staging.create(_segment(number), b"".join(record(_row(at)) for at in numbers))


def _parts(known: int) -> Iterator[range]:
    each = -(-known // _SEGMENTS)
    for number in range(_SEGMENTS):
        yield range(min(known, number * each), min(known, (number + 1) * each))


def _upload(number: int) -> dict[str, str]:
    return {
        "uid": f"{number:064x}",
        "key": f"tickets/train/{number}.csv",
        "staged_key": f"uploads/tickets/{number}.csv",
    }


def _segment(number: int) -> str:
    return f"known/tickets/g1/{number + 1}-train.bin"


def _seal(known: int, folder: Path) -> None:
    """Decide and write the batch once, and print what it took."""
    manifest = BatchManifest(
        flywheel=_NAME.flywheel,
        batch=_NAME.batch,
        train=tuple(_upload(number) for number in range(_UPLOADS)),
        test=(),
        known_train=tuple(_segment(number) for number in range(_SEGMENTS)) if known else (),
    )
    now = datetime.now(UTC)
    staging = FolderStaging(folder)
    writer = ContentWriter(staging, _NAME, manifest, BatchRules(), DataFormat(), now, "arn")
    before, began = peak_mib(), time.process_time()
    content = writer.write()
    cpu = time.process_time() - began
    found = {"new": content.facts.documents, "cpu": cpu, "before": before, "peak": peak_mib()}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("known", type=int)
    options.add_argument("folder", type=Path)
    asked = options.parse_args()
    _seal(asked.known, asked.folder)
