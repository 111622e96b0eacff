"""A full disk: the caller gets the reason, and acknowledged work resumes once there is room."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from comprehend_engine.errors import DiskFullError
from engine_testing.rig import ROLE, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def keep_nothing(*_: object) -> None:
    """Stand in place of what a store writes with."""
    message = "The disk is full."
    raise DiskFullError(message)


def test_a_full_disk_is_told_when_a_call_cannot_be_kept(s3: "S3Client", tmp_path: Path) -> None:
    """The caller gets the service's 500 with the reason; looking still works."""
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel()
        parts: Any = rig.engine._parts
        pages = parts.store._connection.execute("PRAGMA page_count").fetchone()[0]
        parts.store._connection.execute(f"PRAGMA max_page_count = {pages}")
        labels = [f"label {number}" for number in range(999)]
        with pytest.raises(
            rig.comprehend.exceptions.InternalServerException, match="data directory is full"
        ):
            rig.flywheel(labels=labels, waits=False)
        assert rig.described(flywheel)["DataAccessRoleArn"] == ROLE
        parts.store._connection.execute("PRAGMA max_page_count = 100000")
        made = rig.flywheel(labels=labels)
        until(lambda: rig.described(made)["Status"], lambda status: status == "ACTIVE")


@pytest.mark.slow
def test_an_iteration_ends_failed_or_starts_anew_when_its_end_found_no_room(
    s3: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for the failure, it has a message; without room, training restarts later."""
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(12))
        store: Any = rig.engine._started.store
        save_completed = store.save

        def save_all_but_completed(*records: Any) -> None:
            if any(getattr(record, "status", "") == "COMPLETED" for record in records):
                keep_nothing()
            save_completed(*records)

        monkeypatch.setattr(store, "save", save_all_but_completed)
        failed = rig.iterated(flywheel)
        assert (failed["Status"], failed["Message"]) == ("FAILED", "The disk is full.")
        monkeypatch.undo()
        iteration = rig.begin_iteration(flywheel)
        monkeypatch.setattr(store, "save", keep_nothing)
        rig.engine._started.background.join()
        assert rig.iteration(flywheel, iteration)["Status"] in ("TRAINING", "EVALUATING")
    with running(tmp_path, s3) as rig:
        assert rig.ended_iteration(flywheel, iteration)["Status"] == "COMPLETED"
