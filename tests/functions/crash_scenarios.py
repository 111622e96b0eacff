"""The stories of the sweep.

What a story has in common with an earlier one it plays while the killer is asleep. Each begins with
a flywheel whose active model knows half of the words, but for rebuilds: their first model is their
own.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from itertools import count

import boto3

from adapters.clients import client
from application.approvals import ask
from application.commands.payloads import (
    AbandonRebuild,
    FreezeTestSet,
    ImportRows,
    Rebuild,
    RetryBatch,
    SplitTestSet,
    import_key,
)
from flywheel.batches.uploads import DatasetKind, UploadState
from tests.functions.asked import ASKING, TOKEN, answered, waiting_task
from tests.functions.champions import changed
from tests.functions.crash_story import Story
from tests.functions.world import ANSWERS_WANTED, NAME, csv, documents

_environments = count(1)


def promoted(story: Story) -> None:
    """Have a file and a test set make a better model, which goes live."""
    story.upload("test.csv", documents(8, first=200), kind="test")
    story.upload("monday.csv", documents(8))
    story.sealed(1)
    story.judged(1)


def compared(story: Story) -> None:
    """Have both models answer the test set before a better one goes live."""
    with story.killer.asleep():
        story.world.configure(policy=ANSWERS_WANTED)
        story.upload("test.csv", documents(20, first=200), kind="test")
        story.upload("monday.csv", documents(8))
        story.sealed(1)
    story.judged(1)


def rejudged(story: Story) -> None:
    """Have new test rows show that a held challenger is better: nothing is trained for it."""
    with story.killer.asleep():
        story.world.configure(policy={"evidence": "paired", "min_test_documents": 2})
        story.upload("test.csv", documents(2, first=200), kind="test")
        story.upload("monday.csv", documents(8))
        story.sealed(1)
        story.judged(1)
    story.upload("more.csv", documents(20, first=400), kind="test")
    story.operated(FreezeTestSet(flywheel=NAME))
    story.reconciled()
    story.sealed(2)
    story.judged(2)


def approved(story: Story) -> None:
    """Have a person say yes to a better model."""
    _asked(story)
    with waiting_task():
        story.delivered(lambda: answered(story.world, "approve"))
    story.delivered(lambda: story.world.compare(1))
    story.closed(1)


def unanswered(story: Story) -> None:
    """Have nobody say anything about a better model."""
    with story.killer.asleep():
        _asked(story)
    story.world.clock.advance(3 * 3600)
    story.delivered(lambda: story.world.compare(1))
    story.closed(1)


def _asked(story: Story) -> None:
    """Come to where people are asked."""
    world = story.world
    world.configure(policy=ASKING)
    with story.killer.asleep():
        story.upload("test.csv", documents(8, first=200), kind="test")
        story.upload("monday.csv", documents(8))
        story.sealed(1)
        story.delivered(lambda: world.start(1))
        world.await_iteration(1)
    story.delivered(lambda: world.compare(1))
    story.delivered(lambda: ask(world.services, NAME, 1, attempt=1, token=TOKEN))


def _retry(story: Story) -> None:
    """Have a person retry batch 1, and its second attempt come to where it starts."""
    story.operated(RetryBatch(flywheel=NAME, batch=1, reason="again"))
    story.sealed(1, attempt=2)


def rolled_back(story: Story) -> None:
    """Have a better model go live, and a person roll back from it."""
    with story.killer.asleep():
        promoted(story)
    story.delivered(lambda: changed(story.world, "rollback", request="one"))


def failed(story: Story) -> None:
    """Have a batch fail before its iteration, and retry it: its datasets serve."""
    with story.killer.asleep():
        story.upload("monday.csv", documents(8))
        story.sealed(1)
    story.closed(1, error="Stopped", cause="by hand")
    _retry(story)
    story.judged(1)


def retried(story: Story) -> None:
    """Have an iteration end without a verdict; the batch's second attempt has another one."""
    with story.killer.asleep():
        story.upload("monday.csv", documents(8))
        story.sealed(1)
        story.world.start(1)
        story.world.await_iteration(1)
        story.closed(1, error="IterationFAILED")
        _retry(story)
    story.judged(1)


def empty(story: Story) -> None:
    """Have every row of a batch in the flywheel already."""
    given = documents(4)
    story.world.services.ledger.flywheels.ensure(NAME, story.world.flywheel_arn)
    sha256 = hashlib.sha256(csv(given)).hexdigest()
    with story.killer.asleep():
        story.world.services.staging.create(import_key(NAME, sha256), csv(given))
    story.operated(ImportRows(flywheel=NAME, kind=DatasetKind.TRAIN, file="old.csv", sha256=sha256))
    story.upload("monday.csv", given)
    story.sealed(1)
    story.closed(1)


