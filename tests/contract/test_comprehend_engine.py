"""The engine against botocore's model: every answer has its shape."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from engine_testing.recognizers import trained_recognizer
from engine_testing.rig import (
    BUCKET,
    LABELS,
    ROLE,
    Rig,
    classifier_task,
    entities_at,
    entity_task,
    manifest_at,
    rows,
    until,
)
from tests.contract.public_answers import PUBLIC_ANSWERS
from tests.contract.refusals import MODEL, SERVED

KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001"
VPC: Any = {"SecurityGroupIds": ["sg-00000001"], "Subnets": ["subnet-00000001"]}
NEW_SECURITY: Any = {"ModelKmsKeyId": KEY, "VolumeKmsKeyId": KEY, "VpcConfig": VPC}
SECURITY = {**NEW_SECURITY, "DataLakeKmsKeyId": KEY}


@dataclass(slots=True)
class Seen:
    """Every answer that a client got, as it came."""

    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def listen(self, http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        """Keep an answer."""
        if http_response.status_code == 200:
            self.answers.append((model.name, json.loads(http_response.content)))


@pytest.fixture
def seen(rig: Rig) -> Seen:
    """Keep what the engine answers during a test."""
    seen = Seen()
    rig.comprehend.meta.events.register("after-call.comprehend", seen.listen)
    return seen


def wrong_enums(value: Any, shape: Shape, path: str) -> list[str]:
    """Return the values that are not in the enum of their shape, which botocore does not check."""
    if isinstance(shape, StructureShape):
        unknown = [f"{path}.{name}" for name in value if name not in shape.members]
        members = [(value[name], member) for name, member in shape.members.items() if name in value]
        return unknown + [
            wrong for item, member in members for wrong in wrong_enums(item, member, path)
        ]
    if isinstance(shape, ListShape):
        return [wrong for item in value for wrong in wrong_enums(item, shape.member, path)]
    # A custom model has the types that it was trained with, which no enum can name.
    if not isinstance(shape, StringShape) or shape.name == "EntityType":
        return []
    wrong = bool(shape.enum) and value not in shape.enum
    return [f"{path}: {value}"] if wrong else []


def live_a_life(rig: Rig) -> None:
    """Use every served operation, in every state a flywheel passes through."""
    comprehend = rig.comprehend
    flywheel = rig.flywheel(DataSecurityConfig=SECURITY)
    rig.dataset(flywheel, rows(12))
    rig.dataset(flywheel, rows(5, first=50), "TEST")
    model = rig.iterated(flywheel)["TrainedModelArn"]
    comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    comprehend.describe_flywheel(FlywheelArn=flywheel)
    rig.begin_dataset(flywheel, rig.put("in/described.csv", rows(1)), Description="more")
    rig.iterated(flywheel)
    comprehend.list_datasets(FlywheelArn=flywheel)
    comprehend.list_flywheel_iteration_history(FlywheelArn=flywheel, MaxResults=1)
    comprehend.describe_document_classifier(DocumentClassifierArn=model)
    comprehend.list_document_classifiers()
    comprehend.list_document_classifier_summaries(MaxResults=1)
    learn_other_tasks(rig)
    serve_and_end(rig, flywheel, model)
    analyze(rig, model)
    tag_stop_and_delete(rig, flywheel)
    rig.iterated(rig.flywheel())
    comprehend.list_flywheels()
    comprehend.delete_flywheel(FlywheelArn=flywheel)
    until(
        lambda: [s["FlywheelArn"] for s in comprehend.list_flywheels()["FlywheelSummaryList"]],
        lambda arns: flywheel not in arns,
    )


def learn_other_tasks(rig: Rig) -> None:
    """Train a classifier with several labels from a manifest, and a recognizer from a list."""
    comprehend = rig.comprehend
    several = rig.flywheel(**classifier_task("MULTI_LABEL", LABELS))
    lines = [
        {"source": text, "kind": [0], "kind-metadata": {"class-map": {"0": label}}}
        for label, text in rows(30)
    ]
    manifest = rig.put_text("contract.manifest", "".join(f"{json.dumps(row)}\n" for row in lines))
    config = manifest_at(manifest, "kind")
    rig.ended_dataset(rig.begin_dataset(several, manifest, InputDataConfig=config))
    arn = rig.iterated(several)["TrainedModelArn"]
    comprehend.describe_document_classifier(DocumentClassifierArn=arn)
    names = rig.flywheel(**entity_task(["CITY"], "it"))
    texts = "".join(f"{number} is in Rome\n" for number in range(250))
    config = entities_at(
        rig.put_text("contract.txt", texts),
        EntityList=rig.put_text("contract-list.csv", "Text,Type\nRome,CITY\n"),
    )
    rig.ended_dataset(rig.begin_dataset(names, "", InputDataConfig=config))
    arn = rig.iterated(names)["TrainedModelArn"]
    comprehend.describe_flywheel(FlywheelArn=names)
    comprehend.describe_entity_recognizer(EntityRecognizerArn=arn)
    comprehend.list_entity_recognizers(MaxResults=1)
    comprehend.list_entity_recognizer_summaries(MaxResults=1)


def serve_and_end(rig: Rig, flywheel: str, model: str) -> None:
    """Use every operation on endpoints, in every state an endpoint passes through."""
    comprehend = rig.comprehend
    arn = comprehend.create_endpoint(
        EndpointName="contract",
        FlywheelArn=flywheel,
        DesiredInferenceUnits=1,
        DataAccessRoleArn=ROLE,
    )["EndpointArn"]

    def await_service() -> None:
        until(
            lambda: comprehend.describe_endpoint(EndpointArn=arn)["EndpointProperties"]["Status"],
            lambda status: status == "IN_SERVICE",
        )

    await_service()
    comprehend.classify_document(Text="refund", EndpointArn=arn)
    comprehend.classify_document(Bytes=b"refund", EndpointArn=arn)
    comprehend.update_endpoint(EndpointArn=arn, DesiredModelArn=model)
    comprehend.list_endpoints(MaxResults=1)
    await_service()
    comprehend.delete_endpoint(EndpointArn=arn)
    until(lambda: comprehend.list_endpoints()["EndpointPropertiesList"], lambda left: not left)


def stop_training_a_recognizer(rig: Rig) -> str:
    """Return a trained recognizer, once the training of a next version was stopped."""
    flywheel, recognizer = trained_recognizer(rig)
    rig.comprehend.update_flywheel(FlywheelArn=flywheel, DataSecurityConfig=NEW_SECURITY)
    iteration = rig.begin_iteration(flywheel)
    listed = rig.comprehend.list_entity_recognizers(Filter={"Status": "TRAINING"})
    (arn,) = (item["EntityRecognizerArn"] for item in listed["EntityRecognizerPropertiesList"])
    rig.comprehend.stop_training_entity_recognizer(EntityRecognizerArn=arn)
    until(lambda: rig.iteration(flywheel, iteration), lambda seen: "EndTime" in seen)
    rig.comprehend.describe_entity_recognizer(EntityRecognizerArn=arn)
    return recognizer


def classify(rig: Rig, model: str, request: dict[str, Any], *, until_it_has: str) -> None:
    """Run a classification job until it has a member."""
    comprehend = rig.comprehend
    job = comprehend.start_document_classification_job(DocumentClassifierArn=model, **request)
    until(
        lambda: comprehend.describe_document_classification_job(JobId=job["JobId"]),
        lambda seen: until_it_has in seen["DocumentClassificationJobProperties"],
    )


def detect(
    rig: Rig, recognizer: str, request: dict[str, Any], *, until_it_has: str, stops: bool = False
) -> None:
    """Run an entities job until it has a member; stop it at once, or not."""
    comprehend = rig.comprehend
    job = comprehend.start_entities_detection_job(
        EntityRecognizerArn=recognizer, LanguageCode="en", **request
    )["JobId"]
    if stops:
        comprehend.stop_entities_detection_job(JobId=job)
        comprehend.list_entities_detection_jobs()
    until(
        lambda: comprehend.describe_entities_detection_job(JobId=job),
        lambda seen: until_it_has in seen["EntitiesDetectionJobProperties"],
    )


def detect_at_an_endpoint(rig: Rig, recognizer: str) -> None:
    """Serve a recognizer at an endpoint, use it and delete it."""
    comprehend = rig.comprehend
    arn = comprehend.create_endpoint(
        EndpointName="names", ModelArn=recognizer, DesiredInferenceUnits=1
    )["EndpointArn"]
    until(
        lambda: comprehend.describe_endpoint(EndpointArn=arn)["EndpointProperties"]["Status"],
        lambda status: status == "IN_SERVICE",
    )
    text = "order 7 goes to Rome today"
    assert comprehend.detect_entities(Text=text, EndpointArn=arn)["Entities"]
    comprehend.delete_endpoint(EndpointArn=arn)
    until(lambda: comprehend.list_endpoints()["EndpointPropertiesList"], lambda left: not left)


def analyze(rig: Rig, model: str) -> None:
    """Use every operation on jobs, and those on recognizers."""
    comprehend = rig.comprehend
    recognizer = stop_training_a_recognizer(rig)
    rig.s3.put_object(Bucket=BUCKET, Key="contract/in.txt", Body=b"Ana went to Rome")
    request: dict[str, Any] = {
        "JobName": "contract",
        "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/in.txt"},
        "OutputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/out", "KmsKeyId": KEY},
        "DataAccessRoleArn": ROLE,
        "VolumeKmsKeyId": KEY,
        "VpcConfig": VPC,
    }
    # Without input, a job of each kind is FAILED with a message.
    nowhere = {**request, "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/nothing"}}
    for sent, member in ((nowhere, "Message"), (request, "EndTime")):
        classify(rig, model, sent, until_it_has=member)
        detect(rig, recognizer, sent, until_it_has=member)
    comprehend.list_document_classification_jobs()
    detect_at_an_endpoint(rig, recognizer)
    # Enough to be in progress when the stop arrives.
    rig.s3.put_object(Bucket=BUCKET, Key="contract/in.txt", Body=b"off to Rome\n" * 20_000)
    detect(rig, recognizer, request, until_it_has="EndTime", stops=True)
    flywheel = comprehend.describe_entity_recognizer(EntityRecognizerArn=recognizer)
    comprehend.delete_flywheel(FlywheelArn=flywheel["EntityRecognizerProperties"]["FlywheelArn"])
    comprehend.delete_entity_recognizer(EntityRecognizerArn=recognizer)


def tag_stop_and_delete(rig: Rig, flywheel: str) -> None:
    """Use every operation on tags and on the end of models."""
    comprehend = rig.comprehend
    comprehend.tag_resource(ResourceArn=flywheel, Tags=[{"Key": "team", "Value": "support"}])
    comprehend.list_tags_for_resource(ResourceArn=flywheel)
    comprehend.untag_resource(ResourceArn=flywheel, TagKeys=["team"])
    # Enough to be in progress when the stop arrives.
    rig.dataset(flywheel, rows(1000))
    iteration = rig.begin_iteration(flywheel)
    listed = comprehend.list_document_classifiers(Filter={"Status": "TRAINING"})
    (arn,) = (i["DocumentClassifierArn"] for i in listed["DocumentClassifierPropertiesList"])
    comprehend.stop_training_document_classifier(DocumentClassifierArn=arn)
    until(
        lambda: rig.iteration(flywheel, iteration)["Status"],
        lambda status: status in ("STOPPED", "COMPLETED"),
    )
    comprehend.list_document_classifiers()
    comprehend.describe_document_classifier(DocumentClassifierArn=arn)
    comprehend.delete_document_classifier(DocumentClassifierArn=arn)


def returned_paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every member of an answer; a list's are those of its items."""
    if isinstance(value, list):
        for item in value:
            yield from returned_paths(item, path)
    elif isinstance(value, dict):
        for name, member in value.items():
            inside = f"{path}.{name}" if path else name
            yield inside
            yield from returned_paths(member, inside)


