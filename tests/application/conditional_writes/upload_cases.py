"""Uploads and pairs: what became of each object, whoever is at it at the same time."""

from application.ledger.flywheel_rows import FlywheelRow
from flywheel.batches.uploads import ObjectVersion, Place, UploadState
from flywheel.intake.pairs import PairPlace, pair_place
from flywheel.settings.data_format import DataFormat
from tests.application.conditional_writes.case import Act, case
from tests.application.conditional_writes.story import (
    NAME,
    NEWS,
    NOW,
    TRAIN,
    UPLOAD,
    Story,
    split_parts,
    staged,
)

# An upload is registered.


@case("Uploads.receive: UPLOAD absent", "another delivery was first", ends="silent")
def _(story: Story) -> Act:
    story.received()
    return story.received


@case("Uploads.stage: UPLOAD.state", "another delivery refused it")
def _(story: Story) -> Act:
    story.received()
    story.refused()
    return lambda: story.ledger.uploads.stage(NAME, staged(), left_out=0, news=None)


@case(
    "Uploads.stage: UPLOAD.state",
    "another delivery staged it",
    beside="Uploads.stage: STAGED absent",
)
def _(story: Story) -> Act:
    story.staged()
    return lambda: story.ledger.uploads.stage(NAME, staged(), left_out=0, news=None)


@case("Uploads.refuse: UPLOAD.state", "another delivery staged it")
def _(story: Story) -> Act:
    story.staged()
    return story.refused


@case("Uploads.note_delivery: UPLOAD.state", "another delivery staged it", ends="silent")
def _(story: Story) -> Act:
    story.staged()
    return lambda: story.ledger.uploads.note_delivery(UPLOAD.uid, 2, NOW)


@case("Uploads.refuse_undelivered: UPLOAD.state", "its last delivery staged it")
def _(story: Story) -> Act:
    received = story.received()
    story.ledger.uploads.stage(NAME, staged(), left_out=0, news=None)
    return lambda: story.ledger.uploads.refuse_undelivered(received, NEWS, NOW)


@case("Uploads.receive_again: UPLOAD.is_undelivered", "it was read, and refused for its content")
def _(story: Story) -> Act:
    upload = story.refused_undelivered()
    story.ledger.uploads.receive_again(upload, NOW, 1)
    story.refused()
    return lambda: story.ledger.uploads.receive_again(upload, NOW, 1)


@case("Uploads.receive_again: UPLOAD.state", "a person took it back")
def _(story: Story) -> Act:
    upload = story.refused_undelivered()
    story.withdrawn()
    return lambda: story.ledger.uploads.receive_again(upload, NOW, 1)


@case("Uploads.mark: UPLOAD.state", "another delivery of the marker was first")
def _(story: Story) -> Act:
    ledger = story.ledger
    story.received()
    ledger.uploads.mark(UPLOAD.uid, ledger.flywheels.ask_for_batch(NAME, "somebody"))
    return lambda: ledger.uploads.mark(UPLOAD.uid, ledger.flywheels.ask_for_batch(NAME, "another"))


# A staged upload is split.


def split(story: Story, *, is_whole: bool = False) -> Act:
    """Return the write that splits the upload as it was staged."""
    parts = split_parts(is_whole=is_whole)
    return lambda: story.ledger.uploads.split(NAME, staged(), parts, NOW)


@case("Uploads.split: STAGED.staged_key", "another person made another draft of it")
def _(story: Story) -> Act:
    story.staged()
    story.ledger.uploads.split(NAME, staged(), split_parts("another draft"), NOW)
    return split(story)


@case("Uploads.split: UPLOAD absent", "another person split it, and took the draft back")
def _(story: Story) -> Act:
    story.staged()
    split(story, is_whole=True)()
    story.withdrawn(split_parts().test.uid)
    return split(story, is_whole=True)


@case(
    "Uploads.split: UPLOAD absent",
    "another person made the same draft",
    beside="Uploads.split: STAGED absent",
)
def _(story: Story) -> Act:
    story.staged()
    split(story, is_whole=True)()
    return split(story, is_whole=True)


@case("Uploads.split: UPLOAD.state", "another person takes it back")
def _(story: Story) -> Act:
    story.staged()
    story.before_the_write("Uploads.split: UPLOAD.state", story.withdrawn)
    return split(story, is_whole=True)


@case("Uploads.split: FLYWHEEL.open_batch", "a batch opened")
def _(story: Story) -> Act:
    story.staged()
    story.opened()
    return split(story)


# It follows the seal of its batch.


@case("BatchUploads.seal: UPLOAD.state", "a person takes it back", ends="again")
def _(story: Story) -> Act:
    story.staged()
    story.before_the_write("BatchUploads.seal: UPLOAD.state", story.withdrawn)

    def act() -> None:
        story.sealed_upload()
        upload = story.upload()
        assert (upload.state, upload.batch) == (UploadState.WITHDRAWN, 1)
        assert story.row.taint == [UPLOAD.key]

    return act


@case("BatchUploads.seal: UPLOAD.sealed_by", "another sealer was first", ends="again")
def _(story: Story) -> Act:
    story.staged()
    story.sealed_upload(1)
    story.before_the_write("BatchUploads.seal: UPLOAD.sealed_by", lambda: story.sealed_upload(2))

    def act() -> None:
        story.sealed_upload(2)
        assert story.upload().batches == [1, 2]
        assert story.rows.everything() == story.rows.at_refusal

    return act


