"""The job operations, over HTTP: from files to an archive of answers."""

import io
import json
import random
import tarfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.clock import DrivenClock
from comprehend_engine.records import Job
from comprehend_engine.store import Store
from engine_testing.recognizers import trained_recognizer
from engine_testing.rig import (
    BUCKET,
    LABELS,
    ROLE,
    Rig,
    classifier_task,
    rows,
    running,
    until,
)
from flywheel.labeled_documents import Row as Document
from flywheel.scored_documents import tallies
from flywheel.shapes import Shape
from flywheel.test_documents import answers_of, scored

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ACCOUNT = "123456789012"
_numbers = count(1)


def files(rig: Rig, **contents: str) -> str:
    """Write files to a prefix of their own; return its URI."""
    prefix = f"jobs/{next(_numbers)}/"
    for name, content in contents.items():
        rig.s3.put_object(Bucket=BUCKET, Key=f"{prefix}{name}.txt", Body=content.encode())
    return f"s3://{BUCKET}/{prefix}"


def asked(uri: str, layout: str = "ONE_DOC_PER_LINE", **more: Any) -> dict[str, Any]:
    """Return the request of a job."""
    return {
        "InputDataConfig": {"S3Uri": uri, "InputFormat": layout},
        "OutputDataConfig": {"S3Uri": f"s3://{BUCKET}/answers/"},
        "DataAccessRoleArn": ROLE,
        **more,
    }


def classification(rig: Rig, job: str) -> Mapping[str, Any]:
    """Describe a classification job."""
    answer = rig.comprehend.describe_document_classification_job(JobId=job)
    return answer["DocumentClassificationJobProperties"]


def entities(rig: Rig, job: str) -> Mapping[str, Any]:
    """Describe an entities job."""
    answer = rig.comprehend.describe_entities_detection_job(JobId=job)
    return answer["EntitiesDetectionJobProperties"]


