"""RebuildFlywheel on real clients: the next generation, from all rows that were not withdrawn."""

from itertools import count
from typing import TYPE_CHECKING

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from application.rebuilds.rebuild import rebuild
from console.flywheels.rebuild_status import without_rows
from flywheel.batches.batches import BatchOutcome
from flywheel.errors import ActRefusedError
from flywheel.settings.data_format import described_labels
from rebuild_flywheel.handler import handler
from tests.functions.champions import changed
from tests.functions.cloud import altering, answering, before
from tests.functions.rebuild_flywheel.rebuilding import acts, closed, switched
from tests.functions.world import LABELS, NAME, World, csv, documents

if TYPE_CHECKING:
    from mypy_boto3_comprehend.type_defs import EndpointPropertiesTypeDef

_endpoints = count(1)


def test_the_next_generation_holds_what_was_not_withdrawn_when_it_is_rebuilt(
    tainted: World, context: LambdaContext
) -> None:
    """All accepted rows in one dataset, the test set with them, and nothing taints it."""
    old_arn, champion = tainted.row.arn, tainted.active_model
    acts(tainted).rebuild("wrong.csv was mislabeled", [], [], tainted.now())
    switched(tainted)
    row = tainted.row
    assert (row.generation, row.taint, row.open_batch) == (2, (), 3)
    assert (
        row.arn
        == old_arn.removesuffix(old_arn.rsplit("/", 1)[1])
        + f"{tainted.cloud.configuration.environment}-{NAME}-g2"
    )
    assert tainted.active_model == champion == row.anchor
    outcome = closed(tainted, 3)
    assert set(tainted.sent(3)) == set(csv(documents(10)).decode().splitlines())
    assert len(tainted.sent(3, "test")) == 12
    assert (tainted.row.train_datasets, tainted.row.test_datasets) == (1, 1)
    assert outcome in {BatchOutcome.REJECTED, BatchOutcome.HELD, BatchOutcome.PROMOTED}
    assert handler({"flywheel": NAME}, context)["step"] in {"SWITCHED", None}
    events = [entry["event"] for entry in tainted.services.ledger.audit.entries(NAME)]
    assert {"withdrawal", "rebuild asked for", "generation switched"} <= set(events)


def test_a_call_answers_with_the_step_when_another_was_first(
    tainted: World, context: LambdaContext
) -> None:
    """A person and the schedule may call at the same time."""
    acts(tainted).rebuild("without the wrong ones", (), (), tainted.now())
    met: list[str] = []

    def meanwhile() -> None:
        met.append(rebuild(tainted.services, NAME)["step"])

    with before("dynamodb", "TransactWriteItems", meanwhile):
        assert handler({"flywheel": NAME}, context) == {"step": tainted.row.rebuild.step}  # type: ignore[union-attr] # it is being rebuilt
    assert met == ["CREATING"]


@pytest.mark.slow
@pytest.mark.parametrize("is_by_person", [False, True])
def test_an_endpoint_follows_when_a_model_of_the_new_generation_was_promoted(
    named_world: World, *, is_by_person: bool
) -> None:
    """The switch alone, and a batch that is not promoted, leave it with the old flywheel."""
    world, comprehend = named_world, client("comprehend")
    world.upload("monday.csv", documents(10, words=["early"]))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    old_arn = world.row.arn
    arn = comprehend.create_endpoint(
        EndpointName=f"e{next(_endpoints)}", FlywheelArn=old_arn, DesiredInferenceUnits=1
    )["EndpointArn"]

    def in_service() -> "EndpointPropertiesTypeDef":
        return world.until(
            lambda: comprehend.describe_endpoint(EndpointArn=arn)["EndpointProperties"],
            lambda seen: seen["Status"] == "IN_SERVICE",
        )

    acts(world).rebuild("labels were mixed up", [], [], world.now())
    switched(world)
    assert closed(world, 2) is not BatchOutcome.PROMOTED
    assert rebuild(world.services, NAME)["step"] == "SWITCHED"
    assert in_service()["FlywheelArn"] == old_arn != world.row.arn
    if is_by_person:
        assert "model" in changed(world, "promote", "2")
    else:
        world.upload("late.csv", documents(8, first=400, words=["late"]))
        assert closed(world, 3) is BatchOutcome.PROMOTED
    assert rebuild(world.services, NAME)["step"] is None
    seen = in_service()
    assert (seen["FlywheelArn"], seen["ModelArn"]) == (world.row.arn, world.active_model)


