"""A batch that fails reaches a person, and the flywheel goes on."""

import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from console.environment.local_environment import Letter, Mailbox
from console.environment.target import Target, local_target
from local_cloud.environment import LocalEnvironment, LocalSettings

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def environment() -> Iterator[LocalEnvironment]:
    """Run a local environment whose engine asks for ten documents a label, as the service does."""
    with LocalEnvironment(LocalSettings(service_min_per_label=10)) as started:
        yield started


@pytest.fixture(scope="module")
def target(environment: LocalEnvironment) -> Target:
    """Return the command's view of the environment."""
    return local_target(environment.variables)


def put(target: Target, key: str, documents_per_label: int) -> None:
    """Drop a training file with so many documents of each of two labels."""
    rows = "".join(
        f"{label},{word} number {number}\n"
        for label, word in (("BILLING", "invoice"), ("SHIPPING", "parcel"))
        for number in range(documents_per_label)
    )
    target.client("s3").put_object(
        Bucket=target.outputs["InboxBucket"], Key=key, Body=rows.encode()
    )


def wait_for(mailbox: Mailbox, words: str) -> Letter:
    """Return the first letter whose subject has these words."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for letter in mailbox.letters:
            if words in letter.subject:
                return letter
        mailbox.collect(wait_seconds=1)
    raise AssertionError([letter.subject for letter in mailbox.letters])


def test_a_person_is_told_when_a_dataset_fails(target: Target) -> None:
    """The notice has the service's reason and says what to do; the next batch goes through."""
    mailbox = Mailbox(target)
    put(target, "tickets/train/few.csv", documents_per_label=3)
    failure = wait_for(mailbox, "FAILED batch 1")
    assert "ACTION NEEDED" in failure.subject
    assert "DatasetFailed" in failure.body
    assert "BILLING" in failure.body

    put(target, "tickets/train/enough.csv", documents_per_label=40)
    verdict = wait_for(mailbox, "BOOTSTRAP")
    assert "PROMOTED" in verdict.subject
    warning = wait_for(mailbox, "STARTED batch 2")
    assert "WARNING: no test set" in warning.subject


def test_the_two_places_are_named_when_a_key_belongs_to_no_flywheel(target: Target) -> None:
    """A misplaced file is told with the flywheels that there are and the folders that work."""
    mailbox = Mailbox(target)
    put(target, "ticket/train/few.csv", documents_per_label=3)
    refusal = wait_for(mailbox, "REFUSED few.csv")
    assert "tickets/train/ or tickets/test/" in " ".join(refusal.body.split())


def test_every_call_was_allowed_when_the_roles_did_their_work(
    environment: LocalEnvironment,
) -> None:
    """IAM is enforced while the batches above run, and no role lacked a permission."""
    decisions = environment.cloud.decisions()
    assert any(decision.action == "comprehend:UpdateFlywheel" for decision in decisions)
    assert [decision for decision in decisions if not decision.is_allowed] == []


@pytest.mark.parametrize(
    ("function", "is_allowed"), [("CompareModels", True), ("RegisterUpload", False)]
)
def test_one_role_alone_may_promote_when_roles_are_enforced(
    environment: LocalEnvironment, function: str, *, is_allowed: bool
) -> None:
    """CompareModels may change the active model; a function that only reads files may not."""
    functions = environment.client("lambda").list_functions()["Functions"]
    role = next(found["Role"] for found in functions if f"-{function}" in found["FunctionName"])
    comprehend = environment.cloud.client_for_role("comprehend", role)
    flywheel = environment.client("comprehend").list_flywheels()["FlywheelSummaryList"][0]
    promote = {
        "FlywheelArn": flywheel["FlywheelArn"],
        "ActiveModelArn": flywheel["ActiveModelArn"],
    }
    if is_allowed:
        comprehend.update_flywheel(**promote)
        return
    with pytest.raises(ClientError, match="AccessDenied"):
        comprehend.update_flywheel(**promote)
