"""What the ports promise, on real clients and in memory alike: the simulator stands on this."""

import io
import tarfile
from dataclasses import replace

import pytest

from application.ledger.uploads import BY_FLYWHEEL_INDEX
from application.port_values import Change, Delete, Key, Put, is_detection
from application.ports import FlywheelService
from flywheel.batches.uploads import DatasetKind
from flywheel.errors import ConcurrentChangeError, LabelsUnknownError, ServiceRefusedError
from flywheel.evaluation.predictions import answers_of
from flywheel.notices.notice import Notice
from flywheel.settings.data_format import DataFormat, described_labels
from flywheel.settings.policy import METRICS
from tests.contract.port_scenes import AwsScene, MemoryScene, Scene
from tests.functions.world import LABELS, csv, documents

KEY, OTHER = Key("A", "1"), Key("A", "2")


@pytest.fixture(params=["aws", "memory"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """Have the ports on real clients, and then in memory."""
    if request.param == "memory":
        return MemoryScene()
    return AwsScene(request.getfixturevalue("world"))


@pytest.mark.slow
def test_values_are_the_same_when_they_come_back(scene: Scene) -> None:
    """Numbers, nested values and text; what is None is not there."""
    values = {"n": 3, "f": 0.1 + 0.2, "t": "grüße\n", "l": [1, {"a": True}], "m": {"x": 1}}
    scene.ports.table.write([Put(KEY, {**values, "absent": None})])
    assert scene.ports.table.get(KEY) == {**values, "pk": "A", "sk": "1"}
    assert scene.ports.table.get(OTHER) is None
    assert [row["sk"] for row in scene.ports.table.get_many([OTHER, KEY])] == ["1"]


def test_a_flywheel_is_there_when_it_was_not_deleted(scene: Scene) -> None:
    """Its own, and no other."""
    arn = scene.service.describe().arn
    assert scene.service.has_flywheel(arn)
    assert not scene.service.has_flywheel(f"{arn}-absent")


def test_a_tuple_is_a_list_when_it_comes_back(scene: Scene) -> None:
    """And it is expected as the same."""
    scene.ports.table.write([Put(KEY, {"l": ("a", "b")})])
    assert (scene.ports.table.get(KEY) or {})["l"] == ["a", "b"]
    scene.ports.table.write([Change(KEY, {"l": None}, {"l": ("a", "b")})])
    assert scene.ports.table.get(KEY) == {"pk": "A", "sk": "1"}


def test_a_put_is_refused_when_the_row_exists(scene: Scene) -> None:
    """Only a put that says so replaces, and then the whole row."""
    scene.ports.table.write([Put(KEY, {"value": 1})])
    with pytest.raises(ConcurrentChangeError):
        scene.ports.table.write([Put(KEY, {"value": 2})])
    scene.ports.table.write([Put(KEY, {"other": 3}, replaces=True)])
    assert scene.ports.table.get(KEY) == {"pk": "A", "sk": "1", "other": 3}


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        Change(OTHER, {"value": 2}),
        Change(KEY, {"value": 2}, {"state": "SEALED"}),
        Change(KEY, {"value": 2}, {"state": None}),
        Change(KEY, {"value": 2}, {"state": "OPEN", "absent": 1}),
        Change(KEY, {"value": 2}, {"map": {"a": 1}}),
    ],
    ids=["no such row", "another value", "not absent", "not there", "another map"],
)
def test_nothing_is_written_when_an_expectation_does_not_hold(scene: Scene, change: Change) -> None:
    """The other writes of the transaction are not carried out either."""
    row = {"state": "OPEN", "value": 1, "map": {"a": 2}}
    scene.ports.table.write([Put(KEY, row)])
    with pytest.raises(ConcurrentChangeError) as error:
        scene.ports.table.write([Put(Key("B", "1"), {}), Delete(Key("C", "1")), change])
    assert error.value.rows == {(change.key.pk, change.key.sk)}
    assert scene.ports.table.get(KEY) == {"pk": "A", "sk": "1", **row}
    assert scene.ports.table.get(Key("B", "1")) is None


