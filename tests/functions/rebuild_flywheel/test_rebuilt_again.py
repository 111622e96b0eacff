"""A generation whose model was not promoted: rebuilt again, or given up."""

from typing import TYPE_CHECKING

import pytest

from adapters.clients import client
from application.rebuilds.rebuild import rebuild
from flywheel.batches.batches import BatchName, BatchOutcome
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.errors import ActRefusedError, ConcurrentChangeError
from flywheel.notices.notice import Notice
from tests.functions.champions import changed
from tests.functions.cloud import answering, before, crash
from tests.functions.rebuild_flywheel.rebuilding import acts, closed, switched
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, World, csv, documents

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from mypy_boto3_comprehend.type_defs import EndpointPropertiesTypeDef


def rejected(world: World) -> str:
    """Rebuild a flywheel, have its first model rejected, and return the earlier flywheel's ARN."""
    before = world.row.arn
    acts(world).rebuild("clean", [], [], world.now())
    switched(world)
    assert closed(world, world.row.last_batch) in {BatchOutcome.REJECTED, BatchOutcome.HELD}
    assert rebuild(world.services, NAME)["step"] == "SWITCHED"
    return before


def given_up(world: World) -> Notice:
    """Give the new generation up, have the function carry that out, and return the notice."""
    notice = acts(world).give_up_rebuild("no better", world.now())
    rebuild(world.services, NAME)
    world.flywheel_arn = world.row.arn
    return notice


def upload_states(world: World) -> dict[str, tuple[UploadState, int | None]]:
    """Return where each upload is, by key."""
    uploads = world.services.ledger.uploads.newest(NAME)
    return {upload.key: (upload.state, upload.batch) for upload in uploads}


def followed(arn: str) -> "EndpointPropertiesTypeDef":
    """Return an endpoint as it is."""
    return client("comprehend").describe_endpoint(EndpointArn=arn)["EndpointProperties"]


def test_a_generation_is_rebuilt_again_when_its_model_was_not_promoted(tainted: World) -> None:
    """The command that the notice orders is carried out, as often as it takes."""
    rejected(tainted)
    acts(tainted).rebuild("cleaner", [], [], tainted.now())
    switched(tainted)
    assert tainted.row.generation == 3
    assert tainted.row.arn.endswith(f"{NAME}-g3")


def test_every_earlier_endpoint_follows_when_the_second_rebuild_is_promoted(
    named_world: World,
) -> None:
    """Nothing moved with the generation that was not promoted, so its predecessor's move now."""
    world, comprehend = named_world, client("comprehend")
    world.upload("monday.csv", documents(10, words=["early"]))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    arn = comprehend.create_endpoint(
        EndpointName="again", FlywheelArn=world.row.arn, DesiredInferenceUnits=1
    )["EndpointArn"]
    first = rejected(world)
    acts(world).rebuild("more", [], [], world.now())
    world.upload("late.csv", documents(8, first=400, words=["late"]))
    switched(world)
    assert followed(arn)["FlywheelArn"] == first
    assert closed(world, world.row.last_batch) is BatchOutcome.PROMOTED
    assert rebuild(world.services, NAME)["step"] is None
    world.until(lambda: followed(arn), lambda seen: seen["Status"] == "IN_SERVICE")
    assert followed(arn)["FlywheelArn"] == world.row.arn


def test_the_earlier_rebuild_waits_on_when_the_next_cannot_be_made(tainted: World) -> None:
    """The generation that is there is not forgotten: its endpoints still wait."""
    rejected(tainted)
    before = tainted.row
    acts(tainted).rebuild("cleaner", [], [], tainted.now())
    with answering("comprehend", "CreateFlywheel", code="ResourceLimitExceededException"):
        rebuild(tainted.services, NAME)
    assert (tainted.row.generation, tainted.row.rebuild) == (2, before.rebuild)


