"""Every error that a served operation declares: raised by boto3 as the model has it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from comprehend_engine.settings import Quotas
from engine_testing.fault_requests import ask_for, control
from engine_testing.recognizers import trained_recognizer
from engine_testing.rig import BUCKET, Rig, rows, running, until
from tests.contract.conftest import reached
from tests.contract.refusals import (
    BUSY_REFUSALS,
    JOB,
    ONLY_BY_FAULT,
    REFUSALS,
    SERVED,
    any_request,
    declared,
    met_by_input,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

Made = dict[str, str]


@pytest.fixture(scope="module")
def made(rig: Rig) -> Made:
    """Create what refusals name: a flywheel and a dataset whose names are in use, and a model."""
    existing = rig.flywheel(FlywheelName="existing", DataLakeS3Uri=f"s3://{BUCKET}/contract")
    rig.ended_dataset(rig.begin_dataset(existing, f"s3://{BUCKET}/contract.csv", DatasetName="d"))
    served, active = rig.trained()
    rig.comprehend.update_flywheel(FlywheelArn=served, ActiveModelArn=active)
    return {"existing": existing, "served": served, "active": active}


@pytest.fixture(scope="module")
def busy(
    mode: str, s3: "S3Client", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Rig, Made]]:
    """Run an engine that is full, and whose work ends in an hour; yield what it is busy with."""
    directory = tmp_path_factory.mktemp("busy")
    made = ended_before(directory, s3)
    quotas = Quotas(
        flywheels=4, test_datasets_per_flywheel=1, active_iterations=2, active_jobs_per_kind=1
    )
    with running(directory, s3, quotas=quotas, pace_seconds=3600.0) as rig:
        reached(rig, mode)
        yield rig, {**made, **begun(rig, made)}


def ended_before(directory: Path, s3: "S3Client") -> Made:
    """Make flywheels, models and an endpoint; return their ARNs."""
    with running(directory, s3) as rig:
        busy, active = rig.trained()
        rig.comprehend.update_flywheel(FlywheelArn=busy, ActiveModelArn=active)
        names, recognizer = trained_recognizer(rig)
        idle = rig.flywheel()
        rig.dataset(idle, rows(5), "TEST")
        serving = rig.comprehend.create_endpoint(
            EndpointName="serving", ModelArn=active, DesiredInferenceUnits=1
        )["EndpointArn"]
        until(
            lambda: rig.comprehend.describe_endpoint(EndpointArn=serving)["EndpointProperties"],
            lambda seen: seen.get("Status") == "IN_SERVICE",
        )
    shared = {"busy": busy, "active": active, "names": names, "recognizer": recognizer}
    return {**shared, "idle": idle, "serving": serving}


def begun(rig: Rig, made: Made) -> Made:
    """Begin everything that can be begun; return the ARNs of what is under way."""
    comprehend = rig.comprehend
    for flywheel in ("busy", "names"):
        rig.begin_iteration(made[flywheel])
    in_training: Any = {"Filter": {"Status": "TRAINING"}}
    (training,) = comprehend.list_document_classifiers(**in_training)[
        "DocumentClassifierPropertiesList"
    ]
    (recognizing,) = comprehend.list_entity_recognizers(**in_training)[
        "EntityRecognizerPropertiesList"
    ]
    job: Any = JOB
    comprehend.start_document_classification_job(DocumentClassifierArn=made["active"], **job)
    comprehend.start_entities_detection_job(
        EntityRecognizerArn=made["recognizer"], LanguageCode="en", **job
    )
    starting = comprehend.create_endpoint(
        EndpointName="starting", ModelArn=made["active"], DesiredInferenceUnits=1
    )["EndpointArn"]
    return {
        "training": training["DocumentClassifierArn"],
        "recognizing": recognizing["EntityRecognizerArn"],
        "starting": starting,
        "creating": rig.flywheel(waits=False),
    }


def assert_refused(rig: Rig, method: str, request: Mapping[str, Any], code: str) -> ClientError:
    """Check that class, HTTP status and message of an error are as the model has them."""
    with pytest.raises(ClientError) as refusal:
        getattr(rig.comprehend, method)(**request)
    assert type(refusal.value) is getattr(rig.comprehend.exceptions, code)
    answer = refusal.value.response
    status = declared(refusal.value.operation_name)[code]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["Error"]["Message"]
    return refusal.value


def named(request: Mapping[str, Any], made: Made) -> dict[str, Any]:
    """Return a request with the ARNs of what was made in place of words."""
    return {
        name: made.get(value, value) if name.endswith("Arn") else value
        for name, value in request.items()
    }


@pytest.mark.parametrize(("method", "request_", "code"), REFUSALS)
def test_the_error_is_declared_when_an_operation_refuses(
    rig: Rig, made: Made, method: str, request_: dict[str, Any], code: str
) -> None:
    """Code, HTTP status and the client's own exception class come from the model."""
    assert_refused(rig, method, named(request_, made), code)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "request_", "code"), BUSY_REFUSALS)
def test_the_error_is_declared_when_the_engine_is_busy(
    busy: tuple[Rig, Made], method: str, request_: dict[str, Any], code: str
) -> None:
    """What is under way is in use or not ready yet, and what is full takes nothing more."""
    rig, made = busy
    assert_refused(rig, method, named(request_, made), code)


@pytest.mark.parametrize(
    ("operation", "code"),
    [(operation, code) for operation in sorted(SERVED) for code in declared(operation)],
)
def test_the_error_is_the_models_when_a_fault_raises_it(
    rig: Rig, operation: str, code: str
) -> None:
    """A program can be tested against each error that the service could answer it."""
    ask_for(rig, fault="error", operation=operation, code=code, message="out of luck", times=1)
    refusal = assert_refused(rig, xform_name(operation), any_request(operation), code)
    assert refusal.response["Error"]["Message"] == "out of luck"
    assert control(rig, "GET") == {"faults": []}


@pytest.mark.parametrize("operation", sorted(SERVED))
def test_input_meets_each_declared_error_when_it_is_none_of_the_services_troubles(
    operation: str,
) -> None:
    """Errors that only a fault causes are listed one by one; nothing else is left out."""
    met = met_by_input(operation)
    assert met <= set(declared(operation))
    left = {code for code in declared(operation) if (operation, code) not in ONLY_BY_FAULT}
    assert left <= met