@case("BatchUploads.seal: FLYWHEEL.taint", "another withdrawal taints the flywheel")
def _(story: Story) -> Act:
    story.staged()
    story.withdrawn()
    story.before_the_write("BatchUploads.seal: FLYWHEEL.taint", story.tainted)
    return story.sealed_upload


# It is taken back.


@case("BatchUploads.withdraw: UPLOAD.state", "another person made a draft of it")
def _(story: Story) -> Act:
    story.staged()
    upload = story.upload()
    split(story, is_whole=True)()
    return lambda: story.ledger.batch_uploads.withdraw(upload, "x")


@case("BatchUploads.withdraw: UPLOAD.batch", "a rebuild sent it with another batch")
def _(story: Story) -> Act:
    story.staged()
    story.sealed_upload(1)
    upload = story.upload()
    story.ledger.batch_uploads.restage(story.row)
    story.sealed_upload(2)
    return lambda: story.ledger.batch_uploads.withdraw(upload, "x")


@case("BatchUploads.withdraw: FLYWHEEL.taint", "another withdrawal taints the flywheel")
def _(story: Story) -> Act:
    story.staged()
    story.sealed_upload()
    upload = story.upload()
    story.before_the_write("BatchUploads.withdraw: FLYWHEEL.taint", story.tainted)
    return lambda: story.ledger.batch_uploads.withdraw(upload, "x")


# It waits again, for a rebuild or because no dataset took it.


@case("BatchUploads.restage: UPLOAD.state", "a person takes it back")
def _(story: Story) -> Act:
    story.staged()
    story.sealed_upload()
    row = story.rebuild_asked()
    story.before_the_write("BatchUploads.restage: UPLOAD.state", story.withdrawn)
    return lambda: story.ledger.batch_uploads.restage(row)


@case("BatchUploads.restage: FLYWHEEL.rebuild", "another run has switched, and batches hold it")
def _(story: Story) -> Act:
    story.staged()
    story.sealed_upload()
    row = story.rebuild_asked()
    story.ledger.rebuilds.note_created(row, "arn-2")
    return lambda: story.ledger.batch_uploads.restage(row)


@case("BatchUploads.restage: FLYWHEEL.arn", "a whole rebuild went by, and batches hold it")
def _(story: Story) -> Act:
    story.staged()
    story.sealed_upload()
    row = story.row
    story.rebuilt()
    return lambda: story.ledger.batch_uploads.restage(row)


@case("BatchUploads.draft_again: UPLOAD.state", "a person takes it back")
def _(story: Story) -> Act:
    story.staged()
    story.sealed_upload()
    story.before_the_write("BatchUploads.draft_again: UPLOAD.state", story.withdrawn)
    return lambda: story.ledger.batch_uploads.draft_again(NAME, [UPLOAD.uid])


# It follows a flywheel back to its earlier generation.


def going_back(story: Story) -> FlywheelRow:
    """Bring a rebuild that is given up to where its upload follows; the flywheel as it is read."""
    story.staged()
    story.sealed_upload(story.failed().batch)
    row = story.switched()
    story.ledger.batch_uploads.restage(row)
    return story.given_up()


@case("BatchUploads.go_back: UPLOAD.state", "a person takes it back")
def _(story: Story) -> Act:
    row = going_back(story)
    story.before_the_write("BatchUploads.go_back: UPLOAD.state", story.withdrawn)
    return lambda: story.ledger.batch_uploads.go_back(row, 1)


@case("BatchUploads.go_back: FLYWHEEL.rebuild", "another rebuild was asked for")
def _(story: Story) -> Act:
    row = going_back(story)
    story.rebuild_asked()
    return lambda: story.ledger.batch_uploads.go_back(row, 1)


@case("BatchUploads.go_back: FLYWHEEL.arn", "a whole rebuild went by")
def _(story: Story) -> Act:
    story.staged()
    story.sealed_upload(story.failed().batch)
    row = story.row
    story.rebuilt()
    story.ledger.batch_uploads.restage(story.row)
    return lambda: story.ledger.batch_uploads.go_back(row, 1)


# Halves of a pair wait for each other.

ENTITIES = DataFormat(task="entities")
PLACE = Place(NAME, TRAIN)
DOCUMENTS = ObjectVersion("inbox", f"{NAME}/train/documents.txt", "v1")


def half(upload: ObjectVersion) -> PairPlace:
    """Return which half of which pair an object is."""
    place = pair_place(upload.key, ENTITIES)
    assert place is not None
    return place


@case("Pairs.wait: PAIR absent", "the other half came, and waits")
def _(story: Story) -> Act:
    annotations = ObjectVersion("inbox", f"{NAME}/train/annotations.csv", "v1")
    story.received(DOCUMENTS)
    story.received(annotations)
    story.ledger.pairs.wait(PLACE, half(annotations), annotations, NOW)
    return lambda: story.ledger.pairs.wait(PLACE, half(DOCUMENTS), DOCUMENTS, NOW)


@case("Pairs.wait: UPLOAD.state", "another delivery refused it")
def _(story: Story) -> Act:
    upload = story.received(DOCUMENTS)
    story.ledger.uploads.refuse_undelivered(upload, NEWS, NOW)
    return lambda: story.ledger.pairs.wait(PLACE, half(DOCUMENTS), DOCUMENTS, NOW)
