"""SealBatch on real clients: what is decided once, and what a crash leaves to be resumed."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clients import client
from application.reconciliation.late_arrivals import settle_late_datasets
from application.services import Services
from flywheel.batches.batches import LONGEST_CALL, BatchOutcome, BatchState
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.errors import ServiceRefusedError
from seal_batch.handler import handler
from tests.functions.cloud import STAGING, answering, before, crash, datasets_being, seeing
from tests.functions.world import NAME, World, csv, documents

MANIFEST = f"manifests/{NAME}/1.json"


def test_datasets_are_created_when_a_batch_is_sealed(world: World, context: LambdaContext) -> None:
    """One TRAIN and one TEST dataset, named after the batch, each from its own prefix."""
    world.upload("test.csv", documents(2, first=90), kind="test")
    upload = world.upload("monday.csv", documents(3))
    event = {"flywheel": NAME, "batch": 1, "flywheel_arn": world.flywheel_arn}
    with seeing("comprehend", "CreateDataset") as created:
        answer = handler(event, context)
    names = ["batch-1-1-train", "batch-1-1-test"]
    assert answer["datasets"] == [f"{world.flywheel_arn}/dataset/{name}" for name in names]
    assert [call["DatasetName"] for call in created] == names
    assert [call["DatasetType"] for call in created] == ["TRAIN", "TEST"]
    sources = [
        call["InputDataConfig"]["DocumentClassifierInputDataConfig"]["S3Uri"] for call in created
    ]
    assert sources == [f"s3://{STAGING}/batches/{NAME}/1/{kind}/" for kind in ("train", "test")]
    batch = world.batch()
    assert (batch.state, batch.documents) == (BatchState.SEALED, 6)
    assert batch.datasets == answer["datasets"]
    known = world.known(upload)
    assert (known.state, known.batch) == (UploadState.SEALED, 1)
    assert (world.row.train_datasets, world.row.test_datasets) == (1, 1)
    world.await_datasets()
    assert handler(event, context) == answer


def test_the_ledger_names_the_manifest_when_a_batch_is_sealed(world: World) -> None:
    """The hash in the batch's row, in its audit and in the dataset is the stored manifest's."""
    world.upload("monday.csv", documents(2))
    with seeing("comprehend", "CreateDataset") as created:
        world.seal()
    sha256 = hashlib.sha256((world.services.staging.text(MANIFEST) or "").encode()).hexdigest()
    assert world.batch().manifest_sha256 == sha256
    assert created[0]["Description"].endswith(sha256)
    sealed = world.services.ledger.audit.entries(NAME)[-1]
    assert (sealed["event"], sealed["details"]["manifest_sha256"]) == ("batch sealed", sha256)


@pytest.mark.parametrize(
    ("service", "operation", "when"),
    [
        ("s3", "PutObject", "before-call"),
        ("s3", "PutObject", "after-call"),
        ("dynamodb", "TransactWriteItems", "after-call"),
    ],
    ids=["before the manifest", "after the manifest", "after the ledger's seal"],
)
def test_the_seal_is_the_same_when_a_crash_cut_it_off(
    world: World, service: str, operation: str, when: str
) -> None:
    """The manifest decides: what arrives after the crash waits for the next batch."""
    world.upload("test.csv", documents(2, first=90), kind="test")
    world.upload("monday.csv", documents(2))
    with crash(service, operation, when=when):
        world.seal()
    has_manifest = bool(world.keys(MANIFEST))
    world.upload("late.csv", documents(2, first=50))
    answer = world.seal()
    assert len(answer["datasets"]) == 2
    late = [] if not has_manifest else [f"{NAME}/train/late.csv"]
    assert world.staged() == late
    assert len(world.sent()) == (4 if has_manifest else 8)
    assert sorted(world.sent(kind="test")) == sorted(
        csv(documents(2, first=90)).decode().split("\n")[:-1]
    )
    assert (world.row.train_datasets, world.row.test_datasets) == (1, 1)
    assert world.batch().state is BatchState.SEALED
    events = [entry["event"] for entry in world.services.ledger.audit.entries(NAME)]
    assert events == ["batch opened", "batch sealed"]
    listed = client("comprehend").list_datasets(FlywheelArn=world.flywheel_arn)
    assert len(listed["DatasetPropertiesList"]) == 2


def test_the_stored_manifest_counts_when_another_sealer_was_faster(world: World) -> None:
    """The other one saw an upload more, and died: whoever comes second seals what it chose."""
    first = world.upload("monday.csv", documents(3))

    def seal_and_die() -> None:
        world.upload("tuesday.csv", documents(3, first=50))
        with crash("dynamodb", "TransactWriteItems"):
            world.seal()

    with before("s3", "PutObject", seal_and_die):
        world.seal()
    assert world.batch().upload_count == 2
    sha256 = hashlib.sha256((world.services.staging.text(MANIFEST) or "").encode()).hexdigest()
    assert world.batch().manifest_sha256 == sha256
    assert (world.known(first).state, world.staged()) == (UploadState.SEALED, [])
    assert len(world.sent()) == 12


def test_a_dataset_is_refused_when_its_name_holds_other_content(world: World) -> None:
    """Only our own description makes a dataset ours."""
    world.upload("monday.csv", documents(2))
    client("s3").put_object(Bucket=STAGING, Key="other/a.csv", Body=csv(documents(2)))
    client("comprehend").create_dataset(
        FlywheelArn=world.flywheel_arn,
        DatasetName="batch-1-1-train",
        DatasetType="TRAIN",
        Description="of somebody else",
        InputDataConfig={
            "DataFormat": "COMPREHEND_CSV",
            "DocumentClassifierInputDataConfig": {"S3Uri": f"s3://{STAGING}/other/"},
        },
    )
    with pytest.raises(ServiceRefusedError, match="ResourceInUseException"):
        world.seal()


def test_a_dataset_is_recognised_when_the_token_was_forgotten(world: World) -> None:
    """The reply was lost and the service no longer knows the token: name and hash still do."""
    world.upload("monday.csv", documents(2))
    with crash("comprehend", "CreateDataset", when="after-call"):
        world.seal()
    with answering("comprehend", "CreateDataset", code="ResourceInUseException"):
        answer = world.seal()
    assert answer["datasets"] == [f"{world.flywheel_arn}/dataset/batch-1-1-train"]


def test_the_batch_is_not_sent_when_the_quota_is_used_up(world: World) -> None:
    """The service's own code reaches the notice."""
    world.upload("monday.csv", documents(2))
    used_up = answering("comprehend", "CreateDataset", code="ResourceLimitExceededException")
    with used_up, pytest.raises(ServiceRefusedError, match="ResourceLimitExceededException"):
        world.seal()


