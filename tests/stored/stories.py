"""The stories that are played to have everything written and sent; a new kind needs a line here.

Each begins with a new account (`tests.stored.stage`). Documents are as few as the story allows.
"""

import hashlib
import json
from collections.abc import Callable, Mapping

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from adapters.clients import client
from adapters.parameters import configuration
from application.commands.payloads import (
    AbandonRebuild,
    FreezeTestSet,
    ImportRows,
    Pause,
    Rebuild,
    Resume,
    RetryBatch,
    SplitTestSet,
    Withdraw,
    import_key,
)
from application.ledger.audit import entry_key
from comprehend_engine.api.faults import InjectedFault
from flywheel.batches.uploads import DatasetKind
from tests.functions.cloud import (
    INBOX,
    altering,
    answering,
    crash,
    datasets_being,
)
from tests.functions.world import LABELS, NAME, csv, documents, swapped
from tests.stored.stage import Document, Stage

_EARLY, _LATE = csv(documents(4, words=["early"])), csv(documents(4, first=50, words=["late"]))
_TEST = csv(documents(4, first=200))


def live(stage: Stage) -> None:
    """Have a model live that knows half of the words, and a frozen test set."""
    stage.upload("test.csv", _TEST, kind="test")
    stage.upload("monday.csv", _EARLY)
    stage.executed()


def better(stage: Stage, number: int = 1) -> None:
    """Drop rows that make a better model."""
    stage.upload(f"better-{number}.csv", csv(documents(4, first=50 * number, words=["late"])))


def changed(stage: Stage, act: str, model: str = "", request: str = "one") -> Document:
    """Let a person change the champion."""
    asked = {"act": act, "model": model, "reason": "complaints", "actor": "ann", "request": request}
    answer: Document = stage.call("ChangeChampion", {"flywheel": NAME, **asked})
    return answer


def champions(stage: Stage) -> None:
    """Promote, reject, withdraw, roll back; let changes of the champion be refused and cut off."""
    live(stage)
    better(stage)
    stage.executed()
    stage.upload("wrong.csv", csv(swapped(documents(6, first=100))))
    stage.executed()
    stage.operate(Withdraw(flywheel=NAME, batch=3, reason="mislabeled"))
    changed(stage, "rollback")
    assert "refused" in changed(stage, "rollback", request="two")
    stage.operate(Resume(flywheel=NAME, reason="looked at it"))
    stage.operate(Pause(flywheel=NAME, reason="holidays"))
    with answering("comprehend", "UpdateFlywheel", code="InvalidRequestException"):
        assert "refused" in changed(stage, "promote", model="2", request="three")
    with crash("comprehend", "UpdateFlywheel"):
        changed(stage, "promote", model="2", request="four")
    stage.reconcile()


def outside(stage: Stage) -> None:
    """Have a person act in the console, and somebody forge the audit."""
    live(stage)
    stage.configure(policy={"outside_iterations": "judge"})
    client("comprehend").start_flywheel_iteration(FlywheelArn=stage.arn)
    stage.clock.advance(1)

    def still_training(answer: Document) -> None:
        for iteration in answer["FlywheelIterationPropertiesList"]:
            iteration["Status"] = "TRAINING"

    with altering("comprehend", "ListFlywheelIterationHistory", still_training):
        stage.reconcile()
    stage.reconcile()
    comprehend = stage.services.comprehend(stage.arn)
    trained = {iteration.trained_model for iteration in comprehend.iterations()}
    (other,) = trained - {comprehend.describe().active_model}
    client("comprehend").update_flywheel(FlywheelArn=stage.arn, ActiveModelArn=other or "")
    row = stage.services.ledger.flywheels.get(NAME)
    head = stage.services.ledger.audit.head(NAME)
    assert row is not None
    assert head is not None
    stage.services.ledger.flywheels.note_stop(row, "arn:of:a:model", "too long", stage.now())
    key = entry_key(NAME, head.seq)
    client("dynamodb").put_item(
        TableName=configuration().ledger_table,
        Item={"pk": {"S": key.pk}, "sk": {"S": key.sk}, "actor": {"S": "somebody"}},
    )
    stage.reconcile()


