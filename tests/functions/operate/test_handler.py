"""Operate on real clients: each command once, what it refuses, and who is named for it."""

import hashlib
from dataclasses import asdict
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from application.commands import carry_out as operate
from application.commands.carry_out import carry_out
from application.commands.payloads import (
    AbandonRebuild,
    FreezeTestSet,
    ImportRows,
    OperatorCommand,
    Pause,
    Rebuild,
    Resume,
    RetryBatch,
    SplitTestSet,
    StartBatch,
    StopTraining,
    Withdraw,
    import_key,
)
from flywheel.batches.uploads import DatasetKind, UploadState
from flywheel.errors import ConcurrentChangeError
from operate import handler as module
from operate.handler import handler
from tests.functions.cloud import answering
from tests.functions.world import NAME, World, csv, documents

WHY = "labels are being checked"


class Operator:
    """A person who commands.

    Parameters
    ----------
    context : LambdaContext
    """

    def __init__(self, context: LambdaContext) -> None:
        self._context = context

    def __call__(self, command: OperatorCommand, **more: Any) -> dict[str, Any]:
        """Send a command and return the answer."""
        return self.sent({**asdict(command), "actor": "ann", **more})

    def sent(self, payload: Any) -> dict[str, Any]:
        """Send a payload and return the answer."""
        answer: dict[str, Any] = handler(payload, self._context)
        return answer


@pytest.fixture
def ann(world: World, context: LambdaContext) -> Operator:
    """Return somebody who commands the flywheel."""
    assert world.services.flywheel(NAME)
    return Operator(context)


def entries(world: World) -> list[tuple[str, str]]:
    """Return event and actor of what the audit tells, in order."""
    found = world.services.ledger.audit.entries(NAME)
    return [(entry["event"], entry["actor"]) for entry in found]


def test_audit_and_notices_name_the_actor_when_a_person_pauses(world: World, ann: Operator) -> None:
    """As claimed, where nothing proves the name; the notice goes out at once."""
    assert ann(Pause(flywheel=NAME, reason=WHY)) == {}
    assert world.row.pause is not None
    assert (world.row.pause.by, world.row.pause.reason) == ("ann (claimed)", WHY)
    (notice,) = world.cloud.told()
    assert f"ann (claimed) paused the flywheel: {WHY}" in notice.body
    assert world.waiting() == []
    again = ann(Pause(flywheel=NAME, reason=WHY))
    words = f"it is paused already, by ann (claimed): {WHY}"
    assert again == {"refused": words, "error": "ActRefusedError"}
    answer = ann(Resume(flywheel=NAME, reason="they are right"))
    assert answer["batch"] is None
    assert answer["next_batch_lacks"] == ["no training documents are staged"]
    assert entries(world) == [("paused", "ann (claimed)"), ("resumed", "ann (claimed)")]


def test_the_batch_opens_when_a_person_resumes_and_the_rules_are_met(
    world: World, ann: Operator
) -> None:
    """In the same call, and its execution starts."""
    ann(Pause(flywheel=NAME, reason=WHY))
    world.upload("monday.csv", documents(8))
    answer = ann(Resume(flywheel=NAME, reason="they are right"))
    assert answer == {"batch": 1, "rejudges": None, "next_batch_lacks": []}
    assert world.cloud.executions() == [f"{NAME}-batch-1-1"]


def test_a_batch_opens_when_a_person_starts_it(world: World, ann: Operator) -> None:
    """Below our own minimum, which is for batches that open by themselves."""
    assert ann(StartBatch(flywheel=NAME))["batch"] is None
    world.configure(min_documents=1000)
    world.upload("monday.csv", documents(4))
    assert ann(StartBatch(flywheel=NAME))["batch"] == 1
    assert entries(world)[-1] == ("batch opened", "ann (claimed)")


def test_the_iteration_stops_when_its_training_is_stopped(world: World, ann: Operator) -> None:
    """The act is recorded before it is done; a second one finds nothing to stop."""
    world.upload("monday.csv", documents(8))
    world.sealed()
    world.start()
    comprehend = world.services.comprehend(world.flywheel_arn)
    training = world.until(comprehend.model_in_training, lambda model: model is not None)
    assert ann(StopTraining(flywheel=NAME, reason="wrong data")) == {"model": training}
    refused = ann(StopTraining(flywheel=NAME, reason="wrong data"))
    assert "there is nothing to stop" in refused["refused"]
    assert entries(world)[-1] == ("training stopped", "ann (claimed)")


