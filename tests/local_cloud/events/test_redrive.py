import pytest

from console.flywheels.dead_letters import DeadLetterQueue, look, redrive
from tests.local_cloud.conftest import Deployed
from tests.local_cloud.waiting import eventually


@pytest.fixture
def queue(deployed: Deployed) -> DeadLetterQueue:
    """Return the small stack's dead-letter queue."""
    return DeadLetterQueue("uploads", deployed.outputs["Dead"], deployed.outputs["Uploads"])


@pytest.mark.slow
def test_a_poison_message_is_tried_again_when_it_is_redriven(
    deployed: Deployed, queue: DeadLetterQueue
) -> None:
    """Its deliveries over, it is a dead letter; redriven, it is delivered as often once more."""
    sqs = deployed.cloud.client("sqs")
    put = deployed.put("poison-redriven.csv")
    (letter,) = eventually(lambda: look(sqs, queue).letters)
    content = {"key": "poison-redriven.csv", "version_id": put["VersionId"]}
    assert letter.content == content
    assert [moved.content for moved in redrive(sqs, queue)] == [content]
    (again,) = eventually(lambda: look(sqs, queue).letters)
    assert again.content == content
    assert again.id != letter.id
    row = deployed.row("poison-redriven.csv")
    assert row is not None
    assert row["deliveries"]["N"] == "4"