def test_batches_go_on_when_a_rebuild_is_given_up_before_it_switched(tainted: World) -> None:
    """At once, and the number and name of the one that was given up are not used again."""
    acts(tainted).rebuild("clean", [], [], tainted.now())
    assert rebuild(tainted.services, NAME)["step"] == "CREATING"
    made = tainted.row.rebuild
    notice = given_up(tainted)
    assert (tainted.row.rebuild, tainted.row.generation) == (None, 1)
    tainted.upload("late.csv", documents(4, first=500))
    assert tainted.row.open_batch == 3
    assert made is not None
    assert made.arn is not None
    assert made.arn in notice.body
    assert closed(tainted, 3) is not None
    acts(tainted).rebuild("again", [], [], tainted.now())
    switched(tainted)
    assert tainted.row.arn.endswith("-g3")


def test_the_earlier_flywheel_goes_on_when_a_generation_is_given_up(tainted: World) -> None:
    """With its slots, test set and taint; only what it does not hold is sent to it."""
    earlier = tainted.row
    before = rejected(tainted)
    late = tainted.upload("late.csv", documents(4, first=700))
    assert closed(tainted, tainted.row.last_batch) is not None
    assert tainted.row.train_datasets == 2
    given_up(tainted)
    row = tainted.row
    assert (row.arn, row.generation, row.rebuild) == (before, 1, None)
    assert (row.train_datasets, row.test_datasets) == (
        earlier.train_datasets,
        earlier.test_datasets,
    )
    assert row.taint == [f"{NAME}/train/wrong.csv"]
    assert row.test_set is not None
    assert earlier.test_set is not None
    assert row.test_set.sha256 == earlier.test_set.sha256
    assert row.test_set.looks > earlier.test_set.looks
    assert row.expected_champion == tainted.active_model
    number = row.open_batch
    assert number is not None
    assert closed(tainted, number) is not None
    assert set(tainted.sent(number)) == set(csv(documents(4, first=700)).decode().splitlines())
    assert tainted.known(late).batch == number
    states = upload_states(tainted)
    assert states[f"{NAME}/train/monday.csv"] == (UploadState.SEALED, 1)
    assert states[f"{NAME}/test/test.csv"] == (UploadState.SEALED, 1)


def test_giving_up_is_refused_when_there_is_nothing_to_give_up(named_world: World) -> None:
    """Without a rebuild, twice, and when a model of the generation is live."""
    world = named_world
    world.upload("monday.csv", documents(10, words=["early"]))
    assert closed(world, 1) is BatchOutcome.PROMOTED
    with pytest.raises(ActRefusedError, match="not being rebuilt"):
        acts(world).give_up_rebuild("x", world.now())
    acts(world).rebuild("x", [], [], world.now())
    world.upload("late.csv", documents(8, first=400, words=["late"]))
    switched(world)
    assert closed(world, 2) is BatchOutcome.PROMOTED
    with pytest.raises(ActRefusedError, match="a model of generation 2 is live"):
        acts(world).give_up_rebuild("x", world.now())


def test_the_way_back_stays_open_when_generations_are_given_up_one_after_the_other(
    tainted: World,
) -> None:
    """From the third to the second, and from there to the first."""
    first = rejected(tainted)
    second = rejected(tainted)
    tainted.upload("late.csv", documents(4, first=500))
    failed = tainted.row.last_batch
    tainted.close(failed, error="Stopped")
    given_up(tainted)
    assert (tainted.row.generation, tainted.row.arn) == (2, second)
    tainted.close(tainted.row.last_batch, error="Stopped")
    with pytest.raises(ActRefusedError, match=f"was rebuilt since batch {failed} failed"):
        acts(tainted).retry(tainted.services.staging, failed, "x", tainted.now())
    given_up(tainted)
    assert (tainted.row.generation, tainted.row.arn) == (1, first)
    assert tainted.row.next_generation == 4