def test_the_person_is_told_when_the_training_has_ended(world: World, ann: Operator) -> None:
    """It ended between the look and the stop, which the service says by its code."""
    world.upload("monday.csv", documents(8))
    world.sealed()
    world.start()
    comprehend = world.services.comprehend(world.flywheel_arn)
    world.until(comprehend.model_in_training, lambda model: model is not None)
    over = answering("comprehend", "StopTrainingDocumentClassifier", code="InvalidRequestException")
    with over:
        answer = ann(StopTraining(flywheel=NAME, reason="wrong data"))
    assert "could not be stopped any more" in answer["refused"]
    assert answer["error"] == "ActRefusedError"


def test_a_failed_batch_opens_again_when_it_is_retried(world: World, ann: Operator) -> None:
    """The newest one, or the one that is named; one that does not exist is named as such."""
    world.upload("monday.csv", documents(8))
    world.sealed()
    world.close(error="Stopped", cause="by hand")
    unknown = ann(RetryBatch(flywheel=NAME, batch=9, reason="again"))
    assert unknown["error"] == "BatchNotFoundError"
    assert ann(RetryBatch(flywheel=NAME, reason="again")) == {"batch": 1, "attempt": 2}
    assert f"{NAME}-batch-1-2" in world.cloud.executions()


def test_uploads_are_taken_back_when_they_are_withdrawn(world: World, ann: Operator) -> None:
    """One that waits by its uid, those of a batch by its number, with what becomes of each."""
    monday = world.upload("monday.csv", documents(8))
    world.sealed()
    tuesday = world.upload("tuesday.csv", documents(4, first=20))
    world.cloud.told()
    assert ann(Withdraw(flywheel=NAME, uid=tuesday.uid, reason="mislabeled")) == {
        "left": [f"{NAME}/train/tuesday.csv"],
        "kept": [],
        "live_trained_on": [],
    }
    answer = ann(Withdraw(flywheel=NAME, batch=1, reason="mislabeled"))
    assert answer["kept"] == [f"{NAME}/train/monday.csv"]
    assert world.known(monday).state is world.known(tuesday).state is UploadState.WITHDRAWN
    assert len(world.cloud.told()) == 2


def test_an_upload_is_refused_when_it_is_another_flywheels(world: World, ann: Operator) -> None:
    """A uid alone does not say whose rows are taken back."""
    other = world.put("elsewhere/train/x.csv", b"billing,one\n")
    world.register(other)
    for uid in (other.uid, "0" * 64):
        answer = ann(Withdraw(flywheel=NAME, uid=uid, reason="mislabeled"))
        assert answer["refused"] == f"{NAME} has no upload {uid}"


def test_a_generation_is_asked_for_when_a_person_rebuilds(world: World, ann: Operator) -> None:
    """With its labels; and given up again."""
    add = ("refunds",)
    assert ann(Rebuild(flywheel=NAME, reason="a new label", add_labels=add)) == {}
    assert world.row.rebuild is not None
    assert (world.row.rebuild.step, tuple(world.row.rebuild.add_labels)) == ("REQUESTED", add)
    assert ann(AbandonRebuild(flywheel=NAME, reason="not wanted")) == {}
    assert world.row.rebuild is not None
    assert world.row.rebuild.step == "RETURNING"
    assert len(world.cloud.told()) == 2


def test_the_test_set_is_drafted_and_frozen_when_a_person_says_so(
    world: World, ann: Operator
) -> None:
    """Split from training rows, which leaves each label some."""
    world.configure(min_documents=1000)
    world.upload("monday.csv", documents(10))
    counts = ann(SplitTestSet(flywheel=NAME, fraction=0.3))["label_counts"]
    assert set(counts) == {"billing", "delivery"}
    answer = ann(FreezeTestSet(flywheel=NAME))
    assert answer["labels_missing"] == []
    assert ("freeze asked for", "ann (claimed)") in entries(world)