def check_public_answers(answers: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Hold what was answered against every public answer: no member lacks but those named."""
    returned: dict[str, set[str]] = {}
    for operation, answer in answers:
        returned.setdefault(operation, set()).update(returned_paths(answer))
    for public in PUBLIC_ANSWERS:
        lacking = {
            member
            for path, member in public.paths.items()
            if path not in returned[public.operation]
        }
        assert lacking == public.lacking.keys(), (public.source, public.operation)


@pytest.mark.slow
def test_every_answer_has_its_shape_when_every_operation_is_used(rig: Rig, seen: Seen) -> None:
    """Botocore validates the JSON as it travelled; it has what public answers have, too."""
    live_a_life(rig)
    assert {name for name, _ in seen.answers} == SERVED
    check_public_answers(seen.answers)
    for name, answer in seen.answers:
        shape = MODEL.operation_model(name).output_shape
        assert shape is not None, name
        report = ParamValidator().validate(answer, shape)
        assert not report.has_errors(), (name, report.generate_report())
        assert wrong_enums(answer, shape, name) == []


def test_what_is_served_is_told_when_an_operation_is_not(rig: Rig) -> None:
    """The rest of the service is refused by name."""
    with pytest.raises(ClientError, match=r"DetectSentiment is not served here\. Served here"):
        rig.comprehend.detect_sentiment(Text="fine", LanguageCode="en")
