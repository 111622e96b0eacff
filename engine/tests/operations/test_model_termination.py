"""Stopping the training of a model and deleting models, over HTTP."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.clock import DrivenClock
from engine_testing.rig import Rig, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def model_of(rig: Rig, flywheel: str) -> str:
    """Return the trained model of a flywheel; before, no iteration has its ARN."""
    listed = rig.comprehend.list_document_classifiers(Filter={"Status": "TRAINING"})
    (found,) = (
        item["DocumentClassifierArn"]
        for item in listed["DocumentClassifierPropertiesList"]
        if item.get("FlywheelArn") == flywheel
    )
    return found


def model(rig: Rig, arn: str) -> Mapping[str, Any]:
    """Describe a model."""
    answer = rig.comprehend.describe_document_classifier(DocumentClassifierArn=arn)
    return answer["DocumentClassifierProperties"]


def code_of(call: Any, **request: Any) -> str:
    """Return the code of a call that is refused."""
    with pytest.raises(ClientError) as refusal:
        call(**request)
    return refusal.value.response["Error"]["Code"]


def test_both_end_stopped_when_the_training_is_stopped(s3: "S3Client", tmp_path: Path) -> None:
    """STOP_REQUESTED can be seen, and holds the flywheel; a repeat does nothing."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(30))
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        stop = rig.comprehend.stop_training_document_classifier
        iteration = rig.begin_iteration(flywheel)
        arn = model_of(rig, flywheel)
        clock.advance(2.0)
        stop(DocumentClassifierArn=arn)
        stop(DocumentClassifierArn=arn)
        clock.advance(4.0)
        seen = rig.iteration(flywheel, iteration)
        assert (seen["Status"], model(rig, arn)["Status"]) == ("STOP_REQUESTED", "STOP_REQUESTED")
        busy = code_of(rig.comprehend.start_flywheel_iteration, FlywheelArn=flywheel)
        assert busy == "ResourceInUseException"
        clock.advance(1.0)
        seen = until(
            lambda: rig.iteration(flywheel, iteration), lambda seen: seen["Status"] == "STOPPED"
        )
        assert (seen["EndTime"] - seen["CreationTime"]).total_seconds() == 7.0
        stopped = model(rig, arn)
        assert stopped["Status"] == "STOPPED"
        assert "ClassifierMetadata" not in stopped
        assert "TrainedModelArn" not in seen
        stop(DocumentClassifierArn=arn)
        rig.begin_iteration(flywheel)


@pytest.mark.slow
def test_the_training_process_is_ended_when_it_is_at_work(s3: "S3Client", tmp_path: Path) -> None:
    """The next iteration gets a new one, and trains."""
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(2000))
        before = rig.engine.training_process_id
        iteration = rig.begin_iteration(flywheel)
        until(lambda: model(rig, model_of(rig, flywheel)), lambda seen: "TrainingStartTime" in seen)
        rig.comprehend.stop_training_document_classifier(
            DocumentClassifierArn=model_of(rig, flywheel)
        )
        ended = until(lambda: rig.iteration(flywheel, iteration), lambda seen: "EndTime" in seen)
        assert ended["Status"] == "STOPPED"
        assert rig.iterated(flywheel)["Status"] == "COMPLETED"
        assert rig.engine.training_process_id != before


def test_a_stop_is_carried_out_when_the_engine_starts_again(s3: "S3Client", tmp_path: Path) -> None:
    """What was asked for is remembered."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(30))
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        iteration = rig.begin_iteration(flywheel)
        arn = model_of(rig, flywheel)
        rig.comprehend.stop_training_document_classifier(DocumentClassifierArn=arn)
    with running(tmp_path, s3, clock=clock) as rig:
        until(lambda: rig.iteration(flywheel, iteration), lambda seen: seen["Status"] == "STOPPED")
        assert model(rig, arn)["Status"] == "STOPPED"


@pytest.mark.slow
def test_a_model_is_gone_when_it_was_deleted(s3: "S3Client", tmp_path: Path) -> None:
    """DELETING can be seen; its file goes with it, also over a restart."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        _, arn = rig.trained()
        assert list((tmp_path / "models").rglob("*.model"))
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        rig.comprehend.delete_document_classifier(DocumentClassifierArn=arn)
        assert model(rig, arn)["Status"] == "DELETING"
        unavailable = code_of(rig.comprehend.delete_document_classifier, DocumentClassifierArn=arn)
        assert unavailable == "ResourceUnavailableException"
    clock.advance(5.0)
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        until(
            lambda: rig.comprehend.list_document_classifiers()["DocumentClassifierPropertiesList"],
            lambda left: not left,
        )
        until(lambda: list((tmp_path / "models").rglob("*.model")), lambda files: not files)


@pytest.mark.slow
def test_a_model_is_kept_when_something_uses_it(s3: "S3Client", tmp_path: Path) -> None:
    """A flywheel in which it is active, then an endpoint; the message names them."""
    with running(tmp_path, s3) as rig:
        flywheel, arn = rig.trained()
        delete = rig.comprehend.delete_document_classifier
        rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=arn)
        endpoint = rig.comprehend.create_endpoint(
            EndpointName="keeps", ModelArn=arn, DesiredInferenceUnits=1
        )["EndpointArn"]
        with pytest.raises(ClientError, match=f"active in {flywheel}, endpoint {endpoint}"):
            delete(DocumentClassifierArn=arn)
        assert code_of(delete, DocumentClassifierArn=arn) == "ResourceInUseException"


def test_a_model_stays_trained_when_its_training_is_stopped_late(rig: Rig) -> None:
    """The call succeeds, as before a deletion; a model that is not there is refused."""
    _, arn = rig.trained()
    stop = rig.comprehend.stop_training_document_classifier
    stop(DocumentClassifierArn=arn)
    assert model(rig, arn)["Status"] == "TRAINED"
    absent = code_of(stop, DocumentClassifierArn=f"{arn}0")
    assert absent == "ResourceNotFoundException"
