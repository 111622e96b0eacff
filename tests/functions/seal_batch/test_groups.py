"""Groups of test rows on real clients: counted where a test set is frozen, and kept all the way."""

import pytest

from adapters.clients import client
from application.ledger.test_sets import FrozenTestSet
from application.staged_rows import counted_groups, stored_rows
from flywheel.batches.known_rows import content_hash, record
from flywheel.batches.uploads import DatasetKind
from flywheel.intake.labeled_rows import LabeledRow, csv_line
from flywheel.settings.data_format import DataFormat
from tests.functions.cloud import STAGING
from tests.functions.world import NAME, World, csv, documents

THREADS = [
    LabeledRow("billing", "invoice wrong", "thread 1"),
    LabeledRow("delivery", "parcel is late", "thread 1"),
    LabeledRow("billing", "refund please", "thread 2"),
    LabeledRow("delivery", "courier was rude"),
]
"""Three groups: two threads, and a document that belongs to nothing."""


def drop(world: World, name: str, rows: list[LabeledRow]) -> None:
    """Stage test rows of which some name a group."""
    upload = world.upload(name, csv([(row.label, row.text) for row in rows]), kind="test")
    (staged,) = [
        item for item in world.services.ledger.uploads.staged(NAME) if item.uid == upload.uid
    ]
    body = "".join(map(csv_line, rows)).encode()
    client("s3").put_object(Bucket=STAGING, Key=staged.staged_key, Body=body)


def freeze(world: World, number: int, rows: list[LabeledRow]) -> FrozenTestSet:
    """Freeze test rows with a batch, and end it; returns the test set."""
    drop(world, f"test-{number}.csv", rows)
    if number > 1:
        world.acts().freeze(world.now(), is_partial_allowed=True)
    world.upload(f"train-{number}.csv", documents(3, first=10 * number))
    world.sealed(number)
    assert world.start(number)["is_started"]
    world.await_iteration(number)
    frozen = world.row.test_set
    assert frozen is not None
    world.close(number, error="Stopped")
    return frozen


def segments(world: World) -> list[str]:
    """Return the segments of the test set."""
    return world.services.ledger.holdings.segments(NAME, 1)[DatasetKind.TEST]


def test_groups_are_counted_when_test_rows_name_them(world: World) -> None:
    """In the flywheel's row and in the audit; the service gets labels and texts alone."""
    frozen = freeze(world, 1, THREADS)
    assert (frozen.documents, frozen.groups, frozen.grouping) == (4, 3, "named")
    assert frozen.label_groups == {"billing": 2, "delivery": 2}
    audited = [
        entry["details"]
        for entry in world.services.ledger.audit.entries(NAME)
        if entry["event"] == "test set frozen"
    ]
    assert [(each["groups"], each["label_groups"]) for each in audited] == [
        (3, {"billing": 2, "delivery": 2})
    ]
    assert world.sent(1, "test") == [
        csv_line(LabeledRow(row.label, row.text))[:-1] for row in THREADS
    ]


def test_a_group_is_kept_when_test_rows_are_frozen(world: World) -> None:
    """The hash of the test set is of rows with their groups: without them it is another."""
    frozen = freeze(world, 1, THREADS)
    (segment,) = segments(world)
    assert stored_rows(world.services.staging, segment) == THREADS
    assert frozen.sha256 == content_hash(map(record, THREADS))
    assert frozen.sha256 != content_hash(record(LabeledRow(row.label, row.text)) for row in THREADS)


@pytest.mark.slow
def test_groups_reach_over_batches_when_rows_are_added(world: World) -> None:
    """A document of a thread that was frozen before brings no group."""
    freeze(world, 1, THREADS)
    more = [
        LabeledRow("delivery", "still not here", "thread 2"),
        LabeledRow("billing", "card", "thread 3"),
    ]
    frozen = freeze(world, 2, more)
    assert (frozen.version, frozen.documents, frozen.groups) == (2, 6, 4)
    assert frozen.label_groups == {"billing": 3, "delivery": 3}


@pytest.mark.slow
@pytest.mark.parametrize("group", ["", "thread 2", "thread 9"])
def test_a_row_is_a_repeat_when_it_is_known_with_another_group(world: World, group: str) -> None:
    """Only another label of the same text contradicts the test set."""
    freeze(world, 1, THREADS)
    again = [
        LabeledRow("billing", "invoice wrong", group),
        LabeledRow("billing", "parcel is late", group),
    ]
    frozen = freeze(world, 2, [*again, LabeledRow("billing", "card")])
    assert frozen.documents == 5
    assert world.batch(2).left_out == {
        "rows that the flywheel holds already": 1,
        "same text with another label": 1,
    }


def test_near_duplicates_are_one_group_when_no_row_names_any(world: World) -> None:
    """Texts that differ in numbers alone are right or wrong together."""
    rows = [LabeledRow("billing", f"invoice {number} is wrong") for number in range(5)]
    frozen = freeze(
        world, 1, [*rows, LabeledRow("delivery", "parcel"), LabeledRow("delivery", "courier")]
    )
    assert (frozen.documents, frozen.groups, frozen.grouping) == (7, 3, "near duplicates")


def test_groups_are_documents_when_nothing_groups_them(world: World) -> None:
    """Each document of a classifier has a label, so each counts."""
    rows = [LabeledRow(row.label, row.text) for row in THREADS]
    frozen = freeze(world, 1, rows)
    assert (frozen.documents, frozen.groups, frozen.grouping) == (4, 4, "none")


@pytest.mark.slow
def test_groups_are_not_known_when_an_earlier_release_froze_rows(world: World) -> None:
    """It kept their hashes alone."""
    freeze(world, 1, THREADS)
    (segment,) = segments(world)
    client("s3").delete_object(Bucket=STAGING, Key=segment.replace(".bin", ".csv"))
    frozen = freeze(world, 2, [LabeledRow("billing", "card")])
    assert (frozen.documents, frozen.groups, frozen.label_groups) == (5, None, None)


def test_groups_are_counted_when_test_rows_are_imported(world: World) -> None:
    """And they count together with what a batch brings later."""
    body = "".join(map(csv_line, THREADS)).encode()
    staging = world.services.staging
    world.acts().import_rows(staging, DatasetKind.TEST, "old.csv", body=body, now=world.now())
    imported = world.row.test_set
    assert imported is not None
    assert (imported.groups, imported.grouping) == (3, "named")
    details = world.services.ledger.audit.entries(NAME)[-1]["details"]
    assert details["test_set"]["label_groups"] == {"billing": 2, "delivery": 2}


MENTIONS = [
    LabeledRow('[[0,3,"CITY"],[4,7,"NAME"]]', "Ulm Ann"),
    LabeledRow('[[0,3,"NAME"]]', "Bob", "book 1"),
    LabeledRow('[[0,3,"NAME"]]', "Eva", "book 1"),
    LabeledRow("[]", "nothing here"),
]


def test_only_documents_with_a_mention_count_when_entities_are_grouped(world: World) -> None:
    """Averages are over mentions: a document without any adds nothing to them."""
    segment = "known/x.bin"
    body = "".join(map(csv_line, MENTIONS)).encode()
    client("s3").put_object(Bucket=STAGING, Key="known/x.csv", Body=body)
    shape = DataFormat(task="entities")
    assert counted_groups(world.services.staging, [segment], shape) == {
        "groups": 2,
        "label_groups": {"CITY": 1, "NAME": 2},
        "grouping": "named",
    }
    listed = DataFormat(task="entities", entities_from="list")
    assert counted_groups(world.services.staging, [segment], listed) is None
