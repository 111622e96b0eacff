"""The iteration operations and what an iteration does, over HTTP, with real training."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.clock import DrivenClock
from comprehend_engine.engine import Quotas
from comprehend_engine.storage.data_lake import bucket_and_key
from comprehend_engine.training.hold_out import is_held_out
from engine_testing.rig import Rig, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

AVERAGES = {"AverageF1Score", "AveragePrecision", "AverageRecall", "AverageAccuracy"}


def stamp(moment: datetime) -> str:
    """Spell a moment as iteration ids do."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def document(rig: Rig, uri: str) -> Any:
    """Read a JSON document from S3."""
    bucket, key = bucket_and_key(uri)
    return json.loads(rig.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def test_a_model_is_trained_and_measured_when_an_iteration_completes(rig: Rig) -> None:
    """Without an active model there is nothing to evaluate, and none becomes active by itself."""
    flywheel = rig.flywheel()
    rig.dataset(flywheel, rows(12))
    rig.dataset(flywheel, rows(5, first=50), "TEST")
    seen = rig.iterated(flywheel)
    assert seen["Status"] == "COMPLETED"
    assert seen["Message"] == (
        "FULL_ITERATION: Flywheel iteration performed all functions successfully."
    )
    assert seen["FlywheelIterationId"] == stamp(seen["CreationTime"])
    assert set(seen["TrainedModelMetrics"]) == AVERAGES
    assert seen["TrainedModelMetrics"]["AverageF1Score"] > 0.9
    assert "EvaluatedModelArn" not in seen
    assert "EvaluatedModelMetrics" not in seen
    described = rig.described(flywheel)
    assert described["LatestFlywheelIteration"] == seen["FlywheelIterationId"]
    assert "ActiveModelArn" not in described


def test_both_models_have_the_same_metrics_when_nothing_changed_between_them(rig: Rig) -> None:
    """Same data, same seed, same model; and both are tested on the same documents."""
    flywheel, model = rig.trained()
    rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    seen = rig.iterated(flywheel)
    assert seen["EvaluatedModelArn"] == model != seen["TrainedModelArn"]
    assert seen["EvaluatedModelMetrics"] == seen["TrainedModelMetrics"]


def test_metrics_get_worse_when_training_labels_are_wrong(rig: Rig) -> None:
    """The champion's score on the test documents stays; the challenger's is lower."""
    flywheel, model = rig.trained()
    rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    swapped = {"billing": "delivery", "delivery": "billing"}
    rig.dataset(flywheel, [(swapped[label], text) for label, text in rows(40, first=100)])
    seen = rig.iterated(flywheel)
    trained = seen["TrainedModelMetrics"]["AverageF1Score"]
    assert trained < seen["EvaluatedModelMetrics"]["AverageF1Score"]


def test_per_label_results_are_in_the_lake_when_an_iteration_completes(rig: Rig) -> None:
    """The manifest prefix holds, for each model, its metrics and its confusion matrix."""
    flywheel, model = rig.trained()
    rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    seen = rig.iterated(flywheel)
    prefix = seen["EvaluationManifestS3Prefix"]
    lake = rig.described(flywheel)["DataLakeS3Uri"]
    assert prefix == f"{lake}evaluation/{seen['FlywheelIterationId']}/"
    for arn, role in ((model, "evaluated"), (seen["TrainedModelArn"], "trained")):
        place = f"{prefix}{arn.rsplit('/', 1)[-1]}/"
        evaluation = document(rig, f"{place}evaluation.json")
        assert evaluation["role"] == role
        assert {name: label["support"] for name, label in evaluation["labels"].items()} == {
            "billing": 5,
            "delivery": 5,
        }
        matrix = document(rig, f"{place}confusion_matrix.json")["confusion_matrix"]
        assert sum(map(sum, matrix)) == evaluation["testDocuments"] == 10


def test_a_tenth_is_held_out_when_there_is_no_test_dataset(rig: Rig) -> None:
    """What tests does not train, and together they are everything."""
    flywheel = rig.flywheel()
    rig.dataset(flywheel, rows(100))
    model = rig.comprehend.describe_document_classifier(
        DocumentClassifierArn=rig.iterated(flywheel)["TrainedModelArn"]
    )["DocumentClassifierProperties"]["ClassifierMetadata"]
    assert model["NumberOfTrainedDocuments"] + model["NumberOfTestDocuments"] == 200
    assert 8 <= model["NumberOfTestDocuments"] <= 32


def test_an_iteration_fails_when_there_is_no_training_data(rig: Rig) -> None:
    """A FAILED dataset is none; the flywheel is free for the next iteration."""
    flywheel = rig.flywheel()
    rig.dataset(flywheel, rows(1))
    seen = rig.iterated(flywheel)
    assert seen["Status"] == "FAILED"
    assert "no TRAIN dataset is COMPLETED" in seen["Message"]
    assert "TrainedModelArn" not in seen
    rig.dataset(flywheel, rows(30))
    assert rig.iterated(flywheel)["Status"] == "COMPLETED"


def test_an_iteration_fails_when_one_label_alone_has_documents(rig: Rig) -> None:
    """A classifier needs two labels."""
    flywheel = rig.flywheel()
    rig.dataset(flywheel, rows(30, labels=("billing",)))
    assert "at least 2 labels" in rig.iterated(flywheel)["Message"]


@pytest.mark.slow
def test_an_iteration_fails_when_no_document_is_held_out(s3: "S3Client", tmp_path: Path) -> None:
    """A score needs test documents; the message says what to add."""
    kept = [row for row in rows(9) if not is_held_out(row[1])]
    with running(tmp_path, s3, quotas=Quotas(min_documents_per_label=1)) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, kept)
        assert "Add a TEST dataset" in rig.iterated(flywheel)["Message"]


