"""The job operations, over HTTP: from files to an archive of answers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.clock import DrivenClock
from engine_testing.jobs import (
    answer_lines,
    classification_job,
    ended_job,
    entities_job,
    job_request,
    put_files,
)
from engine_testing.recognizers import trained_recognizer
from engine_testing.rig import ACCOUNT, BUCKET, LABELS, Rig, classifier_task, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture(scope="module")
def trained(rig: Rig) -> tuple[str, str]:
    """Have a flywheel with an active model."""
    flywheel, model = rig.trained()
    rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    return flywheel, model


@pytest.mark.slow
def test_each_line_is_classified_when_a_job_takes_lines(rig: Rig, trained: tuple[str, str]) -> None:
    """Every end of line counts, blank lines too; the archive lies where the service puts it."""
    uri = put_files(rig, a="card refund\r\n\nparcel courier\rinvoice\n", b="box\u2028arrived")
    request = job_request(uri, JobName="weekly", FlywheelArn=trained[0], Tags=[{"Key": "team"}])
    started = rig.comprehend.start_document_classification_job(**request)
    assert (started["JobStatus"], started["DocumentClassifierArn"]) == ("SUBMITTED", trained[1])
    job = ended_job(lambda: classification_job(rig, started["JobId"]))
    assert job["JobStatus"] == "COMPLETED", job
    assert job["OutputDataConfig"]["S3Uri"] == (
        f"s3://{BUCKET}/answers/{ACCOUNT}-CLN-{started['JobId']}/output/output.tar.gz"
    )
    assert (job["JobName"], job["FlywheelArn"]) == ("weekly", trained[0])
    lines = answer_lines(rig, job, "predictions.jsonl")
    places = [("a.txt", "0"), ("a.txt", "1"), ("a.txt", "2"), ("a.txt", "3"), ("b.txt", "0")]
    assert [(line["File"], line["Line"]) for line in lines] == places
    best = [line["Classes"][0]["Name"] for line in lines]
    assert [best[0], *best[2:]] == ["billing", "delivery", "billing", "delivery"]
    tags = rig.comprehend.list_tags_for_resource(ResourceArn=started["JobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": ""}]


@pytest.mark.slow
def test_each_file_is_classified_when_a_job_takes_files(rig: Rig, trained: tuple[str, str]) -> None:
    """There is no line number; more documents than one batch keep their order."""
    uri = put_files(rig, a="card\nrefund", b="parcel\ncourier")
    request = job_request(uri, "ONE_DOC_PER_FILE", DocumentClassifierArn=trained[1])
    started = rig.comprehend.start_document_classification_job(**request)
    job = ended_job(lambda: classification_job(rig, started["JobId"]))
    lines = answer_lines(rig, job, "predictions.jsonl")
    assert [(line["File"], line["Classes"][0]["Name"]) for line in lines] == [
        ("a.txt", "billing"),
        ("b.txt", "delivery"),
    ]
    assert all("Line" not in line for line in lines)
    many = put_files(rig, a="\n".join(f"parcel {number}" for number in range(450)))
    started = rig.comprehend.start_document_classification_job(
        **job_request(many, DocumentClassifierArn=trained[1])
    )
    job = ended_job(lambda: classification_job(rig, started["JobId"]))
    numbers = [int(line["Line"]) for line in answer_lines(rig, job, "predictions.jsonl")]
    assert numbers == list(range(450))


def test_the_states_pass_when_a_job_runs(s3: "S3Client", tmp_path: Path) -> None:
    """SUBMITTED and IN_PROGRESS can be seen, also over a restart; the model is in use."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        _, model = rig.trained()
        uri = put_files(rig, a="parcel")
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        started = rig.comprehend.start_document_classification_job(
            **job_request(uri, DocumentClassifierArn=model)
        )
        assert classification_job(rig, started["JobId"])["JobStatus"] == "SUBMITTED"
        with pytest.raises(ClientError, match="is in use: job"):
            rig.comprehend.delete_document_classifier(DocumentClassifierArn=model)
        clock.advance(5.0)
        until(
            lambda: classification_job(rig, started["JobId"])["JobStatus"],
            lambda status: status == "IN_PROGRESS",
        )
    with running(tmp_path, s3, clock=clock) as rig:
        job = ended_job(lambda: classification_job(rig, started["JobId"]))
        assert job["JobStatus"] == "COMPLETED"
        assert len(answer_lines(rig, job, "predictions.jsonl")) == 1


