"""The flywheel operations, over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.clock import DrivenClock
from comprehend_engine.engine import Quotas
from engine_testing.rig import (
    BUCKET,
    LABELS,
    ROLE,
    Rig,
    classifier_task,
    entity_task,
    rows,
    running,
    until,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    """Return the code of a refusal."""
    return error.value.response["Error"]["Code"]


def test_labels_are_told_when_the_flywheel_is_active(s3: "S3Client", tmp_path: Path) -> None:
    """While it is CREATING only the language is."""
    clock = DrivenClock()
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        arn = rig.flywheel(waits=False)
        creating = rig.described(arn)
        assert creating["Status"] == "CREATING"
        assert "Labels" not in creating["TaskConfig"]["DocumentClassificationConfig"]
        clock.advance(5.0)
        active = until(lambda: rig.described(arn), lambda seen: seen["Status"] == "ACTIVE")
        assert active["TaskConfig"]["DocumentClassificationConfig"]["Labels"] == list(LABELS)
        assert "ActiveModelArn" not in active


def test_the_lake_is_begun_when_a_flywheel_is_active(rig: Rig) -> None:
    """Its two folders exist before any dataset."""
    lake = rig.described(rig.flywheel())["DataLakeS3Uri"]
    assert rig.in_lake(lake) == {"datasets/": "", "evaluation/": ""}


def test_the_flywheel_has_failed_when_its_lake_cannot_be_written(rig: Rig) -> None:
    """The message names the bucket and the role; such a flywheel can be deleted."""
    arn = rig.flywheel(DataLakeS3Uri="s3://absent-bucket/lake")
    failed = rig.described(arn)
    assert failed["Status"] == "FAILED"
    assert "NoSuchBucket" in failed["Message"]
    assert "bucket 'absent-bucket'" in failed["Message"]
    assert f"role {ROLE} needs s3:PutObject" in failed["Message"]
    rig.comprehend.delete_flywheel(FlywheelArn=arn)


@pytest.mark.parametrize("labels", [["COMEDY"], []])
def test_a_flywheel_is_active_when_few_labels_are_named(rig: Rig, labels: list[str]) -> None:
    """One label or none is accepted; an empty security configuration is returned as such."""
    active = rig.described(rig.flywheel(labels=labels))
    assert active["Status"] == "ACTIVE"
    config = active["TaskConfig"]["DocumentClassificationConfig"]
    assert config == {"Mode": "MULTI_CLASS", **({"Labels": labels} if labels else {})}
    assert active["DataSecurityConfig"] == {}


def test_the_iteration_fails_when_one_label_is_trained(rig: Rig) -> None:
    """A classifier needs two labels; the message explains that."""
    flywheel = rig.flywheel(labels=["billing"])
    rig.dataset(flywheel, rows(30))
    ended = rig.iterated(flywheel)
    assert ended["Status"] == "FAILED"
    assert "at least 2 labels are needed" in ended["Message"]


@pytest.mark.parametrize("mode", ["MULTI_CLASS", "MULTI_LABEL"])
def test_the_first_data_names_the_labels_when_nobody_did(rig: Rig, mode: str) -> None:
    """A dataset that fails sets none; later ones may only have those labels."""
    flywheel = rig.flywheel(**classifier_task(mode, []))
    few = rig.dataset(flywheel, [("odd", "one text")])
    assert few["Status"] == "FAILED"
    assert "odd (1)" in few["Message"]
    assert rig.dataset(flywheel, rows(30))["NumberOfDocuments"] == 60
    late = rig.dataset(flywheel, [("odd", f"text {number}") for number in range(30)])
    assert "No document has a label of the flywheel" in late["Message"]
    returned = rig.described(flywheel)["TaskConfig"]["DocumentClassificationConfig"]["Labels"]
    assert returned == ["billing", "delivery"]
    assert rig.iterated(flywheel)["Status"] == "COMPLETED"


def test_the_data_lake_has_the_services_suffix_when_it_is_described(rig: Rig) -> None:
    """Name, schema version and creation second follow what was given, slash or not."""
    lake = f"s3://{BUCKET}/x"
    seen = rig.described(rig.flywheel(FlywheelName="lake-form", DataLakeS3Uri=f"{lake}/"))
    created = seen["CreationTime"].astimezone(tz=None).timestamp()
    prefix, stamp = seen["DataLakeS3Uri"].rstrip("/").rsplit("/", 1)
    assert prefix == f"{lake}/lake-form/schemaVersion=1"
    assert len(stamp) == len("20230619T040032Z")
    assert created > 0


def test_the_same_flywheel_is_answered_when_a_token_is_repeated(rig: Rig) -> None:
    """With another token, the name is in use."""
    name: dict[str, Any] = {"FlywheelName": "repeated"}
    first = rig.flywheel(ClientRequestToken="once", **name)
    assert rig.flywheel(ClientRequestToken="once", **name) == first
    with pytest.raises(ClientError) as in_use:
        rig.flywheel(ClientRequestToken="twice", **name)
    assert refused(in_use) == "ResourceInUseException"
    with pytest.raises(ClientError) as other_request:
        rig.flywheel(ClientRequestToken="once", DataLakeS3Uri="s3://other-lake", **name)
    assert refused(other_request) == "InvalidRequestException"
    with pytest.raises(ClientError, match="was used for a different request") as other_name:
        rig.flywheel(ClientRequestToken="once", FlywheelName="repeated-by-another-name")
    assert refused(other_name) == "InvalidRequestException"


TASK: dict[str, Any] = {
    "LanguageCode": "en",
    "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": list(LABELS)},
}


CLASSES = {"DocumentClassificationConfig": TASK["DocumentClassificationConfig"]}
TYPES: dict[str, Any] = {"EntityRecognitionConfig": {"EntityTypes": [{"Type": "PERSON"}]}}


def task(**config: Any) -> dict[str, Any]:
    """Return a TaskConfig in English."""
    return {"TaskConfig": {"LanguageCode": "en", **config}}


def classes(mode: str, labels: list[str]) -> dict[str, Any]:
    """Return a classifier's TaskConfig."""
    return task(DocumentClassificationConfig={"Mode": mode, "Labels": labels})


