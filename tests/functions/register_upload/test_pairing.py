"""Uploads that come as two objects: which waits, which finds it, and who is told."""

import json

import pytest

from adapters.clients import client
from flywheel.batches.uploads import ObjectVersion, UploadState
from tests.functions.cloud import SETTINGS_PATH, before, crash
from tests.functions.reconciling import reconciled
from tests.functions.world import NAME, RULES, World

DOCUMENTS = b"the invoice of Monday\nparcel and invoice\n"
ANNOTATIONS = (
    b"File,Line,Begin Offset,End Offset,Type\n"
    b"documents.txt,0,4,11,billing\n"
    b"documents.txt,1,0,6,delivery\n"
)


@pytest.fixture
def entities(world: World) -> World:
    """Have a flywheel whose uploads are documents and annotations; its labels are the types."""
    settings = {
        "name": NAME,
        "task": "entities",
        "batch": {**RULES, "min_documents": 1000, "pair_timeout_hours": 2},
    }
    client("ssm").put_parameter(
        Name=f"{SETTINGS_PATH}/{NAME}",
        Value=json.dumps({"arn": world.flywheel_arn, "settings": settings}),
        Type="String",
        Overwrite=True,
    )
    return world


def put(world: World, name: str, body: bytes) -> ObjectVersion:
    """Drop one half into a folder of its own."""
    return world.put(f"{NAME}/train/monday/{name}", body)


@pytest.mark.parametrize("is_documents_first", [True, False])
def test_both_halves_are_one_upload_when_both_are_there(
    entities: World, *, is_documents_first: bool
) -> None:
    """Whichever comes first waits and says so; redeliveries of both change nothing."""
    halves = [
        put(entities, "documents.txt", DOCUMENTS),
        put(entities, "annotations.csv", ANNOTATIONS),
    ]
    first, second = halves if is_documents_first else halves[::-1]
    entities.register(first)
    assert entities.known(first).state is UploadState.WAITING
    assert "in the same folder" in entities.known(first).reasons[0]
    entities.register(first)
    entities.register(second)
    entities.register(first)
    entities.register(second)
    assert entities.known(halves[0]).state is UploadState.STAGED
    assert entities.known(halves[1]).state is UploadState.PAIRED
    companion = entities.known(halves[1])
    assert (companion.paired_with, companion.reasons) == (halves[0].uid, ())
    (staged,) = entities.services.ledger.uploads.staged(NAME)
    assert (staged.documents, staged.label_counts) == (2, {"billing": 1, "delivery": 1})
    assert len(entities.lines(staged.staged_key)) == 2


@pytest.mark.parametrize("when", ["before-call", "after-call"])
def test_the_pair_is_staged_once_when_a_crash_cut_it_off(entities: World, when: str) -> None:
    """The second half's delivery comes again."""
    entities.register(put(entities, "documents.txt", DOCUMENTS))
    second = put(entities, "annotations.csv", ANNOTATIONS)
    with crash("dynamodb", "TransactWriteItems", when=when, at=2):
        entities.register(second)
    entities.register(second)
    assert entities.known(second).state is UploadState.PAIRED
    assert len(entities.staged()) == 1


@pytest.mark.parametrize("is_documents_first", [True, False])
def test_the_pair_is_staged_at_once_when_both_halves_are_registered_together(
    entities: World, *, is_documents_first: bool
) -> None:
    """The half that was overtaken finds the other one, and does not wait for a redelivery."""
    halves = [
        put(entities, "documents.txt", DOCUMENTS),
        put(entities, "annotations.csv", ANNOTATIONS),
    ]
    first, second = halves if is_documents_first else halves[::-1]
    with before("dynamodb", "TransactWriteItems", lambda: entities.register(second), at=2):
        entities.register(first)
    assert {entities.known(half).state for half in halves} == {
        UploadState.STAGED,
        UploadState.PAIRED,
    }
    assert len(entities.staged()) == 1


def test_the_newer_half_waits_when_it_came_twice(entities: World) -> None:
    """The older one gives way; what pairs in the end is the newer."""
    older = put(entities, "documents.txt", b"old\n")
    entities.register(older)
    newer = put(entities, "documents.txt", DOCUMENTS)
    entities.register(newer)
    assert entities.known(older).state is UploadState.MOVED
    entities.register(put(entities, "annotations.csv", ANNOTATIONS))
    (staged,) = entities.services.ledger.uploads.staged(NAME)
    assert staged.uid == newer.uid


def test_people_are_told_when_the_other_half_did_not_come(entities: World) -> None:
    """After the time-out the half is refused, once."""
    half = put(entities, "annotations.csv", ANNOTATIONS)
    entities.register(half)
    assert reconciled(entities.services)["pairs"] == 0
    entities.clock.advance(2 * 3600)
    assert reconciled(entities.services)["pairs"] == 1
    assert reconciled(entities.services)["pairs"] == 0
    assert entities.known(half).state is UploadState.REFUSED
    assert "waited 2 hours for documents.txt" in entities.known(half).reasons[0]


def test_both_halves_are_refused_when_they_do_not_fit(entities: World) -> None:
    """Annotations of another file, say; nothing waits any more."""
    documents = put(entities, "documents.txt", b"")
    entities.register(documents)
    companion = put(entities, "annotations.csv", ANNOTATIONS)
    entities.register(companion)
    states = {entities.known(half).state for half in (documents, companion)}
    assert states == {UploadState.REFUSED}
    assert entities.known(companion).reasons == ["it belongs to documents.txt, which is REFUSED"]
    assert entities.staged() == []


def test_a_name_is_refused_when_it_is_no_half(entities: World) -> None:
    """With the names that work."""
    upload = put(entities, "notes.docx", b"x")
    entities.register(upload)
    assert entities.known(upload).state is UploadState.REFUSED
    assert "rename it" in entities.known(upload).reasons[0]