def approvals(stage: Stage) -> None:
    """Ask people: they say no, yes, nothing, and do other things meanwhile; then ask nobody."""
    asking = {"mode": "approve", "approval_timeout_hours": 2}

    def says(answer: str, number: int) -> Document:
        asked = {"flywheel": NAME, "batch": number, "answer": answer, "reason": "looks good"}
        given: Document = stage.call("AnswerApproval", {**asked, "actor": "ann"})
        return given

    def makes_another_active() -> None:
        changed(stage, "promote", model="2", request="other")

    def goes_live_and_back() -> None:
        changed(stage, "promote", model="5", request="there")
        changed(stage, "rollback", request="back")
        says("approve", 5)

    def says_yes_and_the_function_dies() -> None:
        with crash("stepfunctions", "SendTaskSuccess", when="after-call"):
            says("approve", 6)
        with altering("stepfunctions", "DescribeExecution", _running):
            stage.reconcile()

    live(stage)
    stage.configure(policy=asking)
    people = (
        lambda: says("reject", 2),
        None,
        makes_another_active,
        goes_live_and_back,
        says_yes_and_the_function_dies,
    )
    for number, person in enumerate(people, 1):
        better(stage, number)
        stage.executed(person=person)
        if person is makes_another_active:
            changed(stage, "promote", model="1", request="first")
    assert "refused" in says("approve", 2)
    stage.operate(Resume(flywheel=NAME, reason="goes on"))
    stage.configure(policy={"mode": "shadow"})
    better(stage, 6)
    stage.executed()


def _running(answer: Document) -> None:
    answer["status"] = "RUNNING"


def failures(stage: Stage) -> None:
    """Have batches fail in every way, and be tried again."""
    stage.faults.add(InjectedFault("fail_iteration", flywheel=stage.arn, times=1))
    live(stage)
    stage.operate(RetryBatch(flywheel=NAME, batch=1, reason="again"))
    stage.executed()
    # The same rows again: nothing is new.
    stage.upload("again.csv", _EARLY)
    stage.executed()
    # A service that refuses datasets; their slots come back when no call can create them any more.
    better(stage, 1)
    with answering("comprehend", "CreateDataset", code="InvalidRequestException"):
        stage.executed()
    stage.clock.advance(3600)
    stage.reconcile()
    # An execution that ended without closing its batch: the second failure in a row.
    better(stage, 2)
    stage.reconcile()


def late_datasets(stage: Stage) -> None:
    """Have datasets end after their batch did: a TEST one complete, a TRAIN one failed."""
    stage.configure(batch={"poll_seconds": 600, "iteration_deadline_hours": 1})
    with datasets_being("CREATING"):
        live(stage)
    stage.clock.advance(60)
    stage.reconcile()
    with datasets_being("FAILED"):
        stage.reconcile()


def data(stage: Stage) -> None:
    """Import, split, withdraw before the seal, ask by a marker; refuse, lose, and not deliver."""
    stage.configure(batch={"min_documents": 1000})
    stage.services.ledger.flywheels.ensure(NAME, stage.arn)
    for kind, first in ((DatasetKind.TRAIN, 300), (DatasetKind.TEST, 310)):
        body = csv(documents(2, first=first))
        sha256 = hashlib.sha256(body).hexdigest()
        stage.services.staging.create(import_key(NAME, sha256), body)
        stage.operate(ImportRows(flywheel=NAME, kind=kind, file="old.csv", sha256=sha256))
    stage.upload("a.csv", csv(documents(5)))
    withdrawn = stage.upload("b.csv", csv(documents(3, first=30)))
    stage.operate(Withdraw(flywheel=NAME, uid=withdrawn.uid, reason="mislabeled"))
    stage.operate(SplitTestSet(flywheel=NAME, fraction=0.2))
    stage.upload("broken.csv", b"only one column\n")
    stage.upload("in-part.csv", csv(documents(60, first=500)) + b"bilin,wrong label\n")
    stage.delivered(stage.put("nowhere.csv", b"billing,one\n"))
    gone = stage.put(f"{NAME}/train/gone.csv", b"billing,one\n")
    client("s3").delete_object(Bucket=INBOX, Key=gone.key, VersionId=gone.version_id)
    stage.delivered(gone)
    stage.call("Reconcile", {"Records": [{"body": json.dumps({"flywheel": NAME})}]})
    stage.upload("_GO", b"")
    stage.executed()
    lost = stage.put(f"{NAME}/train/lost.csv", csv(documents(2, first=320)))
    stage.clock.advance(3600)
    stage.reconcile()
    with (
        answering("s3", "GetObject", code="SlowDown", status=503),
        answering("sqs", "ChangeMessageVisibility", code="", status=200),
        pytest.raises(BatchProcessingError),
    ):
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
    better(stage)
    stage.executed()
    stage.upload("more.csv", csv(documents(14, first=400)), kind="test")
    stage.operate(FreezeTestSet(flywheel=NAME))
    stage.reconcile()
    stage.executed()