@pytest.mark.parametrize(
    ("changed", "code", "expected"),
    [
        (
            {"ModelType": "ENTITY_RECOGNIZER"},
            "InvalidRequestException",
            r"TaskConfig\.DocumentClassificationConfig does not fit ModelType ENTITY_RECOGNIZER",
        ),
        (
            task(**CLASSES, **TYPES),
            "InvalidRequestException",
            r"EntityRecognitionConfig does not fit ModelType DOCUMENT_CLASSIFIER",
        ),
        (task(), "InvalidRequestException", r"DocumentClassificationConfig is missing"),
        (
            {"ModelType": "ENTITY_RECOGNIZER", **task()},
            "InvalidRequestException",
            r"EntityRecognitionConfig is missing",
        ),
        (classes("MULTI_CLASS", ["a", "b", "a"]), "InvalidRequestException", "once: a"),
        (
            classes("MULTI_LABEL", [str(number) for number in range(101)]),
            "InvalidRequestException",
            "MULTI_LABEL takes 100",
        ),
        (
            {
                "ModelType": "ENTITY_RECOGNIZER",
                **task(
                    EntityRecognitionConfig={
                        "EntityTypes": [{"Type": str(number)} for number in range(26)]
                    }
                ),
            },
            "InvalidRequestException",
            "EntityTypes has 26 types; it takes 1 to 25",
        ),
        ({"TaskConfig": {**TASK, "LanguageCode": "ja"}}, "UnsupportedLanguageException", "ja"),
        (
            {"ModelType": "ENTITY_RECOGNIZER", "TaskConfig": {"LanguageCode": "ar", **TYPES}},
            "UnsupportedLanguageException",
            "these have: en, es, fr, de, it, pt",
        ),
        ({"FlywheelName": "under_score"}, "InvalidRequestException", "regular expression"),
        ({"Tags": [{"Key": str(n)} for n in range(51)]}, "TooManyTagsException", "51 tags"),
    ],
)
def test_a_flywheel_is_refused_when_its_task_cannot_be(
    rig: Rig, changed: dict[str, Any], code: str, expected: str
) -> None:
    """The error names the member or the valid values."""
    with pytest.raises(ClientError, match=expected) as refusal:
        rig.flywheel(**changed)
    assert refused(refusal) == code


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "es", "fr", "it", "de", "pt"])
@pytest.mark.parametrize(
    "asked",
    [
        classifier_task("MULTI_CLASS", ["a", "b"]),
        classifier_task("MULTI_LABEL", ["a", "b c"]),
        entity_task(["PERSON", "PLACE"]),
    ],
    ids=["multi-class", "multi-label", "entities"],
)
def test_the_task_is_told_when_a_flywheel_is_described(
    s3: "S3Client", tmp_path: Path, asked: dict[str, Any], language: str
) -> None:
    """Describe returns the request's task, in each language of custom models."""
    asked = {**asked, "TaskConfig": {**asked["TaskConfig"], "LanguageCode": language}}
    with running(tmp_path, s3) as rig:
        seen = rig.described(rig.flywheel(**asked))
        (listed,) = rig.comprehend.list_flywheels()["FlywheelSummaryList"]
    assert seen["TaskConfig"] == asked["TaskConfig"]
    assert seen["ModelType"] == listed["ModelType"] == asked["ModelType"]


