"""Requests that the engine refuses, per operation, and their errors.

Decides which declared errors a user's requests can cause: those in `REFUSALS` and, where the engine
is busy and full, in `BUSY_REFUSALS`. All others can only be injected as faults. docs/parity.md
lists both. Read next: `tests.contract.test_declared_errors`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore import xform_name

from comprehend_engine.api.protocol import comprehend_model
from engine_testing.rig import (
    BUCKET,
    LABELS,
    ROLE,
    classifier_task,
    csv_at,
    entities_at,
    entity_task,
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

Refusal = tuple[str, Mapping[str, Any], str]
"""A client's method, its arguments, and the error."""

_PLACE = "arn:aws:comprehend:us-east-1:123456789012"
ABSENT = f"{_PLACE}:flywheel/absent"
ABSENT_MODEL = f"{_PLACE}:document-classifier/absent/version/v1"
ABSENT_RECOGNIZER = f"{_PLACE}:entity-recognizer/absent"
ABSENT_ENDPOINT = f"{_PLACE}:document-classifier-endpoint/absent"
ABSENT_RECOGNIZER_ENDPOINT = f"{_PLACE}:entity-recognizer-endpoint/absent"
NEW = {
    "DataAccessRoleArn": ROLE,
    "DataLakeS3Uri": f"s3://{BUCKET}/contract",
    **classifier_task("MULTI_CLASS", LABELS),
}
JOB = {
    "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/in.txt"},
    "OutputDataConfig": {"S3Uri": f"s3://{BUCKET}/contract/out"},
    "DataAccessRoleArn": ROLE,
}
DATA = {"DatasetName": "d", "InputDataConfig": csv_at(f"s3://{BUCKET}/contract.csv")}

_WRONG = "InvalidRequestException"
_ABSENT = "ResourceNotFoundException"
_IN_USE = "ResourceInUseException"
_NOT_READY = "ResourceUnavailableException"
_FULL = "ResourceLimitExceededException"
_OFTEN = "TooManyRequestsException"
_WRONG_FILTER = "InvalidFilterException"
_WRONG_KEY = "KmsKeyValidationException"
_NO_JOB = "JobNotFoundException"
_WRONG_LANGUAGE = "UnsupportedLanguageException"
_MANY_TAGS = "TooManyTagsException"
_LONG = "TextSizeLimitExceededException"

_NAMED = {
    **dict.fromkeys(("describe_flywheel", "update_flywheel"), ("FlywheelArn", ABSENT)),
    **dict.fromkeys(("delete_flywheel", "start_flywheel_iteration"), ("FlywheelArn", ABSENT)),
    **dict.fromkeys(("list_flywheel_iteration_history", "list_datasets"), ("FlywheelArn", ABSENT)),
    "describe_dataset": ("DatasetArn", f"{ABSENT}/dataset/d"),
    **{
        f"{verb}_document_classifier": ("DocumentClassifierArn", ABSENT_MODEL)
        for verb in ("describe", "delete", "stop_training")
    },
    **{
        f"{verb}_entity_recognizer": ("EntityRecognizerArn", ABSENT_RECOGNIZER)
        for verb in ("describe", "delete", "stop_training")
    },
    **dict.fromkeys(("describe_endpoint", "delete_endpoint"), ("EndpointArn", ABSENT_ENDPOINT)),
    "list_tags_for_resource": ("ResourceArn", ABSENT),
}
"""Operations on one resource: the member that names it, and an absent one."""

_OF_A_JOB = (
    *("describe_document_classification_job", "describe_entities_detection_job"),
    "stop_entities_detection_job",
)
_LISTS = tuple(
    xform_name(name)
    for name in sorted(SERVED)
    if "NextToken" in getattr(MODEL.operation_model(name).input_shape, "members", {})
)


