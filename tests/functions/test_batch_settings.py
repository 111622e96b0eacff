"""Settings of batches that other worlds leave at a value at which they do nothing, turned on."""

import json
from typing import Any

import pytest

from adapters.clients import client
from flywheel.batches.batches import BatchOutcome
from flywheel.batches.uploads import UploadState
from tests.functions.cloud import SETTINGS_PATH
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, RULES, World, csv, documents

HOUR = 3600.0
HEADER = "File,Line,Begin Offset,End Offset,Type\n"


def went_live(world: World, number: int = 1) -> None:
    """Bring a batch whose model goes live to its end."""
    world.trained(number)
    world.compare(number)
    assert world.close(number)["outcome"] is BatchOutcome.PROMOTED


def lacking(world: World) -> str:
    """Say what the next batch lacks."""
    known = world.services.flywheel(NAME)
    return "; ".join(world.services.workflow.readiness(known, world.row, world.now()).lacks)


@pytest.fixture
def spaced(world: World) -> World:
    """Have a model that has just gone live, and six hours between iterations."""
    world.configure(min_hours_between_iterations=6)
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("monday.csv", documents(8))
    went_live(world)
    return world


def test_the_next_batch_waits_when_the_last_iteration_was_just_now(spaced: World) -> None:
    """Counted from the start of the iteration; reconcile opens it, since nobody uploads then."""
    started_at = spaced.row.last_iteration_at
    assert started_at is not None
    spaced.upload("tuesday.csv", documents(8, first=20))
    assert (spaced.row.is_idle, "6 must pass" in lacking(spaced)) == (True, True)
    waited = (spaced.now() - started_at).total_seconds()
    spaced.clock.advance(6 * HOUR - waited - 60)
    reconciled(spaced.services)
    assert spaced.row.is_idle
    spaced.clock.advance(60)
    reconciled(spaced.services)
    assert spaced.row.open_batch == 2


def test_the_next_batch_waits_when_its_uploads_came_during_the_iteration(world: World) -> None:
    """Closing a batch looks at the rules too."""
    world.configure(min_hours_between_iterations=6)
    world.upload("test.csv", documents(4, first=90), kind="test")
    world.upload("monday.csv", documents(8))
    world.sealed()
    world.start()
    world.upload("tuesday.csv", documents(8, first=20))
    world.await_iteration()
    world.compare()
    assert world.close()["opened"] is None
    assert world.row.is_idle


def test_the_next_batch_opens_at_once_when_somebody_asks_for_it(spaced: World) -> None:
    """Our own pauses do not hold a person up."""
    spaced.upload("tuesday.csv", documents(8, first=20))
    spaced.register(spaced.put(f"{NAME}/train/_GO", b""))
    assert spaced.row.open_batch == 2


def test_no_batch_opens_when_the_datasets_of_a_flywheels_life_are_used(world: World) -> None:
    """Nor where somebody asks for it: the service would refuse the dataset."""
    world.configure(service_train_datasets=1)
    world.upload("monday.csv", documents(8))
    world.sealed()
    world.close(error="Stopped")
    world.upload("tuesday.csv", documents(8, first=20))
    world.register(world.put(f"{NAME}/train/_GO", b""))
    assert world.row.is_idle
    assert "all 1 TRAIN datasets of the flywheel's life are used" in lacking(world)
    world.configure(service_train_datasets=2)
    reconciled(world.services)
    assert world.row.open_batch == 2


GOOD = csv(documents(10)).decode()
"""Twenty rows."""
BAD = "unknown label,some text\n"


@pytest.mark.parametrize(
    ("rules", "body", "state"),
    [
        ({"max_bad_rows": 1, "max_bad_rows_fraction": 1.0}, GOOD + BAD, UploadState.STAGED),
        ({"max_bad_rows": 1, "max_bad_rows_fraction": 1.0}, GOOD + 2 * BAD, UploadState.REFUSED),
        ({"max_bad_rows_fraction": 0.1}, GOOD + 2 * BAD, UploadState.STAGED),
        ({"max_bad_rows_fraction": 0.1}, GOOD + 3 * BAD, UploadState.REFUSED),
        ({"service_max_documents": 20}, GOOD, UploadState.STAGED),
        ({"service_max_documents": 19}, GOOD, UploadState.REFUSED),
        ({"service_max_bytes": len(GOOD)}, GOOD, UploadState.STAGED),
        ({"service_max_bytes": len(GOOD) - 1}, GOOD, UploadState.REFUSED),
    ],
)
def test_a_file_is_taken_when_it_stays_within_a_limit(
    world: World, rules: dict[str, Any], body: str, state: UploadState
) -> None:
    """Up to the limit and not one row or byte further."""
    world.configure(min_documents=1000, **rules)
    assert world.known(world.upload("monday.csv", body.encode())).state is state


def test_a_file_is_refused_unread_when_its_event_says_that_it_is_too_large(world: World) -> None:
    """Nothing of it is fetched."""
    world.configure(service_max_bytes=1000)
    upload = world.put(f"{NAME}/train/monday.csv", GOOD.encode())
    world.register(upload, size_bytes=1001)
    assert world.known(upload).state is UploadState.REFUSED


def test_uploads_wait_when_their_bytes_do_not_fit_one_dataset(world: World) -> None:
    """The oldest goes first; the rest opens the next batch."""
    later = csv(documents(10, first=50))
    world.configure(service_max_bytes=len(later), min_documents=30)
    world.upload("monday.csv", GOOD.encode())
    world.clock.advance(1)
    world.upload("tuesday.csv", later)
    world.seal()
    assert world.staged() == [f"{NAME}/train/tuesday.csv"]


@pytest.mark.parametrize(("most", "left_out"), [(21, 0), (20, 1)])
def test_a_document_is_left_out_when_it_is_longer_than_the_service_takes(
    world: World, most: int, left_out: int
) -> None:
    """Of a recognizer's documents each is read whole; ours is 21 bytes long."""
    rules = {**RULES, "min_documents": 1000, "service_max_entity_document_bytes": most}
    allowed = {"max_bad_rows_fraction": 0.5}
    settings = {"name": NAME, "task": "entities", "batch": {**rules, **allowed}}
    client("ssm").put_parameter(
        Name=f"{SETTINGS_PATH}/{NAME}",
        Value=json.dumps({"arn": world.flywheel_arn, "settings": settings}),
        Type="String",
        Overwrite=True,
    )
    lines = ["the invoice of Monday", "one parcel", "two parcels", "an invoice"]
    found = [f"documents.txt,{number},0,3,billing\n" for number in range(len(lines))]
    documents_half = world.upload("documents.txt", "".join(f"{line}\n" for line in lines).encode())
    world.upload("annotations.csv", (HEADER + "".join(found)).encode())
    known = world.known(documents_half)
    assert (known.state, known.left_out) == (UploadState.STAGED, left_out)
