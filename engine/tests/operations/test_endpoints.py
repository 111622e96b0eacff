"""The endpoint operations, over HTTP."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from comprehend_engine.clock import DrivenClock
from comprehend_engine.engine import Quotas
from engine_testing.rig import ROLE, Rig, running, until

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

ABSENT = "arn:aws:comprehend:us-east-1:123456789012:document-classifier/absent"
_numbers = count(1)


@pytest.fixture(scope="module")
def many(s3: "S3Client", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Run an engine in which these tests use no quota up."""
    quotas = Quotas(endpoints=1000, inference_units=1000)
    with running(tmp_path_factory.mktemp("endpoints"), s3, quotas=quotas) as rig:
        yield rig


@pytest.fixture(scope="module")
def trained(many: Rig) -> tuple[str, str, str]:
    """Have a flywheel, its active model and another one."""
    flywheel, model = many.trained()
    other = many.iterated(flywheel)["TrainedModelArn"]
    many.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    return flywheel, model, other


def described(rig: Rig, arn: str) -> Mapping[str, Any]:
    """Describe an endpoint."""
    return rig.comprehend.describe_endpoint(EndpointArn=arn)["EndpointProperties"]


def in_service(rig: Rig, arn: str) -> Mapping[str, Any]:
    """Return an endpoint's description once it serves what is desired."""
    return until(lambda: described(rig, arn), lambda seen: seen["Status"] == "IN_SERVICE")


def endpoint(rig: Rig, *, waits: bool = True, **more: Any) -> str:
    """Create an endpoint with a new name; return its ARN once it is IN_SERVICE."""
    request = {"EndpointName": f"e{next(_numbers)}", "DesiredInferenceUnits": 1, **more}
    arn = rig.comprehend.create_endpoint(**request)["EndpointArn"]
    if waits:
        in_service(rig, arn)
    return arn


def arns(rig: Rig, **request: Any) -> list[str]:
    """List endpoints."""
    entry = rig.comprehend.list_endpoints(**request)["EndpointPropertiesList"]
    return [item["EndpointArn"] for item in entry]


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    """Return the code of a refusal."""
    return error.value.response["Error"]["Code"]


def test_the_list_is_empty_when_there_are_no_endpoints(s3: "S3Client", tmp_path: Path) -> None:
    """An empty list, and no next page."""
    with running(tmp_path, s3) as rig:
        answer = rig.comprehend.list_endpoints()
        assert answer["EndpointPropertiesList"] == []
        assert "NextToken" not in answer


def test_the_states_pass_when_an_endpoint_lives(s3: "S3Client", tmp_path: Path) -> None:
    """CREATING, IN_SERVICE, UPDATING with both models, IN_SERVICE, DELETING, gone."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        flywheel, model = rig.trained()
        other = rig.iterated(flywheel)["TrainedModelArn"]
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        arn = endpoint(rig, waits=False, EndpointName="life", ModelArn=model)
        assert arn.endswith(":123456789012:document-classifier-endpoint/life")
        creating = described(rig, arn)
        assert (creating["Status"], "CurrentInferenceUnits" in creating) == ("CREATING", False)
        clock.advance(5.0)
        assert in_service(rig, arn)["CurrentInferenceUnits"] == 1
        rig.comprehend.update_endpoint(
            EndpointArn=arn, DesiredModelArn=other, DesiredInferenceUnits=3
        )
        updating = described(rig, arn)
        assert (updating["Status"], updating["ModelArn"]) == ("UPDATING", model)
        assert (updating["DesiredModelArn"], updating["DesiredInferenceUnits"]) == (other, 3)
        with pytest.raises(ClientError) as busy:
            rig.comprehend.update_endpoint(EndpointArn=arn, DesiredInferenceUnits=2)
        assert refused(busy) == "ResourceUnavailableException"
        with pytest.raises(ClientError) as in_use:
            rig.comprehend.delete_endpoint(EndpointArn=arn)
        assert refused(in_use) == "ResourceInUseException"
        clock.advance(5.0)
        updated = in_service(rig, arn)
        assert (updated["ModelArn"], updated["CurrentInferenceUnits"]) == (other, 3)
        rig.comprehend.delete_endpoint(EndpointArn=arn)
        assert described(rig, arn)["Status"] == "DELETING"
        clock.advance(5.0)
        until(lambda: arns(rig), lambda seen: seen == [])
        with pytest.raises(ClientError) as gone:
            described(rig, arn)
        assert refused(gone) == "ResourceNotFoundException"


@pytest.mark.slow
def test_the_model_follows_when_the_flywheels_active_model_changes(
    many: Rig, trained: tuple[str, str, str]
) -> None:
    """An endpoint that was created with a model's ARN, or pinned to one since, does not."""
    flywheel, model, other = trained
    follows = endpoint(many, FlywheelArn=flywheel)
    pinned = endpoint(many, FlywheelArn=flywheel)
    assert described(many, follows)["ModelArn"] == model
    many.comprehend.update_endpoint(EndpointArn=pinned, DesiredModelArn=model)
    assert "FlywheelArn" not in in_service(many, pinned)
    many.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=other)
    seen = until(lambda: described(many, follows), lambda seen: seen["ModelArn"] == other)
    assert (seen["FlywheelArn"], seen["Status"]) == (flywheel, "IN_SERVICE")
    many.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    until(lambda: described(many, follows), lambda seen: seen["ModelArn"] == model)
    assert described(many, pinned)["ModelArn"] == model