def imported(world: World, body: bytes, announced: bytes | None = None) -> ImportRows:
    """Put rows where an import expects them, and return its command."""
    sha256 = hashlib.sha256(body if announced is None else announced).hexdigest()
    world.services.staging.create(import_key(NAME, sha256), body)
    return ImportRows(flywheel=NAME, kind=DatasetKind.TRAIN, file="old.csv", sha256=sha256)


def test_rows_are_known_when_a_person_imports_them(world: World, ann: Operator) -> None:
    """Their content stays in S3, since an invocation carries 6 MB at most."""
    assert world.services.ledger.flywheels.ensure(NAME, world.flywheel_arn)
    command = imported(world, csv(documents(3)))
    uid = ann(command)["uid"]
    row = world.services.ledger.uploads.get(uid)
    assert row is not None
    assert (row.state, row.documents) == (UploadState.IMPORTED, 6)
    assert "imported before" in ann(command)["refused"]


def test_rows_are_refused_when_they_are_not_those_announced(world: World, ann: Operator) -> None:
    """The command names their hash, and its proof covers that."""
    command = imported(world, csv(documents(3)), announced=b"others")
    assert "are others than were announced" in ann(command)["refused"]


def test_rows_are_refused_when_they_are_more_than_fit(
    world: World, ann: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before they are all read: the function would run out of memory."""
    monkeypatch.setattr(operate, "MOST_IMPORTED_BYTES", 2**20)
    command = imported(world, b"x" * (2**20 + 1))
    assert "holds more than 1 MiB of rows" in ann(command)["refused"]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"act": "forge", "flywheel": NAME}, "does not match any of the expected tags"),
        ({"flywheel": NAME}, "Unable to extract tag"),
        ({"act": "pause", "flywheel": NAME}, "pause.reason: Field required"),
        ({"act": "pause", "flywheel": NAME, "reason": " "}, "say why"),
        ({"act": "pause", "flywheel": NAME, "reason": 7}, "pause.reason: Input should be a valid"),
        ({"act": "start", "flywheel": NAME, "row": {"pk": "x"}}, "start.row: Unexpected"),
        ({"act": "retry", "flywheel": NAME, "reason": WHY, "batch": "1"}, "retry.batch: Input"),
        ({"act": "withdraw", "flywheel": NAME, "reason": WHY}, "give either uid or batch"),
        ({"act": "split-test-set", "flywheel": NAME, "fraction": 0.95}, "give 0.01 to 0.9"),
        ({"act": "start", "flywheel": "nobody's"}, 'no flywheel "nobody\'s"'),
    ],
)
def test_a_payload_is_refused_when_it_is_no_command(
    world: World, ann: Operator, payload: Any, problem: str
) -> None:
    """Strictly: no other field, no other type; the answer names what is wrong."""
    answer = ann.sent(payload)
    assert problem in answer["refused"]
    assert answer["error"] in {"InvalidCommandError", "BatchNotFoundError"}
    assert entries(world) == []


@pytest.mark.parametrize("more", [{"actor": "root (verified)"}, {"proof": {}}])
def test_nothing_is_done_when_an_identity_is_not_proven(
    world: World, ann: Operator, more: Any
) -> None:
    """What is given as proof is never left aside."""
    answer = ann(Pause(flywheel=NAME, reason=WHY), **more)
    assert answer["error"] == "UnprovenIdentityError"
    assert entries(world) == []


def test_a_command_may_be_repeated_when_the_flywheel_changed_meanwhile(
    ann: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer names the error, by which the command says that it can be tried again."""

    def lose(*_: Any) -> None:
        raise ConcurrentChangeError("another was first")

    monkeypatch.setattr(module, "carry_out", lose)
    answer = ann(Pause(flywheel=NAME, reason=WHY))
    assert answer == {"refused": "another was first", "error": "ConcurrentChangeError"}


def test_every_command_has_its_use_case_when_the_types_are_read(world: World) -> None:
    """What is no command is a fault of this project, and fails as one."""
    nothing: Any = type("Nothing", (), {"flywheel": NAME})()
    with pytest.raises(TypeError, match="Nothing is no command"):
        carry_out(world.services, nothing)