def test_attributes_are_set_and_removed_when_expectations_hold(scene: Scene) -> None:
    """None removes, and is expected where an attribute must be absent."""
    scene.ports.table.write([Put(KEY, {"state": "OPEN", "gone": 1, "map": {"a": 2}})])
    expected = {"state": "OPEN", "new": None, "map": {"a": 2}}
    scene.ports.table.write([Change(KEY, {"gone": None, "new": 5}, expected), Delete(OTHER)])
    row = scene.ports.table.get(KEY) or {}
    assert (row.get("gone"), row["new"]) == (None, 5)


def test_a_transaction_is_refused_when_it_names_a_row_twice(scene: Scene) -> None:
    """The service takes one operation a row."""
    with pytest.raises(ServiceRefusedError):
        scene.ports.table.write([Put(KEY, {}), Delete(KEY)])


def test_a_transaction_is_refused_when_it_is_too_large(scene: Scene) -> None:
    """The service takes a hundred writes."""
    writes = [Put(Key("A", f"{number}"), {}) for number in range(101)]
    with pytest.raises(ValueError, match="101"):
        scene.ports.table.write(writes)
    scene.ports.table.write(writes[1:])


def test_rows_come_in_order_when_a_partition_is_queried(scene: Scene) -> None:
    """Only rows whose sort key begins with the requested prefix."""
    for sk in ("X#2", "X#10", "Y#1", "X#1"):
        scene.ports.table.write([Put(Key("A", sk), {})])
    scene.ports.table.write([Put(Key("B", "X#3"), {})])
    assert [row["sk"] for row in scene.ports.table.query("A", "X#")] == ["X#1", "X#10", "X#2"]


def test_the_newest_rows_come_first_when_an_index_is_queried(scene: Scene) -> None:
    """At most the requested number; rows without the index's keys are absent."""
    for day in (2, 3, 1):
        values = {"flywheel": "tickets", "received_at": f"2026-01-0{day}"}
        scene.ports.table.write([Put(Key(f"UPLOAD#{day}", "UPLOAD"), values)])
    scene.ports.table.write([Put(Key("BATCH#1", "BATCH"), {"flywheel": "tickets"})])
    rows = scene.ports.table.query_index(BY_FLYWHEEL_INDEX, "flywheel", "tickets", 2)
    assert [row["received_at"] for row in rows] == ["2026-01-03", "2026-01-02"]


def test_a_counter_begins_at_zero_when_it_is_counted_up(scene: Scene) -> None:
    """Its row need not exist."""
    assert [scene.ports.table.count_up(KEY, "seen") for _ in range(3)] == [1, 2, 3]
    assert scene.ports.table.get(KEY) == {"pk": "A", "sk": "1", "seen": 3}


def test_an_object_is_kept_when_it_is_created_again(scene: Scene) -> None:
    """The second call gets the information that the object exists."""
    staging = scene.ports.staging
    assert staging.text("a.csv") is None
    assert [staging.create("a.csv", body) for body in (b"A,one\nB,two\n", b"else")] == [True, False]
    assert staging.text("a.csv") == "A,one\nB,two\n"
    assert b"".join(staging.chunks("a.csv")) == b"A,one\nB,two\n"
    assert list(staging.lines("a.csv")) == ["A,one\n", "B,two\n"]
    staging.create("long.csv", b"C,three\n" * 20_000)
    keys = ["a.csv", "long.csv", *["a.csv"] * 12]
    counts = [len(list(lines)) for lines in staging.all_lines(keys)]
    assert counts == [2, 20_000, *[2] * 12]
    with pytest.raises(ServiceRefusedError, match="NoSuchKey"):
        list(staging.chunks("b.csv"))


