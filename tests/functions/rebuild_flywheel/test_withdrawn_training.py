"""Rows that were withdrawn, and the live model that was trained on them."""

import pytest

from adapters.clients import client
from application.rebuilds.provenance import withdrawn_from
from flywheel.batches.uploads import DatasetKind
from tests.functions.champions import changed
from tests.functions.rebuild_flywheel.rebuilding import acts, closed, live_on_wrong_rows, switched
from tests.functions.world import NAME, World, csv, documents

pytestmark = pytest.mark.slow

_WRONG = f"{NAME}/train/wrong.csv"


def datasets(world: World) -> list[str]:
    """Return the names of the datasets that the flywheel has in the service."""
    answer = client("comprehend").list_datasets(FlywheelArn=world.row.arn)
    return sorted(found["DatasetName"] for found in answer["DatasetPropertiesList"])


def live_on_withdrawn_rows(world: World) -> str:
    """Have a live model that was trained on a file which is withdrawn since; return the model."""
    wrong = live_on_wrong_rows(world)
    done = acts(world).withdraw([world.known(wrong)], "mislabeled", world.now())
    assert list(done.live_trained_on) == [_WRONG]
    words = " ".join(done.notice.body.split())
    assert f"The live model was trained on {_WRONG}." in words
    assert f"flywheel promote MODEL {NAME}" in words
    live = world.active_model
    assert live is not None
    return live


def test_no_withdrawn_row_is_trained_on_when_the_live_model_was_trained_on_it(
    named_world: World,
) -> None:
    """The new generation begins with the live model, and with none of its data."""
    world = named_world
    live = live_on_withdrawn_rows(world)
    acts(world).rebuild("wrong.csv was mislabeled", [], [], world.now())
    switched(world)
    assert world.active_model == live
    assert datasets(world) == []
    assert not world.services.comprehend(world.row.arn).has_dataset(DatasetKind.TEST)
    world.trained(2)
    assert datasets(world) == ["batch-2-1-test", "batch-2-1-train"]
    assert (world.row.train_datasets, world.row.test_datasets) == (1, 1)
    assert set(world.sent(2)) == set(csv(documents(10)).decode().splitlines())
    world.compare(2)
    evidence = world.services.ledger.verdicts.get(world.batch(2))
    assert evidence is not None
    assert evidence.verdict.evidence.champion_arn == live


def test_the_model_is_named_when_it_was_trained_on_withdrawn_rows(named_world: World) -> None:
    """The live one stays so after the switch; one of the new generation is not."""
    world, ledger = named_world, named_world.services.ledger
    live = live_on_withdrawn_rows(world)
    assert withdrawn_from(ledger, world.row, live) == [_WRONG]
    acts(world).rebuild("wrong.csv was mislabeled", [], [], world.now())
    switched(world)
    assert withdrawn_from(ledger, world.row, live) == [_WRONG]
    closed(world, 2)
    changed(world, "promote", "2")
    assert world.active_model not in {None, live}
    assert withdrawn_from(ledger, world.row, world.active_model) == []


def test_the_live_model_is_not_blamed_when_it_was_trained_before(tainted: World) -> None:
    """What a rejected challenger was trained on says nothing of the model that stayed live."""
    ledger = tainted.services.ledger
    assert tainted.row.taint
    assert withdrawn_from(ledger, tainted.row, tainted.active_model) == []
    rejected = ledger.verdicts.get(tainted.batch(2))
    assert rejected is not None
    challenger = rejected.verdict.evidence.challenger_arn
    assert withdrawn_from(ledger, tainted.row, challenger) == [_WRONG]
    assert withdrawn_from(ledger, tainted.row, "arn:aws:comprehend:somewhere-else") == []


def test_the_live_model_is_not_blamed_when_test_rows_were_withdrawn(tainted: World) -> None:
    """Test rows judge models and train none."""
    upload = next(row for row in tainted.services.ledger.uploads.newest(NAME) if row.kind == "test")
    done = acts(tainted).withdraw([upload], "ambiguous", tainted.now())
    assert done.kept
    assert not done.live_trained_on


def test_the_live_model_is_named_when_the_rows_wait_for_the_next_generation(
    named_world: World,
) -> None:
    """Withdrawn after the switch they taint nothing, and the live model has learnt from them."""
    world = named_world
    wrong = live_on_wrong_rows(world)
    live = world.active_model
    acts(world).rebuild("slots", [], [], world.now())
    switched(world)
    world.sealed(2)
    world.close(2, error="Stopped")
    done = acts(world).withdraw([world.known(wrong)], "mislabeled", world.now())
    assert list(done.live_trained_on) == [_WRONG]
    assert withdrawn_from(world.services.ledger, world.row, live) == [_WRONG]