@pytest.fixture(scope="module")
def recognizer(rig: Rig) -> tuple[str, str]:
    """Have a flywheel whose active model finds cities."""
    return trained_recognizer(rig)


def test_entities_are_told_when_a_recognizer_is_asked(
    rig: Rig, recognizer: tuple[str, str]
) -> None:
    """Lines are numbers here; offsets are characters, and the end is exclusive."""
    uri = put_files(rig, a="order 7 goes to Rome today\n\u00e0 Rome\nnothing")
    request = job_request(uri, LanguageCode="en", FlywheelArn=recognizer[0])
    started = rig.comprehend.start_entities_detection_job(**request)
    assert started["EntityRecognizerArn"] == recognizer[1]
    job = ended_job(lambda: entities_job(rig, started["JobId"]))
    assert job["JobStatus"] == "COMPLETED", job
    assert f"{ACCOUNT}-NER-{started['JobId']}/" in job["OutputDataConfig"]["S3Uri"]
    lines = answer_lines(rig, job, "output")
    assert [line["Line"] for line in lines] == [0, 1, 2]
    (first,) = lines[0]["Entities"]
    assert (first["Text"], first["Type"]) == ("Rome", "CITY")
    assert (first["BeginOffset"], first["EndOffset"]) == (16, 20)
    assert 0.5 < first["Score"] <= 1.0


def test_all_labels_are_told_when_the_model_has_several_a_document(rig: Rig) -> None:
    """By a job as Labels; each has a score of its own."""
    flywheel = rig.flywheel(**classifier_task("MULTI_LABEL", LABELS))
    documents = rows(30)
    documents += [
        ("billing|delivery", f"{a} {b}")
        for (_, a), (_, b) in zip(documents[::2], documents[1::2], strict=True)
    ]
    rig.dataset(flywheel, documents)
    model = rig.iterated(flywheel)["TrainedModelArn"]
    uri = put_files(rig, a="invoice refund card parcel courier address")
    started = rig.comprehend.start_document_classification_job(
        **job_request(uri, DocumentClassifierArn=model)
    )
    job = ended_job(lambda: classification_job(rig, started["JobId"]))
    (line,) = answer_lines(rig, job, "predictions.jsonl")
    scores = {label["Name"]: label["Score"] for label in line["Labels"]}
    assert set(scores) == set(LABELS)
    assert min(scores.values()) > 0.5


