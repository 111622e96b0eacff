"""What goes on by itself once a full disk has room again."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.background import PATIENCE_SECONDS, BackgroundWork
from comprehend_engine.clock import DrivenClock
from comprehend_engine.errors import DiskFullError, EngineStopping
from engine_testing.rig import BUCKET, ROLE, Rig, rows, running, until

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_PACE = 60.0
_LATER = 1_900_000_000.0
_WRITERS = ("save", "forget", "forget_flywheel")
Look = Callable[[], str]
Begin = Callable[[Rig, str, str], Look]


class FullDisk:
    """In place of what a store writes with: nothing is kept, and tries are counted."""

    def __init__(self) -> None:
        self.tries = 0

    def __call__(self, *_: Any, **__: Any) -> None:
        """Keep nothing."""
        self.tries += 1
        message = "nothing was kept"
        raise DiskFullError(message)


class LeapingClock(DrivenClock):
    """A clock on which every wait takes half of a job's patience."""

    def wait_until(self, moment: float, stop: threading.Event) -> bool:
        """Be there, and further."""
        self.advance(PATIENCE_SECONDS / 2)
        return not stop.is_set()


def a_flywheel(rig: Rig, idle: str, model: str) -> Look:
    """Create a flywheel that brings data along."""
    arn = rig.flywheel(waits=False, ActiveModelArn=model)
    return lambda: str(rig.described(arn)["Status"])


def a_flywheels_end(rig: Rig, idle: str, model: str) -> Look:
    """Delete a flywheel."""
    rig.comprehend.delete_flywheel(FlywheelArn=idle)

    def look() -> str:
        try:
            return str(rig.described(idle)["Status"])
        except ClientError as gone:
            return gone.response["Error"]["Code"]

    return look


def a_dataset(rig: Rig, idle: str, model: str) -> Look:
    """Create a dataset."""
    arn = rig.begin_dataset(idle, rig.put("full/d.csv", rows(12)))
    describe = rig.comprehend.describe_dataset
    return lambda: describe(DatasetArn=arn)["DatasetProperties"]["Status"]


def an_iteration(rig: Rig, idle: str, model: str) -> Look:
    """Start an iteration that can end well."""
    (flywheel,) = {
        item["FlywheelArn"] for item in rig.comprehend.list_flywheels()["FlywheelSummaryList"]
    } - {idle}
    return started(rig, flywheel)


def an_iteration_without_data(rig: Rig, idle: str, model: str) -> Look:
    """Start an iteration that must fail."""
    return started(rig, idle)


def started(rig: Rig, flywheel: str) -> Look:
    """Start an iteration of a flywheel."""
    iteration = rig.begin_iteration(flywheel)
    return lambda: str(rig.iteration(flywheel, iteration)["Status"])


def an_endpoint(rig: Rig, idle: str, model: str) -> Look:
    """Create an endpoint."""
    arn = rig.comprehend.create_endpoint(
        EndpointName="full", ModelArn=model, DesiredInferenceUnits=1
    )["EndpointArn"]
    describe = rig.comprehend.describe_endpoint
    return lambda: describe(EndpointArn=arn)["EndpointProperties"]["Status"]


def a_job(rig: Rig, idle: str, model: str) -> Look:
    """Start a job."""
    job = rig.comprehend.start_document_classification_job(
        DocumentClassifierArn=model,
        InputDataConfig={"S3Uri": rig.put_text("full/in.txt", "late parcel")},
        OutputDataConfig={"S3Uri": f"s3://{BUCKET}/full/out"},
        DataAccessRoleArn=ROLE,
    )["JobId"]
    describe = rig.comprehend.describe_document_classification_job
    return lambda: describe(JobId=job)["DocumentClassificationJobProperties"]["JobStatus"]


@pytest.mark.parametrize(
    ("begin", "states"),
    [
        (a_flywheel, ("CREATING", "ACTIVE")),
        (a_flywheels_end, ("DELETING", "ResourceNotFoundException")),
        (a_dataset, ("CREATING", "COMPLETED")),
        (an_iteration, ("TRAINING", "COMPLETED")),
        (an_iteration_without_data, ("TRAINING", "FAILED")),
        (an_endpoint, ("CREATING", "IN_SERVICE")),
        (a_job, ("SUBMITTED", "COMPLETED")),
    ],
)
def test_what_is_under_way_ends_when_a_full_disk_has_room_again(
    s3: "S3Client",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begin: Begin,
    states: tuple[str, str],
) -> None:
    """It neither fails because of the disk nor waits for a restart."""
    under_way, ended = states
    with running(tmp_path, s3) as rig:
        idle, (_, model) = rig.flywheel(), rig.trained()
    clock, full = DrivenClock(_LATER), FullDisk()
    with running(tmp_path, s3, clock=clock, pace_seconds=_PACE) as rig:
        look = begin(rig, idle, model)
        for writer in _WRITERS:
            monkeypatch.setattr(rig.engine._started.store, writer, full)

        def tries_later() -> int:
            clock.advance(_PACE)
            return full.tries

        until(tries_later, lambda tries: tries > 2)
        assert look() == under_way
        monkeypatch.undo()

        def looked_later() -> str:
            clock.advance(_PACE)
            return look()

        assert until(looked_later, lambda state: state in (ended, "FAILED")) == ended


def test_a_job_gives_up_when_the_disk_stays_full() -> None:
    """After a day it is left for the next start."""
    full = FullDisk()
    with pytest.raises(DiskFullError):
        BackgroundWork(LeapingClock(), 0.0).record(full)
    assert full.tries == 3


def test_a_job_gives_way_when_the_engine_is_stopped_while_its_disk_is_full() -> None:
    """A stop waits for no room."""
    background, seen = BackgroundWork(DrivenClock(), 0.0), threading.Event()

    def job() -> None:
        try:
            background.record(FullDisk())
        except EngineStopping:
            seen.set()

    background.run("job", job)
    background.ask_to_stop()
    background.join()
    assert seen.is_set()
