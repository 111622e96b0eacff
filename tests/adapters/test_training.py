"""The stop of a flywheel's training, on the engine."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.models import model_in_training, stop_training
from comprehend_engine.clock import DrivenClock
from engine_testing.rig import rows, running, until
from engine_testing.s3_server import s3

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

__all__ = ["s3"]


def test_the_running_training_is_stopped_when_it_is_found(
    s3: "S3Client",
    tmp_path: Path,
) -> None:
    """It is the one of this flywheel, and afterwards there is none."""
    with running(tmp_path, s3) as rig:
        flywheel, other = rig.flywheel(), rig.flywheel()
        rig.dataset(flywheel, rows(30))
        assert model_in_training(rig.comprehend, flywheel) is None
    with running(tmp_path, s3, clock=DrivenClock(), pace_seconds=5.0) as rig:
        iteration = rig.begin_iteration(flywheel)
        rig.begin_iteration(other)
        model = model_in_training(rig.comprehend, flywheel)
        assert model is not None
        assert model.split("/")[1] == flywheel.rsplit("/", 1)[-1]
        stop_training(rig.comprehend, model)
        assert model_in_training(rig.comprehend, flywheel) is None
        assert rig.iteration(flywheel, iteration)["Status"] == "STOP_REQUESTED"
    with running(tmp_path, s3) as rig:
        seen: Any = until(
            lambda: rig.iteration(flywheel, iteration), lambda seen: "EndTime" in seen
        )
        assert seen["Status"] == "STOPPED"