@pytest.mark.slow
def test_another_flywheel_is_followed_when_an_endpoint_is_moved(
    many: Rig, trained: tuple[str, str, str]
) -> None:
    """Describe has the new flywheel at once; the old one's promotions no longer apply."""
    flywheel, _, other = trained
    arn = endpoint(many, FlywheelArn=flywheel)
    next_one = many.flywheel(ActiveModelArn=other)
    moved = many.comprehend.update_endpoint(EndpointArn=arn, FlywheelArn=next_one)
    assert moved["DesiredModelArn"] == other
    assert described(many, arn)["FlywheelArn"] == next_one
    seen = in_service(many, arn)
    assert (seen["FlywheelArn"], seen["ModelArn"]) == (next_one, other)
    many.comprehend.delete_flywheel(FlywheelArn=next_one)
    until(
        lambda: [f["FlywheelArn"] for f in many.comprehend.list_flywheels()["FlywheelSummaryList"]],
        lambda left: next_one not in left,
    )
    assert described(many, arn)["ModelArn"] == other


@pytest.mark.slow
def test_the_newest_model_is_served_when_it_changes_in_the_middle_of_an_update(
    s3: "S3Client", tmp_path: Path
) -> None:
    """A flywheel's active model does not wait for the update that is under way."""
    clock = DrivenClock()
    with running(tmp_path, s3) as rig:
        flywheel, model = rig.trained()
        other = rig.iterated(flywheel)["TrainedModelArn"]
        rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
        arn = endpoint(rig, FlywheelArn=flywheel)
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        rig.comprehend.update_endpoint(EndpointArn=arn, DesiredInferenceUnits=2)
        clock.advance(2.0)
        rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=other)
        updating = described(rig, arn)
        assert (updating["Status"], updating["DesiredModelArn"]) == ("UPDATING", other)
        clock.advance(5.0)
        seen = in_service(rig, arn)
        assert (seen["ModelArn"], seen["CurrentInferenceUnits"]) == (other, 2)


@pytest.mark.slow
@pytest.mark.parametrize("passing", ["CREATING", "UPDATING", "DELETING"])
def test_what_was_under_way_goes_on_when_the_engine_starts_again(
    s3: "S3Client", tmp_path: Path, passing: str
) -> None:
    """A record, its tokens and what is desired of it survive."""
    clock = DrivenClock()
    with running(tmp_path, s3, clock=clock) as rig:
        model = rig.trained()[1]
        if passing != "CREATING":
            arn = endpoint(rig, EndpointName="kept", ModelArn=model, ClientRequestToken="once")
    with running(tmp_path, s3, clock=clock, pace_seconds=5.0) as rig:
        if passing == "CREATING":
            arn = endpoint(
                rig, waits=False, EndpointName="kept", ModelArn=model, ClientRequestToken="once"
            )
        elif passing == "UPDATING":
            rig.comprehend.update_endpoint(EndpointArn=arn, DesiredInferenceUnits=2)
        else:
            rig.comprehend.delete_endpoint(EndpointArn=arn)
        assert described(rig, arn)["Status"] == passing
    with running(tmp_path, s3, clock=clock) as rig:
        if passing == "DELETING":
            until(lambda: arns(rig), lambda seen: seen == [])
            endpoint(rig, EndpointName="kept", ModelArn=model, ClientRequestToken="once")
        else:
            assert in_service(rig, arn)["ModelArn"] == model
            assert (
                endpoint(rig, EndpointName="kept", ModelArn=model, ClientRequestToken="once") == arn
            )


