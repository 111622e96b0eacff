"""Asking endpoints, over HTTP."""

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.clock import DrivenClock
from engine_testing.recognizers import trained_recognizer
from engine_testing.rig import LABELS, Rig, classifier_task, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def in_service(rig: Rig, **more: Any) -> str:
    """Create an endpoint; return its ARN once it is IN_SERVICE."""
    request = {"EndpointName": "e", "DesiredInferenceUnits": 1, **more}
    arn = rig.comprehend.create_endpoint(**request)["EndpointArn"]
    until(
        lambda: rig.comprehend.describe_endpoint(EndpointArn=arn)["EndpointProperties"]["Status"],
        lambda status: status == "IN_SERVICE",
    )
    return arn


def classes(rig: Rig, endpoint: str, text: str) -> Mapping[str, float]:
    """Classify a text."""
    answer = rig.comprehend.classify_document(Text=text, EndpointArn=endpoint)
    return {item["Name"]: item["Score"] for item in answer["Classes"]}


@pytest.fixture(scope="module")
def served(
    s3: "S3Client", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Rig, str, str]]:
    """Have a flywheel with an active model, and an endpoint that follows it."""
    with running(tmp_path_factory.mktemp("served"), s3) as rig:
        flywheel, model = rig.trained()
        rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
        yield rig, flywheel, in_service(rig, FlywheelArn=flywheel)


def test_the_class_of_a_text_is_told_when_an_endpoint_is_asked(
    served: tuple[Rig, str, str],
) -> None:
    """Best first; the scores of all classes sum to 1."""
    rig, _, endpoint = served
    returned = classes(rig, endpoint, "my card was charged twice, refund the payment")
    assert list(returned) == ["billing", "delivery"]
    assert sum(returned.values()) == pytest.approx(1.0)
    assert next(iter(classes(rig, endpoint, "the courier left the parcel"))) == "delivery"


@pytest.mark.slow
def test_the_answer_changes_when_the_flywheels_active_model_does(
    s3: "S3Client", tmp_path: Path
) -> None:
    """While the endpoint is UPDATING, the former model answers."""
    clock = DrivenClock()
    text = "invoice refund"
    with running(tmp_path, s3, training_data="new") as rig:
        flywheel, model = rig.trained()
        swapped = [(LABELS[label == LABELS[0]], text) for label, text in rows(30, first=100)]
        rig.dataset(flywheel, swapped)
        other = rig.iterated(flywheel)["TrainedModelArn"]
        rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
        endpoint = in_service(rig, FlywheelArn=flywheel)
        assert next(iter(classes(rig, endpoint, text))) == "billing"
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=other)
        assert next(iter(classes(rig, endpoint, text))) == "billing"
        clock.advance(5.0)
        until(
            lambda: next(iter(classes(rig, endpoint, text))),
            lambda returned: returned == "delivery",
        )


@pytest.mark.slow
def test_only_the_best_classes_are_told_when_the_model_has_many(
    s3: "S3Client", tmp_path: Path
) -> None:
    """How many is a setting: the service's own number is not documented."""
    with running(tmp_path, s3, returned_classes=1) as rig:
        _, model = rig.trained()
        assert len(classes(rig, in_service(rig, ModelArn=model), "parcel")) == 1


@pytest.mark.slow
def test_the_next_question_is_answered_when_the_process_dies(
    s3: "S3Client", tmp_path: Path
) -> None:
    """The task is repeated once; the caller does not notice."""
    with running(tmp_path, s3) as rig:
        _, model = rig.trained()
        endpoint = in_service(rig, ModelArn=model)
        before = rig.engine.inference_process_id
        assert before is not None
        os.kill(before, signal.SIGKILL)
        assert next(iter(classes(rig, endpoint, "parcel courier"))) == "delivery"
        assert rig.engine.inference_process_id != before


def test_endpoints_answer_when_a_model_is_being_trained(served: tuple[Rig, str, str]) -> None:
    """Two processes: neither waits for the other."""
    rig, flywheel, endpoint = served
    rig.dataset(flywheel, rows(3000, first=200))
    iteration = rig.begin_iteration(flywheel)
    listed = rig.comprehend.list_document_classifiers(Filter={"Status": "TRAINING"})
    arn = listed["DocumentClassifierPropertiesList"][0]["DocumentClassifierArn"]
    until(
        lambda: rig.comprehend.describe_document_classifier(DocumentClassifierArn=arn),
        lambda seen: "TrainingStartTime" in seen["DocumentClassifierProperties"],
    )
    for _ in range(5):
        classes(rig, endpoint, "parcel")
    assert rig.iteration(flywheel, iteration)["Status"] == "TRAINING"
    rig.comprehend.stop_training_document_classifier(DocumentClassifierArn=arn)
    until(lambda: rig.iteration(flywheel, iteration), lambda seen: "EndTime" in seen)