def _alike() -> Iterator[Refusal]:
    """Yield what many operations refuse alike."""
    for method, (member, absent) in _NAMED.items():
        yield method, {member: absent}, _ABSENT
        yield method, {member: "no arn"}, _WRONG
    for method in _OF_A_JOB:
        yield method, {"JobId": "0"}, _NO_JOB
        yield method, {"JobId": "*"}, _WRONG
    for method in _LISTS:
        named = {"FlywheelArn": "existing"} if method == "list_flywheel_iteration_history" else {}
        yield method, {**named, "NextToken": "x"}, _WRONG


def _tags(count: int) -> list[dict[str, str]]:
    return [{"Key": f"k{number}"} for number in range(count)]


def _flywheels() -> Iterator[Refusal]:
    method = "create_flywheel"
    yield method, {"FlywheelName": "a_b", **NEW}, _WRONG
    yield method, {"FlywheelName": "existing", **NEW}, _IN_USE
    yield method, {"FlywheelName": "t", **NEW, "Tags": _tags(51)}, _MANY_TAGS
    japanese = classifier_task("MULTI_CLASS", LABELS, "ja")
    yield method, {"FlywheelName": "n", **NEW, **japanese}, _WRONG_LANGUAGE
    yield method, {"FlywheelName": "n", **NEW, **entity_task(["CITY"], "ko")}, _WRONG_LANGUAGE
    yield method, {"FlywheelName": "n", **NEW, **entity_task(["a,b"])}, _WRONG
    yield method, {"FlywheelName": "n", **NEW, "ModelType": "ENTITY_RECOGNIZER"}, _WRONG
    for member in ("ModelKmsKeyId", "VolumeKmsKeyId", "DataLakeKmsKeyId"):
        security = {"DataSecurityConfig": {member: "my key"}}
        yield method, {"FlywheelName": "n", **NEW, **security}, _WRONG_KEY
    yield method, {"FlywheelName": "n", **_of_model(ABSENT_MODEL)}, _ABSENT
    security = {"DataSecurityConfig": {"ModelKmsKeyId": "key/1234"}}
    yield "update_flywheel", {"FlywheelArn": "existing", **security}, _WRONG_KEY
    two = {"Status": "ACTIVE", "CreationTimeAfter": 1}
    yield "list_flywheels", {"Filter": two}, _WRONG_FILTER


def _of_model(arn: str) -> dict[str, Any]:
    """Return the members of CreateFlywheel for an existing model."""
    lake = {"DataAccessRoleArn": ROLE, "DataLakeS3Uri": f"s3://{BUCKET}"}
    return {"ActiveModelArn": arn, **lake}


_NO_TIME = {"CreationTimeAfter": 2, "CreationTimeBefore": 2}


def _datasets_and_iterations() -> Iterator[Refusal]:
    method, on_existing = "create_dataset", {"FlywheelArn": "existing", "DatasetName": "e"}
    yield method, {"FlywheelArn": ABSENT, **DATA}, _ABSENT
    yield method, {"FlywheelArn": "existing", **DATA}, _IN_USE
    yield method, {"FlywheelArn": "existing", **DATA, "Tags": _tags(51)}, _MANY_TAGS
    yield method, {"FlywheelArn": ABSENT, **DATA, "DatasetType": "DEV"}, _WRONG
    config = entities_at(f"s3://{BUCKET}/d", Annotations=f"s3://{BUCKET}/a")
    yield method, {**on_existing, "InputDataConfig": config}, _WRONG
    config = csv_at(f"s3://{BUCKET}/d", LabelDelimiter="&")
    yield method, {**on_existing, "InputDataConfig": config}, _WRONG
    yield "list_datasets", {"Filter": {"Status": "INGESTING"}}, _WRONG
    yield "list_datasets", {"Filter": _NO_TIME}, _WRONG_FILTER
    unlike_a_token = {"FlywheelArn": ABSENT, "ClientRequestToken": "a b"}
    yield "start_flywheel_iteration", unlike_a_token, _WRONG
    of_absent = {"FlywheelArn": ABSENT, "FlywheelIterationId": "20200101T000000Z"}
    yield "describe_flywheel_iteration", of_absent, _ABSENT
    yield "describe_flywheel_iteration", {**of_absent, "FlywheelArn": "existing"}, _ABSENT
    yield "describe_flywheel_iteration", {**of_absent, "FlywheelIterationId": "7"}, _WRONG
    never = {"FlywheelArn": "existing", "Filter": _NO_TIME}
    yield "list_flywheel_iteration_history", never, _WRONG_FILTER


