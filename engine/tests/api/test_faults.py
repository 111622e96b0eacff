"""Faults on demand, asked for over HTTP and met by a boto3 client."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from engine_testing.fault_requests import ask_for, control
from engine_testing.rig import Rig, client, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture(scope="module")
def faulty(s3: "S3Client", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Run an engine that has faults on demand."""
    with running(tmp_path_factory.mktemp("faulty"), s3, allows_faults=True) as rig:
        yield rig


@pytest.fixture(autouse=True)
def no_fault_left(faulty: Rig) -> Iterator[None]:
    """Remove what a test asked for."""
    yield
    control(faulty, "DELETE")


def test_calls_are_throttled_when_that_is_asked_for(faulty: Rig) -> None:
    """As often as it was asked for, and only the operation that was named."""
    ask_for(faulty, fault="throttle", operation="ListFlywheels", times=2)
    faulty.comprehend.list_datasets()
    for _ in range(2):
        with pytest.raises(ClientError) as throttled:
            faulty.comprehend.list_flywheels()
        answer = throttled.value.response
        assert answer["Error"]["Code"] == "TooManyRequestsException"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    faulty.comprehend.list_flywheels()
    ask_for(faulty, fault="throttle", times=1)
    with pytest.raises(ClientError, match="ThrottlingException"):
        faulty.comprehend.classify_document(Text="a", EndpointArn=ENDPOINT)


def test_calls_are_refused_when_an_error_is_asked_for(faulty: Rig) -> None:
    """With any code, until it is removed; 500 is the default, and GET returns the fault."""
    ask_for(faulty, fault="error", operation="ListFlywheels")
    for _ in range(3):
        with pytest.raises(ClientError, match="This fault was asked for") as failed:
            faulty.comprehend.list_flywheels()
        assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    (returned,) = control(faulty, "GET")["faults"]
    assert (returned["fault"], returned["operation"], returned["times"]) == (
        "error",
        "ListFlywheels",
        None,
    )
    assert control(faulty, "DELETE") == {"faults": []}
    faulty.comprehend.list_flywheels()
    ask_for(faulty, fault="error", code="AccessDeniedException", message="no", times=1)
    with pytest.raises(ClientError, match=r"AccessDeniedException.*no"):
        faulty.comprehend.list_flywheels()


def test_the_reply_is_lost_when_that_is_asked_for(faulty: Rig) -> None:
    """The call was carried out: a repeat with its token finds what the first one made."""
    ask_for(faulty, fault="drop", operation="CreateFlywheel", times=1)
    request: dict[str, Any] = {"FlywheelName": "lost-reply", "ClientRequestToken": "once"}
    with pytest.raises(ConnectionClosedError):
        faulty.flywheel(**request)
    assert faulty.flywheel(**request).endswith("flywheel/lost-reply")


def test_the_reply_is_late_when_that_is_asked_for(faulty: Rig) -> None:
    """A client that is less patient gives up; the engine's stop waits for no delay."""
    ask_for(faulty, fault="delay", operation="ListFlywheels", seconds=600, times=1)
    hasty = client("comprehend", faulty.engine.url, read_timeout=0.05)
    with pytest.raises(ReadTimeoutError):
        hasty.list_flywheels()
    hasty.close()


@pytest.mark.slow
def test_an_iteration_fails_when_that_is_asked_for(faulty: Rig) -> None:
    """Of the flywheel that was named, with the words that were given; the next one completes."""
    flywheel, other = faulty.flywheel(), faulty.flywheel()
    for arn in (flywheel, other):
        faulty.dataset(arn, rows(30))
    ask_for(faulty, fault="fail_iteration", flywheel=flywheel, message="out of luck", times=1)
    assert faulty.iterated(other)["Status"] == "COMPLETED"
    failed = faulty.iterated(flywheel)
    assert (failed["Status"], failed["Message"]) == ("FAILED", "out of luck")
    assert faulty.iterated(flywheel)["Status"] == "COMPLETED"


def test_metrics_are_absent_when_that_is_asked_for(faulty: Rig) -> None:
    """COMPLETED, with a model and without the numbers, as the service's shape allows."""
    flywheel = faulty.flywheel()
    faulty.dataset(flywheel, rows(30))
    ask_for(faulty, fault="withhold_metrics", times=1)
    ended = faulty.iterated(flywheel)
    assert (ended["Status"], "TrainedModelMetrics" in ended) == ("COMPLETED", False)
    assert ended["TrainedModelArn"]