def test_a_flywheel_is_refused_when_the_account_has_as_many_as_it_may(
    s3: "S3Client", tmp_path: Path
) -> None:
    """The quota is a setting."""
    with running(tmp_path, s3, quotas=Quotas(flywheels=1)) as rig:
        rig.flywheel()
        with pytest.raises(ClientError) as refusal:
            rig.flywheel()
    assert refused(refusal) == "ResourceLimitExceededException"


KEYS = [f"1234abcd-12ab-34cd-56ef-00000000000{number}" for number in range(3)]


def test_only_what_is_given_changes_when_a_flywheel_is_updated(rig: Rig) -> None:
    """A new structure replaces the old one, except the lake's key, which cannot change."""
    security = {"ModelKmsKeyId": KEYS[0], "DataLakeKmsKeyId": KEYS[1]}
    arn = rig.flywheel(DataSecurityConfig=security)
    before = rig.described(arn)
    changed = rig.comprehend.update_flywheel(
        FlywheelArn=arn, DataSecurityConfig={"VolumeKmsKeyId": KEYS[2]}
    )["FlywheelProperties"]
    assert changed["DataSecurityConfig"] == {"VolumeKmsKeyId": KEYS[2], "DataLakeKmsKeyId": KEYS[1]}
    assert changed["DataAccessRoleArn"] == before["DataAccessRoleArn"] == ROLE


def test_a_model_becomes_active_when_it_is_trained_and_fits(rig: Rig) -> None:
    """An unknown one, or one of another task, does not."""
    flywheel, model = rig.trained()
    assert "ActiveModelArn" not in rig.described(flywheel)
    rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    assert rig.described(flywheel)["ActiveModelArn"] == model
    for task in (
        classifier_task("MULTI_CLASS", (*LABELS, "praise")),
        classifier_task("MULTI_LABEL", LABELS),
        classifier_task("MULTI_CLASS", LABELS, "de"),
        entity_task(LABELS),
    ):
        other = rig.flywheel(**task)
        with pytest.raises(ClientError, match="another configuration") as unfit:
            rig.comprehend.update_flywheel(FlywheelArn=other, ActiveModelArn=model)
        assert refused(unfit) == "InvalidRequestException"
    with pytest.raises(ClientError) as unknown:
        rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=f"{model}0")
    assert refused(unknown) == "ResourceNotFoundException"