@pytest.mark.slow
def test_labels_change_when_a_rebuild_says_so(tainted: World) -> None:
    """A dropped label's rows are not sent; what does not fit is refused before anything is made."""
    with pytest.raises(ActRefusedError, match="no such labels: BILING"):
        acts(tainted).rebuild("x", [], ["BILING"], tainted.now())
    with pytest.raises(ActRefusedError, match="there already: billing"):
        acts(tainted).rebuild("x", ["billing"], [], tainted.now())
    with pytest.raises(ActRefusedError, match="at least 2 labels"):
        acts(tainted).rebuild("x", [], ["billing"], tainted.now())
    acts(tainted).rebuild("a new kind of letter", ["returns"], [], tainted.now())
    with pytest.raises(ActRefusedError, match="being rebuilt already"):
        acts(tainted).rebuild("again", [], [], tainted.now())
    switched(tainted)
    labels = described_labels(tainted.services.comprehend(tainted.row.arn).task_config())
    assert labels == (*LABELS, "returns")
    assert tainted.active_model is None
    tainted.upload("returns.csv", [("returns", f"send it back {number}") for number in range(4)])
    tainted.sealed(3)
    assert tainted.batch(3).label_counts["returns"] == 4


def test_no_batch_opens_when_a_rebuild_is_under_way(tainted: World) -> None:
    """Uploads are taken; they go to the new generation."""
    acts(tainted).rebuild("x", [], [], tainted.now())
    tainted.upload("late.csv", documents(3, first=300))
    assert tainted.row.open_batch is None
    known = tainted.services.flywheel(NAME)
    _, ready = tainted.services.workflow.open_when_ready(known, tainted.now())
    assert ready.lacks == ("its next generation is being made (rebuild)",)


@pytest.mark.slow
def test_the_present_generation_goes_on_when_the_next_cannot_be_made(tainted: World) -> None:
    """Refused at once or FAILED later: it is told, and batches open again."""
    acts(tainted).rebuild("clean", [], [], tainted.now())
    with answering("comprehend", "CreateFlywheel", code="ResourceLimitExceededException"):
        ending = rebuild(tainted.services, NAME)
    assert ending["step"] is None
    assert "ResourceLimitExceededException" in ending["failed"]
    acts(tainted).rebuild("clean", [], [], tainted.now())
    with altering(
        "comprehend",
        "DescribeFlywheel",
        lambda answer: answer["FlywheelProperties"].update(Status="FAILED", Message="no role"),
    ):
        assert "no role" in rebuild(tainted.services, NAME)["failed"]
    assert (tainted.row.rebuild, tainted.row.generation) == (None, 1)
    told = [notice.subject for notice in tainted.cloud.told()]
    assert sum(subject.endswith("REBUILD to generation 2 FAILED") for subject in told) == 2
    assert tainted.row.taint


def test_people_are_told_to_upload_when_no_rows_are_left_to_train_on(named_world: World) -> None:
    """The new generation waits, by its notice and by its status, and begins once rows come."""
    world = named_world
    monday = world.upload("monday.csv", documents(10))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    acts(world).withdraw([world.known(monday)], "mislabeled", world.now())
    acts(world).rebuild("without monday", [], [], world.now())
    world.cloud.told()
    switched(world)
    (notice,) = world.cloud.told()
    assert notice.subject.endswith("ACTION NEEDED: no rows are left to train on")
    assert f"flywheel upload FILE {NAME} --env" in " ".join(notice.body.split())
    ledger = world.services.ledger
    (line,) = without_rows(ledger, "test", world.row)
    assert line.startswith("No rows are left to train on. Upload some: flywheel upload FILE")
    assert rebuild(world.services, NAME)["step"] == "SWITCHED"
    assert world.cloud.told() == []
    world.upload("tuesday.csv", documents(10, first=300))
    assert without_rows(ledger, "test", world.row) == ()
    assert world.row.open_batch == 2


def test_nobody_is_told_to_upload_when_rows_are_left(tainted: World) -> None:
    """They are trained on at once."""
    acts(tainted).rebuild("clean", [], [], tainted.now())
    tainted.cloud.told()
    switched(tainted)
    assert not [notice for notice in tainted.cloud.told() if "no rows" in notice.subject]
    assert without_rows(tainted.services.ledger, "test", tainted.row) == ()


@pytest.mark.slow
def test_every_earlier_flywheel_is_named_when_the_second_rebuild_is_promoted(
    named_world: World,
) -> None:
    """The one in between was never live, so it alone is not the earlier one."""
    world = named_world
    world.upload("monday.csv", documents(10, words=["early"]))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    earlier = [world.row.arn]
    acts(world).rebuild("first", [], [], world.now())
    switched(world)
    assert closed(world, 2) is not BatchOutcome.PROMOTED
    earlier.append(world.row.arn)
    acts(world).rebuild("second", [], [], world.now())
    world.upload("late.csv", documents(8, first=400, words=["late"]))
    switched(world)
    world.cloud.told()
    assert closed(world, world.row.last_batch) is BatchOutcome.PROMOTED
    assert rebuild(world.services, NAME)["step"] is None
    (notice,) = [told for told in world.cloud.told() if "REBUILT" in told.subject]
    assert all(arn in notice.body for arn in earlier)
    assert "of earlier generations" in " ".join(notice.body.split())