def test_an_iteration_hangs_when_that_is_asked_for(faulty: Rig) -> None:
    """It continues when the faults are removed; a stop ends one that hangs."""
    flywheel = faulty.flywheel()
    faulty.dataset(flywheel, rows(30))
    ask_for(faulty, fault="hang_iteration", times=2)
    hanging = faulty.begin_iteration(flywheel)
    until(lambda: control(faulty, "GET")["faults"], lambda left: left[0]["times"] == 1)
    assert faulty.iteration(flywheel, hanging)["Status"] == "TRAINING"
    control(faulty, "DELETE")
    assert faulty.ended_iteration(flywheel, hanging)["Status"] == "COMPLETED"
    ask_for(faulty, fault="hang_iteration", times=1)
    stopped = faulty.begin_iteration(flywheel)
    until(lambda: control(faulty, "GET")["faults"], lambda left: not left)
    listed = faulty.comprehend.list_document_classifiers(Filter={"Status": "TRAINING"})
    (model,) = listed["DocumentClassifierPropertiesList"]
    faulty.comprehend.stop_training_document_classifier(
        DocumentClassifierArn=model["DocumentClassifierArn"]
    )
    seen = until(lambda: faulty.iteration(flywheel, stopped), lambda seen: "EndTime" in seen)
    assert seen["Status"] == "STOPPED"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"fault": "flood"}, "fault is one of: throttle, error, delay"),
        ([], "must be an object"),
        ({"fault": "drop", "often": 2}, "often is unknown"),
        ({"fault": "drop", "times": 0}, "times must be a whole number from 1, not 0"),
        ({"fault": "delay", "seconds": "long"}, "seconds must be a number from 0"),
        ({"fault": "drop", "operation": "ListWheels"}, "'ListWheels' is not served; these are: Cl"),
        ({"fault": "drop", "operation": ""}, "operation '' is not served"),
        (
            {"fault": "throttle", "code": "A"},
            "code does not apply to throttle; it applies to: error.",
        ),
        ({"fault": "fail_iteration", "operation": "ListFlywheels"}, "operation does not apply"),
    ],
)
def test_a_fault_is_refused_when_it_is_not_one(faulty: Rig, body: Any, expected: str) -> None:
    """The response lists the valid values; no fault is injected."""
    returned = control(faulty, "POST", body)
    assert returned["status"] == 400
    assert expected in returned["problem"]
    assert control(faulty, "GET") == {"faults": []}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS"])
def test_the_methods_are_told_when_one_is_used_that_means_nothing(faulty: Rig, method: str) -> None:
    """In JSON, as every answer of the control."""
    returned = control(faulty, method, {"fault": "drop"})
    assert (returned["status"], returned["problem"]) == (
        405,
        f"{method} is not allowed; these methods are: GET, POST, DELETE.",
    )
    assert control(faulty, "GET") == {"faults": []}


def test_a_fault_is_told_with_what_it_was_asked_for_when_it_is_listed(faulty: Rig) -> None:
    """No member that does not apply to it: a throttled call has the code that it declares."""
    ask_for(faulty, fault="throttle", operation="ListFlywheels")
    ask_for(faulty, fault="fail_iteration", times=2)
    message = "This fault was asked for."
    assert control(faulty, "GET")["faults"] == [
        {"fault": "throttle", "operation": "ListFlywheels", "times": None, "message": message},
        {"fault": "fail_iteration", "flywheel": None, "times": 2, "message": message},
    ]


def test_no_web_page_can_ask_for_a_fault_when_it_sends_a_form(faulty: Rig) -> None:
    """What a browser sends across sites unasked is no JSON; other paths there are not."""
    returned = control(faulty, "POST", {"fault": "drop"}, kind="text/plain")
    assert returned["status"] == 415
    assert control(faulty, "GET", path="other")["status"] == 404


@pytest.mark.parametrize("headers", [{"Origin": "http://elsewhere.example"}, {"Host": "a.example"}])
def test_no_web_page_can_ask_for_a_fault_when_it_can_send_json(
    faulty: Rig, headers: dict[str, str]
) -> None:
    """Another site's name that was made to lead here counts for nothing either."""
    for method, body in (("POST", {"fault": "drop"}), ("GET", None), ("DELETE", None)):
        assert control(faulty, method, body, **headers)["__type"] == "AccessDeniedException"
    assert control(faulty, "GET") == {"faults": []}


def test_there_are_no_faults_when_the_settings_do_not_say_so(rig: Rig) -> None:
    """Off by default."""
    returned = control(rig, "POST", {"fault": "throttle"})
    assert (returned["status"], returned["problem"]) == (
        404,
        "Fault injection is off; set allows_faults.",
    )


@pytest.mark.slow
def test_a_delay_and_a_hang_end_when_the_engine_is_stopped(s3: "S3Client", tmp_path: Path) -> None:
    """What hung is begun again by the next start, without the fault."""
    with running(tmp_path, s3, allows_faults=True) as rig:
        flywheel = rig.flywheel()
        rig.dataset(flywheel, rows(30))
        ask_for(rig, fault="hang_iteration")
        iteration = rig.begin_iteration(flywheel)
    with running(tmp_path, s3) as rig:
        assert rig.ended_iteration(flywheel, iteration)["Status"] == "COMPLETED"


ENDPOINT = "arn:aws:comprehend:us-east-1:123456789012:document-classifier-endpoint/absent"