def test_labels_that_later_generations_added_are_dropped_when_both_are_given_up(
    tainted: World,
) -> None:
    """The first generation knows neither, so rows with them must not be sent to it."""
    for label in ("refunds", "claims"):
        acts(tainted).rebuild("more labels", [label], [], tainted.now())
        switched(tainted)
        tainted.close(tainted.row.last_batch, error="Stopped")
    given_up(tainted)
    assert list(tainted.row.dropped_labels) == ["claims"]
    tainted.close(tainted.row.last_batch, error="Stopped")
    given_up(tainted)
    assert tainted.row.generation == 1
    assert list(tainted.row.dropped_labels) == ["claims", "refunds"]


def test_the_earlier_flywheel_is_tainted_when_rows_that_it_held_before_were_withdrawn(
    tainted: World,
) -> None:
    """Imported rows were in no batch, but they are in its datasets."""
    uid = acts(tainted).import_rows(
        tainted.services.staging,
        DatasetKind.TRAIN,
        "old.csv",
        body=csv(documents(4, first=300)),
        now=tainted.now(),
    )
    rejected(tainted)
    imported = tainted.services.ledger.uploads.get(uid)
    assert imported is not None
    acts(tainted).withdraw([imported], "mislabeled", tainted.now())
    given_up(tainted)
    assert f"{NAME}/train/old.csv (imported)" in tainted.row.taint


def test_the_champion_is_the_earlier_one_when_a_generation_of_other_labels_is_given_up(
    tainted: World,
) -> None:
    """The new flywheel began without a model: that is no change of the earlier one's."""
    earlier = tainted.row
    acts(tainted).rebuild("more labels", ["refunds"], [], tainted.now())
    switched(tainted)
    assert (tainted.row.expected_champion, tainted.active_model) == (None, None)
    tainted.close(tainted.row.last_batch, error="Stopped")
    given_up(tainted)
    reconciled(tainted.services)
    assert tainted.row.expected_champion == earlier.expected_champion == tainted.active_model
    assert (tainted.row.anchor, tainted.row.champions) == (earlier.anchor, earlier.champions)


def test_no_upload_waits_again_when_a_rebuild_is_given_up_before_it_switched(
    tainted: World,
) -> None:
    """Uploads that waited for the new generation already are where the present one has them."""
    before = upload_states(tainted)
    acts(tainted).rebuild("clean", [], [], tainted.now())
    with crash("comprehend", "UpdateFlywheel"):
        switched(tainted)
    assert tainted.services.ledger.uploads.staged(NAME)
    given_up(tainted)
    assert (tainted.row.generation, tainted.row.rebuild) == (1, None)
    assert tainted.row.taint == [f"{NAME}/train/wrong.csv"]
    assert tainted.services.ledger.uploads.staged(NAME) == []
    assert upload_states(tainted) == before


def test_test_rows_count_when_they_came_while_uploads_were_staged_again(tainted: World) -> None:
    """The generation that ends is left as it is then, not as it was before that took its time."""
    more = csv(documents(2, first=950))

    def import_more() -> None:
        staging, kind = tainted.services.staging, DatasetKind.TEST
        acts(tainted).import_rows(staging, kind, "m.csv", body=more, now=tainted.now())

    acts(tainted).rebuild("clean", [], [], tainted.now())
    # The first transaction notes the new flywheel, the second stages uploads again.
    with before("dynamodb", "TransactWriteItems", import_more, at=2):
        switched(tainted)
    tainted.close(tainted.row.last_batch, error="Stopped")
    given_up(tainted)
    assert tainted.row.test_documents == 12 + 4


def test_nothing_begins_when_a_generation_was_given_up(tainted: World) -> None:
    """Neither a batch of who read the flywheel before, nor a change of the champion."""
    rejected(tainted)
    stale, ledger = tainted.row, tainted.services.ledger
    acts(tainted).give_up_rebuild("no better", tainted.now())
    with pytest.raises(ConcurrentChangeError):
        ledger.batches.open(stale, 1, tainted.now())
    trained = ledger.verdicts.get(ledger.batches.get(NAME, stale.last_batch))
    assert trained is not None
    tainted.flywheel_arn = stale.arn
    model = trained.verdict.evidence.challenger_arn
    assert model is not None
    assert "abandoned" in changed(tainted, "promote", model=model, request="one")["refused"]
    assert rebuild(tainted.services, NAME)["step"] is None
    assert tainted.row.generation == 1