def test_a_new_flywheel_inherits_the_data_when_it_begins_with_a_model(rig: Rig) -> None:
    """Task, labels and documents come along; the first iteration evaluates that model."""
    _, model = rig.trained()
    heir = rig.flywheel(ActiveModelArn=model)
    seen = rig.described(heir)
    assert (seen["Status"], seen["ActiveModelArn"]) == ("ACTIVE", model)
    assert seen["TaskConfig"]["DocumentClassificationConfig"]["Labels"] == list(LABELS)
    datasets = rig.comprehend.list_datasets(FlywheelArn=heir)["DatasetPropertiesList"]
    returned = {item["Description"] for item in datasets}
    assert returned == {
        f"{kind} Dataset created by Flywheel creation." for kind in ("TRAIN", "TEST")
    }
    assert {item["DatasetType"]: item["NumberOfDocuments"] for item in datasets} == {
        "TRAIN": 24,
        "TEST": 10,
    }
    ended = rig.iterated(heir)
    assert (ended["Status"], ended["EvaluatedModelArn"]) == ("COMPLETED", model)
    with pytest.raises(ClientError, match="Do not set TaskConfig"):
        rig.flywheel(ActiveModelArn=model, TaskConfig=TASK)


@pytest.mark.slow
def test_data_is_inherited_when_it_is_larger_in_the_lake_than_a_file_may_be(
    s3: "S3Client", tmp_path: Path
) -> None:
    """The quota is of files that are handed over; in the lake a dataset is one file."""
    with running(tmp_path, s3, quotas=Quotas(max_file_size_bytes=1500)) as rig:
        flywheel = rig.flywheel()
        for number in range(3):
            rig.put(f"in/large/{number}.csv", rows(15, first=15 * number))
        rig.ended_dataset(rig.begin_dataset(flywheel, f"s3://{BUCKET}/in/large/"))
        rig.dataset(flywheel, rows(5, first=90), "TEST")
        heir = rig.flywheel(ActiveModelArn=rig.iterated(flywheel)["TrainedModelArn"])
        assert rig.described(heir)["Status"] == "ACTIVE"


def test_a_flywheel_is_gone_but_its_models_stay_when_it_is_deleted(rig: Rig) -> None:
    """The lake stays as well, and the name may be used again."""
    flywheel, model = rig.trained()
    lake = rig.described(flywheel)["DataLakeS3Uri"].removeprefix(f"s3://{BUCKET}/")
    rig.comprehend.delete_flywheel(FlywheelArn=flywheel)

    def arns() -> list[str]:
        pages = rig.comprehend.list_flywheels(MaxResults=500)["FlywheelSummaryList"]
        return [item["FlywheelArn"] for item in pages]

    until(arns, lambda seen: flywheel not in seen)
    with pytest.raises(ClientError) as gone:
        rig.described(flywheel)
    assert refused(gone) == "ResourceNotFoundException"
    rig.comprehend.describe_document_classifier(DocumentClassifierArn=model)
    assert rig.s3.list_objects_v2(Bucket=BUCKET, Prefix=lake)["KeyCount"] > 0
    assert rig.flywheel(FlywheelName=flywheel.rsplit("/", 1)[-1]) == flywheel


def test_writes_are_refused_when_the_flywheel_is_not_active(s3: "S3Client", tmp_path: Path) -> None:
    """CREATING and DELETING only allow reads."""
    with running(tmp_path, s3, clock=DrivenClock(), pace_seconds=5.0) as rig:
        arn = rig.flywheel(waits=False)
        uri = rig.put("not-active.csv", rows(10))
        for write in (
            lambda: rig.comprehend.update_flywheel(FlywheelArn=arn, DataAccessRoleArn=ROLE),
            lambda: rig.begin_dataset(arn, uri),
            lambda: rig.begin_iteration(arn),
        ):
            with pytest.raises(ClientError, match="is CREATING") as refusal:
                write()
            assert refused(refusal) == "InvalidRequestException"
        with pytest.raises(ClientError) as unavailable:
            rig.comprehend.delete_flywheel(FlywheelArn=arn)
        assert refused(unavailable) == "ResourceUnavailableException"


def test_flywheels_are_filtered_when_a_status_is_asked(rig: Rig) -> None:
    """The list equals Describe."""
    arn = rig.flywheel()
    active = rig.comprehend.list_flywheels(Filter={"Status": "ACTIVE"}, MaxResults=500)
    assert arn in [item["FlywheelArn"] for item in active["FlywheelSummaryList"]]
    failed = rig.comprehend.list_flywheels(Filter={"Status": "FAILED"}, MaxResults=500)
    assert arn not in [item["FlywheelArn"] for item in failed["FlywheelSummaryList"]]