def test_the_same_endpoint_is_answered_when_a_token_is_repeated(
    many: Rig, trained: tuple[str, str, str]
) -> None:
    """With another token, the name is in use."""
    request: dict[str, Any] = {"EndpointName": "repeated", "FlywheelArn": trained[0]}
    first = endpoint(many, ClientRequestToken="once", **request)
    assert endpoint(many, ClientRequestToken="once", **request) == first
    with pytest.raises(ClientError) as in_use:
        endpoint(many, ClientRequestToken="twice", **request)
    assert refused(in_use) == "ResourceInUseException"


def test_filters_and_pages_hold_when_endpoints_are_listed(
    many: Rig, trained: tuple[str, str, str]
) -> None:
    """By model, status or time, one at a time; a page continues after the last item."""
    other = trained[2]
    made = [endpoint(many, ModelArn=other, DataAccessRoleArn=ROLE) for _ in range(3)]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for chosen in ({"ModelArn": other}, {"Status": "IN_SERVICE"}, {"CreationTimeBefore": tomorrow}):
        assert set(made) <= set(arns(many, Filter=chosen))
    for chosen in ({"ModelArn": ABSENT}, {"Status": "FAILED"}, {"CreationTimeAfter": tomorrow}):
        assert arns(many, Filter=chosen) == []
    with pytest.raises(ClientError, match="one member at a time; it has 2") as two:
        arns(many, Filter={"ModelArn": other, "Status": "IN_SERVICE"})
    assert refused(two) == "InvalidRequestException"
    pages = many.comprehend.get_paginator("list_endpoints").paginate(
        PaginationConfig={"PageSize": 1}
    )
    listed_arns = [item["EndpointArn"] for page in pages for item in page["EndpointPropertiesList"]]
    assert listed_arns == arns(many)
    assert len(set(listed_arns)) == len(listed_arns)


def test_an_endpoint_is_refused_when_it_has_nothing_to_serve(
    many: Rig, trained: tuple[str, str, str]
) -> None:
    """The code depends on whether the request or the named resource is invalid."""
    flywheel, model, _ = trained
    untrained = many.flywheel()
    many.iterated(untrained)
    models = many.comprehend.list_document_classifiers()["DocumentClassifierPropertiesList"]
    (failed,) = (
        entry["DocumentClassifierArn"] for entry in models if entry.get("FlywheelArn") == untrained
    )
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "InvalidRequestException"),
        ({"ModelArn": model, "FlywheelArn": flywheel}, "InvalidRequestException"),
        ({"ModelArn": ABSENT}, "ResourceNotFoundException"),
        ({"ModelArn": failed}, "ResourceUnavailableException"),
        ({"FlywheelArn": f"{flywheel}-absent"}, "ResourceNotFoundException"),
        ({"FlywheelArn": untrained}, "ResourceUnavailableException"),
        ({"ModelArn": model, "DesiredInferenceUnits": 11}, "ResourceLimitExceededException"),
    ]
    for request, code in cases:
        with pytest.raises(ClientError) as refusal:
            endpoint(many, **request)
        assert refused(refusal) == code, request


@pytest.mark.slow
def test_an_endpoint_is_refused_when_the_account_has_as_many_as_it_may(
    s3: "S3Client", tmp_path: Path
) -> None:
    """Both quotas, of endpoints and of inference units, are settings."""
    with running(tmp_path, s3, quotas=Quotas(endpoints=2, inference_units=3)) as rig:
        model = rig.trained()[1]
        first = endpoint(rig, ModelArn=model, DesiredInferenceUnits=2)
        endpoint(rig, ModelArn=model)
        with pytest.raises(ClientError, match="limit of endpoints") as refusal:
            endpoint(rig, ModelArn=model)
        assert refused(refusal) == "ResourceLimitExceededException"
        with pytest.raises(ClientError, match="of the account"):
            rig.comprehend.update_endpoint(EndpointArn=first, DesiredInferenceUnits=3)