def test_an_upload_is_where_the_earlier_generation_holds_it_when_the_next_is_given_up(
    tainted: World,
) -> None:
    """SEALED whatever became of its batch, and waiting only where its own label waited."""
    held = tainted.upload("held.csv", documents(4, first=300))
    tainted.seal(3)
    tainted.await_datasets(3)
    tainted.close(3, error="Stopped")
    given = documents(4, first=350)
    whole = tainted.upload("whole.csv", [row for row in given if row[0] == "billing"])
    part = tainted.upload("part.csv", [row for row in given if row[0] == "delivery"][:1])
    closed(tainted, 4)
    assert tainted.batch(4).waiting_labels == ["delivery"]
    rejected(tainted)
    given_up(tainted)
    known = [tainted.known(upload) for upload in (held, whole, part)]
    assert [(row.state, row.batch) for row in known] == [
        (UploadState.SEALED, 3),
        (UploadState.SEALED, 4),
        (UploadState.SEALED, 4),
    ]
    staged = tainted.services.ledger.uploads.staged(NAME)
    assert [upload.key for upload in staged] == [f"{NAME}/train/part.csv"]


def test_an_upload_stays_sealed_when_a_later_batch_knows_all_of_its_rows(tainted: World) -> None:
    """A dataset holds them, so it can still be withdrawn."""
    ledger = tainted.services.ledger
    uploads = ledger.uploads
    monday = next(row for row in uploads.newest(NAME) if row.key.endswith("monday.csv"))
    name, repeats = BatchName(NAME, 9, 1), [monday.uid]
    ledger.batch_uploads.seal(name, repeats, remainders={}, repeats=repeats)
    assert uploads.get(monday.uid) == monday


def test_giving_up_is_refused_when_the_earlier_flywheel_was_deleted(tainted: World) -> None:
    """Nothing could go on with it."""
    before = rejected(tainted)
    client("comprehend").delete_flywheel(FlywheelArn=before)
    with pytest.raises(ActRefusedError, match=f"Comprehend does not have {before} any more"):
        acts(tainted).give_up_rebuild("no better", tainted.now())
    assert tainted.row.generation == 2


def test_the_notice_names_what_may_be_in_the_making_when_a_rebuild_is_given_up(
    tainted: World,
) -> None:
    """Nothing else would: the ledger does not have its ARN yet."""
    acts(tainted).rebuild("clean", [], [], tainted.now())
    assert f"A flywheel of the name test-{NAME}-g2, if there is one," in given_up(tainted).body
    assert (tainted.row.generation, tainted.row.rebuild) == (1, None)


def test_the_notice_says_tainted_when_the_earlier_flywheel_holds_withdrawn_rows(
    tainted: World,
) -> None:
    """It is known before anything went back; the rejection says it, too."""
    rejected(tainted)
    told = [" ".join(notice.body.split()) for notice in tainted.cloud.told()]
    assert [body for body in told if "earlier flywheel, which is TAINTED" in body]
    notice = given_up(tainted)
    assert "TAINTED" in notice.subject
    assert f"({NAME}/train/wrong.csv)" in " ".join(notice.body.split())
    assert "If it holds" not in notice.body
    assert tainted.row.taint == [f"{NAME}/train/wrong.csv"]


def test_the_notice_says_nothing_of_taint_when_the_earlier_flywheel_has_none(
    named_world: World,
) -> None:
    """Nothing was withdrawn."""
    named_world.upload("monday.csv", documents(10))
    assert closed(named_world, 1) is BatchOutcome.PROMOTED
    rejected(named_world)
    notice = given_up(named_world)
    assert "TAINTED" not in notice.subject + notice.body