def _models() -> Iterator[Refusal]:
    two = {"Filter": {"Status": "TRAINED", "DocumentClassifierName": "a"}}
    yield "list_document_classifiers", two, _WRONG_FILTER
    two = {"Filter": {"Status": "TRAINED", "RecognizerName": "a"}}
    yield "list_entity_recognizers", two, _WRONG_FILTER
    active = {"DocumentClassifierArn": "active"}
    yield "delete_document_classifier", active, _IN_USE


def _endpoints() -> Iterator[Refusal]:
    method, new = "create_endpoint", {"EndpointName": "e", "DesiredInferenceUnits": 1}
    yield method, new, _WRONG
    yield method, {**new, "ModelArn": ABSENT_MODEL}, _ABSENT
    yield method, {**new, "FlywheelArn": "existing"}, _NOT_READY
    yield method, {**new, "Tags": _tags(51)}, _MANY_TAGS
    yield method, {**new, "DesiredInferenceUnits": 11, "ModelArn": "active"}, _FULL
    yield "update_endpoint", {"EndpointArn": ABSENT_ENDPOINT}, _WRONG
    yield "update_endpoint", {"EndpointArn": ABSENT_ENDPOINT, "FlywheelArn": "existing"}, _ABSENT
    yield "list_endpoints", {"Filter": {"Status": "Ready"}}, _WRONG
    question = {"EndpointArn": ABSENT_ENDPOINT, "Text": "a"}
    yield "classify_document", question, _NOT_READY
    yield "classify_document", {"EndpointArn": ABSENT_ENDPOINT}, _WRONG
    yield "classify_document", {**question, "Text": "a" * 10_241}, _LONG
    question = {"EndpointArn": ABSENT_RECOGNIZER_ENDPOINT, "Text": "a"}
    yield "detect_entities", question, _NOT_READY
    yield "detect_entities", {"LanguageCode": "en", "Text": "a"}, _WRONG
    yield "detect_entities", {**question, "Text": "a" * 5121}, _LONG


def _jobs() -> Iterator[Refusal]:
    for method, more, member, absent in (
        ("start_document_classification_job", {}, "DocumentClassifierArn", ABSENT_MODEL),
        (
            "start_entities_detection_job",
            {"LanguageCode": "en"},
            "EntityRecognizerArn",
            ABSENT_RECOGNIZER,
        ),
    ):
        job = {**JOB, **more}
        yield method, job, _WRONG
        yield method, {**job, member: absent}, _ABSENT
        yield method, {**job, "FlywheelArn": "existing"}, _NOT_READY
        yield method, {**job, "Tags": _tags(51)}, _MANY_TAGS
        yield method, {**job, "VolumeKmsKeyId": "key"}, _WRONG_KEY
        output = {**JOB["OutputDataConfig"], "KmsKeyId": "alias"}  # type: ignore[dict-item] # of JOB's members this one is a mapping
        yield method, {**job, "OutputDataConfig": output}, _WRONG_KEY
    of_a_classifier = {**JOB, "LanguageCode": "en", "FlywheelArn": "served"}
    yield "start_entities_detection_job", of_a_classifier, _WRONG
    two = {"Filter": {"JobName": "a", "JobStatus": "FAILED"}}
    yield "list_document_classification_jobs", two, _WRONG_FILTER
    yield "list_entities_detection_jobs", two, _WRONG_FILTER


def _tagging() -> Iterator[Refusal]:
    yield "tag_resource", {"ResourceArn": ABSENT, "Tags": []}, _ABSENT
    yield "tag_resource", {"ResourceArn": "existing", "Tags": _tags(51)}, _MANY_TAGS
    yield "tag_resource", {"ResourceArn": ABSENT, "Tags": [{"Key": "aws:a"}]}, _WRONG
    keys = [tag["Key"] for tag in _tags(51)]
    yield "untag_resource", {"ResourceArn": "existing", "TagKeys": keys}, "TooManyTagKeysException"
    yield "untag_resource", {"ResourceArn": ABSENT, "TagKeys": ["a"]}, _ABSENT
    yield "untag_resource", {"ResourceArn": "no arn", "TagKeys": ["a"]}, _WRONG


