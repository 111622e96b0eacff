"""The engine's records when its process is killed or its disk is full."""

import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from comprehend_engine.errors import DiskFullError
from comprehend_engine.storage.records import FlywheelRecord
from comprehend_engine.storage.store import Store
from engine_testing.stored_records import ARN, FLYWHEEL

_KILLED = 137

_WRITES_AND_DIES = """
import os, sys
from dataclasses import replace
from pathlib import Path
from comprehend_engine.storage.store import Store
from engine_testing.stored_records import FLYWHEEL

store = Store(Path(sys.argv[1]))
store.save(FLYWHEEL)
with store.transaction():
    store.save(replace(FLYWHEEL, status="UPDATING"))
    os._exit(137)
"""


def test_what_was_written_is_there_when_the_process_was_killed(tmp_path: Path) -> None:
    """What was acknowledged stays, what was half written does not."""
    file = tmp_path / "engine.sqlite3"
    ended = subprocess.run(
        [sys.executable, "-c", _WRITES_AND_DIES, str(file)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert ended.returncode == _KILLED
    with closing(Store(file)) as store:
        assert store.all(FlywheelRecord) == [FLYWHEEL]


def test_nothing_is_half_written_when_the_disk_is_full(tmp_path: Path) -> None:
    """The error is unchanged, and the engine continues once the disk has room again."""
    file = tmp_path / "engine.sqlite3"
    large = replace(FLYWHEEL, labels=tuple(f"label {number}" for number in range(20_000)))
    with closing(Store(file)) as store:
        store.save(FLYWHEEL)
        store._connection.execute("PRAGMA max_page_count = 12")
        with pytest.raises(DiskFullError, match="disk of the engine's data directory is full"):
            store.save(replace(FLYWHEEL, status="UPDATING"), replace(large, arn=f"{ARN}2"))
        assert store.all(FlywheelRecord) == [FLYWHEEL]
        store._connection.execute("PRAGMA max_page_count = 100000")
        store.save(large)
        assert store.all(FlywheelRecord) == [large]
    with closing(Store(file)) as store:
        assert store.all(FlywheelRecord) == [large]