def test_test_rows_never_train_when_they_were_uploaded_as_both(world: World) -> None:
    """In the batch that freezes the test set, and in every later one."""
    test = documents(2, first=90)
    world.upload("test.csv", test, kind="test")
    world.upload("monday.csv", [*documents(2), *test])
    world.trained(1)
    assert not set(world.sent(1)) & set(world.sent(1, "test"))
    assert world.batch(1).left_out == {"rows of the test set": 4}
    world.close(1, error="Stopped")
    world.upload("tuesday.csv", [*test[:1], *documents(2, first=50)])
    world.sealed(2)
    assert len(world.sent(2)) == 4
    assert world.batch(2).left_out == {"rows of the test set": 1}


def test_rows_are_left_out_and_counted_when_uploads_contradict_each_other(world: World) -> None:
    """The first label of a text stays; exact repeats are dropped."""
    world.upload("a.csv", [("billing", "one"), ("delivery", "two")])
    world.clock.advance(1)
    world.upload("b.csv", [("billing", "one"), ("billing", "two"), *documents(2)])
    world.seal()
    assert world.sent()[:2] == ["billing,one", "delivery,two"]
    assert world.batch().documents == 6
    assert world.batch().left_out == {"exact duplicates": 1, "same text with another label": 1}
    assert world.batch().label_counts == {"billing": 3, "delivery": 3}


def test_rows_of_a_small_label_wait_when_the_service_would_refuse_them(world: World) -> None:
    """They stay staged, alone, and go with the next batch that has enough of them."""
    rows = [row for row in documents(4) if row[0] == "billing"]
    upload = world.upload("a.csv", [*rows, ("delivery", "one van")])
    world.seal(1)
    assert world.batch(1).waiting_labels == ["delivery"]
    assert world.batch(1).label_counts == {"billing": 4}
    assert world.known(upload).state is UploadState.SEALED
    (left,) = world.services.ledger.uploads.staged(NAME)
    assert (left.uid, left.label_counts) == (upload.uid, {"delivery": 1})
    assert world.lines(left.staged_key) == ["delivery,one van"]
    world.await_datasets(1)
    world.close(1, error="Stopped")
    more = [row for row in documents(4, first=50) if row[0] == "delivery"]
    world.upload("b.csv", more)
    world.seal(2)
    assert world.batch(2).label_counts == {"delivery": 5}
    assert "delivery,one van" in world.sent(2)
    assert world.staged() == []


def test_a_remainder_survives_when_a_crash_cut_the_seal_off(world: World) -> None:
    """Its copy and its membership come again from the manifest."""
    rows = [row for row in documents(4) if row[0] == "billing"]
    world.upload("a.csv", [*rows, ("delivery", "one van")])
    with crash("dynamodb", "TransactWriteItems", when="after-call", at=2):
        world.seal()
    world.seal()
    (left,) = world.services.ledger.uploads.staged(NAME)
    assert left.label_counts == {"delivery": 1}