def test_one_call_wins_when_many_start_an_iteration_at_once(rig: Rig) -> None:
    """Every other call gets an error: the flywheel is busy."""
    flywheel = rig.flywheel()
    rig.dataset(flywheel, rows(300))

    def start(_: int) -> str:
        try:
            return rig.begin_iteration(flywheel)
        except ClientError as refusal:
            return refusal.response["Error"]["Code"]

    with ThreadPoolExecutor(8) as callers:
        returned = Counter(callers.map(start, range(8)))
    assert returned.pop("ResourceInUseException") == 7
    (winner,) = returned
    assert rig.ended_iteration(flywheel, winner)["Status"] == "COMPLETED"


def test_an_iteration_fails_when_the_lake_cannot_be_read(rig: Rig) -> None:
    """The message names what is missing."""
    rig.s3.create_bucket(Bucket="short-lived-lake")
    flywheel = rig.flywheel(DataLakeS3Uri="s3://short-lived-lake/x")
    seen = rig.dataset(flywheel, rows(10))
    for entry in rig.s3.list_objects_v2(Bucket="short-lived-lake")["Contents"]:
        rig.s3.delete_object(Bucket="short-lived-lake", Key=entry["Key"])
    rig.s3.delete_bucket(Bucket="short-lived-lake")
    ended = rig.iterated(flywheel)
    assert (seen["Status"], ended["Status"]) == ("COMPLETED", "FAILED")
    assert "short-lived-lake" in ended["Message"]
    assert "s3:GetObject" in ended["Message"]


def test_states_are_seen_in_order_when_the_clock_is_driven(s3: "S3Client", tmp_path: Path) -> None:
    """TRAINING, EVALUATING, COMPLETED; meanwhile the flywheel is busy and can be updated."""
    clock = DrivenClock()
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        flywheel = rig.flywheel(waits=False)
        clock.advance(5.0)
        until(lambda: rig.described(flywheel), lambda seen: seen["Status"] == "ACTIVE")
        arn = rig.begin_dataset(flywheel, rig.put("in/driven.csv", rows(30)))
        clock.advance(5.0)
        rig.ended_dataset(arn)
        first = rig.begin_iteration(flywheel, ClientRequestToken="once")
        assert rig.begin_iteration(flywheel, ClientRequestToken="once") == first
        assert rig.iteration(flywheel, first)["Status"] == "TRAINING"
        for refused in (
            lambda: rig.begin_iteration(flywheel),
            lambda: rig.comprehend.delete_flywheel(FlywheelArn=flywheel),
        ):
            with pytest.raises(ClientError, match="ResourceInUseException"):
                refused()
        rig.comprehend.update_flywheel(
            FlywheelArn=flywheel, DataAccessRoleArn="arn:aws:iam::123456789012:role/another"
        )
        assert rig.described(flywheel)["Status"] == "ACTIVE"
        clock.advance(5.0)
        until(lambda: rig.iteration(flywheel, first), lambda seen: seen["Status"] == "EVALUATING")
        clock.advance(5.0)
        ended = rig.ended_iteration(flywheel, first)
        assert ended["EndTime"] - ended["CreationTime"] == timedelta(seconds=10)
        assert rig.begin_iteration(flywheel, ClientRequestToken="once") == first