def test_the_error_says_what_is_wrong_when_an_endpoint_cannot_be_asked(
    served: tuple[Rig, str, str],
) -> None:
    """Documents that are no text, texts that are too long, endpoints that are not there."""
    rig, _, endpoint = served
    reader: Any = {"DocumentReadAction": "TEXTRACT_DETECT_DOCUMENT_TEXT"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"Bytes": b"%PDF-1.7 text"}, "InvalidRequestException"),
        ({"Bytes": b"\x89PNG"}, "InvalidRequestException"),
        ({"Bytes": b"a\0b"}, "InvalidRequestException"),
        ({"Bytes": b"a", "Text": "a"}, "InvalidRequestException"),
        ({"Bytes": b"a" * 10_241}, "TextSizeLimitExceededException"),
        ({"Text": "a", "DocumentReaderConfig": reader}, "InvalidRequestException"),
        ({}, "InvalidRequestException"),
        ({"Text": "\u00e9" * 5121}, "TextSizeLimitExceededException"),
        ({"Text": "a", "EndpointArn": f"{endpoint}0"}, "ResourceUnavailableException"),
    ]
    for request, code in cases:
        with pytest.raises(ClientError) as refusal:
            rig.comprehend.classify_document(**{"EndpointArn": endpoint, **request})
        assert refusal.value.response["Error"]["Code"] == code, request


def test_the_answer_is_the_same_when_a_text_comes_as_bytes(served: tuple[Rig, str, str]) -> None:
    """With the members that describe the document's one page."""
    rig, _, endpoint = served
    text = "r\u00e9fund the parcel"
    plain = rig.comprehend.classify_document(Text=text, EndpointArn=endpoint)
    answer = rig.comprehend.classify_document(Bytes=text.encode(), EndpointArn=endpoint)
    assert answer["Classes"] == [{**returned, "Page": 1} for returned in plain["Classes"]]
    pages = [{"Page": 1, "Count": len(text)}]
    assert answer["DocumentMetadata"] == {"Pages": 1, "ExtractedCharacters": pages}
    assert answer["DocumentType"] == [{"Page": 1, "Type": "PLAIN_TEXT"}]
    assert not {"DocumentMetadata", "DocumentType"} & plain.keys()


def test_entities_are_found_when_a_recognizers_endpoint_is_asked(rig: Rig) -> None:
    """The endpoint's ARN is that of a recognizer; it cannot serve a classifier."""
    flywheel, _ = trained_recognizer(rig)
    endpoint = in_service(rig, EndpointName="cities", FlywheelArn=flywheel)
    assert ":entity-recognizer-endpoint/cities" in endpoint
    text = "order 12 goes to Rome today"
    (entity,) = rig.comprehend.detect_entities(Text=text, EndpointArn=endpoint)["Entities"]
    assert (entity["Text"], str(entity["Type"])) == ("Rome", "CITY")
    assert (entity["BeginOffset"], entity["EndOffset"]) == (17, 21)
    in_bytes = rig.comprehend.detect_entities(Bytes=text.encode(), EndpointArn=endpoint)
    assert in_bytes["Entities"] == [entity]
    assert in_bytes["DocumentType"] == [{"Page": 1, "Type": "PLAIN_TEXT"}]
    _, classifier = rig.trained()
    with pytest.raises(ClientError, match="of another kind"):
        rig.comprehend.update_endpoint(EndpointArn=endpoint, DesiredModelArn=classifier)
    with pytest.raises(rig.comprehend.exceptions.TextSizeLimitExceededException):
        rig.comprehend.detect_entities(Text="a" * 5121, EndpointArn=endpoint)
    rig.comprehend.delete_endpoint(EndpointArn=endpoint)


def test_labels_are_told_when_the_model_has_several_a_document(rig: Rig) -> None:
    """Labels in place of Classes, all of them."""
    flywheel = rig.flywheel(**classifier_task("MULTI_LABEL", LABELS))
    rig.dataset(flywheel, rows(30))
    model = rig.iterated(flywheel)["TrainedModelArn"]
    endpoint = in_service(rig, EndpointName="several", ModelArn=model)
    answer = rig.comprehend.classify_document(Text="parcel courier", EndpointArn=endpoint)
    assert "Classes" not in answer
    assert [label["Name"] for label in answer["Labels"]] == ["delivery", "billing"]
    rig.comprehend.delete_endpoint(EndpointArn=endpoint)


def test_the_built_in_model_is_refused_when_no_endpoint_is_named(rig: Rig) -> None:
    """Only custom recognizers are served."""
    with pytest.raises(ClientError, match="EndpointArn of a custom recognizer"):
        rig.comprehend.detect_entities(Text="Ana lives in Lima", LanguageCode="en")


@pytest.mark.slow
def test_a_model_cannot_be_asked_when_its_file_is_gone(s3: "S3Client", tmp_path: Path) -> None:
    """The message names the file."""
    with running(tmp_path, s3) as rig:
        _, model = rig.trained()
        for file in (tmp_path / "models").rglob("*.model"):
            file.unlink()
        with pytest.raises(ClientError, match=r"model file .* is missing"):
            classes(rig, in_service(rig, ModelArn=model), "parcel")
