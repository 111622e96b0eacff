"""The stories that are played to have everything written and sent; a new kind needs a line here.

Each begins with a new account (`tests.stored.stage`). Documents are as few as the story allows.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from adapters.clients import client
from adapters.configuration import configuration
from adapters.ledger.audit import entry_key
from flywheel.errors import FlywheelLoopError
from flywheel.uploads import DatasetKind
from local.comprehend.faults import Fault
from tests.functions.cloud import (
    INBOX,
    STAGING,
    Crash,
    altering,
    answering,
    before,
    crash,
    datasets_being,
)
from tests.functions.world import NAME, csv, documents, swapped
from tests.stored.stage import Document, Stage

_EARLY, _LATE = csv(documents(4, words=["early"])), csv(documents(4, first=50, words=["late"]))
_TEST = csv(documents(4, first=200))


def live(stage: Stage) -> None:
    """Have a model live that knows half of the words, and a frozen test set."""
    stage.upload("test.csv", _TEST, kind="test")
    stage.upload("monday.csv", _EARLY)
    stage.executed()


def better(stage: Stage, number: int = 1, **settings: Any) -> None:
    """Drop rows that make a better model."""
    stage.upload(f"better-{number}.csv", csv(documents(4, first=50 * number, words=["late"])))


def changed(stage: Stage, act: str, model: str = "", request: str = "one") -> Document:
    """Let a person change the champion."""
    asked = {"act": act, "model": model, "reason": "complaints", "actor": "ann", "request": request}
    answer: Document = stage.call("ChangeChampion", {"flywheel": NAME, **asked})
    return answer


def champions(stage: Stage) -> None:
    """Promote, reject, withdraw, roll back; change the champion outside, and let changes fail."""
    live(stage)
    better(stage)
    stage.executed()
    stage.upload("wrong.csv", csv(swapped(documents(6, first=100))))
    stage.executed()
    acts = stage.acts
    acts.withdraw(acts.uploads_of(stage.services.staging, 3), "mislabeled", stage.now())
    changed(stage, "rollback")
    assert "refused" in changed(stage, "rollback", request="two")
    stage.acts.resume("looked at it", stage.now())
    stage.acts.pause("holidays", stage.now())
    with answering("comprehend", "UpdateFlywheel", code="InvalidRequestException"):
        assert "refused" in changed(stage, "promote", model="2", request="three")
    with crash("comprehend", "UpdateFlywheel"):
        changed(stage, "promote", model="2", request="four")
    stage.reconcile()
    row = stage.services.ledger.flywheels.get(NAME)
    assert row is not None
    history = stage.services.ledger.champions.history(NAME)
    client("comprehend").update_flywheel(
        FlywheelArn=stage.arn, ActiveModelArn=history[0].model or ""
    )
    stage.services.ledger.flywheels.note_stop(row, "arn:of:a:model", "too long", stage.now())
    stage.reconcile()


def outside(stage: Stage) -> None:
    """Run an iteration that no batch started, and forge the audit."""
    live(stage)
    stage.configure(policy={"outside_iterations": "judge"})
    stage.clock.advance(60)
    client("comprehend").start_flywheel_iteration(FlywheelArn=stage.arn)
    stage.clock.advance(1)

    def still_training(answer: Document) -> None:
        for iteration in answer["FlywheelIterationPropertiesList"]:
            iteration["Status"] = "TRAINING"

    with altering("comprehend", "ListFlywheelIterationHistory", still_training):
        stage.reconcile()
    stage.reconcile()
    key = entry_key(NAME, 2)
    client("dynamodb").update_item(
        TableName=configuration().ledger_table,
        Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}},
        UpdateExpression="SET actor = :somebody",
        ExpressionAttributeValues={":somebody": {"S": "somebody"}},
    )


def approvals(stage: Stage) -> None:
    """Ask a person, who says yes, says no, says nothing, and does something else meanwhile."""

    def says(answer: str, number: int) -> Document:
        asked = {"flywheel": NAME, "batch": number, "answer": answer, "reason": "looks good"}
        given: Document = stage.call("AnswerApproval", {**asked, "actor": "ann"})
        return given

    live(stage)
    stage.configure(policy={"mode": "approve", "approval_timeout_hours": 2})
    better(stage, 1)
    stage.executed(person=lambda: says("reject", 2))
    better(stage, 2)
    stage.executed()
    better(stage, 3)

    def approved_late() -> None:
        with crash("stepfunctions", "SendTaskSuccess", when="after-call"):
            says("approve", 4)
        with altering("stepfunctions", "DescribeExecution", _running):
            stage.reconcile()

    stage.executed(person=approved_late)
    assert "refused" in says("approve", 4)
    stage.configure(policy={"mode": "shadow"})
    better(stage, 4)
    stage.executed()


def _running(answer: Document) -> None:
    answer["status"] = "RUNNING"


def held(stage: Stage) -> None:
    """Hold what a verdict promotes: another champion, a barred model, promotion paused."""
    live(stage)
    stage.configure(policy={"mode": "approve", "approval_timeout_hours": 2})
    first = stage.services.comprehend(stage.arn).describe().active_model or ""

    def says_yes(number: int) -> None:
        asked = {"flywheel": NAME, "batch": number, "answer": "approve", "reason": "fine"}
        stage.call("AnswerApproval", {**asked, "actor": "ann"})

    def goes_back_from_it() -> None:
        changed(stage, "promote", model="2", request="there")
        changed(stage, "rollback", request="back")
        says_yes(2)

    better(stage, 1)
    stage.executed(person=goes_back_from_it)
    stage.configure()
    better(stage, 2)
    stage.executed()
    stage.acts.resume("goes on", stage.now())
    stage.configure(policy={"mode": "approve", "approval_timeout_hours": 2})

    def somebody_else_acts() -> None:
        changed(stage, "promote", model="3", request="other")
        says_yes(4)

    better(stage, 3)
    stage.executed(person=somebody_else_acts)
    assert first


def failures(stage: Stage) -> None:
    """Have batches fail in every way, and be tried again."""
    assert stage.clock.engine._parts is not None
    faults = stage.clock.engine._parts.faults
    faults.add(Fault("fail_iteration", flywheel=stage.arn, times=1))
    live(stage)
    stage.acts.retry(stage.services.staging, 1, "again", stage.now())
    stage.executed()
    # The same rows again: nothing is new.
    stage.upload("again.csv", _EARLY)
    stage.executed()
    # A service that refuses datasets: slots are given back when no call can create them any more.
    better(stage, 1)
    with answering("comprehend", "CreateDataset", code="InvalidRequestException"):
        stage.executed()
    stage.clock.advance(3600)
    stage.reconcile()
    # An execution that never began and one that ended without closing; then the flywheel pauses.
    better(stage, 2)
    stage.reconcile()


def late_datasets(stage: Stage) -> None:
    """Have datasets end after their batch did: a TEST one complete, a TRAIN one failed."""
    stage.upload("test.csv", _TEST, kind="test")
    stage.upload("monday.csv", _EARLY)
    with datasets_being("CREATING"):
        stage.upload("late.csv", _LATE)
        stage.reconcile()
    stage.reconcile()
    with datasets_being("FAILED"):
        stage.reconcile()


def data(stage: Stage) -> None:
    """Import, split, withdraw before sealing, ask by a marker; refuse, lose, and not deliver."""
    stage.configure(batch={"min_documents": 1000})
    stage.services.ledger.flywheels.ensure(NAME, stage.arn)
    staging = stage.services.staging
    stage.acts.import_rows(
        staging, DatasetKind.TRAIN, "old.csv", body=csv(documents(2, first=300)), now=stage.now()
    )
    stage.acts.import_rows(
        staging, DatasetKind.TEST, "older.csv", body=csv(documents(2, first=310)), now=stage.now()
    )
    stage.upload("a.csv", csv(documents(5)))
    withdrawn = stage.upload("b.csv", csv(documents(3, first=30)))
    rows = stage.services.ledger.uploads.get_many([withdrawn.uid]).values()
    stage.acts.withdraw(list(rows), "mislabeled", stage.now())
    stage.acts.split(staging, 0.2, stage.now())
    stage.upload("broken.csv", b"only one column\n")
    stage.upload("in-part.csv", csv(documents(60, first=500)) + b"bilin,wrong label\n")
    elsewhere = stage.put("nowhere.csv", b"billing,one\n")
    stage.delivered(elsewhere)
    gone = stage.put(f"{NAME}/train/gone.csv", b"billing,one\n")
    client("s3").delete_object(Bucket=INBOX, Key=gone.key, VersionId=gone.version_id)
    stage.delivered(gone)
    stage.call("Reconcile", {"Records": [{"body": json.dumps({"flywheel": NAME})}]})
    stage.upload("_GO", b"")
    stage.executed()
    lost = stage.put(f"{NAME}/train/lost.csv", csv(documents(2, first=320)))
    stage.clock.advance(3600)
    stage.reconcile()
    with answering("s3", "GetObject", code="SlowDown", status=503):
        stage.delivered(lost)
    stage.clock.advance(9 * 3600)
    stage.reconcile()
    stage.delivered(lost)


def answers(stage: Stage) -> None:
    """Have both models answer the test set; hold, freeze more test rows, judge again."""
    stage.upload("test.csv", csv(documents(2, first=200)), kind="test")
    stage.upload("monday.csv", _EARLY)
    stage.executed()
    stage.configure(policy={"evidence": "paired", "min_test_documents": 2})
    better(stage, 1)
    stage.executed()
    stage.upload("more.csv", csv(documents(10, first=400)), kind="test")
    stage.acts.freeze(stage.now())
    stage.reconcile()
    stage.executed()


def rebuilds(stage: Stage) -> None:
    """Rebuild and promote, with an endpoint that follows; give up; fail; stay."""
    live(stage)
    client("comprehend").create_endpoint(
        EndpointName=f"{configuration().environment}",
        FlywheelArn=stage.arn,
        DesiredInferenceUnits=1,
    )
    stage.clock.advance(1)
    stage.configure(batch={"min_documents": 1000})
    stage.acts.rebuild("never made", [], [], stage.now())
    with answering("comprehend", "CreateFlywheel", code="InvalidRequestException"):
        stage.reconcile()
    stage.acts.rebuild("not wanted", [], [], stage.now())
    stage.acts.give_up_rebuild("not wanted", stage.now())
    stage.reconcile()
    stage.acts.rebuild("labels were mixed up", ["refunds"], [], stage.now())
    for _ in range(2):
        stage.reconcile()
    stage.acts.give_up_rebuild("no better", stage.now())
    stage.reconcile()


STORIES: Mapping[str, Callable[[Stage], None]] = {
    story.__name__.replace("_", "-"): story
    for story in (
        champions, outside, approvals, held, failures, late_datasets, data, answers, rebuilds,
    )
}
