"""The engine against botocore's model: every answer has its shape, every error is declared."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from local.comprehend.protocol import comprehend_model
from tests.local.comprehend.recognizers import trained_recognizer
from tests.local.comprehend.rig import (
    BUCKET,
    LABELS,
    ROLE,
    Rig,
    classifier_task,
    csv_at,
    entities_at,
    entity_task,
    manifest_at,
    rows,
    until,
)

MODEL = comprehend_model()
SERVED = frozenset(
    {
        *("CreateFlywheel", "DescribeFlywheel", "UpdateFlywheel", "DeleteFlywheel"),
        *("ListFlywheels", "CreateDataset", "DescribeDataset", "ListDatasets"),
        *("StartFlywheelIteration", "DescribeFlywheelIteration", "ListFlywheelIterationHistory"),
        *("DescribeDocumentClassifier", "ListDocumentClassifiers"),
        *("ListDocumentClassifierSummaries", "DescribeEntityRecognizer", "ListEntityRecognizers"),
        "ListEntityRecognizerSummaries",
        *("CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint", "DeleteEndpoint"),
        *("ListEndpoints", "TagResource", "UntagResource", "ListTagsForResource"),
        *("StopTrainingDocumentClassifier", "DeleteDocumentClassifier"),
        *("StopTrainingEntityRecognizer", "DeleteEntityRecognizer"),
        *("ClassifyDocument", "DetectEntities"),
        *("StartDocumentClassificationJob", "DescribeDocumentClassificationJob"),
        *("ListDocumentClassificationJobs", "StartEntitiesDetectionJob"),
        *("DescribeEntitiesDetectionJob", "ListEntitiesDetectionJobs"),
        "StopEntitiesDetectionJob",
    }
)
ABSENT = "arn:aws:comprehend:us-east-1:123456789012:flywheel/absent"
ABSENT_MODEL = "arn:aws:comprehend:us-east-1:123456789012:document-classifier/absent/version/v1"
ABSENT_RECOGNIZER = "arn:aws:comprehend:us-east-1:123456789012:entity-recognizer/absent/version/v1"
ABSENT_ENDPOINT = "arn:aws:comprehend:us-east-1:123456789012:document-classifier-endpoint/absent"
ABSENT_RECOGNIZER = "arn:aws:comprehend:us-east-1:123456789012:entity-recognizer/absent"
ABSENT_RECOGNIZER_ENDPOINT = ABSENT_ENDPOINT.replace("document-classifier", "entity-recognizer")
TASK = {
    "LanguageCode": "en",
    "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": list(LABELS)},
}
NEW = {
    "DataAccessRoleArn": ROLE,
    "DataLakeS3Uri": f"s3://{BUCKET}/contract",
    "ModelType": "DOCUMENT_CLASSIFIER",
    "TaskConfig": TASK,
}
JOB = {
    "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/in.txt"},
    "OutputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/out"},
    "DataAccessRoleArn": ROLE,
}
DATA = {"DatasetName": "d", "InputDataConfig": csv_at(f"s3://{BUCKET}/contract.csv")}


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
            found for item, member in members for found in wrong_enums(item, member, path)
        ]
    if isinstance(shape, ListShape):
        return [found for item in value for found in wrong_enums(item, shape.member, path)]
    # A custom model has the types that it was trained with, which no enum can name.
    if not isinstance(shape, StringShape) or shape.name == "EntityType":
        return []
    wrong = bool(shape.enum) and value not in shape.enum
    return [f"{path}: {value}"] if wrong else []


def live_a_life(rig: Rig) -> None:
    """Use every served operation, in every state a flywheel passes through."""
    comprehend = rig.comprehend
    flywheel, model = rig.trained()
    comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    rig.dataset(flywheel, rows(1))
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
        EndpointName="contract", FlywheelArn=flywheel, DesiredInferenceUnits=1
    )["EndpointArn"]

    def await_service() -> None:
        until(
            lambda: comprehend.describe_endpoint(EndpointArn=arn)["EndpointProperties"]["Status"],
            lambda status: status == "IN_SERVICE",
        )

    await_service()
    comprehend.classify_document(Text="refund", EndpointArn=arn)
    comprehend.update_endpoint(EndpointArn=arn, DesiredModelArn=model)
    comprehend.list_endpoints(MaxResults=1)
    await_service()
    comprehend.delete_endpoint(EndpointArn=arn)
    until(lambda: comprehend.list_endpoints()["EndpointPropertiesList"], lambda left: not left)


def stop_training_a_recognizer(rig: Rig) -> str:
    """Return a trained recognizer, once the training of a next version was stopped."""
    flywheel, recognizer = trained_recognizer(rig)
    iteration = rig.begin_iteration(flywheel)
    listed = rig.comprehend.list_entity_recognizers(Filter={"Status": "TRAINING"})
    (arn,) = (item["EntityRecognizerArn"] for item in listed["EntityRecognizerPropertiesList"])
    rig.comprehend.stop_training_entity_recognizer(EntityRecognizerArn=arn)
    until(lambda: rig.iteration(flywheel, iteration), lambda seen: "EndTime" in seen)
    return recognizer


def analyze(rig: Rig, model: str) -> None:
    """Use every operation on jobs, and those on recognizers."""
    comprehend = rig.comprehend
    recognizer = stop_training_a_recognizer(rig)
    rig.s3.put_object(Bucket=BUCKET, Key="contract/in.txt", Body=b"Ana went to Rome")
    request: dict[str, Any] = {
        "JobName": "contract",
        "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/in.txt"},
        "OutputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/out"},
        "DataAccessRoleArn": ROLE,
    }
    job = comprehend.start_document_classification_job(DocumentClassifierArn=model, **request)
    until(
        lambda: comprehend.describe_document_classification_job(JobId=job["JobId"]),
        lambda seen: "EndTime" in seen["DocumentClassificationJobProperties"],
    )
    comprehend.list_document_classification_jobs()
    found = comprehend.start_entities_detection_job(
        EntityRecognizerArn=recognizer, LanguageCode="en", **request
    )["JobId"]
    until(
        lambda: comprehend.describe_entities_detection_job(JobId=found),
        lambda seen: "EndTime" in seen["EntitiesDetectionJobProperties"],
    )
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
    # Enough to be still at it when the stop arrives.
    rig.s3.put_object(Bucket=BUCKET, Key="contract/in.txt", Body=b"off to Rome\n" * 20_000)
    stopped = comprehend.start_entities_detection_job(
        EntityRecognizerArn=recognizer, LanguageCode="en", **request
    )["JobId"]
    comprehend.stop_entities_detection_job(JobId=stopped)
    comprehend.list_entities_detection_jobs()
    until(
        lambda: comprehend.describe_entities_detection_job(JobId=stopped),
        lambda seen: "EndTime" in seen["EntitiesDetectionJobProperties"],
    )
    flywheel = comprehend.describe_entity_recognizer(EntityRecognizerArn=recognizer)
    comprehend.delete_flywheel(FlywheelArn=flywheel["EntityRecognizerProperties"]["FlywheelArn"])
    comprehend.delete_entity_recognizer(EntityRecognizerArn=recognizer)


def tag_stop_and_delete(rig: Rig, flywheel: str) -> None:
    """Use every operation on tags and on the end of models."""
    comprehend = rig.comprehend
    comprehend.tag_resource(ResourceArn=flywheel, Tags=[{"Key": "team", "Value": "support"}])
    comprehend.list_tags_for_resource(ResourceArn=flywheel)
    comprehend.untag_resource(ResourceArn=flywheel, TagKeys=["team"])
    # Enough to be still at it when the stop arrives.
    rig.dataset(flywheel, rows(1000))
    iteration = rig.begin_iteration(flywheel)
    listed = comprehend.list_document_classifiers(Filter={"Status": "TRAINING"})
    (arn,) = (i["DocumentClassifierArn"] for i in listed["DocumentClassifierPropertiesList"])
    comprehend.stop_training_document_classifier(DocumentClassifierArn=arn)
    until(
        lambda: rig.iteration(flywheel, iteration)["Status"],
        lambda status: status in ("STOPPED", "COMPLETED"),
    )
    comprehend.delete_document_classifier(DocumentClassifierArn=arn)


def test_every_answer_has_its_shape_when_every_operation_is_used(rig: Rig, seen: Seen) -> None:
    """Botocore validates the JSON as it travelled; enums and unknown members are checked too."""
    live_a_life(rig)
    assert {name for name, _ in seen.answers} == SERVED
    for name, answer in seen.answers:
        shape = MODEL.operation_model(name).output_shape
        assert shape is not None, name
        report = ParamValidator().validate(answer, shape)
        assert not report.has_errors(), (name, report.generate_report())
        assert wrong_enums(answer, shape, name) == []


Refusal = tuple[str, dict[str, Any], str]
REFUSALS: list[Refusal] = [
    ("create_flywheel", {"FlywheelName": "a_b", **NEW}, "InvalidRequestException"),
    ("create_flywheel", {"FlywheelName": "taken", **NEW}, "ResourceInUseException"),
    (
        "create_flywheel",
        {"FlywheelName": "t", **NEW, "Tags": [{"Key": f"k{n}"} for n in range(51)]},
        "TooManyTagsException",
    ),
    (
        "create_flywheel",
        {"FlywheelName": "l", **NEW, "TaskConfig": {**TASK, "LanguageCode": "ja"}},
        "UnsupportedLanguageException",
    ),
    (
        "create_flywheel",
        {"FlywheelName": "n", **NEW, "ModelType": "ENTITY_RECOGNIZER"},
        "InvalidRequestException",
    ),
    (
        "create_flywheel",
        {"FlywheelName": "n", **NEW, **entity_task(["a,b"])},
        "InvalidRequestException",
    ),
    (
        "create_flywheel",
        {"FlywheelName": "n", **NEW, **entity_task(["CITY"], "ko")},
        "UnsupportedLanguageException",
    ),
    (
        "create_flywheel",
        {
            "FlywheelName": "m",
            "ActiveModelArn": ABSENT_MODEL,
            "DataAccessRoleArn": ROLE,
            "DataLakeS3Uri": f"s3://{BUCKET}",
        },
        "ResourceNotFoundException",
    ),
    ("describe_flywheel", {"FlywheelArn": ABSENT}, "ResourceNotFoundException"),
    ("describe_flywheel", {"FlywheelArn": "absent"}, "InvalidRequestException"),
    ("update_flywheel", {"FlywheelArn": ABSENT}, "ResourceNotFoundException"),
    ("delete_flywheel", {"FlywheelArn": ABSENT}, "ResourceNotFoundException"),
    ("list_flywheels", {"NextToken": "x"}, "InvalidRequestException"),
    (
        "list_flywheels",
        {"Filter": {"Status": "ACTIVE", "CreationTimeAfter": 1}},
        "InvalidFilterException",
    ),
    ("create_dataset", {"FlywheelArn": ABSENT, **DATA}, "ResourceNotFoundException"),
    ("create_dataset", {"FlywheelArn": "taken", **DATA}, "ResourceInUseException"),
    (
        "create_dataset",
        {"FlywheelArn": ABSENT, **DATA, "DatasetType": "DEV"},
        "InvalidRequestException",
    ),
    (
        "create_dataset",
        {
            "FlywheelArn": "taken",
            "DatasetName": "e",
            "InputDataConfig": entities_at(f"s3://{BUCKET}/d", Annotations=f"s3://{BUCKET}/a"),
        },
        "InvalidRequestException",
    ),
    (
        "create_dataset",
        {
            "FlywheelArn": "taken",
            "DatasetName": "e",
            "InputDataConfig": csv_at(f"s3://{BUCKET}/d", LabelDelimiter="&"),
        },
        "InvalidRequestException",
    ),
    ("describe_dataset", {"DatasetArn": f"{ABSENT}/dataset/d"}, "ResourceNotFoundException"),
    ("list_datasets", {"FlywheelArn": ABSENT}, "ResourceNotFoundException"),
    ("list_datasets", {"Filter": {"Status": "INGESTING"}}, "InvalidRequestException"),
    ("start_flywheel_iteration", {"FlywheelArn": ABSENT}, "ResourceNotFoundException"),
    (
        "start_flywheel_iteration",
        {"FlywheelArn": ABSENT, "ClientRequestToken": "a b"},
        "InvalidRequestException",
    ),
    (
        "describe_flywheel_iteration",
        {"FlywheelArn": ABSENT, "FlywheelIterationId": "20200101T000000Z"},
        "ResourceNotFoundException",
    ),
    (
        "describe_flywheel_iteration",
        {"FlywheelArn": ABSENT, "FlywheelIterationId": "7"},
        "InvalidRequestException",
    ),
    ("list_flywheel_iteration_history", {"FlywheelArn": ABSENT}, "ResourceNotFoundException"),
    (
        "describe_document_classifier",
        {"DocumentClassifierArn": ABSENT_MODEL},
        "ResourceNotFoundException",
    ),
    (
        "list_document_classifiers",
        {"Filter": {"Status": "TRAINED", "DocumentClassifierName": "a"}},
        "InvalidFilterException",
    ),
    ("list_document_classifier_summaries", {"NextToken": "x"}, "InvalidRequestException"),
    (
        "describe_entity_recognizer",
        {"EntityRecognizerArn": ABSENT_RECOGNIZER},
        "ResourceNotFoundException",
    ),
    (
        "list_entity_recognizers",
        {"Filter": {"Status": "TRAINED", "RecognizerName": "a"}},
        "InvalidFilterException",
    ),
    ("list_entity_recognizer_summaries", {"NextToken": "x"}, "InvalidRequestException"),
    (
        "create_endpoint",
        {"EndpointName": "e", "DesiredInferenceUnits": 1},
        "InvalidRequestException",
    ),
    (
        "create_endpoint",
        {"EndpointName": "e", "DesiredInferenceUnits": 1, "ModelArn": ABSENT_MODEL},
        "ResourceNotFoundException",
    ),
    (
        "create_endpoint",
        {"EndpointName": "e", "DesiredInferenceUnits": 1, "FlywheelArn": "taken"},
        "ResourceUnavailableException",
    ),
    (
        "create_endpoint",
        {
            "EndpointName": "e",
            "DesiredInferenceUnits": 1,
            "Tags": [{"Key": f"k{n}"} for n in range(51)],
        },
        "TooManyTagsException",
    ),
    ("describe_endpoint", {"EndpointArn": ABSENT_ENDPOINT}, "ResourceNotFoundException"),
    ("update_endpoint", {"EndpointArn": ABSENT_ENDPOINT}, "InvalidRequestException"),
    (
        "update_endpoint",
        {"EndpointArn": ABSENT_ENDPOINT, "FlywheelArn": "taken"},
        "ResourceNotFoundException",
    ),
    ("delete_endpoint", {"EndpointArn": ABSENT_ENDPOINT}, "ResourceNotFoundException"),
    ("list_endpoints", {"Filter": {"Status": "Ready"}}, "InvalidRequestException"),
    ("list_endpoints", {"NextToken": "x"}, "InvalidRequestException"),
    (
        "classify_document",
        {"EndpointArn": ABSENT_ENDPOINT, "Text": "a"},
        "ResourceUnavailableException",
    ),
    ("classify_document", {"EndpointArn": ABSENT_ENDPOINT}, "InvalidRequestException"),
    (
        "classify_document",
        {"EndpointArn": ABSENT_ENDPOINT, "Text": "a" * 10_241},
        "TextSizeLimitExceededException",
    ),
    ("start_document_classification_job", JOB, "InvalidRequestException"),
    (
        "start_document_classification_job",
        {**JOB, "DocumentClassifierArn": ABSENT_MODEL},
        "ResourceNotFoundException",
    ),
    (
        "start_document_classification_job",
        {**JOB, "FlywheelArn": "taken"},
        "ResourceUnavailableException",
    ),
    (
        "start_document_classification_job",
        {**JOB, "Tags": [{"Key": f"k{n}"} for n in range(51)]},
        "TooManyTagsException",
    ),
    (
        "start_entities_detection_job",
        {**JOB, "LanguageCode": "en", "EntityRecognizerArn": ABSENT_RECOGNIZER},
        "ResourceNotFoundException",
    ),
    ("describe_document_classification_job", {"JobId": "0"}, "JobNotFoundException"),
    ("describe_entities_detection_job", {"JobId": "0"}, "JobNotFoundException"),
    ("stop_entities_detection_job", {"JobId": "0"}, "JobNotFoundException"),
    ("list_document_classification_jobs", {"NextToken": "x"}, "InvalidRequestException"),
    (
        "list_entities_detection_jobs",
        {"Filter": {"JobName": "a", "JobStatus": "FAILED"}},
        "InvalidFilterException",
    ),
    ("detect_entities", {"LanguageCode": "en", "Text": "a"}, "InvalidRequestException"),
    ("tag_resource", {"ResourceArn": ABSENT, "Tags": []}, "ResourceNotFoundException"),
    (
        "tag_resource",
        {"ResourceArn": "taken", "Tags": [{"Key": f"k{n}"} for n in range(51)]},
        "TooManyTagsException",
    ),
    (
        "tag_resource",
        {"ResourceArn": ABSENT, "Tags": [{"Key": "aws:a"}]},
        "InvalidRequestException",
    ),
    ("untag_resource", {"ResourceArn": ABSENT, "TagKeys": ["a"]}, "ResourceNotFoundException"),
    (
        "untag_resource",
        {"ResourceArn": "taken", "TagKeys": [f"k{n}" for n in range(51)]},
        "TooManyTagKeysException",
    ),
    ("list_tags_for_resource", {"ResourceArn": ABSENT}, "ResourceNotFoundException"),
    (
        "stop_training_document_classifier",
        {"DocumentClassifierArn": ABSENT_MODEL},
        "ResourceNotFoundException",
    ),
    (
        "stop_training_entity_recognizer",
        {"EntityRecognizerArn": ABSENT_RECOGNIZER},
        "ResourceNotFoundException",
    ),
    (
        "delete_document_classifier",
        {"DocumentClassifierArn": ABSENT_MODEL},
        "ResourceNotFoundException",
    ),
    (
        "delete_entity_recognizer",
        {"EntityRecognizerArn": ABSENT_RECOGNIZER},
        "ResourceNotFoundException",
    ),
    ("delete_document_classifier", {"DocumentClassifierArn": "active"}, "ResourceInUseException"),
    (
        "delete_document_classifier",
        {"DocumentClassifierArn": "arn"},
        "InvalidRequestException",
    ),
    (
        "stop_training_document_classifier",
        {"DocumentClassifierArn": "active"},
        "InvalidRequestException",
    ),
    (
        "create_endpoint",
        {"EndpointName": "e", "DesiredInferenceUnits": 11, "ModelArn": "active"},
        "ResourceLimitExceededException",
    ),
    (
        "start_entities_detection_job",
        {**JOB, "LanguageCode": "en", "FlywheelArn": "served"},
        "InvalidRequestException",
    ),
    (
        "start_entities_detection_job",
        {**JOB, "LanguageCode": "en", "FlywheelArn": "taken"},
        "ResourceUnavailableException",
    ),
    (
        "start_entities_detection_job",
        {**JOB, "LanguageCode": "en", "Tags": [{"Key": f"k{n}"} for n in range(51)]},
        "TooManyTagsException",
    ),
    (
        "detect_entities",
        {"EndpointArn": ABSENT_RECOGNIZER_ENDPOINT, "Text": "a"},
        "ResourceUnavailableException",
    ),
    (
        "detect_entities",
        {"EndpointArn": ABSENT_RECOGNIZER_ENDPOINT, "Text": "a" * 5121},
        "TextSizeLimitExceededException",
    ),
    ("untag_resource", {"ResourceArn": "arn", "TagKeys": ["a"]}, "InvalidRequestException"),
    ("list_tags_for_resource", {"ResourceArn": "arn"}, "InvalidRequestException"),
    (
        "list_document_classification_jobs",
        {"Filter": {"JobName": "a", "JobStatus": "FAILED"}},
        "InvalidFilterException",
    ),
    ("list_entities_detection_jobs", {"NextToken": "x"}, "InvalidRequestException"),
]


@pytest.fixture(scope="module")
def made(rig: Rig) -> dict[str, str]:
    """Create what refusals name: a flywheel and a dataset whose names are in use, and a model."""
    taken = rig.flywheel(FlywheelName="taken", DataLakeS3Uri=f"s3://{BUCKET}/contract")
    rig.ended_dataset(rig.begin_dataset(taken, f"s3://{BUCKET}/contract.csv", DatasetName="d"))
    served, active = rig.trained()
    rig.comprehend.update_flywheel(FlywheelArn=served, ActiveModelArn=active)
    return {"taken": taken, "served": served, "active": active}


@pytest.mark.parametrize(("method", "request_", "code"), REFUSALS)
def test_the_error_is_declared_when_an_operation_refuses(
    rig: Rig, made: dict[str, str], method: str, request_: dict[str, Any], code: str
) -> None:
    """Code, HTTP status and the client's own exception class come from the model."""
    request_ = {
        name: made.get(value, value) if name.endswith("Arn") else value
        for name, value in request_.items()
    }
    call: Callable[..., Any] = getattr(rig.comprehend, method)
    with pytest.raises(ClientError) as refusal:
        call(**request_)
    assert type(refusal.value) is getattr(rig.comprehend.exceptions, code)
    answer = refusal.value.response
    declared = {
        shape.name: shape.metadata["error"]["httpStatusCode"]
        for shape in MODEL.operation_model(refusal.value.operation_name).error_shapes
    }
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == declared[code]
    assert answer["Error"]["Message"]


def test_each_served_operation_has_a_refusal_when_the_table_is_read() -> None:
    """No operation is served without an error case above."""
    methods = {method.replace("_", "") for method, *_ in REFUSALS}
    assert {name.lower() for name in SERVED} == methods


def test_what_is_served_is_told_when_an_operation_is_not(rig: Rig) -> None:
    """The rest of the service is refused by name."""
    with pytest.raises(ClientError, match=r"DetectSentiment is not served here\. Served here"):
        rig.comprehend.detect_sentiment(Text="fine", LanguageCode="en")