def rebuilds(stage: Stage) -> None:
    """Ask for generations that are refused, given up early and late, and made."""
    live(stage)
    name = configuration().environment
    client("comprehend").create_endpoint(
        EndpointName=name, FlywheelArn=stage.arn, DesiredInferenceUnits=1
    )
    stage.configure(batch={"min_documents": 1000})
    better(stage)
    stage.operate(Rebuild(flywheel=NAME, reason="never made"))
    with answering("comprehend", "CreateFlywheel", code="InvalidRequestException"):
        stage.reconcile()
    stage.operate(Rebuild(flywheel=NAME, reason="not wanted"))
    stage.operate(AbandonRebuild(flywheel=NAME, reason="not wanted"))
    stage.reconcile()
    relabeled = Rebuild(flywheel=NAME, reason="labels were mixed up", add_labels=("refunds",))
    stage.operate(relabeled)
    stage.reconcile()
    stage.reconcile()
    with answering("comprehend", "CreateDataset", code="InvalidRequestException"):
        stage.executed()
    stage.operate(AbandonRebuild(flywheel=NAME, reason="no better"))
    stage.reconcile()
    stage.operate(Rebuild(flywheel=NAME, reason="slots"))
    stage.reconcile()
    stage.reconcile()
    stage.executed()
    stage.reconcile()
    for row in stage.services.ledger.uploads.newest(NAME):
        if row.batch:
            stage.operate(Withdraw(flywheel=NAME, uid=row.uid, reason="mislabeled"))
    stage.operate(Rebuild(flywheel=NAME, reason="nothing is left"))
    stage.reconcile()
    stage.reconcile()


def entities(stage: Stage) -> None:
    """Take both halves of entity data, and a half alone; have a recognizer answer."""
    stage.configure(policy=_guarded("PERSON"), task="entities")
    for kind, folder, word in (
        ("test", "t", "met"),
        ("train", "a", "lives"),
        ("train", "b", "met"),
    ):
        texts, annotations = _annotated(word, 6 if kind == "test" else 10)
        stage.upload(f"{folder}/documents.txt", texts, kind)
        stage.upload(f"{folder}/annotations.csv", annotations, kind)
        stage.executed()
    for text in (b"Ann met Bern\n", b"Bob met Cork\n"):
        stage.upload("alone/documents.txt", text)
    stage.clock.advance(3 * 24 * 3600)
    stage.reconcile()


def _guarded(label: str) -> Document:
    """Return a policy with a guard that averages say nothing of."""
    guard = {"critical_labels": [label], "comparison": "non-inferiority", "margin": 0.2}
    return {"evidence": "paired", "min_test_documents": 2, **guard}


def _annotated(word: str, documents: int) -> tuple[bytes, bytes]:
    names, lines, found = ("Ann", "Bob", "Cleo", "Dora", "Emil"), [], []
    for number in range(documents):
        name, place = names[number % 5], ("Bern", "Cork", "Graz")[number % 3]
        lines.append(f"{name} {word} in {place} {number * 'x'}")
        begin = len(f"{name} {word} in ")
        found += [
            f"documents.txt,{number},0,{len(name)},PERSON",
            f"documents.txt,{number},{begin},{begin + len(place)},PLACE",
        ]
    head = "File,Line,Begin Offset,End Offset,Type"
    return "".join(f"{line}\n" for line in lines).encode(), "\n".join([head, *found, ""]).encode()


def several_labels(stage: Stage) -> None:
    """Take documents with several labels, and have a model answer with several."""
    stage.configure(policy=_guarded("billing"), mode="multi-label")
    for kind, first in (("test", 200), ("train", 1), ("train", 60)):
        rows = [(f"{a}|{b}", f"{one} {two}") for (a, one), (b, two) in _pairs(first)]
        given = [*documents(4, first=first), *rows]
        stage.upload(f"{first}.csv", csv(given), kind)
        stage.executed()


def _pairs(first: int) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    given = documents(4, first=first)
    return list(zip(given[::2], given[1::2], strict=True))


TASKS: Mapping[str, Document] = {
    "entities": {
        "LanguageCode": "en",
        "EntityRecognitionConfig": {"EntityTypes": [{"Type": "PERSON"}, {"Type": "PLACE"}]},
    },
    "several-labels": {
        "LanguageCode": "en",
        "DocumentClassificationConfig": {"Mode": "MULTI_LABEL", "Labels": list(LABELS)},
    },
}
"""Tasks of the flywheels of some stories, as CreateFlywheel takes them."""

STORIES: Mapping[str, Callable[[Stage], None]] = {
    story.__name__.replace("_", "-"): story
    for story in (
        champions,
        outside,
        approvals,
        failures,
        late_datasets,
        data,
        answers,
        rebuilds,
        entities,
        several_labels,
    )
}
"""By the name of the environment that they are played in."""