def test_a_version_is_read_when_the_object_was_overwritten(scene: Scene) -> None:
    """Each version is there until it is deleted itself."""
    first, second = (scene.drop("tickets/train/a.csv", body) for body in (b"one", b"other"))
    inbox = scene.ports.inbox
    assert [b"".join(inbox.version_chunks(upload) or ()) for upload in (first, second)] == [
        b"one",
        b"other",
    ]
    assert {version.upload: version.size_bytes for version in inbox.versions()} == {
        first: 3,
        second: 5,
    }
    scene.delete(first)
    assert inbox.version_chunks(first) is None
    assert inbox.version_chunks(replace(second, key="tickets/train/b.csv")) is None
    assert [version.upload for version in inbox.versions()] == [second]


def test_a_notice_is_sent_again_when_it_is_published_again(scene: Scene) -> None:
    """Both have the same id, so a reader can drop one."""
    for _ in range(2):
        scene.ports.topic.publish("tickets", Notice("n-1", "A subject", "A body"))
    assert scene.published() == ["n-1", "n-1"]


def test_an_upload_comes_when_it_is_injected(scene: Scene) -> None:
    """As the very version."""
    upload = scene.drop("tickets/train/a b+ü.csv", b"x")
    assert not scene.ports.messages.has_waiting_uploads()
    scene.ports.messages.inject(upload, 1)
    assert scene.ports.messages.has_waiting_uploads()
    assert scene.injected() == [upload]


def test_an_execution_is_one_when_it_is_started_twice(scene: Scene) -> None:
    """The second start is no error; one that never began is not known."""
    executions = scene.ports.executions
    assert executions.describe("tickets-batch-1-1") is None
    for _ in range(2):
        executions.start("tickets-batch-1-1", "{}")
    status, error, cause = executions.describe("tickets-batch-1-1") or ("", "", "")
    assert status in {"RUNNING", "SUCCEEDED"}
    assert (error, cause) == ("", "")


def _created(scene: Scene, name: str, kind: DatasetKind, description: str = "one") -> str:
    prefix = f"batches/{name}/{kind.value}/"
    scene.ports.staging.create(f"{prefix}a.csv", csv(documents(6, first=len(name) * 10)))
    return scene.service.create_dataset(
        name,
        kind,
        f"s3://{scene.ports.staging.bucket}/{prefix}",
        shape=DataFormat(),
        token=f"token-{name}-{description}",
        description=description,
    )


def _complete(scene: Scene, arn: str) -> None:
    scene.let_pass(lambda: scene.service.dataset_status(arn) == "COMPLETED")


def test_a_dataset_is_one_when_it_is_created_twice(scene: Scene) -> None:
    """Its name is its identity: with another content it is refused."""
    arn = _created(scene, "batch-1-1-train", DatasetKind.TRAIN)
    assert scene.service.dataset_status(arn) in {"CREATING", "COMPLETED"}
    assert _created(scene, "batch-1-1-train", DatasetKind.TRAIN) == arn
    with pytest.raises(ServiceRefusedError, match="ResourceInUseException"):
        _created(scene, "batch-1-1-train", DatasetKind.TRAIN, "another")
    assert scene.service.dataset_status(f"{arn}-absent") is None
    _complete(scene, arn)
    assert scene.service.dataset_completed_at(arn).tzinfo is not None


def test_a_dataset_of_a_kind_is_there_when_it_is_complete(scene: Scene) -> None:
    """A training dataset is no test dataset."""
    assert not scene.service.has_dataset(DatasetKind.TRAIN)
    _complete(scene, _created(scene, "batch-1-1-train", DatasetKind.TRAIN))
    assert scene.service.has_dataset(DatasetKind.TRAIN)
    assert not scene.service.has_dataset(DatasetKind.TEST)
    _complete(scene, _created(scene, "batch-2-1-test", DatasetKind.TEST))
    assert scene.service.has_dataset(DatasetKind.TEST)


