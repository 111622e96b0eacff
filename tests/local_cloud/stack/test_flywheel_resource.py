"""A flywheel of a stack, at the real engine: what an update changes while it stays the same."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from engine_testing.rig import (
    BUCKET,
    LABELS,
    ROLE,
    Rig,
    classifier_task,
    client,
    running,
)
from local_cloud.background import Background
from local_cloud.stack.flywheel_resource import (
    create_flywheel,
    delete_flywheel,
    is_replaced,
    update_flywheel,
)

KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Run an engine, and an S3 that is gone before the next cloud starts in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    s3 = client("s3", f"http://{host}:{port}")
    s3.create_bucket(Bucket=BUCKET)
    with running(tmp_path_factory.mktemp("engine"), s3) as started:
        yield started
    s3.close()
    server.stop()


@pytest.mark.slow
def test_all_that_may_change_does_when_a_flywheel_is_updated(rig: Rig) -> None:
    """Model, role, keys and tags; the lake's key, which no update takes, is left out."""
    arn, model = rig.trained()
    rig.comprehend.tag_resource(ResourceArn=arn, Tags=[{"Key": "old", "Value": "1"}])
    keys = {"ModelKmsKeyId": KEY, "DataLakeKmsKeyId": KEY}
    properties = {
        "ActiveModelArn": model,
        "DataAccessRoleArn": f"{ROLE}-new",
        "DataSecurityConfig": keys,
        "Tags": [{"Key": "team", "Value": "mail"}],
    }
    earlier = {"DataAccessRoleArn": ROLE, "Tags": [{"Key": "old", "Value": "1"}]}
    assert not is_replaced(properties, earlier)
    update_flywheel(rig.comprehend, arn, properties, earlier)

    seen = rig.described(arn)
    assert (seen["ActiveModelArn"], seen["DataAccessRoleArn"]) == (model, f"{ROLE}-new")
    assert seen["DataSecurityConfig"] == {"ModelKmsKeyId": KEY}
    assert rig.comprehend.list_tags_for_resource(ResourceArn=arn)["Tags"] == properties["Tags"]


def test_the_active_model_stays_when_the_template_names_none(rig: Rig) -> None:
    """A promotion is not undone by a later update."""
    arn, model = rig.trained()
    rig.comprehend.update_flywheel(FlywheelArn=arn, ActiveModelArn=model)
    update_flywheel(rig.comprehend, arn, {"DataAccessRoleArn": f"{ROLE}-new"}, {})
    assert rig.described(arn)["ActiveModelArn"] == model


def test_the_name_is_free_when_a_flywheel_is_deleted(rig: Rig) -> None:
    """The next one of that name can be made at once; deleting twice is no error."""
    properties = {
        "FlywheelName": "again",
        "DataAccessRoleArn": ROLE,
        "DataLakeS3Uri": f"s3://{BUCKET}/lake",
        **classifier_task("MULTI_CLASS", LABELS),
    }
    background = Background()
    for _ in range(2):
        arn = create_flywheel(rig.comprehend, background, properties)
        delete_flywheel(rig.comprehend, background, arn)
    delete_flywheel(rig.comprehend, background, arn)