def test_the_next_second_is_taken_when_an_iteration_has_the_same_one(
    s3: "S3Client", tmp_path: Path
) -> None:
    """The id stays unique and stays the second of CreationTime."""
    clock = DrivenClock(start=1_767_225_600.25)
    with running(tmp_path, s3, clock=clock) as rig:
        flywheel = rig.flywheel()
        first = rig.iterated(flywheel)
        second = rig.begin_iteration(flywheel)
        clock.advance(0.75)
        seen = rig.ended_iteration(flywheel, second)
        assert (first["FlywheelIterationId"], second) == ("20260101T000000Z", "20260101T000001Z")
        assert stamp(seen["CreationTime"]) == second


def test_an_iteration_is_throttled_when_the_account_has_as_many_as_it_may(
    s3: "S3Client", tmp_path: Path
) -> None:
    """StartFlywheelIteration declares no other error for it."""
    clock = DrivenClock()
    with running(
        tmp_path, s3, clock=clock, pace_seconds=5.0, quotas=Quotas(active_iterations=1)
    ) as rig:
        flywheels = [rig.flywheel(waits=False) for _ in range(2)]
        clock.advance(5.0)
        until(
            lambda: {rig.described(arn)["Status"] for arn in flywheels},
            lambda states: states == {"ACTIVE"},
        )
        rig.begin_iteration(flywheels[0])
        with pytest.raises(ClientError) as refusal:
            rig.begin_iteration(flywheels[1])
    assert refusal.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


@pytest.mark.slow
def test_only_new_data_trains_when_the_engine_is_set_so(s3: "S3Client", tmp_path: Path) -> None:
    """The first model becomes active by itself with the other switch."""
    with running(tmp_path, s3, training_data="new", sets_first_active_model=True) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(30))
        rig.dataset(flywheel, rows(5, first=50), "TEST")
        first = rig.iterated(flywheel)
        assert rig.described(flywheel)["ActiveModelArn"] == first["TrainedModelArn"]
        assert "no new TRAIN dataset" in rig.iterated(flywheel)["Message"]
        rig.dataset(flywheel, rows(11, first=70))
        second = rig.iterated(flywheel)
        assert second["EvaluatedModelArn"] == first["TrainedModelArn"]
        described = rig.comprehend.describe_document_classifier(
            DocumentClassifierArn=second["TrainedModelArn"]
        )["DocumentClassifierProperties"]
        assert described["ClassifierMetadata"]["NumberOfTrainedDocuments"] == 22


def test_the_model_is_told_from_the_start_when_the_engine_is_set_so(
    s3: "S3Client", tmp_path: Path
) -> None:
    """The service's choice is not documented; by default, once the model is trained."""
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(30))
    for tells in (True, False):
        slow: dict[str, Any] = {"clock": DrivenClock(), "pace_seconds": 5.0}
        with running(tmp_path, s3, shows_model_in_training=tells, **slow) as rig:
            # The second engine goes on with what the first one has begun.
            begun = rig.described(flywheel).get("LatestFlywheelIteration")
            seen = rig.iteration(flywheel, begun or rig.begin_iteration(flywheel))
            assert (seen["Status"], "TrainedModelArn" in seen) == ("TRAINING", tells)


def test_the_history_is_newest_first_when_it_is_listed(rig: Rig) -> None:
    """It pages and filters by creation."""
    flywheel = rig.flywheel()
    ids = [rig.iterated(flywheel)["FlywheelIterationId"] for _ in range(2)]
    listed = rig.comprehend.list_flywheel_iteration_history
    first = listed(FlywheelArn=flywheel, MaxResults=1)
    rest = listed(FlywheelArn=flywheel, NextToken=first["NextToken"])
    returned = [*first["FlywheelIterationPropertiesList"], *rest["FlywheelIterationPropertiesList"]]
    assert [item["FlywheelIterationId"] for item in returned] == ids[::-1]
    after = returned[1]["CreationTime"] + timedelta(milliseconds=1)
    late = listed(FlywheelArn=flywheel, Filter={"CreationTimeAfter": after})
    assert [i["FlywheelIterationId"] for i in late["FlywheelIterationPropertiesList"]] == ids[1:]


def test_an_iteration_is_not_found_when_the_flywheel_has_none_of_that_id(rig: Rig) -> None:
    """The message names both."""
    with pytest.raises(ClientError, match="has no iteration 20200101T000000Z"):
        rig.iteration(rig.flywheel(), "20200101T000000Z")
