"""The tag operations, over HTTP, and the tags that come with a creation."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from engine_testing.rig import Rig, rows, running, until

if TYPE_CHECKING:
    from mypy_boto3_comprehend.type_defs import TagTypeDef
    from mypy_boto3_s3.client import S3Client

TEAM: "list[TagTypeDef]" = [{"Key": "team", "Value": "support"}]


def tags_of(rig: Rig, arn: str) -> Mapping[str, str]:
    """List a resource's tags."""
    returned = rig.comprehend.list_tags_for_resource(ResourceArn=arn)
    assert returned["ResourceArn"] == arn
    return {tag["Key"]: tag["Value"] for tag in returned["Tags"]}


def code_of(call: Any, **request: Any) -> str:
    """Return the code of a call that is refused."""
    with pytest.raises(ClientError) as refusal:
        call(**request)
    return refusal.value.response["Error"]["Code"]


def test_tags_are_kept_when_resources_are_created_with_them(rig: Rig) -> None:
    """Flywheels, datasets and endpoints; a model has none until it is given some."""
    flywheel = rig.flywheel(Tags=TEAM)
    dataset = rig.begin_dataset(flywheel, rig.put("in/tags.csv", rows(12)), Tags=TEAM)
    rig.ended_dataset(dataset)
    rig.dataset(flywheel, rows(5, first=50), "TEST")
    model = rig.iterated(flywheel)["TrainedModelArn"]
    endpoint = rig.comprehend.create_endpoint(
        EndpointName="tagged", ModelArn=model, DesiredInferenceUnits=1, Tags=[{"Key": "empty"}]
    )["EndpointArn"]
    assert tags_of(rig, flywheel) == tags_of(rig, dataset) == {"team": "support"}
    assert tags_of(rig, endpoint) == {"empty": ""}
    assert tags_of(rig, model) == {}
    rig.comprehend.tag_resource(ResourceArn=model, Tags=TEAM)
    assert tags_of(rig, model) == {"team": "support"}


def test_tags_change_when_they_are_set_and_removed(rig: Rig) -> None:
    """An existing key gets the new value; a missing one is not an error."""
    arn = rig.flywheel(Tags=TEAM)
    new: list[TagTypeDef] = [{"Key": "team", "Value": "sales"}, {"Key": "stage", "Value": "test"}]
    rig.comprehend.tag_resource(ResourceArn=arn, Tags=new)
    assert tags_of(rig, arn) == {"stage": "test", "team": "sales"}
    rig.comprehend.untag_resource(ResourceArn=arn, TagKeys=["team", "absent"])
    assert tags_of(rig, arn) == {"stage": "test"}


def test_removed_tags_stay_removed_when_the_creation_is_repeated(rig: Rig) -> None:
    """A repeat with the same token creates nothing, tags neither."""
    request: dict[str, Any] = {
        "FlywheelName": "tags-once",
        "Tags": TEAM,
        "ClientRequestToken": "tagged",
    }
    arn = rig.flywheel(**request)
    rig.comprehend.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert rig.flywheel(**request) == arn
    assert tags_of(rig, arn) == {}


@pytest.mark.slow
def test_tags_end_when_their_resource_does(s3: "S3Client", tmp_path: Path) -> None:
    """A new flywheel of the same name has none; the model keeps its own."""
    with running(tmp_path, s3) as rig:
        flywheel = rig.flywheel(FlywheelName="again", Tags=TEAM)
        rig.dataset(flywheel, rows(30))
        model = rig.iterated(flywheel)["TrainedModelArn"]
        rig.comprehend.tag_resource(ResourceArn=model, Tags=TEAM)
        rig.comprehend.delete_flywheel(FlywheelArn=flywheel)
        until(lambda: rig.comprehend.list_flywheels()["FlywheelSummaryList"], lambda left: not left)
        absent = code_of(rig.comprehend.list_tags_for_resource, ResourceArn=flywheel)
        assert absent == "ResourceNotFoundException"
        assert tags_of(rig, rig.flywheel(FlywheelName="again")) == {}
    with running(tmp_path, s3) as rig:
        assert tags_of(rig, model) == {"team": "support"}


def test_tags_are_refused_when_they_are_too_many_or_not_allowed(rig: Rig) -> None:
    """Fifty per resource in total; each key once, without AWS's reserved prefix."""
    arn = rig.flywheel(Tags=[{"Key": f"k{number}"} for number in range(50)])
    tag, untag = rig.comprehend.tag_resource, rig.comprehend.untag_resource
    assert code_of(tag, ResourceArn=arn, Tags=TEAM) == "TooManyTagsException"
    tag(ResourceArn=arn, Tags=[{"Key": "k0", "Value": "new"}])
    assert tags_of(rig, arn)["k0"] == "new"
    keys = [f"k{number}" for number in range(51)]
    assert code_of(untag, ResourceArn=arn, TagKeys=keys) == "TooManyTagKeysException"
    for tags in ([{"Key": "aws:own"}], [{"Key": "twice"}, {"Key": "twice"}]):
        assert code_of(tag, ResourceArn=arn, Tags=tags) == "InvalidRequestException"
