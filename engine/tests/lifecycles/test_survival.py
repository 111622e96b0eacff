"""An engine in a real process: killed at any moment."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from comprehend_engine.engine import Engine, EngineSettings
from engine_testing.processes import EngineProcess, engine_process
from engine_testing.rig import BUCKET, ROLE, Rig, client, rows, until

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture
def s3_url(s3: "S3Client") -> str:
    """Return where S3 is served."""
    return str(s3.meta.endpoint_url)


@pytest.fixture
def nowhere(tmp_path: Path, s3: "S3Client") -> Engine:
    """Make an engine that is not started: the one that a rig needs runs in another process."""
    return Engine(EngineSettings(tmp_path / "unused"), s3_client_for_role=lambda _: s3)


@contextmanager
def rig_of(process: EngineProcess, nowhere: Engine, s3: "S3Client") -> "Iterator[Rig]":
    """Give the calls that tests make, to an engine in another process."""
    with closing(client("comprehend", process.url)) as comprehend:
        yield Rig(nowhere, comprehend, s3)


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    s3: "S3Client", s3_url: str, nowhere: Engine, tmp_path: Path
) -> None:
    """Flywheel, datasets, tags and tokens survive; interrupted training restarts."""
    data = tmp_path / "data"
    with engine_process(data, s3_url) as process, rig_of(process, nowhere, s3) as rig:
        flywheel = rig.flywheel(Tags=[{"Key": "team", "Value": "support"}])
        rig.dataset(flywheel, rows(1500))
        iteration = rig.begin_iteration(flywheel, ClientRequestToken="once")
        late = rig.begin_dataset(flywheel, rig.put("in/late.csv", rows(12, first=3000)))
        process.process.send_signal(signal.SIGKILL)
        process.process.wait()
    with engine_process(data, s3_url) as process, rig_of(process, nowhere, s3) as rig:
        assert rig.described(flywheel)["Status"] == "ACTIVE"
        assert rig.begin_iteration(flywheel, ClientRequestToken="once") == iteration
        assert rig.ended_dataset(late)["Status"] == "COMPLETED"
        ended = rig.ended_iteration(flywheel, iteration)
        assert (ended["Status"], ended["TrainedModelArn"] is not None) == ("COMPLETED", True)
        (tag,) = rig.comprehend.list_tags_for_resource(ResourceArn=flywheel)["Tags"]
        assert tag == {"Key": "team", "Value": "support"}


def test_every_acknowledged_call_holds_when_each_is_followed_by_a_kill(
    s3: "S3Client", s3_url: str, nowhere: Engine, tmp_path: Path
) -> None:
    """A new process after every call: acknowledged work survives and completes."""
    data, made = tmp_path / "data", dict[str, str]()

    def create_flywheel(rig: Rig) -> None:
        made["flywheel"] = rig.flywheel(waits=False, FlywheelName="killed")

    def create_dataset(rig: Rig) -> None:
        until(lambda: rig.described(made["flywheel"])["Status"], lambda seen: seen == "ACTIVE")
        made["dataset"] = rig.begin_dataset(made["flywheel"], rig.put("in/k.csv", rows(500)))

    def start_iteration(rig: Rig) -> None:
        assert rig.ended_dataset(made["dataset"])["Status"] == "COMPLETED"
        made["iteration"] = rig.begin_iteration(made["flywheel"])

    def promote(rig: Rig) -> None:
        ended = rig.ended_iteration(made["flywheel"], made["iteration"])
        made["model"] = ended["TrainedModelArn"]
        rig.comprehend.update_flywheel(FlywheelArn=made["flywheel"], ActiveModelArn=made["model"])

    def start_job(rig: Rig) -> None:
        assert rig.described(made["flywheel"])["ActiveModelArn"] == made["model"]
        made["job"] = rig.comprehend.start_document_classification_job(
            FlywheelArn=made["flywheel"],
            InputDataConfig={"S3Uri": rig.put("in/killed-job.txt", rows(1))},
            OutputDataConfig={"S3Uri": f"s3://{BUCKET}/killed"},
            DataAccessRoleArn=ROLE,
        )["JobId"]

    def look_at_job(rig: Rig) -> None:
        job = until(
            lambda: rig.comprehend.describe_document_classification_job(JobId=made["job"]),
            lambda seen: "EndTime" in seen["DocumentClassificationJobProperties"],
        )
        assert job["DocumentClassificationJobProperties"]["JobStatus"] == "COMPLETED"

    for act in (create_flywheel, create_dataset, start_iteration, promote, start_job, look_at_job):
        # What the variables name is nowhere: the option goes before.
        with (
            engine_process(data, "http://127.0.0.1:9", "--s3-endpoint", s3_url) as process,
            rig_of(process, nowhere, s3) as rig,
        ):
            act(rig)
            process.process.send_signal(signal.SIGKILL)
