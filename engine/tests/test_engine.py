"""The engine as a whole: start, stop, start again."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from comprehend_engine.clock import DrivenClock
from comprehend_engine.engine import Engine, EngineSettings
from engine_testing.rig import Rig, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.mark.slow
def test_everything_is_there_when_the_engine_is_started_again(
    s3: "S3Client", tmp_path: Path
) -> None:
    """Flywheels, datasets, iterations, models and tokens; and the model still answers."""
    with running(tmp_path, s3) as rig:
        flywheel, model = rig.trained()
        rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
        before = rig.described(flywheel)
    with running(tmp_path, s3) as rig:
        assert rig.described(flywheel) == before
        ended = rig.iterated(flywheel)
        assert ended["EvaluatedModelArn"] == model
        assert ended["EvaluatedModelMetrics"] == ended["TrainedModelMetrics"]


@pytest.mark.slow
def test_work_goes_on_when_a_stop_cut_it_off(s3: "S3Client", tmp_path: Path) -> None:
    """A dataset, an iteration and a flywheel that were under way end after the next start."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(30))
        doomed = rig.flywheel()
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        clock.advance(1_000_000_000.0)
        creating = rig.flywheel(waits=False)
        dataset = rig.begin_dataset(flywheel, rig.put("in/cut-off.csv", rows(10)))
        iteration = rig.begin_iteration(flywheel)
        rig.comprehend.delete_flywheel(FlywheelArn=doomed)
    with running(tmp_path, s3, clock=DrivenClock(start=clock.now() + 5.0)) as rig:
        assert rig.ended_dataset(dataset)["Status"] == "COMPLETED"
        assert rig.ended_iteration(flywheel, iteration)["Status"] == "COMPLETED"
        until(lambda: rig.described(creating), lambda seen: seen["Status"] == "ACTIVE")
        until(
            lambda: [
                item["FlywheelArn"]
                for item in rig.comprehend.list_flywheels()["FlywheelSummaryList"]
            ],
            lambda seen: doomed not in seen,
        )


def test_the_learner_is_not_imported_when_the_engine_is() -> None:
    """Importing it would cost every start more than training small data does."""
    program = "import sys, comprehend_engine.engine; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_it_has_no_address_when_it_is_not_started(s3: "S3Client", tmp_path: Path) -> None:
    """Stopping what was never started does nothing."""
    engine = Engine(EngineSettings(tmp_path), s3_client_for_role=lambda _: s3)
    engine.stop()
    with pytest.raises(RuntimeError, match="not started"):
        assert engine.url


@pytest.mark.slow
def test_an_iteration_fails_and_the_next_completes_when_the_process_dies(
    s3: "S3Client", tmp_path: Path
) -> None:
    """The message explains that; the engine needs no restart."""
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(30))
        assert rig.engine.training_process_id is not None
        os.kill(rig.engine.training_process_id, signal.SIGKILL)
        assert "training process ended" in rig.iterated(flywheel)["Message"]
        assert rig.iterated(flywheel)["Status"] == "COMPLETED"


@pytest.mark.slow
def test_models_are_found_when_the_data_directory_is_relative(
    s3: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training process has a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    with running(Path("state"), s3) as rig:
        rig.trained()
    assert list((tmp_path / "state" / "models").rglob("*.model"))


def test_calls_are_answered_when_a_model_is_being_trained(rig: Rig) -> None:
    """Training is another process's work; describing needs none of it."""
    flywheel = rig.flywheel()
    rig.dataset(flywheel, rows(400))
    iteration = rig.begin_iteration(flywheel)
    seen = [rig.iteration(flywheel, iteration)["Status"] for _ in range(20)]
    assert seen[0] in ("TRAINING", "EVALUATING")
    assert rig.ended_iteration(flywheel, iteration)["Status"] == "COMPLETED"