def ended(look: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a job's description once it has ended."""
    return until(look, lambda seen: "EndTime" in seen)


def told(rig: Rig, job: Mapping[str, Any], name: str) -> Sequence[Any]:
    """Return the lines of the one file in a job's archive."""
    uri = job["OutputDataConfig"]["S3Uri"]
    key = uri.removeprefix(f"s3://{BUCKET}/")
    archive = rig.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        assert tar.getnames() == [name]
        content = tar.extractfile(name)
        assert content is not None
        return [json.loads(line) for line in content.read().decode().splitlines()]


@pytest.fixture(scope="module")
def trained(rig: Rig) -> tuple[str, str]:
    """Have a flywheel with an active model."""
    flywheel, model = rig.trained()
    rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    return flywheel, model


def test_each_line_is_classified_when_a_job_takes_lines(rig: Rig, trained: tuple[str, str]) -> None:
    """Every end of line counts, blank lines too; the archive lies where the service puts it."""
    uri = files(rig, a="card refund\r\n\nparcel courier\rinvoice\n", b="box\u2028arrived")
    request = asked(uri, JobName="weekly", FlywheelArn=trained[0], Tags=[{"Key": "team"}])
    started = rig.comprehend.start_document_classification_job(**request)
    assert (started["JobStatus"], started["DocumentClassifierArn"]) == ("SUBMITTED", trained[1])
    job = ended(lambda: classification(rig, started["JobId"]))
    assert job["JobStatus"] == "COMPLETED", job
    assert job["OutputDataConfig"]["S3Uri"] == (
        f"s3://{BUCKET}/answers/{ACCOUNT}-CLN-{started['JobId']}/output/output.tar.gz"
    )
    assert (job["JobName"], job["FlywheelArn"]) == ("weekly", trained[0])
    lines = told(rig, job, "predictions.jsonl")
    places = [("a.txt", "0"), ("a.txt", "1"), ("a.txt", "2"), ("a.txt", "3"), ("b.txt", "0")]
    assert [(line["File"], line["Line"]) for line in lines] == places
    best = [line["Classes"][0]["Name"] for line in lines]
    assert [best[0], *best[2:]] == ["billing", "delivery", "billing", "delivery"]
    tags = rig.comprehend.list_tags_for_resource(ResourceArn=started["JobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": ""}]


def test_each_file_is_classified_when_a_job_takes_files(rig: Rig, trained: tuple[str, str]) -> None:
    """No line is told; more documents than are asked at once keep their order."""
    uri = files(rig, a="card\nrefund", b="parcel\ncourier")
    request = asked(uri, "ONE_DOC_PER_FILE", DocumentClassifierArn=trained[1])
    started = rig.comprehend.start_document_classification_job(**request)
    job = ended(lambda: classification(rig, started["JobId"]))
    lines = told(rig, job, "predictions.jsonl")
    assert [(line["File"], line["Classes"][0]["Name"]) for line in lines] == [
        ("a.txt", "billing"),
        ("b.txt", "delivery"),
    ]
    assert all("Line" not in line for line in lines)
    many = files(rig, a="\n".join(f"parcel {number}" for number in range(450)))
    started = rig.comprehend.start_document_classification_job(
        **asked(many, DocumentClassifierArn=trained[1])
    )
    job = ended(lambda: classification(rig, started["JobId"]))
    numbers = [int(line["Line"]) for line in told(rig, job, "predictions.jsonl")]
    assert numbers == list(range(450))


def test_the_states_pass_when_a_job_runs(s3: "S3Client", tmp_path: Path) -> None:
    """SUBMITTED and IN_PROGRESS can be seen, also over a restart; the model is in use."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        _, model = rig.trained()
        uri = files(rig, a="parcel")
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        started = rig.comprehend.start_document_classification_job(
            **asked(uri, DocumentClassifierArn=model)
        )
        assert classification(rig, started["JobId"])["JobStatus"] == "SUBMITTED"
        with pytest.raises(ClientError, match="is in use: job"):
            rig.comprehend.delete_document_classifier(DocumentClassifierArn=model)
        clock.advance(5.0)
        until(
            lambda: classification(rig, started["JobId"])["JobStatus"],
            lambda status: status == "IN_PROGRESS",
        )
    with running(tmp_path, s3, clock=clock) as rig:
        job = ended(lambda: classification(rig, started["JobId"]))
        assert job["JobStatus"] == "COMPLETED"
        assert len(told(rig, job, "predictions.jsonl")) == 1


@pytest.fixture(scope="module")
def recognizer(rig: Rig) -> tuple[str, str]:
    """Have a flywheel whose active model finds cities."""
    return trained_recognizer(rig)


def test_entities_are_told_when_a_recognizer_is_asked(
    rig: Rig, recognizer: tuple[str, str]
) -> None:
    """Lines are numbers here; offsets are characters, and the end is exclusive."""
    uri = files(rig, a="order 7 goes to Rome today\n\u00e0 Rome\nnothing")
    request = asked(uri, LanguageCode="en", FlywheelArn=recognizer[0])
    started = rig.comprehend.start_entities_detection_job(**request)
    assert started["EntityRecognizerArn"] == recognizer[1]
    job = ended(lambda: entities(rig, started["JobId"]))
    assert job["JobStatus"] == "COMPLETED", job
    assert f"{ACCOUNT}-NER-{started['JobId']}/" in job["OutputDataConfig"]["S3Uri"]
    lines = told(rig, job, "output")
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
    uri = files(rig, a="invoice refund card parcel courier address")
    started = rig.comprehend.start_document_classification_job(
        **asked(uri, DocumentClassifierArn=model)
    )
    job = ended(lambda: classification(rig, started["JobId"]))
    (line,) = told(rig, job, "predictions.jsonl")
    scores = {label["Name"]: label["Score"] for label in line["Labels"]}
    assert set(scores) == set(LABELS)
    assert min(scores.values()) > 0.5


def test_answers_count_what_the_iteration_counted_when_labels_are_several(rig: Rig) -> None:
    """Half of each label is forgotten, so a model gives labels that are less likely than not."""
    chooser = random.Random(7)
    documents = [
        ("|".join(kept), " ".join(text for _, text in chosen))
        for chosen in (chooser.sample(rows(20), chooser.randint(1, 3)) for _ in range(1200))
        if (kept := sorted({label for label, _ in chosen if chooser.random() < 0.5}))
    ]
    training, test = documents[:400], [Document(*row) for row in documents[400:600]]
    flywheel = rig.flywheel(**classifier_task("MULTI_LABEL", LABELS))
    rig.dataset(flywheel, training)
    rig.dataset(flywheel, documents[400:600], "TEST")
    iteration = rig.iterated(flywheel)
    uri = files(rig, test="".join(f"{row.text}\n" for row in test))
    started = rig.comprehend.start_document_classification_job(
        **asked(uri, DocumentClassifierArn=iteration["TrainedModelArn"])
    )
    lines = told(rig, ended(lambda: classification(rig, started["JobId"])), "predictions.jsonl")
    shape = Shape(mode="multi-label")
    answers = answers_of(map(json.dumps, lines), len(test))
    _, tally = tallies([*scored(test, None, answers, shape)], kind="multi-label", labels=2)
    averages = iteration["TrainedModelMetrics"]
    assert averages == pytest.approx({name: tally.metric(name) for name in averages}, abs=1e-12)
    given = [label["Score"] for line in lines for label in line["Labels"] if label["Score"] >= 0.5]
    assert 0.5 <= min(given) < 0.51
    assert len(set(given)) > len(LABELS)


def test_a_job_ends_stopped_when_it_is_stopped(s3: "S3Client", tmp_path: Path) -> None:
    """STOP_REQUESTED can be seen; a repeat does nothing, and what has ended is refused."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        flywheel, _ = trained_recognizer(rig)
        request = asked(files(rig, a="Rome"), LanguageCode="en", FlywheelArn=flywheel)
        done = rig.comprehend.start_entities_detection_job(**request)["JobId"]
        ended(lambda: entities(rig, done))
        with pytest.raises(ClientError, match="is COMPLETED; it cannot be stopped"):
            rig.comprehend.stop_entities_detection_job(JobId=done)
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        job = rig.comprehend.start_entities_detection_job(**request)["JobId"]
        stop = rig.comprehend.stop_entities_detection_job
        assert stop(JobId=job)["JobStatus"] == stop(JobId=job)["JobStatus"] == "STOP_REQUESTED"
        clock.advance(5.0)
        seen = ended(lambda: entities(rig, job))
        assert seen["JobStatus"] == "STOPPED"
        assert told(rig, seen, "output") == []
        assert stop(JobId=job)["JobStatus"] == "STOPPED"


@pytest.mark.parametrize(
    ("key", "body", "said"),
    [("none/", None, "no object whose key begins"), ("latin.txt", b"caf\xe9", "is not UTF-8")],
)
def test_a_job_fails_when_its_input_cannot_be_read(
    rig: Rig, trained: tuple[str, str], key: str, body: bytes | None, said: str
) -> None:
    """The message says what and where."""
    if body is not None:
        rig.s3.put_object(Bucket=BUCKET, Key=f"unreadable/{key}", Body=body)
    request = asked(f"s3://{BUCKET}/unreadable/{key}", DocumentClassifierArn=trained[1])
    started = rig.comprehend.start_document_classification_job(**request)
    job = ended(lambda: classification(rig, started["JobId"]))
    assert job["JobStatus"] == "FAILED"
    assert said in job["Message"]


def test_jobs_are_filtered_when_they_are_listed(rig: Rig, trained: tuple[str, str]) -> None:
    """By name, status or time, one at a time; a token answers with the job that it made."""
    request = asked(files(rig, a="parcel"), JobName="listed one", FlywheelArn=trained[0])
    start = rig.comprehend.start_document_classification_job
    first = start(**request, ClientRequestToken="listed")["JobId"]
    assert start(**request, ClientRequestToken="listed")["JobId"] == first
    second = start(**request)["JobId"]
    ended(lambda: classification(rig, first))
    ended(lambda: classification(rig, second))
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
            rig.comprehend.start_document_classification_job(**{**asked("s3://bucket/in/"), **more})
        assert refusal.value.response["Error"]["Code"] == code, more
    with pytest.raises(ClientError, match="of another kind"):
        rig.comprehend.start_entities_detection_job(
            **asked("s3://bucket/in/", LanguageCode="en", FlywheelArn=flywheel)
        )


def test_a_job_is_told_without_its_archive_when_no_answer_could_name_it(
    s3: "S3Client", tmp_path: Path
) -> None:
    """One that an older engine kept: the list is answered, and the message has the URI."""
    archive = f"s3://{BUCKET}/{'a' * 1100}/output.tar.gz"
    kept = Job(
        job_id="0" * 32,
        arn=f"arn:aws:comprehend:us-east-1:{ACCOUNT}:document-classification-job/{'0' * 32}",
        kind="CLN",
        status="FAILED",
        model_arn=f"arn:aws:comprehend:us-east-1:{ACCOUNT}:document-classifier/a/version/b",
        output_s3_uri=archive,
        request=asked(f"s3://{BUCKET}/in"),
        submit_time=1.0,
        message="No such model.",
    )
    with closing(Store(tmp_path / "engine.sqlite3")) as store:
        store.save(kept)
    with running(tmp_path, s3) as rig:
        (told,) = rig.comprehend.list_document_classification_jobs()[
            "DocumentClassificationJobPropertiesList"
        ]
        assert told == classification(rig, kept.job_id)
    assert "OutputDataConfig" not in told
    assert told["Message"].startswith("No such model. The archive's URI is too long")
    assert told["Message"].endswith(archive)
