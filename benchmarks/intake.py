"""What a burst of uploads costs, and that none is lost: `python -m benchmarks intake`.

Bursts of 1,000 and 10,000 files go to three flywheels at once, each in a process of its own. moto
could not carry them; the ports in memory pass the same contract as the real ones. Read next:
`benchmarks.burst`, which plays them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from benchmarks.burst import DOCUMENTS, NAMES, BurstPlay
from benchmarks.tables import Result
from flywheel.settings.environment import BatchRules

_SIZES = (1_000, 10_000)
_DRAFTS = (500, 2_000)
_QUICK_SIZES, _QUICK_DRAFTS = (100, 400), (100, 200)
_MILLION = 1e6
_RUNS = 2


def measure(*, quick: bool = False) -> list[Result]:
    """Play bursts of training files up to the verdicts, and bursts of files that open no batch."""
    slots = BatchRules().service_train_datasets
    runs = 1 if quick else _RUNS
    trained = [_play("train", size, runs) for size in (_QUICK_SIZES if quick else _SIZES)]
    rows = [
        (
            *(f"{found['uploads']:,}", f"{found['deliveries']:,}", f"{found['registered']:,}"),
            *(f"{found['lost']}", f"{found['lost_documents']}"),
            *(f"{found['batches']}", f"{found['datasets']} of {slots * len(NAMES)}"),
            f"{found['notices']}",
            f"{found['all_seconds']:.1f}",
            *_each(found),
            f"{found['all_seconds'] / found['uploads'] * _MILLION:,.0f}",
        )
        for found in trained
    ]
    columns = (
        *("uploads", "events", "registered", "lost", "rows lost", "batches", "datasets", "notices"),
        *("CPU seconds", "us to register one", "calls", "rows listed", "us per upload, in all"),
    )
    notes = (
        f"Files of {DOCUMENTS} rows to {len(NAMES)} flywheels within half a minute, some events "
        'twice. The real handlers run over ports in memory. "In all" includes gathering, sealing, '
        "the schedule and the verdicts. Calls of ports (e.g. a read of the ledger) and the rows "
        "that they list are those of registering one upload. Microseconds are of CPU time, "
        f"in the least disturbed run of {runs}; on AWS a call takes some milliseconds instead.",
    )
    return [
        Result("A burst of uploads", columns, rows, notes),
        _drafts(_QUICK_DRAFTS if quick else _DRAFTS, runs),
    ]


def _drafts(sizes: Iterable[int], runs: int) -> Result:
    """Play files for which no batch opens, so that each finds the flywheel idle."""
    found = [_play("test", size, runs) for size in sizes]
    rows = [(f"{burst['uploads']:,}", f"{burst['lost']}", *_each(burst)) for burst in found]
    columns = ("uploads", "lost", "us to register one", "calls", "rows listed")
    notes = ("The same with files of test rows: they are staged as drafts and open no batch.",)
    return Result("A burst of drafts of a test set", columns, rows, notes)


def _each(found: dict[str, Any]) -> tuple[str, str, str]:
    uploads = found["uploads"]
    return (
        f"{found['registering_seconds'] / uploads * _MILLION:,.0f}",
        f"{found['registering_calls'] / uploads:.1f}",
        f"{found['registering_listed'] / uploads:.1f}",
    )


def _play(kind: str, uploads: int, runs: int) -> dict[str, Any]:
    """Return what came of a burst, of the run that other processes disturbed least."""
    command = [sys.executable, "-m", "benchmarks.intake", kind, str(uploads)]
    plays: list[dict[str, Any]] = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(runs)
    ]
    return min(plays, key=lambda found: float(found["all_seconds"]))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("kind", choices=("train", "test"))
    options.add_argument("uploads", type=int)
    asked = options.parse_args()
    sys.stdout.write(json.dumps(asdict(BurstPlay(asked.kind).play(asked.uploads))))