def test_only_what_can_still_be_sent_waits_when_a_batch_is_empty(world: World) -> None:
    """Repeats and test rows do not make a small label look large enough, again and again."""
    test = [("delivery", "same text"), ("billing", "a test text")]
    world.upload("test.csv", test, kind="test")
    world.upload("a.csv", [("billing", "one"), ("billing", "a test text")])
    world.upload("b.csv", [("billing", "one"), ("delivery", "same text")])
    assert world.cloud.executions() == []
    world.configure(min_documents=1)
    known = world.services.flywheel(NAME)
    world.services.workflow.open_when_ready(known, world.now())
    assert world.seal() == {"is_empty": True, "datasets": []}
    staged = world.services.ledger.uploads.staged(NAME)
    waiting = [upload.label_counts for upload in staged if upload.kind is DatasetKind.TRAIN]
    assert waiting == [{"billing": 1}]
    world.close()
    batch, ready = world.services.workflow.open_when_ready(known, world.now())
    assert batch is None
    assert ready.lacks == ("label 'billing' has 1 of the 2 documents that the service takes",)


def test_later_test_files_stay_drafts_when_a_test_set_is_frozen(world: World) -> None:
    """The first test set is what every model is measured with."""
    world.upload("test.csv", documents(2, first=90), kind="test")
    world.upload("monday.csv", documents(2))
    world.trained(1)
    frozen = world.row.test_set
    assert frozen is not None
    assert (frozen.version, frozen.documents) == (1, 4)
    assert frozen.label_counts == {"billing": 2, "delivery": 2}
    world.close(1, error="Stopped")
    world.upload("more.csv", documents(2, first=70), kind="test")
    world.upload("tuesday.csv", documents(2, first=50))
    answer = world.seal(2)
    assert len(answer["datasets"]) == 1
    assert world.staged() == [f"{NAME}/test/more.csv"]
    assert world.row.test_set == frozen


def test_the_batch_is_empty_when_every_row_is_left_out(world: World) -> None:
    """That is no failure: training rows were used, the test rows stay drafts, nothing is sent."""
    test = documents(2)
    world.upload("test.csv", test, kind="test")
    world.upload("monday.csv", test)
    assert world.seal() == {"is_empty": True, "datasets": []}
    assert world.batch().left_out == {"rows of the test set": 4}
    assert world.batch().datasets == ()
    assert world.staged() == [f"{NAME}/test/test.csv"]
    assert (world.row.train_datasets, world.row.test_datasets) == (0, 0)
    assert "CreateDataset" not in world.comprehend_calls


def test_files_are_cut_when_they_would_exceed_the_quota(world: World) -> None:
    """A dataset's file has at most the service's size; rows stay whole and in order."""
    world.configure(service_max_file_bytes=1000)
    rows = documents(40)
    world.upload("monday.csv", rows)
    world.seal()
    keys = world.keys(f"batches/{NAME}/1/train/")
    assert len(keys) > 2
    sizes = [client("s3").head_object(Bucket=STAGING, Key=key)["ContentLength"] for key in keys]
    assert max(sizes) <= 1000
    assert world.sent() == csv(rows).decode().splitlines()


def test_uploads_wait_when_they_do_not_fit_one_dataset(world: World) -> None:
    """The oldest go first; the rest opens the next batch."""
    world.configure(service_max_documents=5)
    world.upload("a.csv", documents(2))
    world.clock.advance(1)
    world.upload("b.csv", documents(2, first=50))
    world.seal(1)
    assert world.staged() == [f"{NAME}/train/b.csv"]
    assert world.batch(1).documents == 4


def test_no_test_set_is_frozen_when_its_batch_was_empty(world: World) -> None:
    """Only a test set that the service holds counts; the next upload of one is taken."""
    test = documents(2)
    world.upload("test.csv", test, kind="test")
    world.upload("monday.csv", test)
    world.seal()
    world.close(1)
    assert world.row.test_set is None
    assert world.staged() == [f"{NAME}/test/test.csv"]
    world.upload("tuesday.csv", documents(2, first=50))
    assert len(world.seal(2)["datasets"]) == 2


def held(world: World, number: int) -> None:
    """Have the service take a batch's datasets, and end the batch there."""
    world.sealed(number)
    world.close(number, error="Stopped")


def test_a_row_trains_once_when_it_comes_again_in_another_month(world: World) -> None:
    """Whatever the file; only what is new is sent, and people are told what was not."""
    world.upload("monday.csv", documents(3))
    held(world, 1)
    world.upload("again.csv", [*documents(3), *documents(2, first=50)])
    world.sealed(2)
    assert sorted(world.sent(2)) == sorted(csv(documents(2, first=50)).decode().splitlines())
    assert world.batch(2).left_out == {"rows that the flywheel holds already": 6}