@pytest.mark.slow
def test_a_job_ends_stopped_when_it_is_stopped(s3: "S3Client", tmp_path: Path) -> None:
    """STOP_REQUESTED can be seen; a repeat does nothing, and what has ended is refused."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        flywheel, _ = trained_recognizer(rig)
        request = job_request(put_files(rig, a="Rome"), LanguageCode="en", FlywheelArn=flywheel)
        done = rig.comprehend.start_entities_detection_job(**request)["JobId"]
        ended_job(lambda: entities_job(rig, done))
        with pytest.raises(ClientError, match="is COMPLETED; it cannot be stopped"):
            rig.comprehend.stop_entities_detection_job(JobId=done)
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        job = rig.comprehend.start_entities_detection_job(**request)["JobId"]
        stop = rig.comprehend.stop_entities_detection_job
        assert stop(JobId=job)["JobStatus"] == stop(JobId=job)["JobStatus"] == "STOP_REQUESTED"
        clock.advance(5.0)
        seen = ended_job(lambda: entities_job(rig, job))
        assert seen["JobStatus"] == "STOPPED"
        assert answer_lines(rig, seen, "output") == []
        assert stop(JobId=job)["JobStatus"] == "STOPPED"


@pytest.mark.parametrize(
    ("key", "body", "expected"),
    [("none/", None, "no object whose key begins"), ("latin.txt", b"caf\xe9", "is not UTF-8")],
)
def test_a_job_fails_when_its_input_cannot_be_read(
    rig: Rig, trained: tuple[str, str], key: str, body: bytes | None, expected: str
) -> None:
    """The message names the problem and the file."""
    if body is not None:
        rig.s3.put_object(Bucket=BUCKET, Key=f"unreadable/{key}", Body=body)
    request = job_request(f"s3://{BUCKET}/unreadable/{key}", DocumentClassifierArn=trained[1])
    started = rig.comprehend.start_document_classification_job(**request)
    job = ended_job(lambda: classification_job(rig, started["JobId"]))
    assert job["JobStatus"] == "FAILED"
    assert expected in job["Message"]


def test_jobs_are_filtered_when_they_are_listed(rig: Rig, trained: tuple[str, str]) -> None:
    """By name, status or time, one at a time; a token answers with the job that it made."""
    request = job_request(put_files(rig, a="parcel"), JobName="listed one", FlywheelArn=trained[0])
    start = rig.comprehend.start_document_classification_job
    first = start(**request, ClientRequestToken="listed")["JobId"]
    assert start(**request, ClientRequestToken="listed")["JobId"] == first
    second = start(**request)["JobId"]
    ended_job(lambda: classification_job(rig, first))
    ended_job(lambda: classification_job(rig, second))
    ask: Any = rig.comprehend.list_document_classification_jobs

    def listed(**chosen: Any) -> list[str]:
        answer = ask(Filter=chosen)
        return [job["JobId"] for job in answer["DocumentClassificationJobPropertiesList"]]

    assert set(listed(JobName="listed one")) == {first, second}
    assert {first, second} <= set(listed(JobStatus="COMPLETED"))
    assert listed(SubmitTimeAfter=datetime.now(UTC) + timedelta(days=1)) == []
    with pytest.raises(ClientError, match="InvalidFilterException"):
        listed(JobName="a", JobStatus="COMPLETED")


def test_a_job_is_refused_when_it_has_nothing_to_use(rig: Rig, trained: tuple[str, str]) -> None:
    """No model, two of them, one that is not there, none of a flywheel, no room, no text."""
    flywheel, model = trained
    both = {"DocumentClassifierArn": model, "FlywheelArn": flywheel}
    reader = {"DocumentReadAction": "TEXTRACT_DETECT_DOCUMENT_TEXT"}
    far = {"OutputDataConfig": {"S3Uri": f"s3://bucket/{'o' * 1000}"}}
    native = {"InputDataConfig": {"S3Uri": "s3://bucket/", "DocumentReaderConfig": reader}}
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "InvalidRequestException"),
        (both, "InvalidRequestException"),
        ({"DocumentClassifierArn": f"{model}0"}, "ResourceNotFoundException"),
        ({"FlywheelArn": rig.flywheel()}, "ResourceUnavailableException"),
        ({"FlywheelArn": flywheel, **native}, "InvalidRequestException"),
        ({"FlywheelArn": flywheel, "JobName": "a,b"}, "InvalidRequestException"),
        ({"FlywheelArn": flywheel, **far}, "InvalidRequestException"),
    ]
    for more, code in cases:
        with pytest.raises(ClientError) as refusal:
            rig.comprehend.start_document_classification_job(
                **{**job_request("s3://bucket/in/"), **more}
            )
        assert refusal.value.response["Error"]["Code"] == code, more
    with pytest.raises(ClientError, match="of another kind"):
        rig.comprehend.start_entities_detection_job(
            **job_request("s3://bucket/in/", LanguageCode="en", FlywheelArn=flywheel)
        )