def refused(story: Story) -> None:
    """Refuse a file that is no labeled text, and one that lies where no flywheel is."""
    story.upload("broken.csv", b"only one column\n")
    elsewhere = story.world.put("nowhere.csv", b"billing,one\n")
    story.delivered(lambda: story.world.register(elsewhere))


def split(story: Story) -> None:
    """Make a part of what waits a test set."""
    story.world.configure(min_documents=1000)
    with story.killer.asleep():
        story.upload("a.csv", documents(5))
        story.upload("b.csv", documents(5, first=30))
    story.operated(SplitTestSet(flywheel=NAME, fraction=0.2))
    story.upload("_GO", b"")
    story.sealed(1)
    story.closed(1, error="Stopped")


def withdrawn(story: Story) -> None:
    """Take two uploads back before they are sent; a third one goes on."""
    story.world.configure(min_documents=1000)
    with story.killer.asleep():
        uids = [story.upload(f"{name}.csv", documents(3, first=ord(name))) for name in "ab"]
        story.upload("good.csv", documents(3))

    def withdraw() -> None:
        rows = story.world.services.ledger.uploads.get_many(uids).values()
        left = [row for row in rows if row.state is UploadState.STAGED]
        story.acts().withdraw(left, "mislabeled", story.world.now())

    story.acted(withdraw)
    story.upload("_GO", b"")
    story.sealed(1)
    story.closed(1, error="Stopped")


def rebuilt(story: Story) -> None:
    """Make the next generation of all rows; an endpoint follows when its model is live."""
    _switched(story)
    story.sealed(2)
    story.judged(2)
    story.rebuilt()


def given_up(story: Story) -> None:
    """Give the next generation up after its first batch failed; the earlier one goes on."""
    with story.killer.asleep():
        _switched(story)
        story.sealed(2)
    story.closed(2, error="Stopped")
    story.operated(AbandonRebuild(flywheel=NAME, reason="not wanted"))
    story.rebuilt()
    # What the earlier generation does not hold is less than our minimum.
    story.upload("_GO", b"")
    story.sealed(3)
    story.judged(3)


def given_up_early(story: Story) -> None:
    """Give the next generation up before batches go to it, when uploads wait for it already."""
    with story.killer.asleep():
        _rebuilding(story)
        story.rebuilt()
    # Whoever did this died before the switch.
    story.world.services.ledger.batch_uploads.restage(story.world.row)
    story.operated(AbandonRebuild(flywheel=NAME, reason="not wanted"))
    story.rebuilt()
    story.upload("_GO", b"")
    story.sealed(2)
    story.judged(2)


def _switched(story: Story) -> None:
    """Have a live model with an endpoint, and batches that go to the next generation."""
    _rebuilding(story)
    story.world.until(story.rebuilt, lambda step: step == "SWITCHED")


def _rebuilding(story: Story) -> None:
    """Have a live model with an endpoint, and somebody ask for the next generation."""
    world = story.world
    # Environments share one engine, so each needs a name of its own for its generations.
    name = f"sweep{next(_environments)}"
    world.cloud = replace(
        world.cloud, configuration=replace(world.cloud.configuration, environment=name)
    )
    _deploy_rebuild_function(world.cloud.configuration.rebuild_flywheel_function)
    with story.killer.asleep():
        story.upload("test.csv", documents(8, first=200), kind="test")
        story.upload("monday.csv", documents(8, words=["early"]))
        story.sealed(1)
        story.judged(1)
    client("comprehend").create_endpoint(
        EndpointName=name, FlywheelArn=world.flywheel_arn, DesiredInferenceUnits=1
    )
    # What waits is less than our minimum: the next generation does not wait for it.
    world.configure(min_documents=1000)
    with story.killer.asleep():
        story.upload("tuesday.csv", documents(8, first=50, words=["late"]))
    story.operated(Rebuild(flywheel=NAME, reason="labels were mixed up"))


def _deploy_rebuild_function(name: str) -> None:
    """Have the function that reconcile invokes; what it does is called by the story."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = boto3.client("iam").create_role(RoleName="rebuild", AssumeRolePolicyDocument=policy)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("rebuild_flywheel/handler.py", "")
    client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.14",
        Role=role["Role"]["Arn"],
        Handler="rebuild_flywheel.handler.handler",
        Code={"ZipFile": code.getvalue()},
    )