def test_the_new_row_is_left_out_when_it_contradicts_one_of_an_earlier_batch(world: World) -> None:
    """The flywheel keeps what it was told first."""
    rows = documents(2)
    world.upload("monday.csv", rows)
    held(world, 1)
    world.upload("tuesday.csv", [("delivery", rows[0][1]), *documents(2, first=50)])
    world.seal(2)
    assert world.batch(2).left_out == {"same text with another label": 1}
    assert world.batch(2).documents == 4


def test_nothing_is_sent_when_every_row_is_known(world: World) -> None:
    """The upload is a DUPLICATE, the batch is EMPTY, no slot is used and nothing has failed."""
    world.upload("monday.csv", documents(3))
    held(world, 1)
    again = world.upload("again.csv", documents(3))
    world.comprehend_calls.clear()
    assert world.seal(2)["is_empty"]
    assert world.known(again).state is UploadState.DUPLICATE
    assert world.close(2)["outcome"] is BatchOutcome.EMPTY
    assert "CreateDataset" not in world.comprehend_calls
    assert (world.row.train_datasets, world.row.failures_in_row) == (1, 1)
    told = [notice.subject for notice in world.cloud.told()]
    assert told[-1] == f"[test] {NAME}: EMPTY batch 2: nothing new to train on"
    assert world.staged() == []


def test_rows_can_be_sent_again_when_their_dataset_failed(world: World) -> None:
    """Only what the service holds is known; the slot of a FAILED dataset stays used."""
    world.upload("monday.csv", documents(3))
    world.seal(1)
    world.settle()
    with datasets_being("FAILED"):
        world.close(1, error="DatasetFailed")
    assert world.row.train_datasets == 1
    world.upload("again.csv", documents(3))
    world.seal(2)
    assert len(world.sent(2)) == 6


def after_every_call(world: World) -> Services:
    """Return the services at a time when no function of a batch can be alive any more."""
    late = world.now() + LONGEST_CALL + timedelta(seconds=1)
    return replace(world.services, now=lambda: late)


def test_the_slot_is_given_back_when_the_dataset_was_never_created(world: World) -> None:
    """The quota was used up, say; but only once no call can create it any more, and once."""
    world.upload("monday.csv", documents(3))
    used_up = answering("comprehend", "CreateDataset", code="ResourceLimitExceededException")
    with used_up, pytest.raises(ServiceRefusedError):
        world.seal(1)
    world.close(1, error="ServiceRefusedError")
    known = world.services.flywheel(NAME)
    assert settle_late_datasets(world.services, known) == 0
    assert world.row.train_datasets == 1
    later = after_every_call(world)
    assert [settle_late_datasets(later, known) for _ in range(2)] == [1, 0]
    assert world.row.train_datasets == 0
    segments = world.services.ledger.holdings.segments(NAME, 1)
    assert segments == {DatasetKind.TRAIN: [], DatasetKind.TEST: []}


def test_the_slot_stays_used_when_a_call_outlived_its_batch(world: World) -> None:
    """A dataset that is created after its batch was closed holds its rows: nobody sends them."""
    world.upload("monday.csv", documents(3))
    used_up = answering("comprehend", "CreateDataset", code="ResourceLimitExceededException")
    with used_up, pytest.raises(ServiceRefusedError):
        world.seal(1)
    batch = world.batch(1)
    world.close(1, error="States.Timeout")
    world.services.comprehend(world.flywheel_arn).create_dataset(
        batch.name.dataset(DatasetKind.TRAIN),
        DatasetKind.TRAIN,
        f"s3://{world.services.staging.bucket}/{batch.name.dataset_prefix(DatasetKind.TRAIN)}",
        shape=world.services.flywheel(NAME).settings.shape(),
        token=batch.name.token(DatasetKind.TRAIN.value, world.flywheel_arn),
        description="late",
    )
    later = after_every_call(world)
    assert settle_late_datasets(later, world.services.flywheel(NAME)) == 0
    again = world.upload("again.csv", documents(3))
    assert world.seal(2)["is_empty"]
    assert world.known(again).state is UploadState.DUPLICATE
    assert world.row.train_datasets == 1


def test_a_test_row_is_left_out_when_it_was_trained_on(world: World) -> None:
    """The test set must hold nothing that any earlier batch has learned."""
    world.upload("monday.csv", documents(3))
    held(world, 1)
    world.upload("test.csv", [*documents(1), *documents(2, first=90)], kind="test")
    world.upload("tuesday.csv", documents(2, first=50))
    world.sealed(2)
    assert len(world.sent(2, "test")) == 4
    assert world.batch(2).left_out == {"rows that are trained on already": 2}