def test_a_flywheel_trains_once_when_it_is_started_again(scene: Scene) -> None:
    """The same token is the same iteration; with another one the flywheel is occupied."""
    service = scene.service
    assert sorted(described_labels(service.task_config())) == sorted(LABELS)
    _complete(scene, _created(scene, "batch-1-1-train", DatasetKind.TRAIN))
    _complete(scene, _created(scene, "batch-1-1-test", DatasetKind.TEST))
    first = service.start_iteration("token-1")
    assert first is not None
    assert service.start_iteration("token-1") == first
    assert service.start_iteration("token-2") is None
    assert [iteration.id for iteration in service.iterations()] == [first]
    scene.let_pass(lambda: not service.iteration(first).is_running)
    _is_a_first_model(service, first)


def test_a_training_ends_stopped_when_it_is_stopped(scene: Scene) -> None:
    """It is listed while it runs; once it was stopped, there is none to stop."""
    service = scene.service
    _complete(scene, _created(scene, "batch-1-1-train", DatasetKind.TRAIN))
    assert service.model_in_training() is None
    iteration_id = service.start_iteration("token-1") or ""
    scene.let_pass(lambda: service.model_in_training() is not None)
    model = service.model_in_training()
    assert model is not None
    service.stop_training(model)
    assert service.model_in_training() is None
    scene.let_pass(lambda: not service.iteration(iteration_id).is_running)
    assert service.iteration(iteration_id).status == "STOPPED"


def _is_a_first_model(service: FlywheelService, iteration_id: str) -> None:
    iteration = service.iteration(iteration_id)
    assert (iteration.status, iteration.evaluated_model) == ("COMPLETED", None)
    assert set(iteration.trained_metrics or ()) <= set(METRICS)
    assert 0 <= (iteration.trained_metrics or {})["AverageF1Score"] <= 1
    assert iteration.seconds > 0
    model = iteration.trained_model or ""
    service.make_active(model)
    assert service.describe().active_model == model
    facts = service.model(model)
    assert facts is not None
    assert (facts.status, facts.flywheel_arn) == ("TRAINED", service.describe().arn)
    assert service.model(f"{model}-other") is None
    with pytest.raises(LabelsUnknownError, match="names no confusion matrix"):
        service.model_labels(model, None)
    assert service.endpoints() == []


def test_a_call_is_refused_when_there_is_no_such_iteration(scene: Scene) -> None:
    """With the code that the service declares."""
    with pytest.raises(ServiceRefusedError, match="ResourceNotFoundException"):
        scene.service.iteration("20260101T000000Z")


@pytest.mark.slow
def test_a_model_answers_each_document_when_a_job_ends(scene: Scene) -> None:
    """The same token is the same job; its archive has one line a document, in order."""
    service, staging = scene.service, scene.ports.staging
    _complete(scene, _created(scene, "batch-1-1-train", DatasetKind.TRAIN))
    _complete(scene, _created(scene, "batch-1-1-test", DatasetKind.TEST))
    iteration = service.start_iteration("token-1") or ""
    scene.let_pass(lambda: not service.iteration(iteration).is_running)
    model = service.iteration(iteration).trained_model or ""
    texts = ["text 1", "text 2", "text 3"]
    staging.create("documents.txt", "".join(f"{text}\n" for text in texts).encode())
    jobs, place = scene.ports.answer_jobs(service.describe().arn), f"s3://{staging.bucket}"
    job, again = (
        jobs.start(model, f"{place}/documents.txt", f"{place}/out/", "token-2") for _ in range(2)
    )
    assert again == job
    assert not is_detection(job)
    assert jobs.describe(job).seconds == 0.0
    scene.let_pass(lambda: not jobs.describe(job).is_running)
    described = jobs.describe(job)
    assert (described.arn, described.model, described.status, described.message) == (
        job,
        model,
        "COMPLETED",
        "",
    )
    assert described.seconds > 0
    archive = b"".join(staging.chunks(described.output_uri.removeprefix(f"{place}/")))
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        (lines,) = (file for member in files if (file := files.extractfile(member)))
        assert all(len(answer) == 1 for answer in answers_of(map(bytes.decode, lines), len(texts)))