def _while_busy() -> Iterator[Refusal]:
    yield "create_flywheel", {"FlywheelName": "one-more", **NEW}, _FULL
    yield "create_flywheel", {"FlywheelName": "early", **_of_model("training")}, _NOT_READY
    yield "delete_flywheel", {"FlywheelArn": "busy"}, _IN_USE
    yield "delete_flywheel", {"FlywheelArn": "creating"}, _NOT_READY
    yield "update_flywheel", {"FlywheelArn": "creating"}, _WRONG
    yield "create_dataset", {"FlywheelArn": "idle", **DATA, "DatasetType": "TEST"}, _FULL
    yield "start_flywheel_iteration", {"FlywheelArn": "busy"}, _IN_USE
    yield "start_flywheel_iteration", {"FlywheelArn": "idle"}, _OFTEN
    yield "delete_document_classifier", {"DocumentClassifierArn": "training"}, _NOT_READY
    yield "delete_entity_recognizer", {"EntityRecognizerArn": "recognizing"}, _NOT_READY
    yield "delete_entity_recognizer", {"EntityRecognizerArn": "recognizer"}, _IN_USE
    existing = {"EndpointName": "serving", "DesiredInferenceUnits": 1, "ModelArn": "active"}
    yield "create_endpoint", existing, _IN_USE
    yield "delete_endpoint", {"EndpointArn": "starting"}, _IN_USE
    yield "update_endpoint", {"EndpointArn": "starting", "DesiredInferenceUnits": 2}, _NOT_READY
    yield "update_endpoint", {"EndpointArn": "serving", "DesiredInferenceUnits": 11}, _FULL
    of_active = {**JOB, "DocumentClassifierArn": "active"}
    yield "start_document_classification_job", of_active, _OFTEN
    of_active = {**JOB, "LanguageCode": "en", "EntityRecognizerArn": "recognizer"}
    yield "start_entities_detection_job", of_active, _OFTEN


REFUSALS: tuple[Refusal, ...] = (
    *_alike(),
    *_flywheels(),
    *_datasets_and_iterations(),
    *_models(),
    *_endpoints(),
    *_jobs(),
    *_tagging(),
)
"""What any engine refuses; a word in place of an ARN is something that was made before."""

BUSY_REFUSALS: tuple[Refusal, ...] = tuple(_while_busy())
"""What an engine refuses that is at work, and full."""

_SERVICE_TROUBLES = frozenset(
    {"InternalServerException", "TooManyRequestsException", "ConcurrentModificationException"}
)
ONLY_BY_FAULT = frozenset(
    {(operation, code) for operation in SERVED for code in _SERVICE_TROUBLES}
    | {
        ("DetectEntities", "UnsupportedLanguageException"),
        ("StartDocumentClassificationJob", "ResourceInUseException"),
        ("StartEntitiesDetectionJob", "ResourceInUseException"),
        ("UpdateEndpoint", "ResourceInUseException"),
    }
)
"""What no input need meet: the service's own troubles, and what is declared and means nothing here:
a custom model ignores the language of a request, the name of a job may be used again, an update
names nothing new."""


def declared(operation: str) -> dict[str, int]:
    """Return the errors that an operation declares, with their HTTP status."""
    shapes = MODEL.operation_model(operation).error_shapes
    return {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in shapes}


def met_by_input(operation: str) -> set[str]:
    """Return the errors of an operation that a request in these tables meets."""
    method = xform_name(operation)
    return {code for name, _, code in (*REFUSALS, *BUSY_REFUSALS) if name == method}


def any_request(operation: str) -> Mapping[str, Any]:
    """Return a request that a client lets through."""
    method = xform_name(operation)
    return next(request for name, request, _ in REFUSALS if name == method)
